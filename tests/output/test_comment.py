"""The comment of a plan on its pull request: the order of what is read, its links, and that no widening is dropped."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from reconciler.errors import InvalidInput, Problem, ReconcileError, Refused
from reconciler.output.comment import LIMIT, to_comment, to_failed_comment
from reconciler.planning.plan import Line, Origin, Plan, Revoked, Unmanaged
from support.neutral import GFM, code_of
from support.plans import CREATE, DELETE, PLAN, UPDATE

LINKS = "https://github.com/example/smtp-users/blob/3f2a9c81d0e4"
RUN = "https://github.com/example/smtp-users/actions/runs/17089"
WIDER = replace(UPDATE, example="may send as hr@news.example.com from anywhere")
NEW = replace(CREATE, example="may send as billing@example.com from anywhere")
OWNER = Line("update", "wiki", ("owner a@example.com → b@example.com",), "users/test/wiki team.yaml", 30, 300)
FULL = replace(
    PLAN,
    lines=(NEW, WIDER, DELETE, OWNER),
    refusals=(("too many deletes: 4 of 9", "run again with --allow-deletes 4"),),
    warnings=(("history unknown", "fetch it"),),
    settings=("allowed_domains: + news.example.com",),
    origin=Origin("3f2a9c81d0e4aa00", "arn:aws:sts::111122223333:role", "octocat", RUN),
)


def test_the_order_of_reading() -> None:
    """Refusals, settings, widenings, other changes, deletes; after a marker that the next run finds."""
    text = to_comment(FULL, LINKS)
    assert text.splitlines()[0] == "<!-- reconcile-plan: test -->"
    order = [
        "**2 users may send more than before** · 1 other change · **1 delete** · 10 unchanged",
        "> **Refused:** `too many deletes: 4 of 9`",
        "> **Warning:** `history unknown`",
        "#### Settings of the environment",
        "#### ⚠️ 2 users may send more than before",
        "| `+` | `billing-mailer` |",
        "| `~` | `crm` |",
        "#### Other changes",
        "| `~` | `wiki` |",
        "#### Deletes",
        "| `-` | `old-crm` |",
        f"<sub>Planned for `3f2a9c81d0e4` by [this run]({RUN}).</sub>",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_a_widening_shows_what_is_allowed_now_and_links_to_its_line() -> None:
    (row,) = [line for line in to_comment(FULL, LINKS).splitlines() if "`crm`" in line]
    assert row == (
        "| `~` | `crm` | `gains *@news.example.com` | `may send as hr@news.example.com from anywhere` "
        f"| [`users/test/crm.yaml:9`]({LINKS}/users/test/crm.yaml#L9) |"
    )


@pytest.mark.parametrize(
    ("manifest", "shown"),
    [
        ("users/test/wiki team.yaml", f"[`users/test/wiki team.yaml:30`]({LINKS}/users/test/wiki%20team.yaml#L30)"),
        ("users/test/a)](x).yaml", f"[`users/test/a)](x).yaml:30`]({LINKS}/users/test/a%29%5D%28x%29.yaml#L30)"),
        ("/tmp/users/wiki.yaml", "`/tmp/users/wiki.yaml:30`"),  # noqa: S108 - no file is written
        ("../users/wiki.yaml", "`../users/wiki.yaml:30`"),
    ],
)
def test_only_files_of_the_repository_are_links(manifest: str, shown: str) -> None:
    plan = replace(PLAN, lines=(replace(OWNER, manifest=manifest),))
    assert f"| {shown} |" in to_comment(plan, LINKS)
    assert LINKS not in to_comment(plan)


def test_it_is_short_where_nothing_changes_or_widens() -> None:
    assert "**Nothing to do: 10 unchanged.**" in to_comment(replace(PLAN, lines=()))
    assert "No permission widens · 1 other change · 10 unchanged" in to_comment(replace(PLAN, lines=(OWNER,)))
    assert to_comment(replace(PLAN, lines=())).splitlines()[-1] == "<sub>Planned.</sub>"
    dirty = replace(PLAN, lines=(), origin=Origin("3f2a9c81d0e4aa00-dirty", run="javascript:alert(1)"))
    assert to_comment(dirty).splitlines()[-1] == "<sub>Planned for `3f2a9c81d0e4-dirty`.</sub>"


def test_what_is_not_changed_is_folded() -> None:
    plan = replace(
        PLAN, unmanaged=(Unmanaged("theirs", "active", "console"),), revoked=(Revoked("crm", "octocat", "x", "now"),)
    )
    text = to_comment(plan)
    folded = text[text.index("<details>") : text.index("</details>")]
    assert "`theirs`" in folded
    assert "**Revoked:** `crm`" in folded


def test_hostile_text_is_in_code_and_in_one_line() -> None:
    """Whatever a manifest or a record contains: rendered, it is code."""
    hostile = "<!-- --> </details>\n# @octocat [x](https://evil.example) `| ![x](y)"
    line = replace(WIDER, name=hostile, details=(hostile,), example=hostile, manifest=f"users/{hostile}")
    plan = replace(
        FULL,
        lines=(line, replace(DELETE, name=hostile), replace(OWNER, details=(hostile,))),
        refusals=((hostile, hostile),),
        settings=(hostile,),
        revoked=(Revoked(hostile, hostile, hostile, hostile),),
    )
    html = re.sub(f'href="{LINKS}/[^"]*"', "", GFM.render(to_comment(plan, LINKS)))  # percent-encoded
    outside = "".join(part.split("</code>")[-1] for part in html.split("<code>"))
    assert "evil.example" not in outside
    assert "octocat" not in outside
    assert html.count("</details>") == 1
    assert html.count("<h4>") == 4
    assert html.count("<img") == 0


def many(number: int, length: int = 20) -> tuple[Line, ...]:
    return tuple(
        replace(WIDER, name=f"user-{n:05}", details=(f"gains {'a' * length}@example.com",),
                example=f"may send as {'a' * length}{n}@example.com from anywhere")
        for n in range(number)
    )  # fmt: skip


@pytest.mark.parametrize("number", [10, 200, 400, 700, 1500, 2500])
def test_no_widening_is_dropped_before_everything_else_is_condensed(number: int) -> None:
    others = tuple(replace(OWNER, name=f"other-{n}") for n in range(300))
    text = to_comment(replace(FULL, lines=(*others, *many(number))), LINKS)
    assert len(text.encode()) <= LIMIT
    assert {name for name in code_of(text) if name.startswith("user-")} == {f"user-{n:05}" for n in range(number)}
    assert ("other-0" in code_of(text)) == (number <= 400)


def test_what_does_not_even_fit_as_names_is_counted_at_the_top() -> None:
    text = to_comment(replace(FULL, lines=many(5000)), LINKS)
    assert len(text.encode()) <= LIMIT
    names = [name for name in code_of(text) if name.startswith("user-")]
    (told,) = [line for line in text.splitlines() if "do not fit into this comment" in line and line.startswith(">")]
    assert f"**{5000 - len(names):,} of them do not fit into this comment.**" in told
    assert f"`plan.json` in the artifact `plan-comment-test` of [this run]({RUN})" in told
    assert text.index(told) < text.index("`user-00000`")
    unknown = to_comment(replace(FULL, lines=many(5000), origin=Origin()), LINKS)
    assert "`plan-comment-test` of its run" in unknown


def test_long_texts_and_many_of_them_fit() -> None:
    long = "x" * 5000
    plan = replace(
        FULL,
        lines=(
            replace(WIDER, details=(long,), example=long),
            *(replace(DELETE, name=f"gone-{n}") for n in range(3000)),
        ),
        refusals=((long, long),) * 50,
        settings=(long,) * 200,
    )
    text = to_comment(plan, LINKS)
    assert len(text.encode()) <= LIMIT
    assert "more reasons" in text
    assert "more settings" in text
    assert "more changes" in text
    condensed = to_comment(replace(FULL, lines=tuple(replace(one, example=long) for one in many(300))), LINKS)
    assert len(code_of(condensed)[-1]) < 200


def test_a_plan_that_could_not_be_made_says_why() -> None:
    problems = [Problem("users/test/crm.yaml", 9, 5, "'hr@x' is not allowed", "use example.com"),
                Problem("users/test", 0, 0, "is empty")]  # fmt: skip
    assert to_failed_comment("test", InvalidInput(problems), LINKS).splitlines() == [
        "<!-- reconcile-plan: test -->",
        "### SMTP users · `test`",
        "",
        "**No plan could be made.**",
        "",
        "> [!CAUTION]",
        "> **Refused:** `2 problems found; nothing was changed`",
        "",
        f"- [`users/test`]({LINKS}/users/test) `is empty`",
        f"- [`users/test/crm.yaml:9`]({LINKS}/users/test/crm.yaml#L9) `'hr@x' is not allowed`<br>`use example.com`",
    ]
    assert "> `set AWS_PROFILE`" in to_failed_comment("test", Refused([("wrong account", "set AWS_PROFILE")]))
    many_problems = InvalidInput([Problem("a.yaml", n, 1, "x" * 300) for n in range(1, 1000)])
    text = to_failed_comment("test", many_problems)
    assert len(text.encode()) <= LIMIT
    assert "more problems" in text.splitlines()[-1]
    assert (
        to_failed_comment("x --> y", ReconcileError("no")).splitlines()[0] == "<!-- reconcile-plan: x%20--%3E%20y -->"
    )


def test_an_empty_plan_of_refusals() -> None:
    plan = Plan("test", 0, 0, (), (), (), (), refusals=(("wrong account", ""),))
    assert "**Refused: nothing was planned.**" in to_comment(plan)
