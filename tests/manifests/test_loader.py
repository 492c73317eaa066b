"""I9: whatever is wrong with a manifest is told with its place, all at once, and nothing is read from it."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest

from reconciler.core.text import printable
from reconciler.core.user import Rotation
from reconciler.errors import InvalidInput, Problem
from reconciler.manifests.environments import load_environment, load_environments
from reconciler.manifests.loader import load_manifests
from support.offline import BAD, BOMBED, CONFIG, Bad, bad, lay_out, manifest
from support.world import a_user

QUICK = 2.0  # seconds of CPU time; what is quick takes a hundredth of it


def problems_of(root: Path, case: Bad, monkeypatch: pytest.MonkeyPatch) -> tuple[Problem, ...]:
    lay_out(root, case)
    monkeypatch.chdir(root)
    environment = load_environment(Path("reconcile.yaml"), case.env)
    began = time.process_time()
    with pytest.raises(InvalidInput) as caught:
        load_manifests(Path("users"), environment)
    assert time.process_time() - began < QUICK
    return caught.value.problems


def place_of(problem: Problem) -> str:
    return printable(str(problem).removesuffix(f": {problem.message}"))


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.label)
def test_what_is_wrong_is_told_once_with_its_place_and_what_would_be_right(
    case: Bad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = problems_of(tmp_path, case, monkeypatch)
    folder = f"users/{case.env}"
    assert [place_of(problem) for problem in problems] == [
        f"{folder}/{told.where}" if told.where else folder for told in case.told
    ], problems
    for problem, told in zip(problems, case.told, strict=True):
        assert told.words in printable(problem.message)
        assert told.hint in printable(problem.hint)


def test_an_alias_bomb_is_refused_before_it_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = problems_of(tmp_path, BOMBED, monkeypatch)
    assert (place_of(problems[0]), problems[0].message) == ("users/test/a.yaml:1:4", "the anchor &a is not allowed")
    assert len(problems) == 10


@pytest.mark.parametrize(
    "text",
    [
        "x: &a 1\ny: [" + "*a, " * 100_000 + "*a]\n",
        "x: [" + "&a 1, " * 100_000 + "1]\n",
        "x: [" + "!a 1, " * 100_000 + "1]\n",
    ],
    ids=["aliases", "anchors", "tags"],
)
def test_a_file_full_of_surprises_does_not_bury_the_reader(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A megabyte of them is one mistake, not a hundred thousand lines in the log of a job."""
    case = Bad("many", {"a.yaml": text, "b.yaml": text}, ())
    problems = problems_of(tmp_path, case, monkeypatch)
    assert [problem.path for problem in problems] == ["users/test/a.yaml"] * 10 + ["users/test/b.yaml"] * 10


def test_nine_surprises_are_told_with_what_makes_the_file_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = bad("nine", "".join(f"a{n}: !x {n}\n" for n in range(9)) + "users: [\n")
    problems = problems_of(tmp_path, case, monkeypatch)
    assert len(problems) == 10
    assert "not valid YAML" in problems[-1].message


def test_a_missing_folder_is_told_with_where_it_should_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "reconcile.yaml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        load_manifests(Path("users"), load_environment(Path("reconcile.yaml"), "test"))
    (problem,) = caught.value.problems
    assert str(problem) == "users/test: the folder does not exist"
    assert problem.hint == "create users/test/ with a manifest"


