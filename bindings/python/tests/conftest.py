from __future__ import annotations

import json
from pathlib import Path

CONFORMANCE = Path(__file__).resolve().parents[3] / "conformance"


def load_cases() -> list[tuple[str, dict]]:
    """Every conformance case with its group. Fails when a file has other than what the index promises."""
    index = json.loads((CONFORMANCE / "index.json").read_text())
    assert {entry["file"] for entry in index["files"]} == {
        f"vectors/{path.name}" for path in (CONFORMANCE / "vectors").glob("*.json")
    }
    cases = []
    for entry in index["files"]:
        vectors = json.loads((CONFORMANCE / entry["file"]).read_text())
        assert len(vectors["cases"]) == entry["cases"], entry["file"]
        cases += [(vectors["group"], case) for case in vectors["cases"]]
    assert len(cases) == index["cases"]
    return cases
