"""An entry in the text of a manifest. The fast comparison of two texts never misses a change that parsing finds."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.user import Declaration
from reconciler.manifests.entry_text import find_unchanged, read_entries
from reconciler.manifests.positions import find_lines
from support.runs import an_entry
from support.world import a_user

HEAD = "# comment\nusers:\n"


def block(name: str, address: str = "", more: str = "") -> str:
    addresses = f"    allowed_from_addresses:\n      - {address or name}@example.com\n"
    return f"  - name: {name}\n    owner: a@example.com\n{addresses}{more}"


def test_each_entry_has_its_lines() -> None:
    found = read_entries((HEAD + block("crm") + "  # of wiki\n" + block("wiki")).encode())
    assert found
    assert [(entry.name, entry.first, entry.end, entry.column) for entry in found.values()] == [
        ("crm", 2, 7, 2),
        ("wiki", 7, 12, 2),
    ]
    assert found["crm"].user == a_user("crm", "crm@example.com", owner="a@example.com")


@pytest.mark.parametrize(
    "entry",
    [
        {"allowed_from_addresses": []},
        {"allowed_from_addresses": "a@example.com"},
        {"allowed_from_addresses": ["a*b@example.com"]},
        {"allowed_from_addresses": ["a@example.com"], "allowed_source_ips": ["x"]},
        {"allowed_from_addresses": ["a@example.com"], "enabled": "yes"},
        {"allowed_from_addresses": ["a@example.com"], "expires": "soon"},
    ],
)
def test_an_entry_that_was_never_valid_is_found_without_a_user(entry: dict[str, object]) -> None:
    found = read_entries(yaml.safe_dump({"users": [{"name": "crm", **entry}, "x", {"name": 7}]}).encode())
    assert found
    assert [(name, one.user) for name, one in found.items()] == [("crm", None)]


def test_what_is_unknown_or_wrong_beside_the_permission_does_not_matter() -> None:
    """Other domains than today's, too."""
    entry = an_entry("crm", "*@old.example.net", credential="x", rotation={"every_days": 1}, owner=7, color="red")
    found = read_entries(yaml.safe_dump({"users": [entry]}).encode())
    assert found
    user = found["crm"].user
    assert user
    assert (user.allowed_from_addresses, user.credential, user.rotation) == (("*@old.example.net",), 1, None)
    entry = an_entry("crm", rotation={"every_days": 90, "overlap_days": 7})
    found = read_entries(yaml.safe_dump({"users": [entry]}).encode())
    assert found
    assert found["crm"].user
    assert found["crm"].user.rotation


def test_a_text_that_is_no_manifest() -> None:
    assert read_entries(b"users: [") is None
    assert read_entries(b"") is None
    assert read_entries(b"users: none\n") == {}
    assert read_entries(b"[]\n") == {}


FRAGMENTS = [
    block("crm"),
    block("wiki"),
    block("shop", more="    expires: 2027-06-30\n"),
    block("crm", more="    enabled: false\n"),
    "    enabled: false\n",
    "    allowed_source_ips: [203.0.113.0/24]\n",
    "      - more@example.com\n",
    '      - "*@example.com"\n',
    "# comment\n",
    "\n",
    "  - {name: crm, owner: a@example.com, allowed_from_addresses: [x@example.com]}\n",
    "  - name: open\n    description: |\n      text\n",
    '  - name: open\n    description: "begins\n',
    '    ends"\n',
    "other:\n",
    "users:\n",
    "- name: crm\n",
    "  - x: [\n",
    "    ]\n",
]
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=6).map(lambda parts: HEAD + "".join(parts))


@given(TEXTS, TEXTS)
def test_what_counts_as_unchanged_is_unchanged(one: str, other: str) -> None:
    """In a text that is valid YAML; of one that is not, nothing is applied."""
    entry = (read_entries(one.encode()) or {}).get("crm")
    if entry is None or not (found := find_unchanged(entry, one.split("\n"), other.split("\n"))):
        return
    parsed = read_entries(other.encode())
    if parsed is None:
        return
    assert parsed["crm"].fields == found.fields
    assert parsed["crm"].first == found.first


def test_a_second_entry_with_the_same_name_is_not_overlooked() -> None:
    one, other = (HEAD + block(name) + block("crm") for name in ("wiki", "crm"))
    entry = (read_entries(one.encode()) or {})["crm"]
    assert find_unchanged(entry, one.split("\n"), other.split("\n")) is None


def test_a_change_of_other_entries_needs_no_parsing() -> None:
    one = HEAD + block("a") + block("crm") + block("z")
    entries = read_entries(one.encode())
    assert entries
    for other, first in (
        (HEAD + block("a", "new") + block("crm") + block("z"), 6),
        (HEAD + block("crm") + block("z"), 2),
        (HEAD + block("a") + block("crm") + block("z", more="    enabled: false\n"), 6),
    ):
        found = find_unchanged(entries["crm"], one.split("\n"), other.split("\n"))
        assert found
        assert (found.first, found.fields) == (first, entries["crm"].fields)
    flow = read_entries(b"users: [{name: crm}]\n")
    assert flow
    assert find_unchanged(flow["crm"], ["users: [{name: crm}]", ""], ["users: [{name: crm}]", ""]) is None


def test_the_line_of_a_value(tmp_path: Path) -> None:
    path = tmp_path / "team.yaml"
    path.write_text(HEAD + block("wiki") + block("crm", more="    expires: 2027-06-30\n"))
    declared = Declaration(a_user("crm", "crm@example.com"), path.as_posix(), 7)
    wanted = [
        ("allowed_from_addresses", "crm@example.com"), ("allowed_from_addresses", ""), ("expires", ""), ("enabled", ""),
        ("allowed_from_addresses", "gone@example.com"),
    ]  # fmt: skip
    assert find_lines(declared, wanted) == [10, 10, 11, 7, 10]
    path.write_text("users: none\n")
    assert find_lines(declared, wanted[:1]) == [7]
