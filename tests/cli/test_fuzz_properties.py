"""I9: whatever a file contains, `validate` ends in located problems or in success: quickly, briefly, with no crash."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.cli import main as cli
from support.offline import LOCAL, Bad, lay_out, manifest
from support.yaml_texts import FULL, MANIFESTS, SETTINGS

MOST_LINES = 2 * 100 + 2  # problems with hints, the number of the others, the error
LONGEST_LINE = 700


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lay_out(tmp_path, Bad("good", {"a.yaml": manifest()}, ()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def validate(root: Path, capsys: pytest.CaptureFixture[str], file: str, content: bytes) -> list[str]:
    """The lines of standard error."""
    (root / file).write_bytes(content)
    code = cli.run(["validate", "--env", "test"])
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert "internal error" not in err
    assert all(line.isprintable() for line in (out + err).split("\n"))
    assert len(lines) <= MOST_LINES
    assert all(len(line) <= LONGEST_LINE for line in lines)
    if code == 0:
        assert (out, err) == (out, "") or err.startswith("warning: ")
        return lines
    assert (code, out) == (1, "")
    assert lines[-1].endswith("nothing was changed") or lines[-2].startswith("error: no environment 'test'")
    for line in lines[:-1]:
        assert line.startswith((file, "users/test/", "  hint: ", "and ", "error: no environment", "warning: ")), line
    return lines


@given(MANIFESTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mutated_manifest_is_valid_or_ends_in_located_problems(
    root: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    validate(root, capsys, "users/test/a.yaml", text.encode(errors="surrogatepass"))


@given(SETTINGS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutated_settings_are_valid_or_end_in_located_problems(
    root: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (root / "users/test/a.yaml").write_text("users: []\n", encoding="utf-8")
    validate(root, capsys, "reconcile.yaml", text.encode(errors="surrogatepass"))


@given(st.binary(max_size=200), st.integers(0, len(FULL)), st.sampled_from(["users/test/a.yaml", "reconcile.yaml"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_in_a_file_end_in_located_problems(
    root: Path, capsys: pytest.CaptureFixture[str], noise: bytes, place: int, file: str
) -> None:
    lay = {"reconcile.yaml": LOCAL, "users/test/a.yaml": FULL}
    for name, text in lay.items():
        (root / name).write_text(text, encoding="utf-8")
    original = lay[file].encode()
    validate(root, capsys, file, original[:place] + noise + original[place:])


QUICK = 10.0  # seconds of this process for 120 KB, on any machine
MANY = [
    ("{},", 40_000, "160000 problems found"),
    ("[],", 40_000, "40000 problems found"),
    ("{a: 1},", 17_000, "85000 problems found"),
    ("{name: a, name: b},", 6_000, "10 problems found"),
    ("yes,", 30_000, "10 problems found"),
]


@pytest.mark.parametrize(("entry", "number", "told"), MANY)
def test_many_problems_are_counted_and_the_first_hundred_shown(
    entry: str, number: int, told: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.process_time()
    lines = validate(root, capsys, "users/test/a.yaml", f"users: [{entry * number}]\n".encode())
    assert time.process_time() - began < QUICK
    assert lines[-1] == f"error: {told}; nothing was changed"
    if told != "10 problems found":
        assert len([line for line in lines if line.startswith("users/")]) == 100
        assert lines[-2] == f"and {int(told.split()[0]) - 100} more problems"


LONG = "x" * 500_000
DOTTED = "." * 40_000


@pytest.mark.parametrize(
    "text",
    [
        manifest(owner=f"a@{DOTTED}"),
        manifest(owner=f"{DOTTED}@example.com"),
        manifest(owner=LONG),
        manifest(name=LONG),
        manifest(name=f"a{'-' * 100_000}"),
        manifest(description=LONG),
        manifest(f"[{LONG}@example.com, a@{DOTTED}.com, '*{LONG}', '{LONG}*@{LONG}']"),
        manifest("[a@example.com]", f"allowed_source_ips: [{LONG}, {'1.' * 50_000}1, '{':' * 50_000}']"),
        manifest("[a@example.com]", f"expires: {LONG}"),
        manifest("[a@example.com]", f"expires: {'9' * 50_000}-01-01"),
        manifest("[a@example.com]", f"credential: {'1' * 200_000}x"),
        manifest("[a@example.com]", f"credential: {'1:' * 100_000}x"),
        manifest("[a@example.com]", f"credential: {'0_' * 100_000}x"),
        manifest("[a@example.com]", f"? {LONG}\n    : 1"),
        manifest("[a@example.com]", f"x: !{LONG} 1"),
        manifest("[a@example.com]", f"x: &{LONG} 1"),
        manifest("[a@example.com]", f"x: *{LONG}"),
        manifest("[a@example.com]", f'? "{LONG}"\n    : 1', f'? "{LONG}"\n    : 1'),
        manifest("[a@example.com]", "x: [" + '"a", ' * 150_000 + "]"),
        f"users: [{', '.join(f'a{n}' for n in range(20_000))}]\n",
        f"users: {{{', '.join(f'a{n}: 1' for n in range(20_000))}}}\n",
        f"{', '.join(f'a{n}' for n in range(20_000))}: 1\n",
        "".join(f"a{n}: 1\n" for n in range(20_000)),
    ],
    ids=lambda text: text.replace("\n", " ")[-40:],
)
def test_long_values_cost_linear_time_and_are_shown_clipped(
    text: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.process_time()
    lines = validate(root, capsys, "users/test/a.yaml", text.encode())
    assert time.process_time() - began < QUICK
    assert lines[-1].endswith("nothing was changed")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("region", f"eu{'-a' * 50_000}"),
        ("allowed_domains", f"[{'a-' * 50_000}, {'a.' * 50_000}, {'a' * 100_000}]"),
        ("allowed_domains", f"[{', '.join(f'd{n}.example, {n}' for n in range(10_000))}]"),
        ("smtp_regions", f"[{'[], {}, ' * 10_000}1]"),
        ("table", LONG),
    ],
    ids=["region", "domain", "domains", "regions", "table"],
)
def test_long_settings_cost_linear_time_and_are_shown_clipped(
    field: str, value: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"environments:\n  test:\n    {field}: {value}\n"
    began = time.process_time()
    validate(root, capsys, "reconcile.yaml", text.encode())
    assert time.process_time() - began < QUICK
