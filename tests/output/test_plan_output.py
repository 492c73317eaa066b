from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.output.plan import IAM_UNREAD, summary, to_lines, to_markdown
from reconciler.output.plan_json import to_dict
from reconciler.output.styled import Style, plain
from reconciler.planning.iam_names import TakenName
from reconciler.planning.plan import Line, Revoked, Unmanaged
from support.plans import CREATE, DELETE, PLAN, UPDATE, to_text


def test_a_plan_reads_as_a_table_with_a_sum() -> None:
    assert to_text(PLAN).splitlines() == [
        "smtp users · test · 12 records, 12 declared",
        "  + billing-mailer   may send as billing@example.com, *@invoices.example.com"
        "   policy 398/2048   users/test/billing.yaml:3",
        "  ~ crm              gains *@news.example.com                               "
        "   policy 412/2048   users/test/crm.yaml:9",
        "  - old-crm          deletes access key, policy and IAM user",
        "Plan: 1 to create, 1 to update, 1 to delete, 10 unchanged.",
    ]


def test_the_expected_time_of_a_long_plan_is_shown() -> None:
    long = replace(PLAN, expected_seconds=2100)
    assert to_text(long).splitlines()[-1] == "Expected time: about 35 minutes."
    assert to_markdown(long).splitlines()[2:5] == [f"**{summary(PLAN)}**", "", "Expected time: about 35 minutes."]
    assert to_dict(long)["expected_seconds"] == 2100
    assert "Expected time" not in to_text(PLAN) + to_markdown(PLAN)
    assert to_dict(PLAN)["expected_seconds"] is None


def test_a_long_line_does_not_push_the_columns_of_the_others_away() -> None:
    long = replace(CREATE, details=("may send as " + ", ".join(f"sender-{n}@example.com" for n in range(20)),))
    _, first, second, *_ = to_text(replace(PLAN, lines=(long, UPDATE))).splitlines()
    assert "sender-19@example.com" in first
    assert second.index("policy") < 100


LISTED = ("may send as " + ", ".join(f"sender-{n}@example.com" for n in range(8)), "from 203.0.113.0/24 only")
FULL = replace(
    PLAN,
    lines=(
        CREATE,
        Line("create", "newsletter", (*LISTED, "until 2027-06-30"), "users/test/marketing.yaml", 3, 640),
        UPDATE,
        DELETE,
    ),
    deleting=("summer-campaign",),
    unmanaged=(Unmanaged("door-bell", "active", ""),),
    revoked=(Revoked("wiki", "octocat", "access key found in a public repository", "2026-05-01T00:00:00Z"),),
)
AT_80 = """\
smtp users · test · 12 records, 12 declared
  + billing-mailer    may send as billing@example.com, *@invoices.example.com
  + newsletter        may send as sender-0@example.com, sender-1@example.com,
                      sender-2@example.com, sender-3@example.com,
                      sender-4@example.com, sender-5@example.com,
                      sender-6@example.com, sender-7@example.com; from
                      203.0.113.0/24 only; until 2027-06-30
  ~ crm               gains *@news.example.com
  - old-crm           deletes access key, policy and IAM user
  (not shown at this width: policy size, declared at)
  · summer-campaign   deletion in progress
  ? door-bell         unmanaged, ignored: active, created manually
  ! wiki              revoked by octocat: access key found in a public
                      repository; keys stay inactive until `reconcile resume
                      wiki`
Plan: 2 to create, 1 to update, 1 to delete, 10 unchanged."""
AT_120 = """\
smtp users · test · 12 records, 12 declared
  + billing-mailer    may send as billing@example.com, *@invoices.example.com                users/test/billing.yaml:3
  + newsletter        may send as sender-0@example.com, sender-1@example.com,                users/test/marketing.yaml:3
                      sender-2@example.com, sender-3@example.com, sender-4@example.com,
                      sender-5@example.com, sender-6@example.com, sender-7@example.com;
                      from 203.0.113.0/24 only; until 2027-06-30
  ~ crm               gains *@news.example.com                                               users/test/crm.yaml:9
  - old-crm           deletes access key, policy and IAM user
  (not shown at this width: policy size)
  · summer-campaign   deletion in progress
  ? door-bell         unmanaged, ignored: active, created manually
  ! wiki              revoked by octocat: access key found in a public repository; keys stay inactive until `reconcile
                      resume wiki`
Plan: 2 to create, 1 to update, 1 to delete, 10 unchanged."""


