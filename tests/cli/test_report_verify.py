"""`reconcile report --verify`: any change of a file, and any gap in a series, is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.cli.main import run
from reconciler.output.report import Documents, render, to_json
from reconciler.planning.report_chain import digest_of
from support.reports import AT, a_large_report
from support.runs import Checkout, an_entry
from support.world import World


def write(folder: Path, month: int, previous: str = "", environment: str = "prod") -> Documents:
    made = replace(a_large_report(3), at=AT + timedelta(days=30 * month), environment=environment)
    name = f"report-{month}"
    documents = render(made, previous, f"{name}.json")
    for suffix in ("html", "csv", "json"):
        (folder / f"{name}.{suffix}").write_bytes(getattr(documents, suffix))
    return documents


def series(folder: Path, count: int) -> list[Documents]:
    made: list[Documents] = []
    for month in range(1, count + 1):
        made.append(write(folder, month, made[-1].digest if made else ""))
    return made


def verify(capsys: pytest.CaptureFixture[str], *files: Path | str) -> tuple[int, list[str], list[str]]:
    capsys.readouterr()
    code = run(["report", "--verify", *map(str, files)])
    out, err = capsys.readouterr()
    return code, out.splitlines(), err.splitlines()


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_one_report_and_a_series_are_unchanged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = series(tmp_path, 3)
    code, out, err = verify(capsys, "report-3.html", "report-1.json", "report-2.csv", "report-2.json")
    assert (code, err) == (0, [])
    assert out == [
        f"report-1.json: unchanged; prod, 2026-12-27T09:30:00Z, the first of its series, digest {first.digest}",
        f"report-2.json: unchanged; prod, 2027-01-26T09:30:00Z, continues {first.digest[:12]}, digest {second.digest}",
        f"report-3.json: unchanged; prod, 2027-02-25T09:30:00Z, continues {second.digest[:12]}, digest {third.digest}",
    ]
    assert verify(capsys, "report-2.html")[0] == 0


def edit(old: str, new: str) -> Callable[[Path], None]:
    def apply(file: Path) -> None:
        text = file.read_bytes().decode()
        assert old in text
        file.write_bytes(text.replace(old, new).encode())

    return apply


@pytest.mark.parametrize(
    ("suffix", "change", "words"),
    [
        ("csv", edit("crm@example.com", "crm2@example.com"), "report-1.csv: was changed after the report was written"),
        ("html", edit("crm-0001", "crm-0002"), "report-1.html: was changed after the report was written"),
        ("html", edit('id="digest">', 'id="digest">0'), "report-1.html: was changed: it does not show the digest"),
        ("html", lambda file: file.write_bytes(b"\xff"), "report-1.html: was changed: it does not show the digest"),
        ("json", edit("crm@example.com", "crm2@example.com"), "report-1.json: was changed: its content does not have"),
        ("json", edit('"format": 1,', '"format": 1,  '), "report-1.json: was changed: it is not written as"),
        (
            "json",
            edit('"format": 1,', '"format": 2,\n  "format": 1,'),
            "report-1.json: was changed: it is not written as",
        ),
        ("json", lambda file: file.write_text("[]"), "report-1.json: is not a report of this command"),
        ("json", lambda file: file.write_text("{"), "report-1.json: is not a report of this command"),
        ("json", lambda file: file.write_text('{"a": ' * 100_000), "report-1.json: is not a report of this command"),
        ("json", edit('"format": 1', '"format": NaN'), "report-1.json: is not a report of this command"),
        ("json", edit('"format": 1', '"format": ' + "[" * 900 + "]" * 900), "report-1.json: "),
        ("json", edit('"previous": null', '"previous": 1'), "report-1.json: is not a report of this command"),
        ("csv", Path.unlink, "report-1.csv: cannot be read: no such file or directory"),
        ("html", Path.unlink, "report-1.html: cannot be read: no such file or directory"),
        ("json", Path.unlink, "report-1.json: cannot be read: no such file or directory"),
    ],
)
def test_every_change_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str, change: Callable[[Path], None], words: str
) -> None:
    series(tmp_path, 1)
    change(tmp_path / f"report-1.{suffix}")
    code, out, err = verify(capsys, "report-1.html")
    assert (code, out, len(err)) == (1, [], 1)
    assert err[0].startswith(words)


def test_a_report_that_is_missing_from_a_series(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, _ = series(tmp_path, 3)
    code, _, err = verify(capsys, "report-1.json", "report-3.json")
    assert code == 1
    assert err == [
        f"report-3.json: continues the report {second.digest}, but report-1.json has the digest {first.digest}"
    ]


def test_a_report_that_was_made_again_breaks_the_series(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A forger can compute new digests: the next report, or a digest kept elsewhere, contradicts them."""
    series(tmp_path, 2)
    file = tmp_path / "report-1.json"
    content = json.loads(file.read_text())
    forged = content | {"notes": ["nothing to see here"]}
    forged["digest"] = digest_of(forged)
    file.write_text(to_json(forged))
    page = tmp_path / "report-1.html"
    page.write_text(page.read_text().replace(content["digest"], forged["digest"]))
    assert verify(capsys, "report-1.json")[0] == 0
    code, _, err = verify(capsys, "report-1.json", "report-2.json")
    assert code == 1
    assert err == [
        f"report-2.json: continues the report {content['digest']}, but report-1.json has the digest {forged['digest']}"
    ]


