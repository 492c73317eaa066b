"""I9: a value of a wrong type, in any field of either file, is a problem with its place and never a crash."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import InvalidInput, Problem
from reconciler.manifests.environments import load_environment, load_environments
from reconciler.manifests.loader import load_manifests
from support.offline import CONFIG

Path_ = tuple[str | int, ...]

USER: dict[str, Any] = {
    "name": "billing-mailer",
    "description": "Invoices",
    "owner": "billing@example.com",
    "allowed_from_addresses": ["billing@example.com"],
    "enabled": True,
    "expires": "2027-06-30",
    "allowed_source_ips": ["203.0.113.0/24"],
    "credential": 2,
    "rotation": {"every_days": 90, "overlap_days": 7},
}
MANIFEST: dict[str, Any] = {"users": [USER]}
ENVIRONMENT: dict[str, Any] = {
    **yaml.safe_load(CONFIG)["environments"]["test"],
    "smtp_regions": ["eu-central-1"],
    "local": False,
}
SETTINGS: dict[str, Any] = {"environments": {"test": ENVIRONMENT}}

# One of each type, and what looks right inside a value of another type.
WRONG: dict[str, list[Any]] = {
    "text": ["", "x", "2027-06-30", "203.0.113.0/24", "billing@example.com", "3"],
    "whole number": [0, 3],
    "true or false": [True],
    "nothing": [None],
    "list": [[], ["x"], ["2027-06-30"], [3], [[]], [{}], [None]],
    "mapping": [{}, {"x": "y"}, {"every_days": 3}],
}
TYPES = {str: "text", int: "whole number", bool: "true or false", list: "list", dict: "mapping"}
CASES = [
    *[("users/test/a.yaml", MANIFEST, place) for place in [(), ("users",), ("users", 0)]],
    *[("users/test/a.yaml", MANIFEST, ("users", 0, field)) for field in USER],
    *[("users/test/a.yaml", MANIFEST, ("users", 0, "rotation", field)) for field in USER["rotation"]],
    *[("users/test/a.yaml", MANIFEST, ("users", 0, f, 0)) for f in ("allowed_from_addresses", "allowed_source_ips")],
    *[("reconcile.yaml", SETTINGS, place) for place in [(), ("environments",), ("environments", "test")]],
    *[("reconcile.yaml", SETTINGS, ("environments", "test", field)) for field in ENVIRONMENT],
    *[("reconcile.yaml", SETTINGS, ("environments", "test", "limits", field)) for field in ENVIRONMENT["limits"]],
    *[("reconcile.yaml", SETTINGS, ("environments", "test", f, 0)) for f in ("smtp_regions", "allowed_domains")],
]


def at(data: Any, place: Path_) -> Any:
    for part in place:
        data = data[part]
    return data


def with_value(data: Any, place: Path_, value: Any) -> Any:
    if not place:
        return value
    changed = json.loads(json.dumps(data))
    at(changed, place[:-1])[place[-1]] = value
    return changed


def load(root: Path, file: str, data: Any) -> None:
    """JSON is YAML: every value keeps its type."""
    files = {"reconcile.yaml": SETTINGS, "users/test/a.yaml": MANIFEST, file: data}
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(json.dumps(content, indent=1), encoding="utf-8")
    load_environments(root / "reconcile.yaml")
    load_manifests(root / "users", load_environment(root / "reconcile.yaml", "test"))


def test_the_files_are_valid_before_a_value_is_replaced(tmp_path: Path) -> None:
    load(tmp_path, "reconcile.yaml", SETTINGS)


@pytest.mark.parametrize(("file", "data", "place"), CASES, ids=lambda value: str(value)[:60])
def test_a_wrong_type_is_a_located_problem(file: str, data: Any, place: Path_, tmp_path: Path) -> None:
    right = TYPES[type(at(data, place))]
    for value in [value for kind, values in WRONG.items() if kind != right for value in values]:
        with pytest.raises(InvalidInput) as caught:
            load(tmp_path, file, with_value(data, place, value))
        assert all((problem.line, problem.column) > (0, 0) for problem in caught.value.problems)
        assert all(problem.path.endswith(file) for problem in caught.value.problems)
        assert any("must be" in problem.message for problem in caught.value.problems), value


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


# What YAML 1.1 and 1.2 read alike from JSON.
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.sampled_from([0.5, -1.25, 5.0])
    | st.text("ab1 @.:", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=4), inner, max_size=3),
    max_leaves=6,
)
# Fields that contain no other of them: any of these can be wrong at the same time.
FIELDS = [case for case in CASES if case[2] and case[2][-1] not in ("users", "environments", "test", 0)]
FIELDS = [case for case in FIELDS if case[2][-1] not in ("rotation", "limits")]


@given(st.lists(st.tuples(st.sampled_from(FIELDS), PLAIN), min_size=1, max_size=6, unique_by=lambda found: found[0][2]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_wrong_type_is_reported_at_its_field(tmp_path: Path, wrong: list[tuple[Any, Any]]) -> None:
    """No wrong value hides another in the same file."""
    file = wrong[0][0][0]
    data = {"users/test/a.yaml": MANIFEST, "reconcile.yaml": SETTINGS}[file]
    names = set()
    for (of, original, place), value in wrong:
        if of == file:
            data = with_value(data, place, value)
            if type(value) is not type(at(original, place)):
                names.add(str(place[-1]))
    found: tuple[Problem, ...] = ()
    try:
        load(tmp_path, file, data)
    except InvalidInput as error:
        found = error.problems
    told = {name for name in names for problem in found if f"'{name}' must be" in problem.message}
    assert told == names
    assert all((problem.line, problem.column) > (0, 0) for problem in found)


def test_a_wrong_type_in_a_list_hides_no_problem_of_the_others(tmp_path: Path) -> None:
    addresses = ["a@example.org", 7, "b?@example.com"]
    with pytest.raises(InvalidInput) as caught:
        load(tmp_path, "users/test/a.yaml", with_value(MANIFEST, ("users", 0, "allowed_from_addresses"), addresses))
    messages = [problem.message for problem in caught.value.problems]
    assert len(messages) == 3
    assert "the domain example.org is not allowed" in messages[0]
    assert "must be text, not '7'" in messages[1]
    assert "contains '?'" in messages[2]


@given(st.sampled_from(CASES), ANYTHING)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_value_of_any_field_crashes(tmp_path: Path, case: tuple[str, Any, Path_], value: Any) -> None:
    file, data, place = case
    with suppress(InvalidInput):
        load(tmp_path, file, with_value(data, place, value))
