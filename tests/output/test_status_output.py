from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.record import Failure, Record, Revocation, timestamp
from reconciler.output.status import describe_origin, key_age, note, to_lines
from reconciler.output.styled import plain
from support.world import START, a_user

BILLING = Record(
    name="billing-mailer",
    status="active",
    user=a_user("billing-mailer", "billing@example.com", "*@invoices.example.com", owner="billing@example.com"),
    key_created_at=timestamp(START - timedelta(days=92)),
)
NEWSLETTER = Record(
    name="newsletter",
    status="active",
    user=a_user(
        "newsletter",
        *(f"sender-{n}@example.com" for n in range(3)),
        owner="marketing@example.com",
        expires="2027-06-30",
        allowed_source_ips=["203.0.113.0/24", "2001:db8::/32"],
    ),
    key_created_at=timestamp(START - timedelta(hours=14)),
    previous_key="AKIAEXAMPLE0",
    previous_key_retires_at="2026-06-07T00:00:00Z",
)
CRM = Record(
    name="crm",
    status="disabled",
    user=a_user("crm", "crm@example.com"),
    key_created_at=timestamp(START - timedelta(days=365)),
    revoked=Revocation("octocat", "key found in a public repository", "2026-05-01T00:00:00Z"),
)
BROKEN = Record(
    name="broken", status="failed", failure=Failure("AccessDenied", "iam:CreateUser was refused: not authorized", "t")
)
RECORDS = (BILLING, BROKEN, CRM, NEWSLETTER)


AT_80 = """\
USER            STATUS    MAY SEND AS                 NOTE
billing-mailer  active    *@invoices.example.com,
                          billing@example.com
broken          failed    invalid record              AccessDenied:
                                                      iam:CreateUser was
                                                      refused: not authorized
crm             disabled  crm@example.com             revoked by octocat: key
                                                      found in a public
                                                      repository
newsletter      active    sender-0@example.com,       the previous password
                          sender-1@example.com,       works until
                          sender-2@example.com        2026-06-07T00:00:00Z
(not shown at this width: key age)
"""
AT_120 = """\
USER            STATUS    MAY SEND AS                                 KEY AGE  NOTE
billing-mailer  active    *@invoices.example.com,                     92 d
                          billing@example.com
broken          failed    invalid record                              no key   AccessDenied: iam:CreateUser was refused:
                                                                               not authorized
crm             disabled  crm@example.com                             365 d    revoked by octocat: key found in a public
                                                                               repository
newsletter      active    sender-0@example.com,                       14 h     the previous password works until
                          sender-1@example.com, sender-2@example.com           2026-06-07T00:00:00Z
"""
WIDE_AT_120 = """\
USER            STATUS    MAY SEND AS                    OWNER                  EXPIRES     NOTE
billing-mailer  active    *@invoices.example.com,        billing@example.com    -
                          billing@example.com
broken          failed    invalid record                 -                      -           AccessDenied: iam:CreateUser
                                                                                            was refused: not authorized
crm             disabled  crm@example.com                -                      -           revoked by octocat: key
                                                                                            found in a public repository
newsletter      active    sender-0@example.com,          marketing@example.com  2027-06-30  the previous password works
                          sender-1@example.com,                                             until 2026-06-07T00:00:00Z
                          sender-2@example.com
(not shown at this width: key age, source networks)
"""


def shown(width: int | None, *, wide: bool = False) -> str:
    return plain(to_lines(RECORDS, START, wide, width)) + "\n"


@pytest.mark.parametrize(
    ("width", "wide", "expected"),
    [(80, False, AT_80), (120, False, AT_120), (120, True, WIDE_AT_120)],
    ids=["80 columns", "120 columns", "wide at 120 columns"],
)
def test_the_status_fits_the_terminal(width: int, wide: bool, expected: str) -> None:
    assert shown(width, wide=wide) == expected


def test_every_user_is_one_line_in_a_log() -> None:
    head, billing, _, _, newsletter = shown(None).splitlines()
    assert head.split("  ")[0] == "USER"
    assert re.split(" {2,}", billing) == [
        "billing-mailer", "active", "*@invoices.example.com, billing@example.com", "92 d",
    ]  # fmt: skip
    assert re.split(" {2,}", newsletter) == [
        "newsletter", "active", "sender-0@example.com, sender-1@example.com, sender-2@example.com", "14 h",
        "the previous password works until 2026-06-07T00:00:00Z",
    ]  # fmt: skip
    assert billing.index("92 d") == newsletter.index("14 h") == head.index("KEY AGE")


def test_wide_adds_owner_expiry_and_source_networks() -> None:
    head, billing, broken, crm, newsletter = (re.split(" {2,}", line) for line in shown(None, wide=True).splitlines())
    assert head == ["USER", "STATUS", "MAY SEND AS", "OWNER", "EXPIRES", "SOURCE NETWORKS", "KEY AGE", "NOTE"]
    assert billing[3:6] == ["billing@example.com", "-", "any"]
    assert broken[3:6] == ["-", "-", "-"]
    assert crm[3:6] == ["-", "-", "any"]
    assert newsletter[3:6] == ["marketing@example.com", "2027-06-30", "2001:db8::/32, 203.0.113.0/24"]


@pytest.mark.parametrize(
    ("seconds", "age"),
    [(0, "new"), (59, "new"), (60, "1 m"), (3599, "59 m"), (3600, "1 h"), (86399, "23 h"), (86400, "1 d")],
)
def test_the_age_of_a_key_in_its_largest_unit(seconds: int, age: str) -> None:
    assert key_age(replace(BILLING, key_created_at=timestamp(START - timedelta(seconds=seconds))), START) == age


@pytest.mark.parametrize("created", ["", "noon"])
def test_no_key_has_no_age(created: str) -> None:
    assert key_age(replace(BILLING, key_created_at=created), START) == "no key"


def test_a_note_names_what_is_unusual() -> None:
    assert note(BILLING) == ""
    assert note(replace(BILLING, revoked=Revocation("", "", ""))) == "revoked by an unknown actor: no reason given"
    assert note(replace(NEWSLETTER, previous_key_deletes_at="2026-06-14T00:00:00Z")) == ""
    assert note(replace(BILLING, problems=("a", "b"))) == "a; b"
    assert note(replace(CRM, status="failed", failure=Failure("C", "m", "t"))) == "C: m"


def test_no_record_steers_a_terminal() -> None:
    hostile = replace(BILLING, name="a\x1b[2K\nb", status="\x1b]0;x\x07", revoked=Revocation("\n", "\u202e", ""))
    lines = plain(to_lines([hostile], START, True, 120)).split("\n")
    assert all(line.isprintable() for line in lines)


def test_where_the_declaration_of_one_user_comes_from() -> None:
    record = replace(
        BILLING,
        manifest="users/test/billing.yaml",
        commit="c0ffee",
        pull_request="https://example.com/pull/1",
        approver="alice bob",
        run="https://example.com/\x1b[31mruns/1",
    )
    assert plain(describe_origin(record)).split("\n") == [
        "declared in: users/test/billing.yaml",
        "commit: c0ffee",
        "pull request: https://example.com/pull/1",
        "approved by: alice, bob",
        "run: https://example.com/\\x1b[31mruns/1",
    ]
    assert describe_origin(BILLING) == []
