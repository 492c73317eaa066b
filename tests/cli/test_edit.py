"""`reconcile add`, `rotate`, `disable`, `enable` and `remove`, in this process."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.cli import main as cli
from support.offline import LOCAL, manifest

OLD = """\
# yaml-language-server: $schema=../../schema/users.schema.json
users:
  # The shop, see the wiki.
  - name: shop
    description: Orders
    owner: shop@example.com
    allowed_from_addresses: [shop@example.com]
    credential: 4  # leaked in May

  - name: news
    description: 'Newsletter'
    owner: shop@example.com
    allowed_from_addresses:
      - "*@example.com"
# the end
"""


@dataclass
class Repository:
    """A folder with one manifest. `out` and `err`: of the last command."""

    root: Path
    capsys: pytest.CaptureFixture[str]
    out: str = ""
    err: str = ""

    @property
    def path(self) -> Path:
        return self.root / "users" / "test" / "shop.yaml"

    def run(self, *arguments: str, env: str = "test") -> int:
        code = cli.run([*arguments, "--env", env])
        self.out, self.err = self.capsys.readouterr()
        return code

    def files(self) -> dict[str, str]:
        found = [path for path in (self.root / "users").rglob("*") if path.is_file()]
        return {path.relative_to(self.root).as_posix(): path.read_text() for path in found}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Repository:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reconcile.yaml").write_text(LOCAL)
    (tmp_path / "users" / "test").mkdir(parents=True)
    made = Repository(tmp_path, capsys)
    made.path.write_text(OLD)
    return made


ADD = ("add", "crm", "--from", "crm@example.com")


def test_a_user_is_added_next_to_the_other_users_of_its_owner(repository: Repository) -> None:
    repository.path.chmod(0o640)
    options = ["--from", "*@example.com", "--owner", "Shop@example.com", "--description", "The customer database",
               "--expires", "2027-06-30", "--source-ip", "203.0.113.0/24", "--rotate-every", "90"]  # fmt: skip
    assert repository.run(*ADD, *options) == 0, repository.err
    assert repository.path.read_text() == OLD.replace(
        "# the end\n",
        """
  - name: crm
    description: The customer database
    owner: Shop@example.com
    allowed_from_addresses: [crm@example.com, "*@example.com"]
    expires: 2027-06-30
    allowed_source_ips: [203.0.113.0/24]
    rotation: {every_days: 90}
