"""The three documents of an access review: the JSON follows its schema, and its digest covers the other two."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.manifests.schema import SCHEMA_DIR
from reconciler.output.report import render, to_dict
from reconciler.output.report_page import NO_DIGEST, set_digest
from reconciler.planning.report import AccessKey, Entry, Grant
from reconciler.planning.report_chain import digest_of
from support.reports import AT, COMMIT, REPOSITORY, a_large_report, a_report

SCHEMA: dict[str, Any] = json.loads((SCHEMA_DIR / "report.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("previous", ["", "ab" * 32])
def test_it_follows_the_schema(previous: str) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    made = a_report(*a_large_report(120).entries, Entry("odd", "orphan", None, Grant()), commit="", repository="")
    content = json.loads(render(made, previous, "report.json").json)
    assert [*Draft202012Validator(SCHEMA).iter_errors(content)] == []
    assert content["previous"] == (previous or None)


def test_the_digest_covers_all_documents() -> None:
    documents = render(a_large_report(5), "", "report.json")
    content = json.loads(documents.json)
    assert content["digest"] == documents.digest == digest_of(content)
    assert content["files"]["csv"] == hashlib.sha256(documents.csv).hexdigest()
    page = set_digest(documents.html.decode(), documents.digest, NO_DIGEST)
    assert content["files"]["html"] == hashlib.sha256(page.encode()).hexdigest()
    assert documents.csv.startswith("\ufeff".encode())


def test_the_same_report_has_the_same_bytes() -> None:
    assert render(a_large_report(40), "", "report.json") == render(a_large_report(40), "", "report.json")


def test_a_user() -> None:
    entry = a_large_report(14).entries[2]
    (user,) = to_dict(a_report(entry), "")["users"]
    assert user == {
        "name": "crm-0001",
        "description": "Order confirmations",
        "owner": "crm@example.com",
        "state": "active",
        "addresses": ["crm-0001@example.com", "no-reply+crm@news.example.com"],
        "networks": ["203.0.113.0/24"],
        "expires": "2028-02-28",
        "source": {
            "commit": COMMIT,
            "pull_request": f"{REPOSITORY}/pull/101",
            "approver": "dana eve",
            "actor": "arn:aws:sts::111122223333:assumed-role/ci/apply",
            "run": None,
            "requested_at": None,
            "manifest": "users/prod/crm.yaml",
            "line": None,
        },
        "keys": [
            {
                "id": "AKIAEXAMPLE10001",
                "active": True,
                "created_at": "2026-10-21T08:30:00Z",
                "last_use": "used",
                "last_used_at": "2026-10-05T09:30:00Z",
            }
        ],
        "key_created_at": "2026-10-21T08:30:00Z",
        "last_use": "used",
        "last_used_at": "2026-10-05T09:30:00Z",
        "findings": [],
    }


@pytest.mark.parametrize(
    ("keys", "use", "each"),
    [
        ((), "no key", []),
        ((AccessKey("K", True, None),), "unknown", ["unknown"]),
        ((AccessKey("K", True, AT, None, True),), "never", ["never"]),
        ((AccessKey("K", True, AT, AT, True), AccessKey("L", False, None)), "unknown", ["used", "unknown"]),
        ((AccessKey("K", True, AT, AT, True), AccessKey("L", False, AT, None, True)), "used", ["used", "never"]),
    ],
)
def test_unknown_is_not_never(keys: tuple[AccessKey, ...], use: str, each: list[str]) -> None:
    (user,) = to_dict(a_report(Entry("crm", "active", None, Grant(), keys)), "")["users"]
    assert (user["last_use"], [key["last_use"] for key in user["keys"]]) == (use, each)
    assert (user["last_used_at"] is None) == (use != "used")
