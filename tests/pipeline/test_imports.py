"""The static import closure: every way of writing an import, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.pipeline.imports import import_closure


@pytest.fixture
def package(tmp_path: Path) -> Path:
    files = {
        "__init__.py": "",
        "start.py": "import json\nfrom app.low import deep, value\nfrom app import beside\n",
        "beside.py": "def later():\n    import app.lazy\n",
        "lazy.py": "from . import cycle\nfrom .sub.inner import thing\n",
        "cycle.py": "import app.start",
        "low/__init__.py": "from app.low.init_needs import value\n",
        "low/init_needs.py": "value = 1",
        "low/deep.py": "import typing\nif typing.TYPE_CHECKING:\n    import app.typed\nelse:\n    import app.untyped\n",
        "sub/__init__.py": "",
        "sub/inner.py": "thing = 1",
        "typed.py": "",
        "untyped.py": "",
        "unused.py": "",
        "low/unused.py": "",
    }
    for name, text in files.items():
        path = tmp_path / "app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "app"


def test_the_closure_contains_direct_indirect_relative_and_late_imports(package: Path) -> None:
    found = {path.relative_to(package).as_posix() for path in import_closure(package, ["app.start"])}
    every = {path.relative_to(package).as_posix() for path in package.rglob("*.py")}
    assert found == every - {"typed.py", "unused.py", "low/unused.py"}


def test_a_module_of_a_folder_brings_the_packages_above_it(package: Path) -> None:
    found = import_closure(package, ["app.sub.inner"])
    assert found == {package / "__init__.py", package / "sub" / "__init__.py", package / "sub" / "inner.py"}