@pytest.mark.parametrize(("width", "expected"), [(80, AT_80), (120, AT_120)])
def test_a_plan_fits_the_terminal(width: int, expected: str) -> None:
    assert to_text(FULL, width) == expected


def test_a_wide_terminal_shows_every_column() -> None:
    lines = to_text(FULL, 200).splitlines()
    assert "policy 640/2048   users/test/marketing.yaml:3" in lines[2]
    assert "not shown" not in "".join(lines)


def test_each_kind_of_line_has_its_colour() -> None:
    adopt = Line("adopt", "theirs", ("adopts the record managed by console",))
    lines = to_lines(replace(FULL, lines=(CREATE, adopt, UPDATE, DELETE)), None)
    styles = {plain([segments])[2]: {segment.style for segment in segments[1:]} for segments in lines[1:-1]}
    assert styles == {
        "+": {Style.GOOD},
        ">": {Style.ADOPTED},
        "~": {Style.CHANGED},
        "-": {Style.BAD},
        "·": {Style.MUTED},
        "?": {Style.MUTED},
        "!": {Style.BAD},
    }
    assert {segment.style for segments in (lines[0], lines[-1]) for segment in segments} == {None}


def test_a_plan_without_changes_says_so() -> None:
    nothing = replace(PLAN, records=1, lines=())
    assert to_text(nothing).splitlines() == [
        "smtp users · test · 1 record, 12 declared",
        "Nothing to do: 10 unchanged.",
    ]
    assert "|" not in to_markdown(nothing)


def test_an_adoption_is_counted_only_when_there_is_one() -> None:
    assert "adopt" not in summary(PLAN)
    adopt = Line("adopt", "theirs", ("adopts the record managed by console",), "users/test/a.yaml", 2, 300)
    assert summary(replace(PLAN, lines=(adopt,))) == (
        "Plan: 0 to create, 1 to adopt, 0 to update, 0 to delete, 10 unchanged."
    )
    assert to_text(replace(PLAN, lines=(adopt,))).splitlines()[1].startswith("  > theirs")


def test_deletions_in_progress_and_unmanaged_records_are_shown_below_the_changes() -> None:
    unmanaged = (Unmanaged("theirs", "active", "console"), Unmanaged("other", "", ""))
    shown = to_text(replace(PLAN, lines=(), deleting=("old-crm",), unmanaged=unmanaged)).splitlines()
    assert shown[1:-1] == [
        "  · old-crm   deletion in progress",
        "  ? theirs    unmanaged, ignored: active, managed by console",
        "  ? other     unmanaged, ignored: no status, created manually",
    ]


def test_a_plan_that_was_refused_before_it_was_made_says_so() -> None:
    """`Nothing to do` would be read as `all is well`."""
    refused = replace(
        PLAN, lines=(), unchanged=(), refusals=(("credentials are for another account", "use the right one"),)
    )
    assert summary(refused) == "Refused: nothing was planned."
    assert to_text(refused).splitlines()[-1] == "Refused: nothing was planned."
    assert "**Refused: nothing was planned.**" in to_markdown(refused)