def test_good_manifests_become_declarations_with_their_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = manifest(
        '["*@invoices.EXAMPLE.com", Billing@example.com]',
        "expires: 2027-06-30",
        "enabled: false",
        "allowed_source_ips: [203.0.113.7, 2001:DB8::/32]",
        "credential: 2",
        "rotation: {every_days: 90}",
    )
    case = Bad("good", {"a.yaml": full, "b.YML": manifest(name="other"), "c.yaml": "users: []\n", ".x.yaml": "?"}, ())
    lay_out(tmp_path, case)
    monkeypatch.chdir(tmp_path)
    found = load_manifests(Path("users"), load_environment(Path("reconcile.yaml"), "test"))
    assert sorted(found) == ["billing-mailer", "other"]
    assert (found["other"].manifest, found["other"].line) == ("users/test/b.YML", 2)
    assert found["billing-mailer"].user == a_user(
        "billing-mailer",
        "*@invoices.example.com",
        "Billing@example.com",
        description="Invoices",
        owner="billing@example.com",
        expires="2027-06-30",
        enabled=False,
        allowed_source_ips=["203.0.113.7/32", "2001:db8::/32"],
        credential=2,
        rotation={"every_days": 90},
    )
    assert found["billing-mailer"].user.expires == date(2027, 6, 30)
    assert found["billing-mailer"].user.rotation == Rotation(90, 7)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + manifest(),
        manifest().replace("\n", "\r\n"),
        "---\n" + manifest(),
        manifest() + "...\n",
        manifest(description="Grüße aus dem Büro"),
        manifest('\n      - "*@example.com"\n      - billing@example.com'),
        manifest("[billing@example.com]", 'expires: "2027-06-30"'),
        manifest("[billing@example.com]", "rotation: {every_days: 2, overlap_days: 1}"),
        manifest("[billing@example.com]", "rotation: {every_days: 3650, overlap_days: 90}", "credential: 1000000"),
        manifest("[billing@example.com]", "enabled: True"),
        manifest("[\n      billing@example.com,\n      ]"),
        manifest(description=">-\n      Invoices and\n      reminders"),
        manifest("['billing@example.com'] # a comment"),
        "# Überschrift: \u65e5\u672c\u8a9e\n" + manifest(),
    ],
    ids=[
        "byte order mark",
        "CRLF",
        "document start",
        "document end",
        "umlauts",
        "block list",
        "quoted day",
        "shortest rotation",
        "longest rotation",
        "another true",
        "a list on several lines",
        "a folded block",
        "a comment",
        "a comment in other letters",
    ],
)
def test_other_spellings_of_the_same_are_fine(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path, Bad("good", {"a.yaml": text}, ()))
    monkeypatch.chdir(tmp_path)
    found = load_manifests(Path("users"), load_environment(Path("reconcile.yaml"), "test"))
    assert list(found) == ["billing-mailer"]


def settings_problems(text: str, root: Path) -> list[str]:
    path = root / "reconcile.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_environments(path)
    return [f"{p.line}:{p.column}: {p.message}; {p.hint}" for p in caught.value.problems]


ACCOUNT, DOMAINS = '"111122223333"', "[example.com, invoices.example.com]"
REGION = "    region: eu-central-1\n"
TWELVE = "expected: The AWS account id, 12 digits in quotes"


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (ACCOUNT, "111122223333", f"3:17: 'account_id' must be text, not '111122223333'; {TWELVE}"),
        (ACCOUNT, '"1111"', f"3:17: 'account_id' is '1111', which is not allowed; {TWELVE}"),
        (ACCOUNT, '"111122223333\\n"', "3:17: 'account_id' is '111122223333\\n', which is not allowed"),
        (REGION, "    regions: eu-central-1\n", "4:5: unknown field 'regions'; did you mean 'region'?"),
        ("  test:", "  Test-1:", "2:3: the name 'Test-1' is not allowed; expected: "),
        (DOMAINS, "[]", "7:22: 'allowed_domains' is empty; expected: Domains"),
        (DOMAINS, "[EXAMPLE.com]", "7:23: this entry is 'EXAMPLE.com', which is not"),
        (DOMAINS, "[a.example, a.example]", "7:22: 'allowed_domains' contains a duplicate"),
        ("wildcards: true", "wildcards: maybe", "8:22: 'allow_wildcards' must be true or false, not 'maybe'"),
        ("delete_percent: 50", "delete_percent: 101", "9:50: 'max_delete_percent' is '101', which is not allowed"),
    ],
)
def test_what_is_wrong_with_the_settings_is_told_with_its_place(
    right: str, wrong: str, told: str, tmp_path: Path
) -> None:
    found = settings_problems(CONFIG.replace(right, wrong, 1), tmp_path)
    assert any(line.startswith(told) for line in found), found


