"""Whether the table's stream triggers the credential manager."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.trigger import Mapping, Trigger

TABLE = "arn:aws:dynamodb:eu-central-1:111122223333:table/smtp-users"
STREAM, PREVIOUS = (f"{TABLE}/stream/2026-0{month}-01T00:00:00.000" for month in (6, 5))
HEALTHY = Trigger(TABLE, STREAM, "NEW_AND_OLD_IMAGES", (Mapping(STREAM, "Enabled"),))


@pytest.mark.parametrize(
    "mappings",
    [
        [Mapping(STREAM, "Enabled")],
        [Mapping(STREAM, "Creating")],
        [Mapping(STREAM, "Updating")],
        [Mapping(PREVIOUS, "Disabled"), Mapping(STREAM, "Disabled"), Mapping(STREAM, "Enabling")],
        [Mapping("arn:aws:sqs:eu-central-1:111122223333:queue", "Disabled"), Mapping(STREAM, "Enabled")],
    ],
    ids=str,
)
def test_a_mapping_of_the_current_stream_that_runs_or_starts_is_enough(mappings: list[Mapping]) -> None:
    assert replace(HEALTHY, mappings=tuple(mappings)).fault == ""


@pytest.mark.parametrize(
    ("mappings", "fault"),
    [
        ([], "no event source mapping invokes the credential manager for this table"),
        (
            [Mapping(f"{TABLE}-2/stream/2026", "Enabled"), Mapping("", "Enabled")],
            "no event source mapping invokes the credential manager for this table",
        ),
        (
            [Mapping(PREVIOUS, "Enabled")],
            "the stream of the table was replaced; the event source mapping still reads the previous one",
        ),
        ([Mapping(STREAM, "Disabled")], "the event source mapping is disabled"),
        ([Mapping(PREVIOUS, "Enabled"), Mapping(STREAM, "Disabling")], "the event source mapping is disabling"),
        ([Mapping(STREAM, "Deleting")], "the event source mapping is deleting"),
    ],
    ids=str,
)
def test_a_mapping_that_delivers_nothing_is_a_fault(mappings: list[Mapping], fault: str) -> None:
    assert replace(HEALTHY, mappings=tuple(mappings)).fault == fault


def test_a_stream_without_new_images_is_a_fault() -> None:
    assert replace(HEALTHY, stream_arn="", view="").fault == "the stream of the table is off"
    keys = replace(HEALTHY, view="KEYS_ONLY")
    assert keys.fault == "the stream of the table contains KEYS_ONLY; it must contain NEW_AND_OLD_IMAGES"
