"""The table of results: what was measured, the goal, and what it means for a user."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scripts.bench.calls import LEAST
from scripts.bench.measure import Sample
from scripts.bench.results import Ratio, Results, Size


@dataclass(frozen=True, slots=True)
class Line:
    measure: str
    value: str
    goal: str
    meaning: str


def lines_of(results: Results) -> list[Line]:
    return [*_ratios(results), *_sizes(results), *_many_users(results), *_installation(results)]


def _ratios(results: Results) -> Iterator[Line]:
    ratios, users = results.ratios, f"{results.users:,}"
    validate, plan, handler = ratios["validate"], ratios["plan"], ratios["handler"]
    yield Line(
        f"`validate` of {users} users / libyaml and jsonschema", _ratio(validate), "≤ 1.35",
        f"a pull request is checked in {validate.own.cpu:.1f} s of CPU time, with line and column of every problem",
    )  # fmt: skip
    yield Line(
        f"`plan` of {users} users without a change / octoDNS with as many DNS records", _ratio(plan), "≤ 0.5",
        f"{plan.own.cpu:.1f} s of CPU time in each pull request and in each run",
    )  # fmt: skip
    yield Line(
        "`--help` / click alone", _ratio(ratios["help"]), "≤ 1.3",
        f"the command answers after {1000 * ratios['help'].own.cpu:.0f} ms",
    )  # fmt: skip
    yield Line(
        "import of the stream's handler / boto3, Powertools and the X-Ray SDK alone", _ratio(handler), "≤ 1.1",
        f"{1000 * handler.own.cpu:.0f} ms of CPU time in a cold start, of which the libraries take "
        f"{1000 * handler.other.cpu:.0f} ms",
    )  # fmt: skip


def _ratio(ratio: Ratio) -> str:
    counted = f"{ratio.instructions:.2f}" if ratio.instructions else "not counted"
    return f"{ratio.cpu:.2f} (instructions: {counted})"


def _sizes(results: Results) -> Iterator[Line]:
    large = results.sizes[-1]
    rest = results.sizes[-2]
    growth = (large.validate.cpu / large.users) / (rest.validate.cpu / rest.users)
    yield Line(
        f"memory of `validate` per user, {large.users:,} in one environment",
        _kilobytes(results, lambda size: size.validate_alone), "≤ 2 KB",
        f"{large.users:,} users in one environment need {large.validate_alone.memory / 1e6:.0f} MB; "
        f"in environments of 5,000, {large.validate.memory / 1e6:.0f} MB",
    )  # fmt: skip
    yield Line(
        f"memory of `plan` per user, {large.users:,} in one environment",
        _kilobytes(results, lambda size: size.plan), "≤ 2 KB",
        f"{large.users:,} users in one environment need {large.plan.memory / 1e6:.0f} MB",
    )  # fmt: skip
    yield Line(
        f"CPU time per user of `validate`, {large.users:,} / {rest.users:,} users", f"{growth:.2f}", "≤ 1.1",
        "the cost is linear: twice as many users take twice as long",
    )  # fmt: skip


def _kilobytes(results: Results, command: Callable[[Size], Sample]) -> str:
    return f"{results.bytes_per_user(command) / 1000:.1f} KB"


def _many_users(results: Results) -> Iterator[Line]:
    latency, made, sandbox = results.latency, results.creations, results.sandbox
    users, milliseconds = latency["users"], round(1000 * latency["iam_seconds"])
    for name, meaning in (
        ("sweep", "so often the sweep calls IAM, whose limits the whole account shares"),
        ("drift", "so often `reconcile drift` calls IAM"),
    ):
        yield Line(f"IAM calls per settled user, {name}", f"{latency[name]['iam_calls'] / users:.2f}", "≤ 1.1", meaning)
    sweep, drift = latency["sweep"], latency["drift"]
    yield Line(
        f"runs for a round of the sweep with {users:,} users, {milliseconds} ms per IAM call",
        f"{sweep['runs']} in {_minutes(sweep['seconds'])}{_reason(sweep['stopped'])}", "1",
        "a manual change in IAM is reverted after so many hours at most, because a run starts every hour",
    )  # fmt: skip
    yield Line(
        f"`drift` of {users:,} users, {milliseconds} ms per IAM call", _minutes(drift["seconds"]), "",
        "so long the command runs in CI",
    )  # fmt: skip
    succeeded = "the run succeeds" if made["succeeded"] else "the run fails"
    yield Line(
        f"{made['users']:,} creations in one run, 2 writes per second and API (model)",
        f"{_minutes(made['seconds'])}, {made['failed']} failed, {succeeded}", "≤ 42 min, 0 failed, the run succeeds",
        f"{made['throttled']:,} of {made['requests']:,} requests to IAM were throttled; "
        f"{made['dead_letters']:,} times a user waited in the dead-letter queue, {made['parked']} were parked",
    )  # fmt: skip
    yield Line(
        f"{sandbox.users} users from `pending` to `active` on the sandbox",
        f"{sandbox.seconds:.0f} s, {sandbox.calls / sandbox.users:.1f} AWS calls per user", "7 calls",
        f"the same command again, with nothing to do, takes {sandbox.again:.1f} s",
    )  # fmt: skip


def _installation(results: Results) -> Iterator[Line]:
    yield Line(
        f"`history` of a user of {results.users:,}, in a repository of {results.commits:,} commits",
        f"{results.history.cpu:.1f} s", "≤ 1 s", "so long an audit question takes: CPU time, Git included",
    )  # fmt: skip
    edit = len(results.calls["edit a description"])
    yield Line(
        "AWS calls for an edited description", str(edit), str(LEAST["edit a description"]), "see the table below"
    )
    yield Line(
        "packages that the command line needs", str(results.cli_packages), "≤ 16",
        "so many packages are installed in the job that has AWS credentials",
    )  # fmt: skip
    yield Line("size of the Lambda zip", f"{results.zip_bytes / 1000:,.0f} KB", "≤ 3,000 KB",
               "Lambda downloads and unpacks it in a cold start")  # fmt: skip


def _reason(stopped: list[str]) -> str:
    """Why the first run did not complete the round."""
    return f" (first: {stopped[0]})" if stopped[0] else ""


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
