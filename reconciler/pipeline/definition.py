"""How the second half is deployed: `pipeline.yaml`, which Terraform reads too."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SOURCE = Path(__file__).with_name("pipeline.yaml")


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function. Its role has the same name."""

    name: str
    handler: str
    timeout_seconds: int
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`names`: resource names of one environment. The dictionaries: as in the file."""

    names: dict[str, str]
    runtime: str
    functions: dict[str, Function]
    mapping: dict[str, Any]
    dead_letters: dict[str, Any]
    sweep: dict[str, Any]

    def filter_criteria(self) -> dict[str, Any]:
        """The filters of the stream mapping in the form of the Lambda API."""
        return {"Filters": [{"Pattern": json.dumps(pattern)} for pattern in self.mapping["filters"]]}


def load_pipeline(environment: str) -> Pipeline:
    data = yaml.safe_load(SOURCE.read_text(encoding="utf-8").replace("{env}", environment))
    functions = {kind: Function(**fields) for kind, fields in data["functions"].items()}
    return Pipeline(data["names"], data["runtime"], functions, data["mapping"], data["dead_letters"], data["sweep"])
