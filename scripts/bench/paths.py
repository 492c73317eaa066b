"""What the measured processes run with: the same interpreter and packages for the project and for the baselines."""

from __future__ import annotations

import os

from reconciler.pipeline.lambda_zip import ROOT

PYTHON = str(ROOT / ".venv-bench" / "bin" / "python")
TESTS_PYTHON = str(ROOT / ".venv" / "bin" / "python")  # for what uses the models of the tests
BASELINES = ROOT / "scripts" / "bench" / "baselines"
RECONCILE = (PYTHON, "-m", "reconciler")

# Nothing of the caller's AWS settings: no measurement reaches a real account.
ENVIRON = {
    "PATH": os.environ.get("PATH", os.defpath),
    "HOME": os.environ.get("HOME", "/"),
    "LANG": "C.UTF-8",
    "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
    "PYTHONHASHSEED": "0",  # the same work in every run
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_XRAY_SDK_ENABLED": "false",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}