# the end
""",
    )
    assert stat.S_IMODE(repository.path.stat().st_mode) == 0o640
    first, *lines = repository.out.splitlines()
    assert first == (
        "users/test/shop.yaml:16: adds crm: may send as crm@example.com, *@example.com, "
        "from 203.0.113.0/24 only, until 2027-06-30"
    )
    assert lines[:2] == ["  +", "  +   - name: crm"]
    assert lines[-1] == "next: look at it with `git diff`, commit it and open a pull request"


def test_a_new_owner_gets_a_file_named_like_its_mailbox(repository: Repository) -> None:
    (repository.root / "schema").mkdir()
    (repository.root / "schema" / "users.schema.json").write_text("{}")
    assert repository.run(*ADD, "--owner", "marketing@example.com") == 0, repository.err
    added = repository.files()["users/test/marketing.yaml"]
    assert added == (
        "# yaml-language-server: $schema=../../schema/users.schema.json\n"
        "users:\n  - name: crm\n    description: Messages of crm\n    owner: marketing@example.com\n"
        "    allowed_from_addresses: [crm@example.com]\n"
    )
    assert "users/test/marketing.yaml:3: adds crm" in repository.out
    assert "git add users/test/marketing.yaml" in repository.out
    assert "hint: say in `description` what sends the mail" in repository.out
    assert repository.run("add", "blog", "--from", "blog@example.com", "--owner", "marketing@example.org") == 0
    assert repository.files()["users/test/marketing.yaml"].startswith(added)


def test_the_first_user_of_an_environment_creates_its_folder(repository: Repository) -> None:
    assert repository.run(*ADD, "--owner", "team@example.com", "--file", "users/strict/mail.yml", env="strict") == 0
    assert repository.files()["users/strict/mail.yml"].startswith("users:\n  - name: crm\n")
    repository.path.write_text("users: []  # none yet\n")
    assert repository.run(*ADD, "--owner", "team@example.com", "--file", "shop.yaml") == 0
    assert repository.path.read_text().startswith("users:  # none yet\n  - name: crm\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "shop", "--from", "a@example.com", "--owner", "a@example.com"), "see users/test/shop.yaml:4"),
        (("add", "Shop", "--from", "a@example.com", "--owner", "a@example.com"), "'shop' is already declared"),
        ((*ADD, "--owner", "x@example.com", "--file", "../shop.yaml"), "is not a manifest of test"),
        ((*ADD, "--owner", "x@example.com", "--file", ".shop.yaml"), "is not a manifest of test"),
        ((*ADD, "--owner", "x@example.com", "--file", "shop.json"), "such as team.yaml"),
        ((*ADD, "--owner", "x/y@example.com"), "name it: --file team.yaml"),
        ((*ADD, "--owner", "nobody"), "the new entry: 'owner' is 'nobody', which is not allowed"),
        ((*ADD, "--owner", "x@example.com", "--from", "a@exampel.com"), "did you mean example.com?"),
        ((*ADD, "--owner", "x@example.com", "--expires", "soon"), "the new entry: 'soon' is not a date"),
        ((*ADD, "--owner", "x@example.com", "--expires", ""), "the new entry: '' is not a date"),
        ((*ADD, "--owner", "x@example.com", "--description", ""), "the new entry: 'description' is ''"),
        ((*ADD, "--owner", ""), "no file can be named after ''"),
        (("add", "", "--from", "a@example.com", "--owner", "x@example.com"), "the new entry: 'name' is ''"),
        ((*ADD, "--owner", "x@example.com", "--rotate-every", "0"), "the new entry: 'every_days' is '0'"),
        ((*ADD, "--owner", "x@example.com", "--description", "a\nb"), "'description' contains the character U+000A"),
        ((*ADD, "--owner", "x@example.com", "--description", "a\u200bb"), "contains the character U+200B"),
        (("rotate", "shpo"), "did you mean 'shop'?"),
        (("remove", "other"), "no user 'other' is declared for test"),
        (("disable", "news", "--users", "nowhere"), "no user 'news' is declared"),
    ],
)
def test_what_is_refused_changes_nothing(arguments: tuple[str, ...], told: str, repository: Repository) -> None:
    before = repository.files()
    assert repository.run(*arguments) == 1
    assert told in repository.err
    assert repository.files() == before


def test_an_owner_with_two_manifests_must_choose(repository: Repository) -> None:
    (repository.path.parent / "two.yaml").write_text(manifest(owner="shop@example.com", name="two"))
    assert repository.run(*ADD, "--owner", "shop@example.com") == 1
    assert "choose one with --file: users/test/shop.yaml, users/test/two.yaml" in repository.err
    assert repository.run(*ADD, "--owner", "shop@example.com", "--file", "two.yaml") == 0


@pytest.mark.parametrize("command", ["rotate", "disable", "remove"])
def test_invalid_files_are_not_edited(command: str, repository: Repository) -> None:
    (repository.path.parent / "two.yaml").write_text(manifest(name="shop"))
    before = repository.files()
    assert repository.run(command, "shop") == 1
    assert "users/test/two.yaml:2:11: the name 'shop' is already declared" in repository.err
    assert repository.files() == before


def test_an_environment_that_validate_refuses_is_not_edited(repository: Repository) -> None:
    config = repository.root / "reconcile.yaml"
    config.write_text(config.read_text().replace("    local: true\n", ""))
    assert repository.run("rotate", "shop") == 1
    assert "'account_id' contains the example value" in repository.err
    assert repository.path.read_text() == OLD


def test_a_rotation_raises_the_credential(repository: Repository) -> None:
    assert repository.run("rotate", "shop") == 0
    assert repository.path.read_text() == OLD.replace("credential: 4  #", "credential: 5  #")
    assert repository.out.splitlines()[:3] == [
        "users/test/shop.yaml:8: rotates shop: it gets a new password (credential 4 → 5)",
        "  -     credential: 4  # leaked in May",
        "  +     credential: 5  # leaked in May",
    ]
    assert repository.run("rotate", "news") == 0
    assert '      - "*@example.com"\n    credential: 2\n# the end\n' in repository.path.read_text()


def test_a_disabled_user_is_enabled_again(repository: Repository) -> None:
    assert repository.run("disable", "news") == 0
    assert "users/test/shop.yaml:15: disables news: its access key becomes inactive" in repository.out
    disabled = repository.path.read_text()
    assert repository.run("disable", "news") == 0
    assert repository.out == "users/test/shop.yaml:10: news is already disabled; nothing to do\n"
    assert repository.path.read_text() == disabled
    assert repository.run("enable", "news") == 0
    assert repository.path.read_text() == disabled.replace("enabled: false", "enabled: true")
    assert repository.run("enable", "shop") == 0
    assert "already enabled" in repository.out
    repository.path.write_text(disabled.replace("enabled: false", "enabled: false\n    expires: 2020-06-30"))
    assert repository.run("enable", "news") == 0
    assert "enables news: it may still not send: it expired after 2020-06-30" in repository.out


def test_a_removed_user_takes_its_comments_along(repository: Repository) -> None:
    assert repository.run("remove", "shop") == 0
    assert repository.path.read_text() == OLD[: OLD.index("  # The shop")] + OLD[OLD.index("  - name: news") :]
    assert "users/test/shop.yaml:4: removes shop: an apply deletes its access key" in repository.out
    assert repository.run("remove", "news") == 0
    head = "# yaml-language-server: $schema=../../schema/users.schema.json\nusers: []\n"
    assert repository.path.read_text() == f"{head}# the end\n"


FLOW = "{name: ab, description: x, owner: a@example.com, allowed_from_addresses: [a@example.com]}"


ADD_HERE = (*ADD, "--owner", "a@example.com", "--file", "shop.yaml")


@pytest.mark.parametrize(
    ("text", "commands", "told"),
    [
        (f"users: [{FLOW}]\n", [("remove", "ab"), ADD_HERE], "shop.yaml:1: the users are listed in brackets"),
        (f"{{users: [{FLOW}]}}\n", [("remove", "ab"), ADD_HERE], "listed in brackets"),
        ("users: [  # none\n ]\n", [ADD_HERE], "listed in brackets"),
        (f"? users\n: - {FLOW}\n", [("remove", "ab")], "a file with this layout is not edited"),
    ],
)
def test_what_an_edit_would_lay_out_anew_is_refused(
    text: str, commands: list[tuple[str, ...]], told: str, repository: Repository
) -> None:
    repository.path.write_text(text)
    for command in commands:
        assert repository.run(*command) == 1
        assert told in repository.err
        assert repository.path.read_text() == text
    if FLOW in text:
        assert repository.run("rotate", "ab") == 0
        assert repository.path.read_text() == text.replace("com]}", "com], credential: 2}")


def test_a_write_that_fails_leaves_the_file_as_it_was(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", "shop.yaml")

    monkeypatch.setattr(Path, "replace", fail)
    before = repository.files()
    assert repository.run("rotate", "shop") == 1
    assert "shop.yaml: no space left on device" in repository.err
    assert repository.files() == before
