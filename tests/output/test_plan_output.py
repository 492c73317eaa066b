from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.output.markdown import NAMES_BYTES, TABLE_BYTES
from reconciler.output.plan import REVOKED_ROWS, summary, to_lines, to_markdown
from reconciler.output.styled import Style, plain
from reconciler.planning.plan import Line, Plan, Revoked, Unmanaged

CREATE = Line(
    "create", "billing-mailer", ("may send as billing@example.com, *@invoices.example.com",), "users/test/billing.yaml",
    3, 398,
)  # fmt: skip
UPDATE = Line("update", "crm", ("gains *@news.example.com",), "users/test/crm.yaml", 9, 412)
DELETE = Line("delete", "old-crm", ("deletes access key, policy and IAM user",))
PLAN = Plan("test", 12, 12, (CREATE, UPDATE, DELETE), tuple(f"user-{n}" for n in range(10)), (), ())
COMMENT_LIMIT = 65_536


def to_text(plan: Plan, width: int | None = None) -> str:
    return plain(to_lines(plan, width))


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


def test_markdown_is_a_table_with_one_row_a_change() -> None:
    assert to_markdown(PLAN).splitlines() == [
        "### SMTP users · `test`",
        "",
        "**Plan: 1 to create, 1 to update, 1 to delete, 10 unchanged.**",
        "",
        "| | user | what changes | policy | declared at |",
        "|---|---|---|---|---|",
        "| `+` | **billing-mailer** | may send as billing@example.com, \\*@invoices.example.com | 398/2048 "
        "| users/test/billing.yaml:3 |",
        "| `~` | **crm** | gains \\*@news.example.com | 412/2048 | users/test/crm.yaml:9 |",
        "| `-` | **old-crm** | deletes access key, policy and IAM user |  |  |",
    ]


def test_markdown_shows_deletions_in_progress_unmanaged_records_and_refusals() -> None:
    plan = replace(
        PLAN,
        deleting=("old-crm",),
        unmanaged=(Unmanaged("theirs", "active", "console"),),
        refusals=(("too many deletes: 4 of 9", "run again with --allow-deletes 4"),),
    )
    shown = to_markdown(plan).splitlines()
    assert "Deletion in progress: old-crm" in shown
    assert "Unmanaged records, ignored: theirs" in shown
    refused = shown.index("> **Refused:** too many deletes: 4 of 9")
    assert shown[refused + 1] == "> run again with --allow-deletes 4"
    assert refused < shown.index("|---|---|---|---|---|"), "a refusal is read before the changes it stops"


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


def unescaped(text: str, character: str) -> int:
    return text.count(character) - text.count(f"\\{character}")


def test_words_cannot_break_out_of_their_markdown_cell() -> None:
    line = replace(UPDATE, details=("owner a|b@example.com → <img src=x>`@example.com", "x_y*z"))
    row = to_markdown(replace(PLAN, lines=(line,))).splitlines()[-1]
    assert unescaped(row, "|") == 6
    assert "owner a\\|b@example.com → \\<img src=x\\>\\`@example.com<br>x\\_y\\*z" in row


def test_a_name_cannot_break_out_of_its_markdown_cell() -> None:
    """A record that claims to be managed may have any name: whoever created it chose its keys."""
    row = to_markdown(replace(PLAN, lines=(replace(DELETE, name="a|<b>"),))).splitlines()[-1]
    assert unescaped(row, "|") == 6
    assert "<b>" not in row


def test_a_path_cannot_break_out_of_its_markdown_cell() -> None:
    row = to_markdown(replace(PLAN, lines=(replace(UPDATE, manifest="users/test/a|b.yaml"),))).splitlines()[-1]
    assert unescaped(row, "|") == 6


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
    head, *sentences = to_markdown(plan).splitlines()
    assert head == "### SMTP users · `test`"
    shown = [line for line in sentences if line and not line.startswith("**Refused: nothing")]
    assert len(shown) == 4
    for line in shown:
        text = line.removeprefix("> **Refused:** ").removeprefix("> ")
        for character in "`*_|<>[]#~":
            assert unescaped(text, character) == 0, line
        assert text.count("\\\\") == name.count("\\") + 2 * name.count("\n\n")


@pytest.mark.parametrize("field", ["deleting", "unmanaged"])
def test_many_names_outside_the_table_are_counted_once_their_room_is_full(field: str) -> None:
    """To the byte: the names fill their room exactly, and one more does not fit."""

    def shown(number: int) -> str:
        names = [f"user{n:04}" for n in range(number)]  # with its comma ten bytes each
        rows = tuple(names) if field == "deleting" else tuple(Unmanaged(name, "active", "") for name in names)
        return to_markdown(replace(PLAN, lines=(), **{field: rows})).splitlines()[-1]

    fit = NAMES_BYTES // 10
    assert fit * 10 == NAMES_BYTES
    assert shown(1).endswith(": user0000")
    assert shown(fit).endswith(f"user{fit - 2:04}, user{fit - 1:04}")
    assert shown(fit + 1).endswith(f"user{fit - 1:04} and 1 more")
    assert shown(5000).endswith(f"user{fit - 1:04} and {5000 - fit} more")


def test_a_long_name_outside_the_table_is_shown_whole_and_leaves_less_room_for_the_others() -> None:
    long = "x" * 1024  # the longest sort key that DynamoDB takes
    last = to_markdown(replace(PLAN, lines=(), deleting=(long,) * 10)).splitlines()[-1]
    assert last == f"Deletion in progress: {', '.join([long] * (NAMES_BYTES // 1026))} and 5 more"


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
    assert len(markdown.split("\n")) == 12


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
    assert "**user-" in last
    for more, counted in ((1, "1 more change"), (7, "7 more changes")):
        *shown, last = rows_of(to_markdown(many(fit + more, line)))
        assert len(shown) == fit
        assert last == f"| | … | {counted} | | |"
    assert len(to_text(many(fit + 7, line)).splitlines()) == fit + 9


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
        refusals=(("too many deletes: 5000 of 5000 users (100 %) is over the limit of 3", "allow them"),),
    )
    assert len(to_markdown(plan).encode()) < COMMENT_LIMIT


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
    assert "> **Revoked:** **crm** revoked by octocat: key in a \\`public\\` repository" in markdown


def test_many_revoked_users_are_counted() -> None:
    revoked = tuple(Revoked(f"user-{n}", "octocat", "r" * 500, "") for n in range(REVOKED_ROWS + 3))
    markdown = to_markdown(replace(PLAN, revoked=revoked))
    assert "> and 3 more" in markdown
    assert len(markdown.encode()) < COMMENT_LIMIT
