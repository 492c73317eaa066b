"""The environment variables of the three functions, as a deployment sets them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from reconciler.core.arn import iam_arn, partition
from reconciler.manager.settings import DeadLetterSettings, ManagerSettings, Settings, SweepSettings
from reconciler.manifests.environments import Environment
from reconciler.pipeline.definition import Pipeline, load_pipeline

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: all variables of a function together.
MOST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Resources:
    """What the functions use, as AWS names it."""

    key_arn: str
    boundary_arn: str
    queue_url: str
    parking_url: str
    table_arn: str


def function_settings(environment: Environment, key_arn: str, boundary_arn: str) -> Settings:
    return Settings(
        environment=environment.name,
        account_id=environment.account_id,
        table=environment.table,
        key=key_arn,
        boundary_arn=boundary_arn,
        configuration_set=environment.configuration_set,
        smtp_regions=tuple(environment.smtp_regions),
        allowed_domains=frozenset(environment.allowed_domains),
        allow_wildcards=environment.allow_wildcards,
        iam_user_tags=environment.deployment.iam_user_tags,
    )


def sweep_settings(environment: Environment, pipeline: Pipeline) -> SweepSettings:
    return SweepSettings(
        manager_function=pipeline.functions["manager"].name,
        max_orphans=environment.limits.max_deletes,
        max_orphan_percent=environment.limits.max_delete_percent,
        users_per_run=pipeline.sweep["users_per_run"],
        wide_reads=environment.deployment.wide_reads,
    )


def function_variables(environment: Environment, pipeline: Pipeline, used: Resources) -> dict[str, dict[str, str]]:
    """The variables of each function, by the name of the function in `pipeline.yaml`."""
    common = function_settings(environment, used.key_arn, used.boundary_arn).to_environ()
    dead_letters = DeadLetterSettings(
        queue_url=used.queue_url,
        parking_url=used.parking_url,
        tries=pipeline.dead_letters["tries"],
        table_arn=used.table_arn,
        batch_size=pipeline.mapping["batch_size"],
    )
    own = {
        "manager": ManagerSettings(queue_url=used.queue_url),
        "dead_letter": dead_letters,
        "sweep": sweep_settings(environment, pipeline),
    }
    return {kind: common | settings.to_environ() for kind, settings in own.items()}


def measure_variables(environment: Environment) -> int:
    """Bytes of the largest function's variables, as Lambda counts them: names and values as one JSON text."""
    region, account, pipeline = environment.region, environment.account_id, load_pipeline(environment.name)
    queues = f"https://sqs.{region}.amazonaws.com/{account}"
    used = Resources(
        key_arn=f"arn:{partition(region)}:kms:{region}:{account}:key/{'0' * 36}",
        boundary_arn=iam_arn(region, account, f"policy/{pipeline.names['boundary']}"),
        queue_url=f"{queues}/{pipeline.names['dead_letter_queue']}",
        parking_url=f"{queues}/{pipeline.names['parking_queue']}",
        table_arn=f"arn:{partition(region)}:dynamodb:{region}:{account}:table/{environment.table}",
    )
    variables = function_variables(environment, pipeline, used).values()
    return max(len(json.dumps(each, separators=(",", ":")).encode()) for each in variables)
