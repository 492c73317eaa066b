"""What a mail client needs: the endpoint of a region and the password of an access key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

# https://docs.aws.amazon.com/general/latest/gr/ses.html, read in 2026. It can be outdated, so it only warns.
KNOWN_REGIONS = frozenset(
    "us-east-1 us-east-2 us-west-1 us-west-2 af-south-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 "
    "ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-5 ca-central-1 "
    "ca-west-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-west-1 eu-west-2 eu-west-3 "
    "il-central-1 me-central-1 me-south-1 sa-east-1 us-gov-east-1 us-gov-west-1".split()
)


# https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html
ACCESS_KEY_ID = re.compile(r"[A-Za-z0-9_]{16,128}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{44}")  # 33 bytes
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Ports by TLS mode. Port 25 is not recommended: EC2 throttles it."""

    host: str
    starttls_ports: tuple[int, ...] = (587, 2587, 25)
    tls_ports: tuple[int, ...] = (465, 2465)


def endpoint(region: str) -> Endpoint:
    return Endpoint(f"email-smtp.{region}.amazonaws.com")


def smtp_password(secret_access_key: str, region: str) -> str:
    """Version 4 of AWS's algorithm, 44 characters; the user name is the access key id.

    https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html#smtp-credentials-convert
    """
    signature = ("AWS4" + secret_access_key).encode()
    for message in ("11111111", region, "ses", "aws4_request", "SendRawEmail"):
        signature = hmac.digest(signature, message.encode(), hashlib.sha256)
    return base64.b64encode(b"\x04" + signature).decode()


def are_credentials(username: object, passwords: object) -> bool:
    """Is this what the credential manager stores: an access key id, and an SMTP password for each region?"""
    return (
        _matches(ACCESS_KEY_ID, username)
        and isinstance(passwords, Mapping)
        and all(_matches(_REGION, region) and _matches(_PASSWORD, value) for region, value in passwords.items())
    )


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
