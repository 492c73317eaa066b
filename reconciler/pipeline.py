"""How the stream-driven part is deployed (`pipeline.yaml`), for the sandbox. Terraform reads the same file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SOURCE = Path(__file__).with_name("pipeline.yaml")


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`names`: resource names of one environment. `function` and `mapping`: as they stand in the file."""

    names: dict[str, str]
    function: dict[str, Any]
    mapping: dict[str, Any]

    def filter_criteria(self) -> dict[str, Any]:
        """The mapping's filters in the form that Lambda's API takes."""
        return {"Filters": [{"Pattern": json.dumps(pattern)} for pattern in self.mapping["filters"]]}


def load_pipeline(environment: str) -> Pipeline:
    data = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    names = {kind: name.replace("{env}", environment) for kind, name in data["names"].items()}
    return Pipeline(names, data["function"], data["mapping"])
