"""What `validate` refuses in an environment that is not local."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.errors import InvalidInput
from reconciler.manifests.environment_checks import check_environments
from reconciler.manifests.environments import load_environments
from reconciler.manifests.examples import find_example

ROOT = Path(__file__).parents[2]
ACCOUNT = "210000000012"
OWN: dict[str, Any] = {
    "account_id": ACCOUNT,
    "region": "eu-central-1",
    "table": "smtp-users-test",
    "configuration_set": "smtp-test",
    "allowed_domains": ["mail.smtp.test"],
    "limits": {"max_deletes": 1, "max_delete_percent": 10},
}


def problems(tmp_path: Path, *names: str, **environments: dict[str, Any]) -> list[str]:
    path = tmp_path / "reconcile.yaml"
    path.write_text(json.dumps({"environments": environments}, indent=1), encoding="utf-8")
    found = check_environments(path, load_environments(path), names or environments)
    return [f"{problem.message}; {problem.hint}" for problem in sorted(found)]


@pytest.mark.parametrize(
    ("setting", "example"),
    [
        ({"account_id": "111122223333"}, "111122223333"),
        ({"account_id": "000000000000"}, "000000000000"),
        ({"allowed_domains": ["mail.smtp.test", "news.example.com"]}, "example.com"),
        ({"allowed_domains": ["mail.example"]}, "mail.example"),
        ({"credential_readers": ["arn:aws:iam::444455556666:role/mail-administrators"]}, "444455556666"),
        ({"external_credential_readers": ["arn:aws:iam::123456789012:user/reader"]}, "123456789012"),
        ({"github_subject_prefix": "repo:example/smtp-users"}, "repo:example/smtp-users"),
        ({"github_subject_prefix": "repo:example@1/smtp-users@2"}, "repo:example@1/smtp-users@2"),
        ({"github_subject_prefix": "repo:ORG/REPO"}, "repo:ORG/REPO"),
        ({"github_subject_prefix": "repo:example-org@1234567/smtp@7654321"}, "repo:example-org@1234567/smtp@7654321"),
        ({"credential_readers": ["arn:aws:iam::210000000012:role/REPLACE_ME"]}, "REPLACE_ME"),
        ({"alarm_emails": ["platform@example.com"]}, "example.com"),
        ({"dmarc_report_address": "dmarc@example.org"}, "example.org"),
        ({"tls_report_address": "tls@reports.example.net"}, "example.net"),
        ({"receiving_hosts": {"mail.smtp.test": ["mx.example.net"]}}, "example.net"),
        ({"role_permissions_boundary": "arn:aws:iam::111122223333:policy/limit"}, "111122223333"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else value,
)
def test_an_example_value_is_refused(setting: dict[str, Any], example: str, tmp_path: Path) -> None:
    told = problems(tmp_path, test={**OWN, **setting})
    assert f"contains the example value {example};" in told[0]
    assert problems(tmp_path, test={**OWN, **setting, "local": True}) == []


@pytest.mark.parametrize(
    "value",
    [
        ACCOUNT, "repo:acme/smtp-users", "repo:acme@123456789/smtp@987654321", "example.company", "my-example.com",
        "counterexample.org", "example.com.smtp.test", "11112222333344", "examples.net", "organisation", "todo",
        "arn:aws:iam::210000000012:role/example-readers", "arn:aws:iam::210000000012:role/ORG-MailAdmins",
        "arn:aws:iam::210000000012:role/REGION-Readers", "repo:examples/smtp",
    ],
)  # fmt: skip
def test_what_only_looks_like_an_example_is_accepted(value: str) -> None:
    assert find_example(value) == ""


def test_an_example_is_found_at_its_place(tmp_path: Path) -> None:
    path = tmp_path / "reconcile.yaml"
    text = yaml.safe_dump({"environments": {"test": {**OWN, "receiving_hosts": {"example.com": ["mx.smtp.test"]}}}})
    path.write_text(text, encoding="utf-8")
    problem, *_ = check_environments(path, load_environments(path), ["test"])
    line = text.splitlines().index("      example.com:") + 1
    assert (problem.line, problem.column) == (line, 7)


def test_any_text_may_be_a_tag(tmp_path: Path) -> None:
    tags = {"OWNER": "platform", "REGION": "eu", "team": "ORG IT", "TODO": "example.com"}
    assert problems(tmp_path, test={**OWN, "tags": tags, "iam_user_tags": tags}) == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_every_identity_that_the_documentation_names_is_an_example(page: Path) -> None:
    """Who copies it grants no stranger anything: `validate` refuses it."""
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"arn:aws:iam::\d{12}:[\w/-]+|repo:[\w-]+@?\d*/[\w-]+@?\d*|[\w.+-]+@[\w-]+\.[\w.-]*\w", text)
    known = ("repo:ORG", "simulator.amazonses.com", "exmaple.com")  # a pattern, SES's mailbox simulator, a planted typo
    assert [name for name in named if not find_example(name) and not any(word in name for word in known)] == []


def test_a_reader_is_in_the_setting_of_its_account(tmp_path: Path) -> None:
    own, other = f"arn:aws:iam::{ACCOUNT}:role/readers", "arn:aws:iam::210000000034:role/readers"
    right = {**OWN, "credential_readers": [own], "external_credential_readers": [other]}
    assert problems(tmp_path, test=right) == []
    wrong = {**OWN, "credential_readers": [other], "external_credential_readers": [own]}
    assert problems(tmp_path, test=wrong) == [
        f"{other} is in another account; move it to external_credential_readers",
        f"{own} is in this account; move it to credential_readers",
    ]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"region": "us-gov-west-1", "credential_readers": [f"arn:aws:iam::{ACCOUNT}:role/readers"]},
         f"arn:aws:iam::{ACCOUNT}:role/readers is in another partition than us-gov-west-1; arn:aws-us-gov:…"),
        ({"role_permissions_boundary": "arn:aws:iam::210000000034:policy/limit"},
         f"arn:aws:iam::210000000034:policy/limit is in another account; use one of {ACCOUNT}"),
        ({"topic_kms_keys": {"eu-central-1": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"}},
         f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1 is not in eu-central-1; a topic needs a key of its own region"),
        ({"receiving_hosts": {"other.smtp.test": ["mx.smtp.test"]}},
         "'other.smtp.test' is not one of allowed_domains; add it there"),
        ({"allowed_domains": ["mail.smtp.test", "bounce.mail.smtp.test"]},
         "'bounce.mail.smtp.test' is the MAIL FROM domain of mail.smtp.test, which sends no mail of its own; "
         "remove it, or set another mail_from_label"),
        ({"tags": {"Cost": "a", "cost": "b"}}, "'cost' and 'Cost' are the same key for AWS; remove one"),
        ({"iam_user_tags": {"Cost": "a", "cost": "b"}}, "'cost' and 'Cost' are the same key for AWS; remove one"),
        ({"alarm_thresholds": {"bounce_rate_warning": 0.05}},
         "bounce_rate_warning (0.05) is not below bounce_rate (0.05); set both"),
        ({"alarm_thresholds": {"complaint_rate": 0.0004}},
         "complaint_rate_warning (0.0005) is not below complaint_rate (0.0004); set both"),
    ],
)  # fmt: skip
def test_what_a_deployment_would_refuse_is_refused_before(settings: dict[str, Any], told: str, tmp_path: Path) -> None:
    assert problems(tmp_path, test={**OWN, **settings}) == [told]


@pytest.mark.parametrize(
    "settings",
    [
        {"role_path": "/platform/mail/"},
        {"role_permissions_boundary": "arn:aws:iam::aws:policy/PowerUserAccess"},
        {"alarm_thresholds": {"bounce_rate_warning": 0.01, "bounce_rate": 0.03}},
        {"allowed_domains": ["bounce.smtp.test"]},
        {
            "smtp_regions": ["eu-central-1", "eu-west-1"],
            "allowed_domains": ["bounce-eu-central-1.smtp.test", "smtp.test"],
        },
    ],
)
def test_what_is_unusual_but_works_is_accepted(settings: dict[str, Any], tmp_path: Path) -> None:
    assert problems(tmp_path, test={**OWN, **settings}) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"tags": {"Environment": "test"}},
        {"tags": {"PROJECT": "mail"}},
        {"role_path": "/a//b/"},
        {"role_path": "a/"},
        {"alarm_thresholds": {"complaint_rate": 0.09}},
        {"reserved_concurrency": {"dead_letter": 1}},
        {"reserved_concurrency": {"manager": 0}},
    ],
)
def test_what_never_works_is_refused_by_the_schema(settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        problems(tmp_path, test={**OWN, **settings})


def test_only_a_domain_of_the_environment_has_an_identity(tmp_path: Path) -> None:
    told = problems(tmp_path, test={**OWN, "identities": {"mail.smtp.test": "existing", "news.smtp.test": "existing"}})
    assert told == ["'news.smtp.test' is not one of allowed_domains; add it there"]


OTHER = {**OWN, "table": "smtp-users-prod", "configuration_set": "smtp-prod"}
DOMAIN = (
    "'test' and 'prod' both manage the identity mail.smtp.test in account 210000000012, eu-central-1; "
    "set identities: {mail.smtp.test: existing} in one of them"
)
SET = (
    "'test' and 'prod' both manage the configuration set smtp-test in account 210000000012, eu-central-1; "
    "use two names, or set existing_configuration_set: true in one of them"
)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, [DOMAIN]),
        ({"identities": {"mail.smtp.test": "existing"}}, []),
        ({"identities": {"mail.smtp.test": "managed"}}, [DOMAIN]),
        ({"account_id": "210000000034"}, []),
        ({"smtp_regions": ["eu-west-1"]}, []),
        ({"smtp_regions": ["eu-west-1", "eu-central-1"]}, [DOMAIN]),
        ({"local": True}, []),
        ({"allowed_domains": ["news.smtp.test"], "configuration_set": "smtp-test"}, [SET]),
        (
            {
                "allowed_domains": ["news.smtp.test"],
                "configuration_set": "smtp-test",
                "existing_configuration_set": True,
            },
            [],
        ),
    ],
    ids=["domain", "existing", "managed", "account", "region", "regions", "local", "set", "existing set"],
)
def test_one_environment_manages_an_identity_and_a_configuration_set(
    changes: dict[str, Any], told: list[str], tmp_path: Path
) -> None:
    assert problems(tmp_path, test=OWN, prod={**OTHER, **changes}) == told
    assert problems(tmp_path, "prod", test=OWN, prod={**OTHER, **changes}) == told


def test_other_environments_are_not_judged(tmp_path: Path) -> None:
    staging = {**OWN, "account_id": "111122223333", "table": "other"}
    assert problems(tmp_path, "test", test=OWN, staging=staging) == []