def test_a_plan_that_was_refused_after_it_was_made_shows_what_it_would_do() -> None:
    refused = replace(PLAN, refusals=(("too many deletes", "allow them"),))
    assert summary(refused) == summary(PLAN)


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        (Unmanaged("x", "active", "", ("a@example.com",)), "active, created manually; may send as a@example.com"),
        (
            Unmanaged("x", "active", "c", ("*@example.com",), ("203.0.113.0/24",), "2027-06-30"),
            "active, managed by c; may send as *@example.com; from 203.0.113.0/24 only; until 2027-06-30",
        ),
        (
            Unmanaged("x", "disabled", "", ("a@example.com",), enabled=False),
            "disabled, created manually; may send as a@example.com; disabled",
        ),
        (
            Unmanaged("x", "active", "", ("c*@example.com",), reserved=("ceo@example.com",)),
            "active, created manually; may send as c*@example.com; reserved for others: ceo@example.com",
        ),
        (Unmanaged("x", "", "", problems=("a", "b")), "no status, created manually; invalid: a; invalid: b"),
    ],
)
def test_an_unmanaged_record_is_shown_with_what_it_grants(record: Unmanaged, shown: str) -> None:
    plan = replace(PLAN, lines=(), unmanaged=(record,))
    _, row, _ = to_lines(plan, None)
    assert plain([row]) == f"  ? x   unmanaged, ignored: {shown}"
    assert row[-1].style is Style.CHANGED
    assert f"- `x` `unmanaged, ignored: {shown}`" in to_markdown(plan).splitlines()


def test_a_name_that_an_unmanaged_iam_user_has_taken_is_shown() -> None:
    plan = replace(PLAN, lines=(), taken=(TakenName("crm", "smtp-test-CRM"),))
    text = "its IAM name is taken: IAM user smtp-test-CRM is not managed and is never modified"
    assert to_text(plan).splitlines()[1] == f"  ! crm   {text}"
    assert f"> **IAM name taken:** `crm` `{text}`" in to_markdown(plan)


def test_a_plan_says_where_iam_was_not_read() -> None:
    unread = replace(PLAN, iam_checked=False)
    assert to_text(unread).splitlines()[-2] == IAM_UNREAD
    assert to_markdown(unread).endswith(IAM_UNREAD)
    refused = replace(unread, lines=(), refusals=(("wrong account", "use the right one"),))
    assert IAM_UNREAD not in to_text(refused) + to_markdown(refused), "nothing was read at all"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\n  + forged   may send", "a\\n  + forged   may send"),
        ("a\r\x1b[2K", "a\\r\\x1b[2K"),
        ("a\u2028b", "a\\u2028b"),
        ("a\x85b", "a\\x85b"),
        ("a\u202eb", "a\\u202eb"),
        ("a\ud800b", "a\\ud800b"),
    ],
)
def test_no_record_can_forge_a_line_of_the_plan(text: str, escaped: str) -> None:
    """The values of a record are data: control characters in them never reach a terminal or a log."""
    plan = replace(
        PLAN,
        lines=(replace(DELETE, name=text), replace(UPDATE, details=(f"failed: {text}",))),
        deleting=(text,),
        unmanaged=(Unmanaged(text, text, text),),
    )
    shown = to_text(plan)
    assert len(shown.splitlines()) == 6
    assert all(line.isprintable() for line in shown.split("\n"))
    assert shown.count(escaped) == 6
    markdown = to_markdown(plan)
    assert all(line.isprintable() for line in markdown.split("\n"))
    assert len(markdown.split("\n")) == 14


def test_who_is_revoked_is_shown_in_every_rendering() -> None:
    revoked = (
        Revoked("crm", "octocat", "key in a `public` repository", "2026-05-01T00:00:00Z"),
        Revoked("x", "", "", ""),
    )
    shown = to_text(replace(PLAN, lines=(), revoked=revoked)).splitlines()
    assert shown[1:-1] == [
        "  ! crm   revoked by octocat: key in a `public` repository; keys stay inactive until `reconcile resume crm`",
        "  ! x     revoked by an unknown actor: no reason given; keys stay inactive until `reconcile resume x`",
    ]
    markdown = to_markdown(replace(PLAN, revoked=revoked))
    assert "> **Revoked:** `crm` `` revoked by octocat: key in a `public` repository; keys" in markdown
