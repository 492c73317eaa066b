"""Reserved addresses in reconcile.yaml: grants that overlap them are refused, and so are invalid reservations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import run
from reconciler.errors import InvalidInput
from reconciler.manifests.environments import load_environment, load_environments
from reconciler.manifests.loader import load_manifests

CONFIG = """\
environments:
  test:
    account_id: "111122223333"
    region: eu-central-1
    table: smtp-users-test
    configuration_set: smtp-test
    allowed_domains: [example.com]
    allow_wildcards: {wildcards}
    limits: {{max_deletes: 2, max_delete_percent: 50}}
    reserved_addresses: {reserved}
"""
CEO = "[{address: ceo@EXAMPLE.com, users: [exec-office]}]"
ENTRY = """\
  - name: {name}
    description: Mail
    owner: team@example.com
    allowed_from_addresses: [{addresses}]
"""


@pytest.fixture(autouse=True)
def _in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def lay_out(reserved: str, *entries: tuple[str, str], wildcards: str = "true") -> None:
    Path("reconcile.yaml").write_text(CONFIG.format(reserved=reserved, wildcards=wildcards))
    Path("users/test").mkdir(parents=True, exist_ok=True)
    text = "".join(ENTRY.format(name=name, addresses=addresses) for name, addresses in entries)
    Path("users/test/a.yaml").write_text(f"users:\n{text}")


def refused() -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        load_manifests(Path("users"), load_environment(Path("reconcile.yaml"), "test"))
    return [(str(problem), problem.hint) for problem in caught.value.problems]


@pytest.mark.parametrize("address", ["ceo@example.com", "CEO@Example.com", '"c*@example.com"', '"*@example.com"'])
def test_a_grant_of_another_user_that_overlaps_is_refused_with_its_place(address: str) -> None:
    lay_out(CEO, ("exec-office", "ceo@example.com"), ("crm", f"crm@example.com, {address}"))
    shown = address.strip('"')
    assert refused() == [
        (
            f"users/test/a.yaml:9:47: '{shown}' overlaps the reserved address 'ceo@example.com'",
            "reserved_addresses in reconcile.yaml: for exec-office only",
        )
    ]


def test_its_own_users_may_be_granted_it_also_by_a_wildcard() -> None:
    lay_out(CEO, ("exec-office", '"c*@example.com"'), ("crm", "crm@example.com"))
    assert [*load_manifests(Path("users"), load_environment(Path("reconcile.yaml"), "test"))] == ["exec-office", "crm"]


def test_an_address_that_is_reserved_for_nobody_is_refused_to_all() -> None:
    lay_out('[{address: "board-*@example.com", users: []}]', ("crm", "board-x@example.com"), wildcards="false")
    ((text, hint),) = refused()
    assert text == "users/test/a.yaml:5:30: 'board-x@example.com' overlaps the reserved address 'board-*@example.com'"
    assert hint == "reserved_addresses in reconcile.yaml: for no user only"


def test_other_problems_of_an_entry_are_reported_without_its_reservations() -> None:
    lay_out(CEO, ("crm", "ceo@example.com, 7"))
    (text, _), *_ = refused()
    assert "overlaps" in text
    lay_out(CEO, ("7", "ceo@example.com"))
    assert [text for text, _ in refused()] == ["users/test/a.yaml:2:11: 'name' must be text, not '7'"]


@pytest.mark.parametrize(
    ("reserved", "problem"),
    [
        ("[{address: ceo@example.org, users: []}]",
         "10:36: 'ceo@example.org': the domain example.org is not allowed here"),
        ("[{address: ceo, users: []}]", "10:36: 'ceo' is not an address"),
        ("[{address: ceo@example.com, users: []}, {address: ceo@EXAMPLE.com, users: [crm]}]",
         "10:75: 'ceo@EXAMPLE.com' is reserved twice"),
        ("[{address: ceo@example.com}]", "10:26: the field 'users' is missing"),
        ("[{address: ceo@example.com, users: [Exec]}]", "10:61: this entry is 'Exec', which is not allowed"),
        ("[{address: ceo@example.com, users: [crm, crm]}]", "10:60: 'users' contains a duplicate"),
        ("{ceo@example.com: [crm]}", "10:25: 'reserved_addresses' must be a list, not a mapping"),
    ],
)  # fmt: skip
def test_an_invalid_reservation_is_a_problem(reserved: str, problem: str) -> None:
    lay_out(reserved)
    with pytest.raises(InvalidInput) as caught:
        load_environments(Path("reconcile.yaml"))
    assert [str(found) for found in caught.value.problems] == [f"reconcile.yaml:{problem}"]


def test_validate_warns_of_a_reservation_for_a_user_that_is_not_declared(capsys: Any) -> None:
    lay_out("[{address: ceo@example.com, users: [exec-office, crm]}]", ("crm", "crm@example.com"))
    run(["validate"])
    assert (
        "warning: test: ceo@example.com is reserved for exec-office, which no manifest declares"
        in capsys.readouterr().err.splitlines()
    )
