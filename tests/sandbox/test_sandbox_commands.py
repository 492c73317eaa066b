"""`reconcile sandbox up|down|status`: one starts, the same one is found again, nothing is left behind."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from reconciler.errors import ReconcileError
from reconciler.manifests.environments import load_environment
from reconciler.pipeline.lambda_zip import ROOT
from reconciler.sandbox import emulator, start
from reconciler.sandbox.emulator import find_server, start_server, stop_server
from reconciler.sandbox.start import start_sandbox
from support.forked import run_forked

STEPS = ["building the Lambda zip", "starting the local AWS", "deploying the table, key, queues and functions"]


def sandbox(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return run_forked("reconciler", "--sandbox-dir", str(folder), *words, cwd=ROOT, environ={**os.environ, **environ})


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def has_ended(pid: int) -> bool:
    """A zombie has ended; its parent may not have waited for it yet."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "sandbox"
    stop_server(tmp_path / "sandbox")


def test_up_twice_status_down_twice(folder: Path, tmp_path: Path) -> None:
    assert sandbox(folder, "sandbox", "status").returncode == 1
    # The user's own AWS settings and proxies are neither used nor passed on.
    mine = {"AWS_PROFILE": "no-such-profile", "AWS_ACCESS_KEY_ID": "AKIAMINE", "AWS_SECRET_ACCESS_KEY": "mine"}
    proxies = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    up = sandbox(folder, "sandbox", "up", **mine, **proxies)
    assert up.returncode == 0, up.stderr
    assert up.stderr.splitlines() == STEPS
    server = find_server(folder)
    assert server
    assert listens(server.port)
    assert f"pid {server.pid}" in sandbox(folder, "sandbox", "up").stdout
    assert server.endpoint in sandbox(folder, "sandbox", "status", **proxies).stdout
    environ = psutil.Process(server.pid).environ()
    assert not {name: value for name, value in environ.items() if "AKIAMINE" in value or "proxy" in name.lower()}
    assert environ["HOME"] == str(folder / "home")
    taken = sandbox(tmp_path / "other", "sandbox", "up", "--port", str(server.port))
    assert taken.returncode == 1
    assert f"port {server.port} is in use" in taken.stderr
    down = sandbox(folder, "sandbox", "down")
    assert down.stdout == "sandbox is down\n"
    assert not listens(server.port)
    assert not folder.exists()
    assert has_ended(server.pid)
    assert sandbox(folder, "sandbox", "down").stdout == "sandbox was not up\n"


def test_it_needs_no_program_but_python(folder: Path, tmp_path: Path) -> None:
    """Slim images have no `ps`; where there is one, its output depends on the width of the terminal."""
    bare = {"PATH": str(tmp_path), "COLUMNS": "40"}
    assert shutil.which("ps", path=bare["PATH"]) is None
    up = sandbox(folder, "sandbox", "up", **bare)
    assert up.returncode == 0, up.stderr
    server = find_server(folder)
    assert server
    assert server.endpoint in sandbox(folder, "sandbox", "status", **bare).stdout
    done = sandbox(folder, "--env", "sandbox", **bare)
    assert done.returncode == 0, done.stderr
    workers = psutil.Process(server.pid).children(recursive=True)
    assert workers  # the functions' own processes
    assert sandbox(folder, "sandbox", "down", **bare).stdout == "sandbox is down\n"
    assert all(has_ended(pid) for pid in (server.pid, *(worker.pid for worker in workers)))


