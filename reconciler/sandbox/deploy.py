"""Deploy the pipeline on a local AWS: table with stream, key, queue, boundary, role, function, event source mapping."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.aws import aws_errors
from reconciler.core.policy import boundary
from reconciler.pipeline import Pipeline
from reconciler.settings import Environment

if TYPE_CHECKING:
    from boto3.session import Session

SQS_FACTOR = 6  # AWS asks for a visibility time-out of six times the function's


def deploy(session: Session, environment: Environment, pipeline: Pipeline, code: Path) -> None:
    with aws_errors("sandbox:Deploy"):
        stream_arn = _table(session, environment)
        key_arn = _key(session, pipeline)
        boundary_arn = _boundary(session, environment, pipeline)
        queue_arn = _queue(session, pipeline)
        variables = function_variables(environment, key_arn, boundary_arn)
        _function(session, pipeline, _role(session, pipeline), variables, code)
        _mapping(session, pipeline, stream_arn, queue_arn)


def function_variables(environment: Environment, key_arn: str, boundary_arn: str) -> dict[str, str]:
    """The function's environment, as `handlers.runtime.Settings` reads it."""
    return {
        "ENVIRONMENT": environment.name,
        "ACCOUNT_ID": environment.account_id,
        "TABLE_NAME": environment.table,
        "KMS_KEY_ARN": key_arn,
        "PERMISSIONS_BOUNDARY_ARN": boundary_arn,
        "CONFIGURATION_SET": environment.configuration_set,
        "SMTP_REGIONS": ",".join(environment.smtp_regions),
        "ALLOWED_DOMAINS": ",".join(sorted(environment.allowed_domains)),
        "ALLOW_WILDCARDS": str(environment.allow_wildcards).lower(),
    }


def _table(session: Session, environment: Environment) -> str:
    client = session.client("dynamodb")
    created = client.create_table(
        TableName=environment.table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return created["TableDescription"]["LatestStreamArn"]


def _key(session: Session, pipeline: Pipeline) -> str:
    client = session.client("kms")
    metadata = client.create_key(Description="SMTP credentials")["KeyMetadata"]
    client.create_alias(AliasName=pipeline.names["key_alias"], TargetKeyId=metadata["KeyId"])
    return metadata["Arn"]


def _boundary(session: Session, environment: Environment, pipeline: Pipeline) -> str:
    client = session.client("iam")
    document = json.dumps(boundary(environment.sending))
    return client.create_policy(PolicyName=pipeline.names["boundary"], PolicyDocument=document)["Policy"]["Arn"]


def _queue(session: Session, pipeline: Pipeline) -> str:
    client = session.client("sqs")
    visibility = str(SQS_FACTOR * pipeline.function["timeout_seconds"])
    url = client.create_queue(
        QueueName=pipeline.names["dead_letter_queue"], Attributes={"VisibilityTimeout": visibility}
    )["QueueUrl"]
    return client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _role(session: Session, pipeline: Pipeline) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    client = session.client("iam")
    created = client.create_role(RoleName=pipeline.names["role"], AssumeRolePolicyDocument=json.dumps(trust))
    return created["Role"]["Arn"]


def _function(session: Session, pipeline: Pipeline, role_arn: str, variables: dict[str, str], code: Path) -> None:
    client = session.client("lambda")
    client.create_function(
        FunctionName=pipeline.names["function"],
        Runtime=pipeline.function["runtime"],
        Handler=pipeline.function["handler"],
        Timeout=pipeline.function["timeout_seconds"],
        MemorySize=pipeline.function["memory_mb"],
        Role=role_arn,
        Code={"ZipFile": code.read_bytes()},
        Environment={"Variables": variables},
        TracingConfig={"Mode": "Active"},
    )
    client.get_waiter("function_active_v2").wait(FunctionName=pipeline.names["function"])


def _mapping(session: Session, pipeline: Pipeline, stream_arn: str, queue_arn: str) -> None:
    mapping = pipeline.mapping
    parameters: dict[str, Any] = {
        "FunctionName": pipeline.names["function"],
        "EventSourceArn": stream_arn,
        "StartingPosition": mapping["starting_position"],
        "BatchSize": mapping["batch_size"],
        "MaximumRetryAttempts": mapping["maximum_retry_attempts"],
        "MaximumRecordAgeInSeconds": mapping["maximum_record_age_seconds"],
        "BisectBatchOnFunctionError": mapping["bisect_batch_on_function_error"],
        "ParallelizationFactor": mapping["parallelization_factor"],
        "FunctionResponseTypes": mapping["function_response_types"],
        "FilterCriteria": pipeline.filter_criteria(),
        "DestinationConfig": {"OnFailure": {"Destination": queue_arn}},
    }
    session.client("lambda").create_event_source_mapping(**parameters)
