from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.engine.session import connect
from reconciler.manifests.environments import load_environment
from reconciler.pipeline.lambda_zip import ROOT
from reconciler.sandbox.emulator import start_server, stop_server
from sandbox.local_aws import Sandbox, install_hook
from support.forked import run_forked
from terraform.existing import SETTINGS, configure, prepare
from terraform.judging import Judge

if TYPE_CHECKING:
    from terraform.account import Account

# Terraform decodes the provider's large schema many times, and would spend a fifth of its time on freeing memory.
os.environ.setdefault("GOGC", "400")
COPIED = ("reconciler", "scripts", "terraform", "users", "schema", "requirements", "reconcile.yaml")
REQUIRED = "REQUIRE_TERRAFORM"  # set in CI: a missing provider is then a failure, not a reason to skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("terraform")


def terraform(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["terraform", f"-chdir={root}", *words, "-no-color"]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def copy_project(folder: Path) -> Path:
    """Copy what a deployment needs, including the zip's dependencies if they are already downloaded."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", ".terraform*", "*.tfstate*", "*.tfplan")
            shutil.copytree(source, folder / name, ignore=ignore)
        else:
            shutil.copy(source, folder)
    for dependencies in (ROOT / "build").glob("lambda-dependencies-*"):
        shutil.copytree(dependencies, folder / "build" / dependencies.name)
    return folder


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip with a reason where Terraform or its AWS provider is not available."""
    if shutil.which("terraform"):
        project = copy_project(tmp_path_factory.mktemp("provider"))
        done = terraform(project / "terraform" / "modules" / "ci", "init", "-input=false")
        if done.returncode == 0:
            return
        reason = "terraform init cannot install the AWS provider"
    else:
        reason = "terraform is not installed"
    if os.environ.get(REQUIRED):
        pytest.fail(f"{reason}, and {REQUIRED} is set")
    pytest.skip(f"{reason}: the Terraform modules were not tested")


def environ_of(root: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(root / "hook")}


def make(root: Path, action: str) -> subprocess.CompletedProcess[str]:
    command = ("scripts.terraform", action, "sandbox")
    return run_forked(*command, cwd=root, environ=environ_of(root), timeout=600)


@dataclass
class Deployed(Sandbox):
    """The sandbox, deployed by Terraform. Each AWS call is logged with its caller: a function, or `made_as`."""

    def make(self, action: str) -> subprocess.CompletedProcess[str]:
        return make(self.root, action)

    def reconcile(self, *words: str, made_as: str = "") -> subprocess.CompletedProcess[str]:
        environ = {**environ_of(self.root), "CALLS_MADE_AS": made_as}
        return run_forked("reconciler", *words, "--env", "sandbox", cwd=self.root, environ=environ)


@contextmanager
def bare(root: Path, **settings: Any) -> Iterator[Deployed]:
    """A copy of the project and a local AWS without any resource. `settings`: of the environment."""
    configure(copy_project(root), **settings)
    hook = install_hook(root)
    environment = load_environment(root / "reconcile.yaml", "sandbox")
    folder = root / ".sandbox"
    try:
        env = {"PYTHONPATH": str(hook)}
        start_server(folder, environment.account_id, environment.region, bare=True, extra_env=env)
        yield Deployed(root, environment, connect(environment, folder))
    finally:
        stop_server(folder)


def apply(root: Path) -> str:
    done = make(root, "apply")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def deployed(provider: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Terraform's script starts the local AWS, and the last test of the module destroys the deployment."""
    root = copy_project(tmp_path_factory.mktemp("deployed"))
    install_hook(root)
    environment = load_environment(root / "reconcile.yaml", "sandbox")
    try:
        apply(root)
        yield Deployed(root, environment, connect(environment, root / ".sandbox"))
    finally:
        stop_server(root / ".sandbox")


@pytest.fixture(scope="session")
def inhabited(provider: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The deployment whose roles are evaluated, with what existing resources need; shared by all test modules."""
    with bare(tmp_path_factory.mktemp("inhabited"), **SETTINGS) as sandbox:
        prepare(sandbox.connection.session)
        apply(sandbox.root)
        yield sandbox


@pytest.fixture(scope="session")
def account(inhabited: Deployed) -> Account:
    from terraform.account import inspect

    return inspect(inhabited)


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    if shutil.which("npm") is None and not os.environ.get(REQUIRED):
        pytest.skip("npm is not installed: the roles were not evaluated")
    with Judge.start(tmp_path_factory.mktemp("judge")) as started:
        yield started
