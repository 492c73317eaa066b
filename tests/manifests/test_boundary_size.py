"""A permissions boundary that IAM would refuse is reported before anything is deployed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from reconciler.errors import InvalidInput
from reconciler.manifests.environments import load_environment


def configure(folder: Path, domains: int) -> Path:
    settings = {
        "account_id": "111122223333",
        "region": "eu-central-1",
        "table": "smtp-users-test",
        "configuration_set": "smtp-test",
        "allowed_domains": [f"mail-of-department-{n:04}.example.com" for n in range(domains)],
        "limits": {"max_deletes": 1, "max_delete_percent": 10},
    }
    path = folder / "reconcile.yaml"
    path.write_text(yaml.safe_dump({"environments": {"test": settings}}))
    return path


def test_as_many_domains_as_the_boundary_can_name_are_accepted(tmp_path: Path) -> None:
    assert len(load_environment(configure(tmp_path, 140), "test").allowed_domains) == 140


def test_more_domains_are_refused_with_the_numbers(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        load_environment(configure(tmp_path, 170), "test")
    (problem,) = caught.value.problems
    assert problem.line > 0
    assert "of 6144 characters" in problem.message
