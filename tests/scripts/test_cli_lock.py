"""`requirements/cli.txt`: what the jobs with AWS credentials install."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires

import yaml

from reconciler.pipeline.lambda_zip import ROOT

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Imports what the workflows run, with the modules of every other package blocked.
RESTRICTED = """
import sys
sys.modules.update(dict.fromkeys(sys.argv[1:]))
from reconciler.cli import apply, drift, plan, validate
import reconciler.aws.iam, reconciler.aws.records, reconciler.engine.session
from reconciler.cli.main import main
main(["validate"])
"""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / lock).read_text()
    return {canonical(name): version for name, version in re.findall(r"^([\w.-]+)==([^ ;]+)", text, re.MULTILINE)}


def needed(names: set[str]) -> set[str]:
    """With everything that they require, without extras."""
    found: set[str] = set()
    while names:
        found |= names
        lines = [line for name in names for line in requires(name) or [] if "extra ==" not in line]
        names = {canonical(match.group()) for line in lines if (match := NAME.match(line))} - found
    return found


def test_the_lock_contains_the_runtime_dependencies_and_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {canonical(match.group()) for line in project["dependencies"] if (match := NAME.match(line))}
    assert set(locked("cli.txt")) == needed(declared)


def test_it_has_the_versions_that_are_tested() -> None:
    assert locked("cli.txt").items() <= locked("dev.txt").items()


def test_the_commands_of_the_workflows_need_nothing_else() -> None:
    allowed = {*locked("cli.txt"), "ses-smtp-reconciler"}
    blocked = [
        module
        for module, names in packages_distributions().items()
        if not allowed.intersection(map(canonical, names)) and not module.startswith("_")
    ]
    assert {"moto", "pytest"} <= set(blocked)
    command = [sys.executable, "-c", RESTRICTED, *blocked]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "valid" in done.stdout


def test_every_job_with_aws_credentials_installs_it() -> None:
    """By the action, which other repositories use too."""
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            steps = job.get("steps", [])
            if any("configure-aws-credentials" in step.get("uses", "") for step in steps) or path.stem == "validate":
                assert "./tool" in [step.get("uses") for step in steps]
                assert "make install" not in [step.get("run") for step in steps]
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    installing = " ".join(step.get("run", "") for step in action["runs"]["steps"])
    assert 'make --directory "$TOOL" install-cli' in installing


def test_it_stays_small() -> None:
    assert len(locked("cli.txt")) <= 16
