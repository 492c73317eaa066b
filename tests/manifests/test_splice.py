"""What an edit looks like in each layout, by example."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.errors import InvalidInput, ReconcileError
from reconciler.manifests import splice
from reconciler.manifests.splice import Edited

NEW = {"name": "cd", "owner": "x@example.com", "allowed_from_addresses": ["*@example.com", "2001:db8::1"]}
LINES = 'owner: x@example.com\n    allowed_from_addresses: ["*@example.com", "2001:db8::1"]'
ADDED = f"  - name: cd\n    {LINES}\n"
AB = "  - name: ab\n    credential: 1\n"
EF = "  - name: ef\n    enabled: true\n"


def add(text: str) -> Edited:
    return splice.add("team.yaml", text.encode(), NEW)


def remove_first(text: str) -> Edited:
    return splice.remove("team.yaml", text.encode(), 0)


def remove_second(text: str) -> Edited:
    return splice.remove("team.yaml", text.encode(), 1)


def rotate(text: str) -> Edited:
    return splice.set_field("team.yaml", text.encode(), 0, "credential", 2)


def disable(text: str) -> Edited:
    return splice.set_field("team.yaml", text.encode(), 0, "enabled", False)


@pytest.mark.parametrize(
    ("edit", "old", "new", "line"),
    [
        pytest.param(add, "users: []\n", f"users:\n{ADDED}", 2, id="into an empty list"),
        pytest.param(add, "users: []  # none\n# end\n", f"users:  # none\n{ADDED}# end\n", 2, id="a comment stays"),
        pytest.param(add, "users:\n  []", f"users:\n{ADDED.rstrip()}", 2, id="an empty list on its own line"),
        pytest.param(add, f"users:\n{AB}", f"users:\n{AB}\n{ADDED}", 5, id="after one, with a blank line"),
        pytest.param(add, f"users:\n{AB}{EF}", f"users:\n{AB}{EF}{ADDED}", 6, id="as close as the others"),
        pytest.param(add, f"users:\n{AB}\n{EF}# end", f"users:\n{AB}\n{EF}\n{ADDED}# end", 8, id="before the end"),
        pytest.param(
            add, "users:\n-   name: ab", f"users:\n-   name: ab\n\n-   {ADDED[4:].rstrip()}", 4, id="as indented"
        ),
        pytest.param(add, "users:\n- {name: ab}\n- {name: ef}\n",
                     f"users:\n- {{name: ab}}\n- {{name: ef}}\n{ADDED.replace(chr(10) + '  ', chr(10))[2:]}", 4,
                     id="after an entry in braces"),
        pytest.param(add, "users: []\r\n", f"users:\n{ADDED}".replace("\n", "\r\n"), 2, id="with the same line ends"),
        pytest.param(add, "\ufeffusers: []\n", f"\ufeffusers:\n{ADDED}", 2, id="after a BOM"),
        pytest.param(remove_first, f"users:\n{AB}\n{EF}", f"users:\n{EF}", 2, id="with the blank line after it"),
        pytest.param(remove_second, f"users:\n{AB}\n{EF}\n# end\n", f"users:\n{AB}\n# end\n", 5, id="and before it"),
        pytest.param(remove_first, f"users:\n  # own\n{AB}    # own\n  # other\n{EF}", f"users:\n  # other\n{EF}", 3,
                     id="with its comments"),
        pytest.param(remove_first, f"users:  # all\n\n{AB}# end\n", "users: []  # all\n# end\n", 3, id="the last one"),
        pytest.param(remove_first, "users:\n  -\n    name: ab\n", "users: []\n", 3, id="a dash on its own line"),
        pytest.param(rotate, f"users:\n{AB}", f"users:\n{AB.replace('1', '2')}", 3, id="a value"),
        pytest.param(rotate, f"users:\n{EF}# end", f"users:\n{EF}    credential: 2\n# end", 4, id="a new field"),
        pytest.param(rotate, "users:\n- name: ab", "users:\n- name: ab\n  credential: 2", 3, id="at the very end"),
        pytest.param(disable, "users: [{name: ab,}]", "users: [{name: ab, enabled: false,}]", 1, id="in braces"),
        pytest.param(disable, "users:\n- name: ab\n  rotation:\n    every_days: 9 # x\n",
                     "users:\n- name: ab\n  rotation:\n    every_days: 9 # x\n  enabled: false\n", 5,
                     id="after a nested value"),
    ],
)  # fmt: skip
def test_only_the_entry_changes(edit: Callable[[str], Edited], old: str, new: str, line: int) -> None:
    edited = edit(old)
    assert edited.content.decode() == new
    assert edited.line == line


@pytest.mark.parametrize(
    ("edit", "text", "message"),
    [
        (add, "users: [{name: ab}]\n", "team.yaml:1: the users are listed in brackets"),
        (add, "users: [ # none\n ]\n", "listed in brackets"),
        (remove_first, "{users: [{name: ab}]}\n", "listed in brackets"),
        (remove_first, "? users\n: - name: ab\n", "a file with this layout is not edited"),
        (rotate, "users:\n- ? name\n  : ab\n", "a file with this layout is not edited"),
    ],
)
def test_what_would_have_to_be_laid_out_anew_is_refused(edit: Callable[[str], Edited], text: str, message: str) -> None:
    with pytest.raises(ReconcileError, match=message):
        edit(text)


def test_a_file_does_not_grow_beyond_what_is_read() -> None:
    with pytest.raises(InvalidInput) as caught:
        rotate(f"users:\n{AB.replace('credential', 'enabled')}#{'x' * 999_950}\n")
    assert [problem.line for problem in caught.value.problems] == [0]
