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
from reconciler.manifests.loader import load_manifests, strays
from support.offline import BAD, BOMBED, CONFIG, Bad, Told, bad, lay_out, manifest
from support.world import a_user

QUICK = 2.0  # seconds; what is quick takes a hundredth of it


def problems_of(root: Path, case: Bad, monkeypatch: pytest.MonkeyPatch) -> tuple[Problem, ...]:
    lay_out(root, case)
    monkeypatch.chdir(root)
    environment = load_environment(Path("reconcile.yaml"), case.env)
    began = time.monotonic()
    with pytest.raises(InvalidInput) as caught:
        load_manifests(Path("users"), environment)
    assert time.monotonic() - began < QUICK
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


def test_a_manifest_that_belongs_to_no_environment_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = lay_out(tmp_path, Bad("good", {"a.yaml": manifest(), "README.md": "# x\n"}, ()))
    monkeypatch.chdir(tmp_path)
    assert strays(Path("users"), {"test", "strict"}) == []
    for path in ("x.yaml", "prod/b.YML", "Test/c.yaml", "prod/deep/d.yml", "README.md", "prod/notes.txt"):
        (folder.parent / path).parent.mkdir(parents=True, exist_ok=True)
        (folder.parent / path).write_text(manifest(), encoding="utf-8")
    found = strays(Path("users"), {"test", "strict"})
    assert [str(problem) for problem in found] == [
        "users/Test/c.yaml: belongs to no environment",
        "users/prod/b.YML: belongs to no environment",
        "users/prod/deep/d.yml: belongs to no environment",
        "users/x.yaml: belongs to no environment",
    ]
    assert {problem.hint for problem in found} == {"move it to users/<environment>/, one of: strict, test"}


def test_where_there_is_no_folder_of_manifests_nothing_strays(tmp_path: Path) -> None:
    assert strays(tmp_path / "users", {"test"}) == []


def test_a_missing_folder_is_told_with_where_it_should_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "reconcile.yaml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        load_manifests(Path("users"), load_environment(Path("reconcile.yaml"), "test"))
    (problem,) = caught.value.problems
    assert str(problem) == "users/test: the folder does not exist"
    assert problem.hint == "create users/test/ with a manifest"


@pytest.mark.parametrize("target", ["nowhere.yaml", "/dev/null"])
def test_a_link_that_leads_to_no_file_is_told(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Bad("a link", {"a.yaml": manifest()}, (Told("x.yaml", "not a regular file"),))
    folder = lay_out(tmp_path, case)
    (folder / "x.yaml").symlink_to(target)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        load_manifests(Path("users"), load_environment(Path("reconcile.yaml"), "test"))
    assert [str(problem) for problem in caught.value.problems] == ["users/test/x.yaml: not a regular file"]


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
        manifest("[billing@example.com]", "enabled: Yes"),
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
        "yes",
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
