"""The least that any validation does: parse the manifests with libyaml and check them with jsonschema.

Arguments: the schema and the folder of the manifests.
"""

import json
import sys
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

schema, folder = map(Path, sys.argv[1:])
validator = Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))
for path in sorted(folder.rglob("*.yaml")):
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    if problems := [*validator.iter_errors(data)]:
        sys.exit(f"{path}: {problems[0].message}")