def test_two_environments_are_two_series(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, 1)
    write(tmp_path, 2, environment="test")
    code, _, err = verify(capsys, "report-1.json", "report-2.json")
    assert (code, err) == (1, ["report-2.json: is about test, report-1.json about prod"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["report"], "Missing option '--env'"),
        (["report", "--verify"], "Missing argument 'FILE'"),
        (["report", "--env", "test", "report-1.json"], "FILE can be given with --verify only"),
        (["report", "--verify", "report-1.txt"], "report-1.txt: the name of a report ends in .html, .csv, .json"),
    ],
)
def test_wrong_arguments(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    assert run(arguments) == 1
    assert words in capsys.readouterr().err


def test_each_report_continues_the_previous_one(
    world: World, checkout: Checkout, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    checkout.declare(an_entry("crm"))
    checkout.reconcile(world)
    assert checkout.run("report", "--out", "october.html").code == 0
    assert checkout.run("report", "--out", "november.html", "--previous", "october.csv").code == 0
    code, out, err = verify(capsys, "october.html", "november.html")
    assert (code, err, len(out)) == (0, [], 2)
    october = json.loads((tmp_path / "october.json").read_text())
    assert json.loads((tmp_path / "november.json").read_text())["previous"] == october["digest"]
    assert october["digest"] in (tmp_path / "november.html").read_text()


@pytest.mark.parametrize(
    ("prepare", "out", "words"),
    [
        (lambda _: None, "report-1.html", "the new report would replace the one that it continues"),
        (lambda folder: (folder / "sub").mkdir(), "sub/../report-1.html", "the new report would replace the one"),
        (lambda folder: write(folder, 1, environment="prod"), "b.html", "report-1.json: is about environment prod"),
        (lambda folder: (folder / "report-1.csv").write_text("x"), "b.html", "report-1.csv: was changed"),
        (lambda folder: (folder / "report-1.json").unlink(), "b.html", "report-1.json: cannot be read"),
    ],
)
def test_only_a_report_that_is_unchanged_is_continued(
    checkout: Checkout, tmp_path: Path, prepare: Callable[[Path], object], out: str, words: str
) -> None:
    write(tmp_path, 1, environment="test")
    prepare(tmp_path)
    outcome = checkout.run("report", "--out", out, "--previous", "report-1.json")
    assert (outcome.code, outcome.calls) == (1, [])
    assert words in outcome.err
    assert not (tmp_path / "b.html").exists()
