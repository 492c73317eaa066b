"""The simulator in CI: the same scenarios in every run, and proof that it finds planted bugs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulation.__main__ import main
from simulation.actions import PLAYS
from simulation.bugs import BUGS, planted
from simulation.campaign import CI_STEPS, Campaign, run
from simulation.faults import Kind
from simulation.generate import make_scenario
from simulation.shrink import shrink
from simulation.story import simulate

HERE = Path(__file__).parent
CLASSICS = list(BUGS)[:5]
# The calls of the functions; all must occur.
CALLS = {
    "lambda": "ListEventSourceMappings",
    "ses": "GetAccount",
    "dynamodb": "DescribeTable GetItem BatchGetItem Query UpdateItem DeleteItem",
    "iam": (
        "GetAccountAuthorizationDetails "
        "GetUser ListUsers CreateUser DeleteUser TagUser PutUserPermissionsBoundary CreateAccessKey UpdateAccessKey "
        "ListAccessKeys DeleteAccessKey PutUserPolicy GetUserPolicy ListUserPolicies DeleteUserPolicy "
        "ListAttachedUserPolicies DetachUserPolicy ListGroupsForUser ListMFADevices "
        "ListSigningCertificates ListSSHPublicKeys ListServiceSpecificCredentials GetLoginProfile"
    ),
    "kms": "Encrypt",
    "sqs": "SendMessageBatch ChangeMessageVisibility DeleteMessage",
    "streams": "GetShardIterator GetRecords",
}


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return run(CI_STEPS)


@pytest.mark.xdist_group("simulation")
def test_no_scenario_violates_an_invariant(campaign: Campaign) -> None:
    """I1-I12"""
    if campaign.failed:
        scenario, result = campaign.failed
        shown = shrink(scenario, seconds=20)
        pytest.fail(f"{result.broken[0]}\n{shown}\nto repeat: make simulate SEED={scenario.seed}")
    assert campaign.steps >= CI_STEPS


@pytest.mark.xdist_group("simulation")
def test_the_scenarios_cover_every_action_every_fault_and_every_call(campaign: Campaign) -> None:
    assert set(PLAYS) <= set(campaign.actions)
    assert {*Kind, "function timed out"} <= set(campaign.faults)
    wanted = {f"{service}:{operation}" for service, words in CALLS.items() for operation in words.split()}
    assert wanted <= set(campaign.calls)


def test_a_seed_is_one_scenario_in_any_process() -> None:
    program = "import sys; from simulation.test_simulation import digests; sys.stdout.write(digests())"
    expected = digests()
    assert digests() == expected
    for hash_seed in ("1", "4711"):
        environ = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(HERE.parent)}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environ, cwd=HERE, capture_output=True, text=True, check=True
        )
        assert done.stdout == expected


def digests() -> str:
    return " ".join(simulate(make_scenario(seed)).digest() for seed in range(1, 25))


def recorded() -> dict[str, tuple[int, str]]:
    """The table of the README: bug → (the first seed that finds it, the violated invariant)."""
    rows = re.findall(r"^\| (.+?) +\| (\d+) +\| (\w+)", (HERE / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    return {bug: (int(seed), invariant) for bug, seed, invariant in rows}


def test_the_readme_lists_every_bug() -> None:
    assert list(recorded()) == list(BUGS)


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str) -> None:
    """By the scenarios that CI runs; without the bug, none of them violates an invariant."""
    seed, invariant = recorded()[bug]
    with planted(bug):
        assert run(CI_STEPS).failed, f"{bug} was not found"
        assert simulate(make_scenario(seed)).invariant == invariant, "the table is outdated: see make simulate BUGS=1"


@pytest.mark.parametrize("bug", CLASSICS)
def test_the_shortest_scenario_is_short_and_fails_as_the_long_one_did(bug: str) -> None:
    seed, invariant = recorded()[bug]
    scenario = make_scenario(seed)
    with planted(bug):
        shortest = shrink(scenario, seconds=20)
        assert simulate(shortest).invariant == invariant
    assert len(shortest.actions) < len(scenario.actions)
    assert simulate(shortest).broken == ()


def test_the_command_shows_one_scenario_with_every_call() -> None:
    done = CliRunner().invoke(main, ["--seed", "3"])
    assert done.exit_code == 0, done.output
    assert "scenario 3, Settings(" in done.output
    assert "dynamodb:Query" in done.output
    assert "no invariant violated" in done.output


def test_the_command_stops_at_its_budget_and_shows_what_was_covered() -> None:
    done = CliRunner().invoke(main, ["--steps", "500"])
    assert done.exit_code == 0, done.output
    assert re.search(r"\d+ scenarios, [\d,]+ steps", done.output)
    assert "no invariant violated" in done.output


def test_the_command_prints_the_shortest_scenario_of_a_failure() -> None:
    bug = "catch-all returning 200"
    done = CliRunner().invoke(main, ["--bug", bug])
    assert done.exit_code == 1
    assert "shortest scenario that violates it:" in done.output
    assert f"to repeat: make simulate SEED={recorded()[bug][0]}" in done.output
