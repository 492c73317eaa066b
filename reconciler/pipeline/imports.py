"""Which modules of this package a module needs: read from the source, nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from importlib.util import resolve_name
from pathlib import Path
from typing import TypeGuard


def import_closure(package: Path, modules: Iterable[str]) -> set[Path]:
    """The source files of `modules` and of everything in `package` that they import, directly or indirectly.

    A module of a folder needs the folder's `__init__.py`. Imports for type checkers only are left out.
    """
    files: dict[str, Path] = {}
    waiting = [*modules]
    while waiting:
        name = waiting.pop()
        path = _source(package, name)
        if name in files or path is None:
            continue
        files[name] = path
        parent = name.rpartition(".")[0]
        waiting += [parent, *_imports(ast.parse(path.read_bytes()), name if path.stem == "__init__" else parent)]
    return set(files.values())


def _source(package: Path, name: str) -> Path | None:
    """None for other packages, and for what is not a module: `from module import name` may mean either."""
    top, *parts = name.split(".")
    if top != package.name:
        return None
    path = package.joinpath(*parts)
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)


def _imports(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = resolve_name("." * node.level + (node.module or ""), package)
        yield from [base, *(f"{base}.{alias.name}" for alias in node.names)]
    for child in node.orelse if _is_for_type_checkers(node) else ast.iter_child_nodes(node):
        yield from _imports(child, package)


def _is_for_type_checkers(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
