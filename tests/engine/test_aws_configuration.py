"""Mistakes in the caller's AWS configuration: one clear line and a hint for each, never a traceback or a secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.forked import run_forked
from support.runs import Checkout, an_entry

KEY = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-to-be-shown"}
SSO = """\
[profile sso]
sso_session = s
sso_account_id = 111122223333
sso_role_name = reader
[sso-session s]
sso_start_url = https://example.com/start
sso_region = eu-central-1
[profile legacy]
sso_start_url = https://example.com/start
sso_region = eu-central-1
sso_account_id = 111122223333
sso_role_name = reader
[profile process]
credential_process = /no/such/program
"""

MISTAKES = [
    ({}, "no AWS credentials found", "set AWS_PROFILE, or sign in first"),
    ({"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}, "AWS_SECRET_ACCESS_KEY is missing", "set AWS_SECRET_ACCESS_KEY"),
    ({**KEY, "AWS_REGION": "eu_central_1"}, "'eu_central_1' is not an AWS region", "check AWS_REGION"),
    ({**KEY, "AWS_ENDPOINT_URL": "localhost:4566"}, "Invalid endpoint: localhost:4566", "must begin with http://"),
    ({**KEY, "AWS_ENDPOINT_URL_DYNAMODB": "ddb"}, "Invalid endpoint: ddb", "must begin with http://"),
    ({**KEY, "AWS_ENDPOINT_URL": "http://[x"}, "Invalid IPv6 URL", "must begin with http://"),
    (
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/token", "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/ci"},
        "/no/such/token: no such file or directory",
        "check AWS_WEB_IDENTITY_TOKEN_FILE",
    ),
    ({**KEY, "AWS_SECRET_ACCESS_KEY": "not-to-be-shown\n"}, "secret access key contains a character", "line breaks"),
    ({**KEY, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE\n"}, "access key id contains a character", "line breaks"),
    ({**KEY, "AWS_SESSION_TOKEN": "not-to-be-shown\r\n"}, "session token contains a character", "line breaks"),
    ({"AWS_PROFILE": "nope"}, "the AWS profile 'nope' does not exist", "check AWS_PROFILE"),
    ({"AWS_PROFILE": "sso"}, "the AWS SSO session has expired", "aws sso login --profile sso"),
    ({"AWS_PROFILE": "legacy"}, "the AWS SSO session has expired", "aws sso login --profile legacy"),
    ({"AWS_PROFILE": "process"}, "/no/such/program: no such file or directory", "the files in ~/.aws"),
]


@pytest.mark.parametrize(("environ", "message", "hint"), MISTAKES)
def test_a_mistake_is_one_line_with_a_hint(
    environ: dict[str, str], message: str, hint: str, checkout: Checkout, tmp_path: Path
) -> None:
    checkout.declare(an_entry("crm"))
    (tmp_path / "config").write_text(SSO)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    settings = {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(tmp_path),
    }
    mine = {**clean, **settings, **environ}
    run = run_forked("reconciler", "plan", "--env", "test", cwd=checkout.root, environ=mine)
    assert run.returncode == 1
    first, second = run.stderr.splitlines()
    assert first.startswith("error: ")
    assert message in first
    assert second.startswith("  hint: ")
    assert hint in second
    assert "not-to-be-shown" not in run.stdout + run.stderr