STRICT = "table: smtp-users-strict"
SAME = STRICT.replace("strict", "test")


def with_the_same_table(**changes: str) -> str:
    """`strict` uses the account and the table of `test`."""
    text = CONFIG.replace(STRICT, SAME).replace("444455556666", "111122223333")
    head, tail = text.split("  strict:")
    for old, new in changes.items():
        tail = tail.replace(old, new)
    return f"{head}  strict:{tail}"


def test_two_environments_with_one_table_are_refused(tmp_path: Path) -> None:
    (told,) = settings_problems(with_the_same_table(), tmp_path)
    assert told == "13:12: 'strict' uses the table of 'test'; one table per environment"


def test_two_environments_with_one_table_in_two_regions_are_refused(tmp_path: Path) -> None:
    """It may be a global table: both functions would replace each other's password."""
    (told,) = settings_problems(with_the_same_table(central="west"), tmp_path)
    assert told.startswith("13:12: 'strict' uses the table of 'test' (in eu-central-1); one table per environment: ")
    assert "global table" in told


def test_two_local_environments_with_one_table_are_refused(tmp_path: Path) -> None:
    text = with_the_same_table(region="local: true\n    region").replace("  test:\n", "  test:\n    local: true\n")
    (told,) = settings_problems(text, tmp_path)
    assert told.startswith("15:12: 'strict' uses the table of 'test'")


@pytest.mark.parametrize(
    "text",
    [
        with_the_same_table(region="local: true\n    region"),  # another AWS
        CONFIG.replace(STRICT, SAME),  # another account
        CONFIG.replace("444455556666", "111122223333"),  # another table
    ],
    ids=["local", "account", "table"],
)
def test_environments_that_share_no_table_are_accepted(text: str, tmp_path: Path) -> None:
    path = tmp_path / "reconcile.yaml"
    path.write_text(text, encoding="utf-8")
    assert [*load_environments(path)] == ["test", "strict"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            CONFIG.replace("wildcards: true", "wildcards: yes"),
            "8:22: 'yes' is a boolean in YAML 1.1 and text in YAML 1.2",
        ),
        (CONFIG.replace("eletes: 5", "eletes: 010"), "9:27: '010' is not the same value in YAML 1.1 and YAML 1.2"),
        (f"# one\u2028{CONFIG}", "1:6: the line break U+2028 is not allowed"),
        (f"# one\u202e\n{CONFIG}", "1:6: the character U+202E is not allowed"),
        (f"%YAML 1.1\n---\n{CONFIG}", "1:1: directives such as %YAML and %TAG are not allowed"),
    ],
)
def test_the_settings_have_one_meaning_too(text: str, told: str, tmp_path: Path) -> None:
    """I13"""
    assert [line[: len(told)] for line in settings_problems(text, tmp_path)] == [told]


def test_settings_without_an_environment_are_refused(tmp_path: Path) -> None:
    (told,) = settings_problems("environments: {}\n", tmp_path)
    assert told.startswith("1:15: 'environments' is empty")


def test_several_regions_and_a_local_environment_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "reconcile.yaml"
    more = f"{REGION}    smtp_regions: [eu-west-1, eu-central-1]\n    local: true\n"
    path.write_text(CONFIG.replace(REGION, more, 1), encoding="utf-8")
    found = load_environments(path)
    assert found["test"].smtp_regions == ("eu-west-1", "eu-central-1")
    assert found["test"].local
    assert found["strict"].smtp_regions == ("eu-central-1",)
    assert not found["strict"].rules.allow_wildcards
    assert found["strict"].sending.configuration_set == "smtp-strict"
