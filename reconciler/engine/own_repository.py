"""Create a repository of manifests that is not a fork of this project."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler import __version__
from reconciler.core.text import count
from reconciler.errors import ReconcileError
from reconciler.manifests.schema import SCHEMA_DIR

TEMPLATES = Path(__file__).resolve().parent.parent / "template"
# Each file with its template.
ALWAYS = {
    "reconcile.yaml": "reconcile.yaml",
    "users/sandbox/platform.yaml": "manifest.yaml",
    "README.md": "README.md",
    "CODEOWNERS": "CODEOWNERS",
    ".gitignore": "gitignore",
}
SCHEMAS = ("reconcile.schema.json", "users.schema.json")
WORKFLOWS = ("validate", "plan", "reconcile", "drift")
PIPELINES = {
    "github": {f".github/workflows/{name}.yml": f"github/{name}.yml" for name in WORKFLOWS},
    "gitlab": {".gitlab-ci.yml": "gitlab-ci.yml"},
}
_ACTION = re.compile(r"([A-Za-z0-9-]+/[A-Za-z0-9._-]+)@([0-9a-f]{40})")


@dataclass(frozen=True, slots=True)
class Pin:
    """The commit of this project that pipelines and hooks run."""

    repository: str
    sha: str


def parse_pin(text: str) -> Pin:
    """`OWNER/REPOSITORY@SHA`: a tag or a branch could be moved to other code."""
    found = _ACTION.fullmatch(text)
    if not found:
        hint = "the commit as 40 hex digits: git ls-remote https://github.com/OWNER/REPOSITORY"
        raise ReconcileError("--action is not OWNER/REPOSITORY@SHA", hint)
    return Pin(*found.groups())


def plan_files(pin: Pin | None, pipeline: str) -> dict[str, str]:
    """The text of each file. `pipeline`: one of PIPELINES, or ''. Without `pin`, the hook is the installed command."""
    templates = ALWAYS | {".pre-commit-config.yaml": "pre-commit.yaml" if pin else "pre-commit-local.yaml"}
    templates |= PIPELINES.get(pipeline, {})
    values = {"@VERSION@": __version__, "@SOURCE@": ""}
    if pin:
        source = f" @ git+https://github.com/{pin.repository}@{pin.sha}"
        values |= {"@ACTION@": pin.repository, "@SHA@": pin.sha, "@SOURCE@": source}
    files = {path: _fill((TEMPLATES / name).read_text(encoding="utf-8"), values) for path, name in templates.items()}
    return files | {f"schema/{name}": (SCHEMA_DIR / name).read_text(encoding="utf-8") for name in SCHEMAS}


def write_files(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Returns what was created. An existing file is never changed: if one differs, nothing is written."""
    missing = [path for path in files if not os.path.lexists(folder / path)]
    different = sorted(path for path in files if path not in missing and not _is_same(folder / path, files[path]))
    if different:
        message = f"{count(len(different), 'file')} would be overwritten: {', '.join(different)}"
        raise ReconcileError(message, "choose an empty folder, or move them away; nothing was written")
    for path in files:
        if any((folder / parent).is_symlink() for parent in Path(path).parents if parent != Path()):
            raise ReconcileError(f"{path} would be written through a link", "choose an empty folder")
    for path in missing:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8", newline="") as file:
            file.write(files[path])
    return sorted(missing)


def _fill(text: str, values: Mapping[str, str]) -> str:
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def _is_same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()
