"""CODEOWNERS: which rule covers a manifest, and when an owner is unknown to it."""

from __future__ import annotations

import pytest

from reconciler.planning.codeowners import Rule, owners_of, parse, why_unknown

FILE = "users/prod/billing.yaml"


def covers(pattern: str, path: str) -> bool:
    return owners_of((Rule(pattern, ("@a",)),), path) == ("@a",)


def test_a_file_is_rules_with_comments() -> None:
    text = "# all\n* @org/platform  @bob # default\n\n/users/prod/ mail@example.com\n/users/free/\n#/x @y\n/a#b @c\n"
    assert parse(text) == (
        Rule("*", ("@org/platform", "@bob")),
        Rule("/users/prod/", ("mail@example.com",)),
        Rule("/users/free/", ()),
        Rule("/a#b", ("@c",)),
    )


@pytest.mark.parametrize(
    "pattern",
    ["*", "*.yaml", "/users", "/users/", "users/", "prod/", "prod", "/users/prod/", "/users/prod/*", "/users/**",
     "**/prod/*",
     "users/*/billing.yaml", "**/billing.yaml", "billing.yaml", "/users/prod/billing.yam?", "users/**/billing.yaml"],
)  # fmt: skip
def test_a_pattern_covers_it(pattern: str) -> None:
    assert covers(pattern, FILE)


@pytest.mark.parametrize(
    "pattern",
    ["/users/*", "*.yml", "/prod/", "prod/billing.yaml", "/billing.yaml", "user", "/users/pro", "Users/",
     "users/prod/billing.yaml/",
     "[u]sers/", "/use?", "billing?yaml.", "/users/?"],
)  # fmt: skip
def test_a_pattern_does_not_cover_it(pattern: str) -> None:
    assert not covers(pattern, FILE)


def test_the_last_rule_that_covers_a_file_wins() -> None:
    rules = parse("* @all\n/users/ @mail\n/users/test/ @test\n")
    assert (owners_of(rules, FILE), owners_of(rules, "README.md"), owners_of((), FILE)) == (("@mail",), ("@all",), ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("* @org/platform", ""),
        ("* Billing@Example.com", ""),
        ("* crm@example.com @org/mail", ""),
        ("* crm@example.com", f"CODEOWNERS names crm@example.com for {FILE}, not billing@example.com"),
        ("/docs/ billing@example.com", f"no rule of CODEOWNERS names an owner of {FILE}"),
        ("* @org/all\n/users/", f"no rule of CODEOWNERS names an owner of {FILE}"),
        ("", f"no rule of CODEOWNERS names an owner of {FILE}"),
    ],
)
def test_an_owner_is_known_or_not(text: str, reason: str) -> None:
    assert why_unknown(parse(text), FILE, "billing@example.com") == reason