def test_other_users_cannot_read_its_state(folder: Path) -> None:
    started = subprocess.run(
        [sys.executable, "-m", "reconciler", "--sandbox-dir", str(folder), "sandbox", "up"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, umask=0,
    )  # fmt: skip
    assert started.returncode == 0, started.stderr
    assert folder.stat().st_mode & 0o777 == 0o700
    sandbox(folder, "--env", "sandbox")
    written = [path for path in (folder / "tmp").rglob("*") if not path.is_symlink()]
    assert [path for path in written if path.name == "code.zip"]  # of a function
    assert not [path for path in written if path.stat().st_mode & 0o077]


def test_a_process_that_took_over_the_id_is_not_touched(folder: Path) -> None:
    """After a restart of the machine, the recorded process id may belong to any program."""
    server = start_server(folder, "000000000000", "eu-central-1", bare=True)
    record = folder / "server.json"
    text = record.read_text(encoding="utf-8")
    stop_server(folder)
    folder.mkdir()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        record.write_text(text.replace(str(server.pid), str(other.pid)))
        assert find_server(folder) is None
        assert stop_server(folder) is False
        assert other.poll() is None
        assert other.stdin
        other.stdin.close()
    assert not folder.exists()


def test_up_replaces_an_emulator_that_does_not_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = start_server(folder, "000000000000", "eu-central-1", bare=True)
    answers = emulator._answers
    monkeypatch.setattr(emulator, "_answers", lambda port: port != first.port and answers(port))
    assert find_server(folder) is None
    second = start_server(folder, "000000000000", "eu-central-1", bare=True)
    assert has_ended(first.pid)
    assert find_server(folder) == second


@pytest.mark.parametrize("fails", [RuntimeError, KeyboardInterrupt])
def test_a_failed_start_leaves_nothing(
    folder: Path, fails: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    pids: list[int] = []

    def deploy(*_: object) -> None:
        server = find_server(folder)
        assert server
        pids.append(server.pid)
        raise fails

    monkeypatch.setattr(start, "deploy", deploy)
    reported: list[str] = []
    with pytest.raises(fails):
        start_sandbox(load_environment(ROOT / "reconcile.yaml", "sandbox"), folder, 0, reported.append)
    assert reported == STEPS
    assert not folder.exists()
    assert [has_ended(pid) for pid in pids] == [True]


def test_an_emulator_that_does_not_start_leaves_nothing_and_shows_why(folder: Path) -> None:
    with pytest.raises(ReconcileError, match="the local AWS did not start") as raised:
        start_server(folder, "000000000000", "eu-central-1", bare=True, extra_env={"GATEWAY_PORT": "none"})
    assert "invalid literal for int() with base 10: 'none'" in raised.value.hint
    assert not folder.exists()


def test_a_folder_with_other_content_is_refused_and_kept(folder: Path) -> None:
    folder.mkdir()
    (folder / "mine").touch()
    with pytest.raises(ReconcileError, match="is not empty and does not belong to a sandbox"):
        start_server(folder, "000000000000", "eu-central-1", bare=True)
    assert [*folder.iterdir()] == [folder / "mine"]


def test_a_place_where_no_folder_can_be_is_one_clear_error() -> None:
    with pytest.raises(ReconcileError, match=r"cannot create the sandbox: .*'/dev/null'"):
        start_server(Path("/dev/null/sandbox"), "000000000000", "eu-central-1", bare=True)


WITHOUT_EXTRA = """
import importlib, pkgutil, sys
sys.modules.update(ministack=None, psutil=None, hypercorn=None)
import reconciler.sandbox
for module in pkgutil.iter_modules(reconciler.sandbox.__path__):
    importlib.import_module(f"reconciler.sandbox.{module.name}")
from reconciler.cli.main import main
main()
"""


@pytest.mark.parametrize("words", [["up"], ["up", "--bare"], ["up", "--port", "1"]])
def test_without_its_extra_it_says_what_to_install_and_does_nothing(folder: Path, words: list[str]) -> None:
    command = [sys.executable, "-c", WITHOUT_EXTRA, "--sandbox-dir", str(folder), "sandbox", *words]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr == (
        "error: the sandbox needs ministack and psutil, which are not installed\n"
        "  hint: pip install 'ses-smtp-reconciler[sandbox]'\n"
    )
    assert not folder.exists()


def test_a_start_does_not_depend_on_the_command_line_of_the_new_process(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just after the start, the operating system may show an empty command line."""
    with monkeypatch.context() as patched:
        patched.setattr(emulator, "is_running", lambda *_: False)
        start_server(folder, "000000000000", "eu-central-1", bare=True)
    assert find_server(folder)
    assert stop_server(folder)


def test_without_its_extra_status_and_down_still_work(folder: Path) -> None:
    for word, code, text in (("status", 1, "sandbox is not up\n"), ("down", 0, "sandbox was not up\n")):
        command = [sys.executable, "-c", WITHOUT_EXTRA, "--sandbox-dir", str(folder), "sandbox", word]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert (run.returncode, run.stdout, run.stderr) == (code, text, "")


def test_a_command_without_its_sandbox_says_how_to_start_it(tmp_path: Path) -> None:
    run = sandbox(tmp_path, "status", "--env", "sandbox")
    assert run.returncode == 1
    assert run.stderr == "error: the sandbox is not running\n  hint: start it: reconcile sandbox up\n"


def test_the_demo_shows_every_step_and_leaves_nothing(tmp_path: Path) -> None:
    demo = subprocess.run(
        [sys.executable, "-m", "scripts.demo"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
        env={**os.environ, "TMPDIR": str(tmp_path), "COLUMNS": "80"},
    )  # fmt: skip
    assert demo.returncode == 0, demo.stderr
    assert max(len(line) for line in demo.stdout.splitlines()) <= 80
    for words in (
        "Plan: 7 to create",
        "Nothing to do: 7 unchanged.",
        "gains docs@example.com",
        "disabled: its access key becomes inactive",
        "build-server: removed",
        "Nothing is left running.",
    ):
        assert words in demo.stdout
    assert re.search(r"from docs@example.com +allowed", demo.stdout)
    assert re.search(r"from billing@example.com +refused", demo.stdout)
    assert [*tmp_path.iterdir()] == []


def test_the_demo_leaves_nothing_when_its_reader_stops(tmp_path: Path) -> None:
    """As in `make demo | head`."""
    command = [sys.executable, "-m", "scripts.demo"]
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout
        assert demo.stderr
        pid = next(int(found[1]) for line in demo.stdout if (found := re.search(r"\(pid (\d+)\)", line)))
        demo.stdout.close()
        errors = demo.stderr.read()
    assert "Traceback" not in errors
    assert demo.returncode == 0
    assert has_ended(pid)
    assert [*tmp_path.iterdir()] == []
