"""Every command, option, file, make target, test and link that the documentation names exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from docs.pages import GUIDES, PAGES, commands, prose_of, spans, text_of
from reconciler.cli.group import find_command
from reconciler.cli.main import cli
from reconciler.pipeline.lambda_zip import ROOT

# Options of other tools that the text names on their own.
OTHER_TOOLS = {"--endpoint-url", "--signing-attributes-origin"}
PLACEHOLDER = re.compile(r"\b(ENV|TEAM|NAME)\b")
FOLDERS = tuple(f"{path.name}/" for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".venv"))
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")


def command_tree() -> dict[tuple[str, ...], set[str]]:
    """Options of every command, by its path; a command also takes those of the groups above it."""
    tree: dict[tuple[str, ...], set[str]] = {}

    def add(path: tuple[str, ...], command: click.Command, inherited: set[str]) -> None:
        context = click.Context(command, info_name=path[-1] if path else "reconcile")
        options = {name for each in command.get_params(context) for name in (*each.opts, *each.secondary_opts)}
        tree[path] = options | inherited
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found, name
                add((*path, name), found, tree[path])

    add((), cli, set())
    return tree


TREE = command_tree()
OWN = {"--help", "-h", "--version"}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def problems_of(command: str) -> list[str]:
    """What a `reconcile …` or `make …` command line names that does not exist."""
    words = command.split()
    if words[0] == "make":
        return [f"make {word}" for word in words[1:] if re.fullmatch("[a-z-]+", word) and word not in TARGETS]
    end = next((n for n, word in enumerate(words) if word in (";", "|", "&&", ">", ">>")), len(words))
    return problems_of_words((), words[1:end])


def problems_of_words(path: tuple[str, ...], words: list[str]) -> list[str]:
    """Options may be given before the command; without a command, `apply` runs."""
    is_group = any(other[:-1] == path for other in TREE if other)
    if is_group and not OWN.intersection(words):
        position = find_command(words)
        if position is None:
            return problems_of_words(("apply",), words)
        command = (*path, words[position].rstrip(",;)"))
        if command not in TREE:
            return [f"reconcile {' '.join(command)}"] if re.fullmatch("[a-z]+", command[-1]) else []
        return problems_of_words(command, [*words[:position], *words[position + 1 :]])
    options = [word.split("=")[0].rstrip(",;)\"'") for word in words if word.startswith("-")]
    return [f"{' '.join(('reconcile', *path))} {option}" for option in options if option not in TREE[path]]


def named_commands(page: Path) -> list[str]:
    """In console blocks and in the text. `reconcile NAME` alone is a file or a word."""
    found = [*commands(page), *spans(page)]
    found += [part.strip() for command in found for part in re.findall(r"\$\((.*?)\)|; *(reconcile [^;]*)", command)
              for part in part]  # fmt: skip
    return [command.removeprefix(".venv/bin/") for command in found
            if re.match(r"(\.venv/bin/)?(reconcile|make) \S", command)]  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    for target, anchor in LINK.findall(text_of(page)):
        found = page.parent / target if target else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), f"{target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """Headings as GitHub spells them in links."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_and_make_target_exists(page: Path) -> None:
    assert [problem for command in named_commands(page) for problem in problems_of(command)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_option_that_stands_alone_exists(page: Path) -> None:
    known = set[str]().union(*TREE.values()) | OTHER_TOOLS
    alone = {
        word.rstrip(",") for span in spans(page) if span.startswith("-") for word in span.split() if word[:2] == "--"
    }
    assert alone - known == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_exists(page: Path) -> None:
    named = {span.split("::")[0].split(":")[0] for span in spans(page) if span.startswith(FOLDERS) and " " not in span}
    missing = {path for path in named if not [*ROOT.glob(PLACEHOLDER.sub("*", path).rstrip("/"))]}
    assert missing - {"build/lambda.zip", "users/test/"} == set()  # made by building and by deploying


def test_every_test_that_is_named_exists() -> None:
    for span in (span for page in GUIDES for span in spans(page) if "::" in span and span.startswith("tests/")):
        file, test = span.split("::")
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), span


def test_every_page_is_in_the_index() -> None:
    index = prose_of(ROOT / "README.md")
    pages = [page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").glob("*.md")]
    assert [page for page in pages if f"({page})" not in index] == []


def test_every_command_is_in_the_reference() -> None:
    reference = text_of(ROOT / "docs" / "cli.md")
    assert [path for path in TREE if path and f"reconcile {path[0]}" not in reference] == []


@pytest.mark.parametrize("command", ["reconcile plna --env test", "reconcile plan --no-such", "make no-such ENV=test"])
def test_what_does_not_exist_is_found(command: str) -> None:
    assert len(problems_of(command)) == 1
    assert shlex.split(command)
