"""What `reconcile --help` imports: it needs neither AWS nor YAML, so it answers at once."""

from __future__ import annotations

import subprocess
import sys

USED = ("main", "group", "options")
LIST_MODULES = """
import sys
before = {*sys.modules}
from reconciler.cli.main import run
run(["--help"])
print("modules", *({*sys.modules} - before))
"""


def test_help_imports_click_and_a_few_modules_of_ours() -> None:
    done = subprocess.run([sys.executable, "-c", LIST_MODULES], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1].split()[1:]
    own = {name for name in loaded if name.partition(".")[0] == "reconciler"}
    assert own == {"reconciler", "reconciler.errors", "reconciler.cli", *(f"reconciler.cli.{name}" for name in USED)}
    others = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
    assert others == {"click", "reconciler"}
