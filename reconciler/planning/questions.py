"""What is asked about an attempt to send: an address, a source and a time, as a person writes them."""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime

from reconciler.core.address import MAX_ADDRESS, MAX_LOCAL_PART, normalize_address
from reconciler.core.networks import why_not_public
from reconciler.core.text import quote

# https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2: a dot-string or a quoted string. SES takes no others:
# https://docs.aws.amazon.com/ses/latest/dg/send-email-concepts-email-format.html
_LOCAL_PART = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*|\"([ !#-\[\]-~]|\\[ -~])*\"", re.ASCII)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_CASE = "evaluated with the domain in lower case; IAM compares case, so clients must write it in lower case, too"
_PATTERN = "'*' stands for itself here: the answer is about this one address, not about a pattern"


def parse_sender(text: str) -> tuple[str, tuple[str, ...]]:
    """A From address with its domain in lower case, and what the caller has to know. Raises ValueError."""
    address = normalize_address(text)
    local, at, domain = address.rpartition("@")
    labels = domain.split(".")
    is_valid = at and len(address) <= MAX_ADDRESS and len(local) <= MAX_LOCAL_PART and _LOCAL_PART.fullmatch(local)
    if not is_valid or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError(f"'{quote(text)}' is not an address: write local@domain, without a display name")
    return address, tuple(note for note, applies in ((_CASE, address != text), (_PATTERN, "*" in local)) if applies)


def parse_source(text: str) -> tuple[str, tuple[str, ...]]:
    """An IP address, and what the caller has to know. Raises ValueError."""
    try:
        if "%" in text:
            raise ValueError
        source = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"'{quote(text)}' is not an IP address") from None
    network = ipaddress.ip_network(source)
    if not (reason := why_not_public(network)):
        return str(source), ()
    return str(source), (f"{source} is not public: it {reason}; aws:SourceIp holds public addresses only",)


def parse_time(text: str) -> datetime:
    """A day (its beginning) or a time; without an offset it is UTC. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"'{quote(text)}' is not a time: write 2027-06-30 or 2027-06-30T12:00Z") from None
