"""A plan as Markdown: it contains all that a reviewer needs, and it fits a comment."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from reconciler.output import plan as plan_output
from reconciler.output.markdown import NAMES_BYTES, TABLE_BYTES
from reconciler.output.neutral import for_markdown
from reconciler.output.plan import summary, to_markdown
from reconciler.planning.iam_names import TakenName
from reconciler.planning.plan import Line, Plan, Revoked, Unmanaged
from support.neutral import assert_markdown_is_neutral, code_of
from support.plans import CREATE, DELETE, PLAN, UPDATE, to_text

COMMENT_LIMIT = 65_536


def test_markdown_is_a_table_with_one_row_a_change() -> None:
    assert to_markdown(PLAN).splitlines() == [
        "### SMTP users · `test`",
        "",
        "**Plan: 1 to create, 1 to update, 1 to delete, 10 unchanged.**",
        "",
        "| | user | what changes | policy | declared at |",
        "|---|---|---|---|---|",
        "| `+` | `billing-mailer` | `may send as billing@example.com, *@invoices.example.com` | 398/2048 "
        "| `users/test/billing.yaml:3` |",
        "| `~` | `crm` | `gains *@news.example.com` | 412/2048 | `users/test/crm.yaml:9` |",
        "| `-` | `old-crm` | `deletes access key, policy and IAM user` |  |  |",
    ]


def test_markdown_shows_deletions_in_progress_unmanaged_records_and_refusals() -> None:
    plan = replace(
        PLAN,
        deleting=("old-crm",),
        unmanaged=(Unmanaged("theirs", "active", "console"),),
        refusals=(("too many deletes: 4 of 9", "run again with --allow-deletes 4"),),
    )
    shown = to_markdown(plan).splitlines()
    assert "Deletion in progress: `old-crm`" in shown
    assert "- `theirs` `unmanaged, ignored: active, managed by console`" in shown
    refused = shown.index("> **Refused:** `too many deletes: 4 of 9`")
    assert shown[refused + 1] == "> `run again with --allow-deletes 4`"
    assert refused < shown.index("|---|---|---|---|---|"), "a refusal is read before the changes it stops"


def test_words_cannot_break_out_of_their_markdown_cell() -> None:
    line = replace(UPDATE, details=("owner a|b@example.com → <img src=x>`@example.com", "x_y*z"))
    row = to_markdown(replace(PLAN, lines=(line,))).splitlines()[-1]
    assert row.count("|") == 6
    assert code_of(row)[2:4] == ["owner a\\x7cb@example.com → <img src=x>`@example.com", "x_y*z"]


def test_a_name_cannot_break_out_of_its_markdown_cell() -> None:
    """A record that claims to be managed may have any name: whoever created it chose its keys."""
    row = to_markdown(replace(PLAN, lines=(replace(DELETE, name="a|<b>"),))).splitlines()[-1]
    assert row.count("|") == 6
    assert "a\\x7c<b>" in code_of(row)


def test_a_path_cannot_break_out_of_its_markdown_cell() -> None:
    row = to_markdown(replace(PLAN, lines=(replace(UPDATE, manifest="users/test/a|b.yaml"),))).splitlines()[-1]
    assert row.count("|") == 6


@pytest.mark.parametrize("name", ["a`<b>", "a\n\n# Approved", "[x](https://example.com)", "~~a~~ **b** _c_ \\"])
def test_names_outside_the_table_are_text_and_nothing_else(name: str) -> None:
    """In every sentence of a comment: a bar may stand only in the table."""
    plan = replace(
        PLAN,
        lines=(),
        deleting=(name,),
        unmanaged=(Unmanaged(name, "active", "console"),),
        refusals=((f"refused {name}", f"hint {name}"),),
    )
    text = to_markdown(plan)
    shown = name.replace("\n", "\\n")
    assert code_of(text)[1:5] == [f"refused {shown}", f"hint {shown}", shown, shown]
    assert_markdown_is_neutral(text)


def test_many_names_outside_the_table_are_counted_once_their_room_is_full() -> None:
    """To the byte: the names fill their room exactly, and one more does not fit."""

    def shown(number: int) -> str:
        names = tuple(f"user{n:03}" for n in range(number))  # with its comma, its code span and a space ten bytes each
        return to_markdown(replace(PLAN, lines=(), deleting=names)).splitlines()[-1].replace("`", "")

    fit = NAMES_BYTES // 11
    assert shown(1).endswith(": user000")
    assert shown(fit).endswith(f"user{fit - 2:03}, user{fit - 1:03}")
    assert shown(fit + 1).endswith(f"user{fit - 1:03} and 1 more")
    assert shown(900).endswith(f"user{fit - 1:03} and {900 - fit} more")


def test_of_many_unmanaged_records_those_that_grant_something_come_first() -> None:
    silent = tuple(Unmanaged(f"a-{n:03}", "failed", "", problems=("x" * 1000,)) for n in range(100))
    granting = Unmanaged("z", "active", "", ("*@example.com",))
    plan = replace(PLAN, lines=(), unmanaged=(*silent, granting))
    first, *_, last = [line for line in to_markdown(plan).splitlines() if line.startswith("- ")]
    assert first == "- `z` `unmanaged, ignored: active, created manually; may send as *@example.com`"
    assert re.fullmatch(r"- and \d+ more", last)
    assert summary(plan) == "Nothing to do: 10 unchanged. 1 unmanaged record may send."


def test_a_long_name_outside_the_table_is_shown_whole_and_leaves_less_room_for_the_others() -> None:
    long = "x" * 1024  # the longest sort key that DynamoDB takes
    last = to_markdown(replace(PLAN, lines=(), deleting=(long,) * 10)).splitlines()[-1]
    assert last == f"Deletion in progress: {', '.join([f'`{long}`'] * (NAMES_BYTES // 1028))} and 5 more"


def many(number: int, line: Line = UPDATE) -> Plan:
    return replace(PLAN, lines=tuple(replace(line, name=f"user-{n:05}") for n in range(number)))


def rows_of(markdown: str) -> list[str]:
    """What a table shows below its head."""
    return [line for line in markdown.splitlines() if line.startswith("| ")][1:]


def test_a_plan_of_many_changes_counts_what_it_does_not_show() -> None:
    """To the byte: the rows fill their room exactly, and one more change does not fit."""
    size = len(rows_of(to_markdown(many(1)))[0].encode()) + 1
    padding = next(more for more in range(100) if TABLE_BYTES % (size + more) == 0)
    line = replace(UPDATE, details=(UPDATE.details[0] + "x" * padding,))
    fit = TABLE_BYTES // (size + padding)
    assert len("\n".join(rows_of(to_markdown(many(fit, line)))).encode()) + 1 == TABLE_BYTES
    *_, last = rows_of(to_markdown(many(fit, line)))
    assert "`user-" in last
    for more, counted in ((1, "1 more change"), (7, "7 more changes")):
        *shown, last = rows_of(to_markdown(many(fit + more, line)))
        assert len(shown) == fit
        assert last == f"| | … | {counted} | | |"
    assert len(to_text(many(fit + 7, line)).splitlines()) == fit + 9


def test_what_may_widen_a_grant_comes_first_where_not_everything_fits() -> None:
    padding = tuple(replace(CREATE, name=f"aa{n:03}", details=("may send as " + "x" * 1900,)) for n in range(40))
    widened = replace(UPDATE, name="zz", details=("gains *@example.com",))
    shown = rows_of(to_markdown(replace(many(1), lines=(*padding, widened))))
    assert "gains *@example.com" in shown[0]
    assert "zz" in rows_of(to_markdown(replace(many(1), lines=(*padding[:3], widened))))[-1]


def test_one_change_that_is_larger_than_a_comment_is_counted_and_not_cut_in_two() -> None:
    huge = replace(UPDATE, details=("gains " + "x" * TABLE_BYTES,))
    assert rows_of(to_markdown(many(2, huge))) == ["| | … | 2 more changes | | |"]


FULL_POLICY = ("may send as " + ", ".join(f"sender-{n:02}@example.com" for n in range(70)),)


ESCAPED = "\x1b" * 1024  # the longest sort key that DynamoDB takes, and every character of it is spelled out


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (replace(CREATE, details=FULL_POLICY), "their-app"),
        (replace(UPDATE, details=("failed: " + "\U0001f600" * 50,)), "their-app"),
        (UPDATE, "x" * 1024),
        (UPDATE, "_" * 1024),
        (UPDATE, ESCAPED),
        (replace(DELETE, details=(ESCAPED,)), ESCAPED),
    ],
    ids=["full policies", "four bytes a character", "long names", "names to escape", "names to spell", "all of it"],
)
def test_a_plan_of_whatever_size_fits_a_comment(line: Line, name: str) -> None:
    """A comment holds 64 KB, and one that is too large is not posted at all."""
    plan = replace(
        many(5000, line),
        deleting=(name,) * 5000,
        unmanaged=(Unmanaged(name, "active", ""),) * 5000,
        revoked=(Revoked(name, name, name, name),) * 5000,
        taken=(TakenName(name, name),) * 5000,
        settings=(name,) * 2,
        refusals=(("too many deletes: 5000 of 5000 users (100 %) is over the limit of 3", "allow them"),),
    )
    assert len(to_markdown(plan).encode()) < COMMENT_LIMIT


def test_many_revoked_users_are_counted() -> None:
    revoked = tuple(Revoked(f"user-{n:03}", "octocat", "r" * 500, "") for n in range(500))
    lines = to_markdown(replace(PLAN, revoked=revoked)).splitlines()
    shown = sum(line.startswith("> **Revoked:**") for line in lines)
    assert shown > 5
    assert lines[-1] == f"> and {500 - shown} more"


@pytest.mark.parametrize("number", [1_000, 100_000])
def test_what_a_comment_has_no_room_for_is_not_rendered(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = 0

    def counted(text: str) -> str:
        nonlocal rendered
        rendered += 1
        return for_markdown(text)

    monkeypatch.setattr(plan_output, "for_markdown", counted)
    revoked = (Revoked("crm", "octocat", "left", ""),) * number
    plan = replace(many(1), lines=(UPDATE,) * number, deleting=("old",) * number, revoked=revoked)
    to_markdown(replace(plan, unmanaged=(Unmanaged("theirs", "active", ""),) * number))
    assert rendered < 6_000
