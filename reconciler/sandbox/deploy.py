"""Deploy the second half on a local AWS: table with stream, key, queues, boundary, and the three functions.

A sandbox is too short-lived for the hourly schedule, so there is none; a sweep can be invoked at any time.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.aws.client import aws_errors
from reconciler.core.policy import boundary
from reconciler.manifests.environments import Environment
from reconciler.pipeline.definition import Function, Pipeline
from reconciler.sandbox.function_variables import Resources, function_variables

if TYPE_CHECKING:
    from boto3.session import Session

SQS_FACTOR = 6  # AWS recommends a visibility timeout of six times the function's timeout
WAITER: Any = {"Delay": 0.1, "MaxAttempts": 300}  # seconds; the stubs allow whole ones only


def deploy(session: Session, environment: Environment, pipeline: Pipeline, code: Path) -> None:
    with aws_errors("sandbox:Deploy"):
        key_arn = _key(session, pipeline)
        boundary_arn = _boundary(session, environment, pipeline)
        parking_url, parking_arn = _queue(session, pipeline.names["parking_queue"], {})
        queue_url, queue_arn = _queue(session, pipeline.names["dead_letter_queue"], _redrive(pipeline, parking_arn))
        stream_arn = _table(session, environment)
        used = Resources(key_arn, boundary_arn, queue_url, parking_url, stream_arn.partition("/stream/")[0])
        variables = function_variables(environment, pipeline, used)
        zipped = code.read_bytes()
        for kind, function in pipeline.functions.items():
            _function(session, pipeline.runtime, function, variables[kind], zipped)
        _wait_until_active(session, pipeline)
        _stream_mapping(session, pipeline, stream_arn, queue_arn)
        _queue_mapping(session, pipeline, queue_arn)


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
    document = json.dumps(boundary(environment.sending, environment.allowed_domains))
    return client.create_policy(PolicyName=pipeline.names["boundary"], PolicyDocument=document)["Policy"]["Arn"]


def _redrive(pipeline: Pipeline, parking_arn: str) -> dict[str, str]:
    """Parks what the processor cannot park itself, because it fails each time."""
    most = pipeline.dead_letters["max_receives"]
    return {
        "VisibilityTimeout": str(SQS_FACTOR * pipeline.functions["dead_letter"].timeout_seconds),
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": parking_arn, "maxReceiveCount": most}),
    }


def _queue(session: Session, name: str, attributes: dict[Any, str]) -> tuple[str, str]:
    client = session.client("sqs")
    url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _role(session: Session, name: str) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    client = session.client("iam")
    return client.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]


def _function(session: Session, runtime: Any, function: Function, variables: dict[str, str], code: bytes) -> None:
    client = session.client("lambda")
    client.create_function(
        FunctionName=function.name,
        Runtime=runtime,
        Handler=function.handler,
        Timeout=function.timeout_seconds,
        MemorySize=function.memory_mb,
        Role=_role(session, function.name),
        Code={"ZipFile": code},
        Environment={"Variables": variables},
        TracingConfig={"Mode": "Active"},
    )


def _wait_until_active(session: Session, pipeline: Pipeline) -> None:
    waiter = session.client("lambda").get_waiter("function_active_v2")
    for function in pipeline.functions.values():
        waiter.wait(FunctionName=function.name, WaiterConfig=WAITER)


def _stream_mapping(session: Session, pipeline: Pipeline, stream_arn: str, queue_arn: str) -> None:
    mapping = pipeline.mapping
    parameters: dict[str, Any] = {
        "FunctionName": pipeline.functions["manager"].name,
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


def _queue_mapping(session: Session, pipeline: Pipeline, queue_arn: str) -> None:
    session.client("lambda").create_event_source_mapping(
        FunctionName=pipeline.functions["dead_letter"].name,
        EventSourceArn=queue_arn,
        BatchSize=pipeline.dead_letters["batch_size"],
        FunctionResponseTypes=pipeline.dead_letters["function_response_types"],
        ScalingConfig={"MaximumConcurrency": pipeline.dead_letters["maximum_concurrency"]},
    )
