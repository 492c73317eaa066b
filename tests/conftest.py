from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent / "hook"))
import aws_rules
from support import aws_models, moto_iam

# Before any client is made: no test reaches a real account, whatever this machine is configured for.
for name in [name for name in os.environ if name.startswith(("AWS_", "GITHUB_", "RECONCILE_"))]:
    del os.environ[name]
os.environ.pop("COLUMNS", None)  # pytest-xdist sets it; output in a pipe is complete without it
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "AWS_XRAY_SDK_ENABLED": "false",
}
aws_rules.install()
moto_iam.use()
aws_models.share()

# In CI the same examples each time, so that a red run can be repeated; elsewhere new ones, to find what is still wrong.
settings.register_profile("modest", max_examples=100, deadline=None, print_blob=True)
settings.register_profile("ci", settings.get_profile("modest"), derandomize=True)
examples = int(os.environ.get("EXAMPLES", "1500"))
settings.register_profile("search", settings.get_profile("modest"), max_examples=examples)
# CI also decides what the product refuses: a test that is about it sets it.
# The workers of pytest-xdist inherit the profile.
os.environ.setdefault("HYPOTHESIS_PROFILE", "ci" if os.environ.pop("CI", "") else "modest")
settings.load_profile(os.environ["HYPOTHESIS_PROFILE"])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that wait for a local AWS come first, so that workers compute beside them."""
    items.sort(key=lambda item: not any(item.iter_markers("sandbox")) and not any(item.iter_markers("terraform")))


def pytest_collection_finish() -> None:
    """Modules, AWS's service models and the collected tests stay until the end: the collector need not visit them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


@pytest.fixture
def checkout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Checkout:
    return Checkout(tmp_path, capsys)


@pytest.fixture
def world() -> Iterator[World]:
    with make_world() as made:
        yield made


from support.runs import Checkout  # noqa: E402
from support.world import World, make_world  # noqa: E402 - boto3 clients need the environment above
