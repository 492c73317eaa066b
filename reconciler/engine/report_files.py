"""The three files of a report: write them, and check that no file of a series was changed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from reconciler.errors import ReconcileError
from reconciler.output.report import Documents, to_json
from reconciler.output.report_page import NO_DIGEST, set_digest
from reconciler.planning.report_chain import Link, breaks, digest_of, digest_of_bytes, in_order

SUFFIXES = (".html", ".csv", ".json")


def paths_of(page: Path) -> dict[str, Path]:
    """The files of a report, by their suffix. Any of them names the report."""
    if page.suffix not in SUFFIXES:
        raise ReconcileError(f"{page}: the name of a report ends in {', '.join(SUFFIXES)}")
    return {suffix: page.with_suffix(suffix) for suffix in SUFFIXES}


def write(documents: Documents, page: Path) -> None:
    """Each file is replaced at once; the JSON, whose digest covers the others, comes last."""
    contents = {".html": documents.html, ".csv": documents.csv, ".json": documents.json}
    partial = {path: path.with_name(f".{path.name}.{os.getpid()}.partial") for path in paths_of(page).values()}
    try:
        for path, temporary in partial.items():
            temporary.write_bytes(contents[path.suffix])
        for path, temporary in partial.items():
            temporary.replace(path)
    finally:
        for temporary in partial.values():
            temporary.unlink(missing_ok=True)


def read_previous(file: Path, page: Path, environment: str) -> str:
    """The digest of the report to continue. Raises ReconcileError unless it is complete, unchanged and of ENV."""
    if file.with_suffix("").resolve() == page.with_suffix("").resolve():
        message = f"{page.with_suffix('')}: the new report would replace the one that it continues"
        raise ReconcileError(message, "give each report its own name, for example report-2026-11.html")
    link, problems = _check(file)
    if link and link.environment != environment:
        problems.append(f"{link.file}: is about environment {link.environment}")
    if problems or link is None:
        raise ReconcileError(problems[0], "continue a report that reconcile report --verify accepts")
    return link.digest


def verify(files: Iterable[Path]) -> tuple[list[Link], list[str]]:
    """The reports that are unchanged, in order, and every problem of the others and of the series."""
    links, problems = [], []
    for file in dict.fromkeys(paths_of(file)[".json"] for file in files):
        link, found = _check(file)
        problems += found
        if link and not found:
            links.append(link)
    ordered = in_order(links)
    return ordered, [*problems, *breaks(ordered)]


def _check(file: Path) -> tuple[Link | None, list[str]]:
    """The report as its JSON describes it, and what is wrong with its files."""
    paths = paths_of(file)
    shown = paths[".json"].as_posix()
    try:
        text = paths[".json"].read_bytes()
        content = json.loads(text)
        previous = "" if content["previous"] is None else _text(content, "previous")
        environment, at, digest = (_text(content, key) for key in ("environment", "created_at", "digest"))
        link = Link(shown, environment, at, digest, previous)
        covered = {suffix: _text(content["files"], suffix[1:]) for suffix in (".html", ".csv")}
        has_digest, is_as_written = digest_of(content) == link.digest, to_json(content).encode() == text
    except OSError as error:
        return None, [f"{shown}: cannot be read: {(error.strerror or 'unknown reason').lower()}"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None, [f"{shown}: is not a report of this command"]
    problems = []
    if not has_digest:
        problems.append(f"{shown}: was changed: its content does not have the digest {link.digest}")
    elif not is_as_written:
        problems.append(f"{shown}: was changed: it is not written as the command writes it")
    return link, [*problems, *_check_files(paths, covered, link.digest)]


def _text(content: Any, key: str) -> str:
    value = content[key]
    if not isinstance(value, str):
        raise TypeError(key)
    return value


def _check_files(paths: dict[str, Path], covered: dict[str, str], digest: str) -> Iterator[str]:
    for suffix, wanted in covered.items():
        shown = paths[suffix].as_posix()
        try:
            data = paths[suffix].read_bytes()
            if suffix == ".html":
                data = set_digest(data.decode(), digest, NO_DIGEST).encode()
        except OSError as error:
            yield f"{shown}: cannot be read: {(error.strerror or 'unknown reason').lower()}"
        except ValueError:
            yield f"{shown}: was changed: it does not show the digest {digest}"
        else:
            if digest_of_bytes(data) != wanted:
                yield f"{shown}: was changed after the report was written"


def describe(links: Sequence[Link]) -> Iterator[str]:
    for link in links:
        continues = f"continues {link.previous[:12]}" if link.previous else "the first of its series"
        yield f"{link.file}: unchanged; {link.environment}, {link.at}, {continues}, digest {link.digest}"
