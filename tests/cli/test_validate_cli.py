"""`reconcile validate`, as CI and people run it.

Every input goes through the command in this process. Starting Python takes far longer than the check itself, so only
one input of each kind goes through a real process.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.cli import main as cli
from support.forked import Ended, run_forked
from support.offline import BAD, BOMBED, CONFIG, LOCAL, Bad, lay_out, manifest

REPOSITORY = Path(__file__).resolve().parents[2]
QUICK = 5.0  # seconds of CPU time, which other processes of this machine do not change
VALIDATE = ("--config", "reconcile.yaml", "--users", "users", "validate")

# One of each kind of problem and of location, and whatever might break the output.
REPRESENTATIVE = (
    "flow list not closed",
    "tab as indentation",
    "bare wildcard in a flow list",
    "a NUL",
    "an escape character",
    "latin-1",
    "empty",
    "50 MB",
    "a tag, an anchor and an alias in one file",
    "a second document",
    "a tag that makes objects",
    "a key twice that breaks the line",
    "10,000 levels",
    "a list at the top",
    "two fields missing",
    "a field whose name steers the terminal",
    "a tag that steers the terminal",
    "a file whose name breaks the line and steers the terminal",
    "an overlap as long as the rotation",
    "a name that breaks the line, in two files",
    "a look-alike",
    "a wildcard where none is permitted",
    "more addresses than a policy holds",
    "a day that no calendar has",
    "no manifest",
    "several problems in several files",
)

Done = subprocess.CompletedProcess[str]
Command = Callable[..., Done]


def run(cwd: Path, *arguments: str) -> Ended:
    """In its own process, where every warning is an error."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RECONCILE_", "COV_"))}
    return run_forked("reconciler", *arguments, cwd=cwd, environ=clean, options=("-W", "error"))


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in this process, in `tmp_path`."""
    monkeypatch.chdir(tmp_path)

    def run_here(*arguments: str) -> Done:
        code = cli.run([*arguments])
        return Done(arguments, code, *capsys.readouterr())

    return run_here


def assert_no_defect_shows(done: Done) -> None:
    for text in (done.stdout, done.stderr):
        assert "Traceback" not in text
        assert "internal error" not in text
        assert all(line.isprintable() for line in text.split("\n")), "the content of a file has controlled the output"


def assert_told(done: Done, case: Bad) -> None:
    """The output contains the problems of the case with their hints, their count, and nothing else."""
    assert_no_defect_shows(done)
    assert done.returncode == 1
    assert done.stdout == ""
    lines = done.stderr.split("\n")
    folder = f"users/{case.env}"
    problems = [line for line in lines[:-2] if not line.startswith("  hint: ")]
    assert len(problems) == len(case.told), done.stderr
    for line, expected in zip(problems, case.told, strict=True):
        assert line.startswith(f"{folder}/{expected.where}: " if expected.where else f"{folder}: ")
        assert expected.words in line
        if expected.hint:
            hint = lines[lines.index(line) + 1]
            assert hint.startswith("  hint: ")
            assert expected.hint in hint
    count = len(case.told)
    assert lines[-2:] == [f"error: {count} problem{'s' * (count != 1)} found; nothing was changed", ""]


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.label)
def test_a_bad_manifest_ends_in_its_problems_and_exit_code_1(case: Bad, tmp_path: Path, command: Command) -> None:
    """I9"""
    lay_out(tmp_path, case)
    assert_told(command(*VALIDATE, "--env", case.env), case)


@pytest.mark.parametrize("label", REPRESENTATIVE)
def test_a_bad_manifest_ends_the_process_with_its_problems_and_exit_code_1(label: str, tmp_path: Path) -> None:
    """I9"""
    (case,) = (case for case in BAD if case.label == label)
    lay_out(tmp_path, case)
    done = run(tmp_path, *VALIDATE, "--env", case.env)
    assert done.cpu_seconds < QUICK
    assert_told(done, case)


def test_a_folder_full_of_bad_manifests_is_told_in_one_run(tmp_path: Path) -> None:
    """I9: no invalid file hides another. Each input is its own team here."""
    cases = [case for case in BAD if case.env == "test" and [*case.files] == ["a.yaml"]]
    assert len(cases) > 80
    for number in range(0, len(cases), 40):  # more would not all be shown
        (tmp_path / str(number)).mkdir()
        assert_all_told(tmp_path / str(number), cases[number : number + 40])


def assert_all_told(root: Path, cases: list[Bad]) -> None:
    teams = {f"team-{n:03}.yaml": case.files["a.yaml"] for n, case in enumerate(cases)}
    lay_out(root, Bad("all", teams, ()))
    done = run(root, *VALIDATE, "--env", "test")
    assert done.cpu_seconds < QUICK
    assert_no_defect_shows(done)
    assert (done.returncode, done.stdout) == (1, "")
    *lines, summary, last = done.stderr.split("\n")
    problems = [line for line in lines if not line.startswith("  hint: ")]
    for team, case in zip(teams, cases, strict=True):
        for expected in case.told:
            where = f"users/test/{expected.where.replace('a.yaml', team)}: "
            told = [line for line in problems if line.startswith(where)]
            words = expected.words.replace("a.yaml", team)
            assert any(words in line for line in told), (case.label, told)
    expected_count = sum(len(case.told) for case in cases)
    of_the_folder = [line for line in problems if "is already declared" in line]  # many inputs are of one user
    assert len(problems) - len(of_the_folder) == expected_count
    assert (summary, last) == (f"error: {len(problems)} problems found; nothing was changed", "")


def test_an_alias_bomb_is_quick(tmp_path: Path) -> None:
    lay_out(tmp_path, BOMBED)
    done = run(tmp_path, *VALIDATE, "--env", "test")
    assert done.cpu_seconds < QUICK
    assert_no_defect_shows(done)
    assert done.returncode == 1
    assert done.stderr.startswith("users/test/a.yaml:1:4: the anchor &a is not allowed\n")
    assert done.stderr.endswith("error: 10 problems found; nothing was changed\n")


def test_a_good_manifest_is_told_on_standard_output(tmp_path: Path) -> None:
    lay_out(tmp_path, Bad("good", {"a.yaml": manifest(), "b.yaml": manifest(name="other")}, ()))
    done = run(tmp_path, *VALIDATE, "--env", "test")
    assert (done.returncode, done.stdout, done.stderr) == (0, "test: 2 users in 2 manifests, valid\n", "")


def test_one_user_in_one_manifest_is_told_in_the_singular(tmp_path: Path, command: Command) -> None:
    lay_out(tmp_path, Bad("good", {"a.yaml": manifest()}, ()))
    assert command(*VALIDATE, "--env", "test").stdout == "test: 1 user in 1 manifest, valid\n"


def test_an_environment_without_its_folder_is_told(tmp_path: Path, command: Command) -> None:
    (tmp_path / "reconcile.yaml").write_text(LOCAL, encoding="utf-8")
    done = command(*VALIDATE, "--env", "test")
    assert_no_defect_shows(done)
    assert done.returncode == 1
    assert done.stderr.splitlines()[:2] == [
        "users/test: the folder does not exist",
        "  hint: create users/test/ with a manifest",
    ]


def test_without_env_the_problems_of_all_environments_are_told_together(tmp_path: Path, command: Command) -> None:
    lay_out(tmp_path, Bad("bad", {"a.yaml": manifest("[bad]")}, ()))
    done = command("validate")
    assert_no_defect_shows(done)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "users/strict: the folder does not exist"
    assert "users/test/a.yaml:5:30: 'bad' is not an address" in done.stderr
    assert done.stderr.splitlines()[-1] == "error: 2 problems found; nothing was changed"


def both_environments(root: Path, **more: str) -> None:
    """Valid manifests of both environments, and `more` files below users/ by path."""
    lay_out(root, Bad("good", {"a.yaml": manifest()}, ()))
    for path, text in {"strict/a.yaml": manifest(), **more}.items():
        (root / "users" / path).parent.mkdir(exist_ok=True)
        (root / "users" / path).write_text(text, encoding="utf-8")


def test_with_env_the_folders_of_others_are_not_read(tmp_path: Path, command: Command) -> None:
    both_environments(tmp_path, **{"strict/a.yaml": manifest("[bad]"), "strict/b.txt": "x"})
    done = command("validate", "--env", "test")
    assert (done.returncode, done.stdout, done.stderr) == (0, "test: 1 user in 1 manifest, valid\n", "")


def test_without_env_every_good_environment_has_its_line(tmp_path: Path, command: Command) -> None:
    both_environments(tmp_path, **{"README.md": "# x\n"})
    done = command("validate")
    assert (done.returncode, done.stdout, done.stderr) == (
        0, "test: 1 user in 1 manifest, valid\nstrict: 1 user in 1 manifest, valid\n", "",
    )  # fmt: skip


def test_a_missing_settings_file_is_told(tmp_path: Path, command: Command) -> None:
    done = command(*VALIDATE, "--env", "test")
    assert_no_defect_shows(done)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "reconcile.yaml: the file cannot be read: no such file or directory"


def test_a_folder_in_place_of_the_settings_is_told(tmp_path: Path, command: Command) -> None:
    (tmp_path / "reconcile.yaml").mkdir()
    done = command(*VALIDATE, "--env", "test")
    assert_no_defect_shows(done)
    assert done.returncode == 1
    assert "reconcile.yaml: the file cannot be read: is a directory" in done.stderr


def test_an_unknown_environment_is_told_with_those_there_are(tmp_path: Path, command: Command) -> None:
    lay_out(tmp_path, Bad("good", {"a.yaml": manifest()}, ()))
    done = command(*VALIDATE, "--env", "tset")
    assert_no_defect_shows(done)
    assert done.returncode == 1
    assert done.stderr == ("error: no environment 'tset' in reconcile.yaml\n  hint: did you mean 'test'?\n")


def test_what_stands_on_the_command_line_does_not_steer_the_output_either(tmp_path: Path, command: Command) -> None:
    """A name from a pull request may become an argument in CI."""
    lay_out(tmp_path, Bad("good", {"a.yaml": manifest()}, ()))
    done = command(*VALIDATE, "--env", "test\n::error::\x1b[2K")
    assert_no_defect_shows(done)
    assert done.stderr.startswith("error: no environment 'test\\n::error::\\x1b[2K' in reconcile.yaml\n")


@pytest.mark.parametrize(
    ("right", "wrong", "told", "hint"),
    [
        (
            '"111122223333"',
            "111122223333",
            "reconcile.yaml:3:17: 'account_id' must be text, not '111122223333'",
            "(put it in quotes)",
        ),
        ("table: smtp", "tabel: smtp", "reconcile.yaml:5:5: unknown field 'tabel'", "did you mean 'table'?"),
        (
            "    region: eu-central-1\n",
            "",
            "reconcile.yaml:3:5: the field 'region' is missing",
            "region: The AWS region of",
        ),
        ("environments:", "environments: [", "reconcile.yaml:3:15: not valid YAML", "check indentation and quotes"),
        (
            "  test:",
            '  "te\\nst":',
            "reconcile.yaml:2:3: the name 'te\\nst' is not allowed",
            "1 to 12 characters: a-z and 0-9",
        ),
    ],
)
def test_bad_settings_end_in_their_problems_and_exit_code_1(
    right: str, wrong: str, told: str, hint: str, tmp_path: Path, command: Command
) -> None:
    """I9"""
    lay_out(tmp_path, Bad("good", {"a.yaml": manifest()}, ()))
    (tmp_path / "reconcile.yaml").write_text(CONFIG.replace(right, wrong, 1), encoding="utf-8")
    done = command(*VALIDATE, "--env", "test")
    assert_no_defect_shows(done)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    (line,) = [line for line in lines if line.startswith(told)]
    assert hint in lines[lines.index(line) + 1]


def test_an_unknown_region_is_a_warning_and_no_more(tmp_path: Path, command: Command) -> None:
    lay_out(tmp_path, Bad("good", {"a.yaml": manifest()}, ()))
    (tmp_path / "reconcile.yaml").write_text(LOCAL.replace("eu-central-1", "eu-middle-9"), encoding="utf-8")
    done = command(*VALIDATE, "--env", "test")
    assert done.returncode == 0
    assert done.stderr == "warning: test: eu-middle-9 is not a known SES SMTP region\n"


def test_github_shows_problems_and_warnings_as_annotations(tmp_path: Path, command: Command) -> None:
    """Of a line, of a folder and of the settings; the log still has the text."""
    lay_out(tmp_path, Bad("bad", {"a.yaml": manifest().replace("owner:", "owmer:")}, ()))
    (tmp_path / "reconcile.yaml").write_text(LOCAL.replace("eu-central-1", "eu-middle-9"), encoding="utf-8")
    done = command(*VALIDATE, "--format", "github")
    assert done.returncode == 1
    assert "::error file=users/test/a.yaml,line=" in done.stdout
    assert "::warning file=reconcile.yaml::test: eu-middle-9 is not a known SES SMTP region\n" in done.stdout
    assert "users/test/a.yaml:" in done.stderr
    assert "::" not in done.stderr
    unknown = command(*VALIDATE, "--format", "github", "--env", "prod")
    assert unknown.stdout.startswith("::error::no environment 'prod' in reconcile.yaml%0Ahint: ")


def test_github_gets_no_annotation_of_valid_manifests(tmp_path: Path, command: Command) -> None:
    lay_out(tmp_path, Bad("good", {"a.yaml": manifest()}, ()))
    (tmp_path / "reconcile.yaml").write_text(LOCAL, encoding="utf-8")
    done = command(*VALIDATE, "--format", "github", "--env", "test")
    assert (done.returncode, "::" in done.stdout, done.stderr) == (0, False, "")


def test_the_manifests_of_this_repository_are_valid() -> None:
    done = run(REPOSITORY, "validate")
    assert (done.returncode, done.stdout) == (0, "sandbox: 7 users in 3 manifests, valid\n")


def test_the_environments_that_are_proposed_are_complete_but_examples(tmp_path: Path, command: Command) -> None:
    """Without the # of its comments, reconcile.yaml has no other problem than its example values."""
    text = (REPOSITORY / "reconcile.yaml").read_text(encoding="utf-8")
    proposed = re.sub("^  # ?", "  ", text[text.index("  # test:\n") :], flags=re.MULTILINE)
    (tmp_path / "reconcile.yaml").write_text(text + proposed, encoding="utf-8")
    for name in ("sandbox", "test", "prod"):
        (tmp_path / "users" / name).mkdir(parents=True)
        (tmp_path / "users" / name / "team.yaml").write_text("users: []\n", encoding="utf-8")
    done = command("validate")
    assert done.returncode == 1
    problems = [line for line in done.stderr.splitlines()[:-1] if not line.startswith("  hint: ")]
    assert len(problems) == 14
    assert all("contains the example value" in line for line in problems)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["validate", "--help"],
        ["--version"],
        ["validate"],
        ["validate", "-e", "sandbox"],
        ["validate", "-e", "no"],
    ],
    ids=" ".join,
)
def test_what_works_offline_never_loads_the_aws_sdk(arguments: list[str]) -> None:
    script = (
        "import sys; from reconciler.cli.main import run; code = run(sys.argv[1:]); "
        "loaded = sorted({'boto3', 'botocore'} & set(sys.modules)); print('loaded:', loaded, code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1].startswith("loaded: [] "), done.stdout + done.stderr


@pytest.mark.parametrize(("arguments", "words"), [(["validat"], "No such command"), (["--nonsense"], "No such option")])
def test_a_wrong_command_line_is_told_with_exit_code_1(arguments: list[str], words: str, tmp_path: Path) -> None:
    """2 would say `there are changes`."""
    done = run(tmp_path, *arguments)
    assert_no_defect_shows(done)
    assert done.returncode == 1
    assert words in done.stderr
