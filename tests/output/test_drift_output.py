from __future__ import annotations

import json
from dataclasses import replace

import pytest

from reconciler.core.differences import Drift
from reconciler.output.drift import INCOMPLETE, summary, to_dict, to_json, to_lines, to_markdown
from reconciler.output.markdown import NAMES_BYTES, TABLE_BYTES, fitting
from reconciler.output.styled import plain
from reconciler.planning.audit import Audit, Finding, Note
from support.neutral import assert_log_is_neutral, assert_markdown_is_neutral

EDITED = Finding("billing-mailer", Drift.POLICY_CHANGED, "its policy was changed", "users/test/billing.yaml", 3)
ORPHAN = Finding("old-crm", Drift.ORPHAN, "an IAM user of ours without a row; 1 active key")
UNDER_WAY = Note("crm", "under way: pending since 2026-06-01T12:00:00Z")
AUDIT = Audit("test", 12, 12, 13, 13, (EDITED, ORPHAN), (UNDER_WAY,))
COMMENT_LIMIT = 65_536


def to_text(audit: Audit, width: int | None = None) -> str:
    return plain(to_lines(audit, width))


def test_an_audit_reads_as_a_table_with_a_sum() -> None:
    assert to_text(AUDIT).splitlines() == [
        "smtp users · test · 12 declared, 12 records, 13 IAM users",
        "  ! billing-mailer   policy_changed   its policy was changed                          "
        "  users/test/billing.yaml:3",
        "  ! old-crm          orphan           an IAM user of ours without a row; 1 active key",
        "  · crm   under way: pending since 2026-06-01T12:00:00Z",
        "Drift: 2 findings for 2 of 13 users.",
    ]


AT_80 = """\
smtp users · test · 12 declared, 12 records, 13 IAM users
  ! billing-mailer   policy_changed   its policy was changed: it allows
                                      *@example.com, which no manifest declares
  ! old-crm          orphan           an IAM user of ours without a row; 1
                                      active key
  (not shown at this width: declared at)
  · crm   under way: pending since 2026-06-01T12:00:00Z
Drift: 2 findings for 2 of 13 users."""
AT_120 = """\
smtp users · test · 12 declared, 12 records, 13 IAM users
  ! billing-mailer   policy_changed   its policy was changed: it allows *@example.com, which   users/test/billing.yaml:3
                                      no manifest declares
  ! old-crm          orphan           an IAM user of ours without a row; 1 active key
  · crm   under way: pending since 2026-06-01T12:00:00Z
Drift: 2 findings for 2 of 13 users."""


@pytest.mark.parametrize(("width", "expected"), [(80, AT_80), (120, AT_120)])
def test_an_audit_fits_the_terminal(width: int, expected: str) -> None:
    words = "its policy was changed: it allows *@example.com, which no manifest declares"
    assert to_text(replace(AUDIT, findings=(replace(EDITED, description=words), ORPHAN)), width) == expected


def test_a_system_without_drift_is_reported_in_one_sentence() -> None:
    clean = replace(AUDIT, records=1, findings=(), notes=())
    assert to_text(clean).splitlines() == [
        "smtp users · test · 12 declared, 1 record, 13 IAM users",
        "No drift: 13 users checked.",
    ]
    assert to_markdown(clean) == "### SMTP users · `test` · drift\n\n**No drift: 13 users checked.**"


def test_users_are_counted_once_however_much_differs() -> None:
    twice = replace(AUDIT, findings=(EDITED, replace(EDITED, kind=Drift.KEY_CHANGED)))
    assert summary(twice) == "Drift: 2 findings for 1 of 13 users."


def test_long_words_do_not_push_the_column_of_the_others_away() -> None:
    long = replace(EDITED, description="x" * 200)
    _, first, second, *_ = to_text(replace(AUDIT, findings=(long, EDITED))).splitlines()
    assert "x" * 200 in first
    assert second.index("users/test") < 120


def test_markdown_is_a_table_with_one_row_a_difference() -> None:
    assert to_markdown(AUDIT).splitlines() == [
        "### SMTP users · `test` · drift",
        "",
        "**Drift: 2 findings for 2 of 13 users.**",
        "",
        "| user | kind | description | declared at |",
        "|---|---|---|---|",
        "| `billing-mailer` | `policy_changed` | `its policy was changed` | `users/test/billing.yaml:3` |",
        "| `old-crm` | `orphan` | `an IAM user of ours without a row; 1 active key` |  |",
        "",
        "- `crm` `under way: pending since 2026-06-01T12:00:00Z`",
    ]


def test_json_holds_the_audit() -> None:
    assert json.loads(to_json(AUDIT)) == to_dict(AUDIT)


HOSTILE = "a|b<img>`\n::error::\x1b[2K"


def test_no_record_and_no_iam_user_controls_a_terminal_a_log_or_a_comment() -> None:
    finding = Finding(HOSTILE, Drift.UNMANAGED, HOSTILE, HOSTILE, 3)
    hostile = replace(AUDIT, findings=(finding,), notes=(Note(HOSTILE, HOSTILE),))
    text, markdown = to_text(hostile), to_markdown(hostile)
    for shown, lines in ((text, 4), (markdown, 9)):
        assert len(shown.split("\n")) == lines
        assert_log_is_neutral(shown)
    row = markdown.split("\n")[6]
    assert row.count("|") == 5
    assert_markdown_is_neutral(markdown)


@pytest.mark.parametrize(
    "words", ["its policy was changed", "_" * 1024, "\U0001f600" * 300], ids=["text", "underscores", "emoji"]
)
def test_an_audit_of_whatever_size_fits_a_comment_and_counts_what_it_leaves_out(words: str) -> None:
    findings = tuple(replace(EDITED, name=f"user-{n:05}", description=words) for n in range(5000))
    huge = replace(AUDIT, findings=findings, notes=(Note("crm", words),) * 5000)
    shown = to_markdown(huge)
    assert len(shown.encode()) < COMMENT_LIMIT
    rows = sum(line.startswith("| `user-") for line in shown.split("\n"))
    notes = sum(line.startswith("- `crm") for line in shown.split("\n"))
    assert f"| … | | {5000 - rows} more findings | |" in shown
    assert shown.endswith(f"- and {5000 - notes} more")
    assert len(to_text(huge).split("\n")) == 10_002


def test_what_fits_is_counted_in_bytes_with_line_ends() -> None:
    assert fitting(["ä", "ä"], 6) == ["ä", "ä"]
    assert fitting(["ä", "ä"], 5) == ["ä"]
    assert fitting([], 0) == []
    assert NAMES_BYTES < TABLE_BYTES


def test_what_was_not_read_is_said_in_every_form() -> None:
    wide = replace(AUDIT, complete=False)
    assert to_text(wide).splitlines()[-2] == INCOMPLETE
    assert to_markdown(wide).splitlines()[-1] == INCOMPLETE
    assert [json.loads(to_json(audit))["complete"] for audit in (AUDIT, wide)] == [True, False]
    assert INCOMPLETE not in to_text(AUDIT) + to_markdown(AUDIT)
