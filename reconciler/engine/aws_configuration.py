"""Mistakes in the caller's AWS configuration, each as one clear line with a hint. No message contains a secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.session import Session
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    InvalidRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from reconciler.errors import ReconcileError

SIGN_IN = "set AWS_PROFILE, or sign in first (for example: aws sso login)"


@contextmanager
def configuration_errors(profile: str) -> Iterator[None]:
    """Turn the errors of botocore while it reads the configuration into ReconcileError."""
    try:
        yield
    except InvalidRegionError as error:
        raise ReconcileError(f"'{error.kwargs['region_name']}' is not an AWS region", "check AWS_REGION") from None
    except PartialCredentialsError as error:
        missing = error.kwargs["cred_var"]
        raise ReconcileError(f"the AWS credentials are incomplete: {missing} is missing", f"set {missing}") from None
    except ProfileNotFound as error:
        name = error.kwargs["profile"]
        raise ReconcileError(
            f"the AWS profile '{name}' does not exist", "check AWS_PROFILE and ~/.aws/config"
        ) from None
    except (SSOError, TokenRetrievalError):
        login = f"aws sso login --profile {profile}" if profile else "aws sso login"
        raise ReconcileError("the AWS SSO session has expired", f"sign in again: {login}") from None
    except BotoCoreError as error:
        raise ReconcileError(f"AWS configuration: {error}", "check AWS_PROFILE and ~/.aws/config") from None
    except ClientError as error:  # a role that the configuration names, or a token that is too old
        code = error.response.get("Error", {}).get("Code", "unknown error")
        raise ReconcileError(f"AWS refused the credentials of the configuration: {code}", SIGN_IN) from None
    except OSError as error:
        hint = "check AWS_WEB_IDENTITY_TOKEN_FILE and the files in ~/.aws"
        raise ReconcileError(f"{error.filename}: {(error.strerror or 'cannot be read').lower()}", hint) from None
    except ValueError as error:
        raise ReconcileError(
            f"AWS configuration: {error}", "AWS_ENDPOINT_URL must begin with http:// or https://"
        ) from None


def check_credentials(session: Session) -> None:
    """Raises ReconcileError if there are no credentials, or if a header could not carry them."""
    with configuration_errors(session.profile_name):
        found = session.get_credentials()
        frozen = found.get_frozen_credentials() if found else None
    if frozen is None or not frozen.access_key:
        raise ReconcileError("no AWS credentials found", SIGN_IN)
    values = {
        "access key id": frozen.access_key,
        "secret access key": frozen.secret_key,
        "session token": frozen.token,
    }
    for name, value in values.items():
        if value and not (value.isascii() and value.isprintable() and value == value.strip()):
            hint = "remove spaces and line breaks from the end of the value"
            raise ReconcileError(f"the AWS {name} contains a character that is not allowed", hint)
