"""The workflows as data, and their script lines in a shell with recorded commands."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from reconciler.pipeline.lambda_zip import ROOT

FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))

# Answers `METHOD PATH` from a file, and records the call with the body that `--input` names.
GH = """#!/usr/bin/env python3
import json, os, sys
words = sys.argv[1:]
assert words.pop(0) == "api", words
method, body, path = "GET", None, None
while words:
    word = words.pop(0)
    if word == "--method":
        method = words.pop(0)
    elif word == "--input":
        body = json.load(open(words.pop(0), encoding="utf-8"))
    elif word not in ("--paginate", "--silent"):
        assert path is None and not word.startswith("-"), word
        path = word
folder = os.environ["FAKE_GH"]
with open(f"{folder}/calls", "a", encoding="utf-8") as calls:
    calls.write(json.dumps([f"{method} {path}", body]) + "\\n")
answers = json.load(open(f"{folder}/answers", encoding="utf-8"))
if method == "GET":
    if path not in answers:
        sys.exit("gh: Not Found (HTTP 404)")
    print(answers[path])
"""
RECORDER = '#!/bin/sh\nprintf "%s\\n" "$@" > "$FAKE_GH/words"\nprintf "%s" "$GITHUB_SHA" > "$FAKE_GH/sha"\n'


def load(name: str) -> Any:
    """YAML 1.1 reads the key `on` as true."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    return yaml.safe_load(text.replace("\non:", "\n'on':"))


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in FILES:
        for name, job in load(path.name)["jobs"].items():
            yield path.name, name, job


def step(workflow: str, job: str, name: str) -> dict[str, Any]:
    (found,) = [step for step in load(workflow)["jobs"][job]["steps"] if step.get("name") == name]
    return dict(found)


@dataclass
class Shell:
    """Runs one step as GitHub does. `answers`: what `gh api` returns for each path; pages are one text."""

    folder: Path
    answers: dict[str, Any] = field(default_factory=dict)
    reconcile: str = ""  # what the command does, besides recording its words

    def run(self, script: str, env: Mapping[str, str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        tools = self.folder / "tools"
        tools.mkdir(exist_ok=True)
        for name, text in (("gh", GH), ("reconcile", RECORDER + self.reconcile)):
            (tools / name).write_text(text, encoding="utf-8")
            (tools / name).chmod(0o755)
        texts = {path: one if isinstance(one, str) else json.dumps(one) for path, one in self.answers.items()}
        (self.folder / "answers").write_text(json.dumps(texts), encoding="utf-8")
        (self.folder / "calls").write_text("", encoding="utf-8")
        for name in ("output", "summary"):
            (self.folder / name).write_text("", encoding="utf-8")
        given = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "FAKE_GH": str(self.folder),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GITHUB_REPOSITORY": "example/smtp-users",
            "GITHUB_SERVER_URL": "https://github.com",
            "RUNNER_TEMP": str(self.folder),
            **env,
        }
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        return subprocess.run(command, cwd=cwd or self.folder, env=given, capture_output=True, text=True, timeout=60)

    @property
    def output(self) -> dict[str, str]:
        lines = (self.folder / "output").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def calls(self) -> list[tuple[str, Any]]:
        lines = (self.folder / "calls").read_text(encoding="utf-8").splitlines()
        return [(call, body) for call, body in map(json.loads, lines)]

    @property
    def writes(self) -> list[tuple[str, Any]]:
        return [(call, body) for call, body in self.calls if not call.startswith("GET ")]

    @property
    def words(self) -> list[str]:
        """Of the last run of the command."""
        return (self.folder / "words").read_text(encoding="utf-8").splitlines()
