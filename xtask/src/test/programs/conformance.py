"""Checks the vectors against their schema and the index against the vectors; prints how many cases there are."""

import json
import sys
from collections import Counter
from pathlib import Path

from jsonschema import Draft202012Validator

folder = Path(sys.argv[1])
schema = json.loads((folder / "schema.json").read_text())
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
# The control: a schema that takes anything proves nothing.
assert not validator.is_valid({"group": "select", "cases": [{"name": "without-rule"}]}), "the schema takes a bad case"

problems = []
names = Counter()
index = json.loads((folder / "index.json").read_text())
indexed = {entry["file"]: entry["cases"] for entry in index["files"]}
for path in sorted((folder / "vectors").glob("*.json")):
    file = f"vectors/{path.name}"
    vectors = json.loads(path.read_text())
    problems += [f"{file}: {error.json_path}: {error.message}" for error in validator.iter_errors(vectors)]
    names.update(case["name"] for case in vectors["cases"])
    if indexed.pop(file, None) != len(vectors["cases"]):
        problems.append(f"{file}: has {len(vectors['cases'])} cases, the index says otherwise")
problems += [f"{file}: is in the index and nowhere else" for file in indexed]
problems += [f"the name {name} is used {times} times" for name, times in names.items() if times > 1]
if index["cases"] != names.total():
    problems.append(f"index.json: says {index['cases']} cases, there are {names.total()}")
if problems:
    sys.exit("\n".join(problems))
print(names.total())
