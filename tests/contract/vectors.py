"""The published conformance vectors: outside the repository, at WEIR_CONFORMANCE or beside the checkout."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from shared.core.cesql import ParseError, parse

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("WEIR_CONFORMANCE") or ROOT.parent / "shared" / "conformance")
MISSING = f"no conformance vectors at {FOLDER}: name their folder in WEIR_CONFORMANCE"

JSON_FILES = ("valid-events", "invalid-events", "valid-batches", "invalid-batches")


def present() -> bool:
    """Whether the vectors are on this machine."""
    return (FOLDER / "json-format").is_dir() and (FOLDER / "cesql").is_dir()


def json_cases() -> list[tuple[str, str, Any]]:
    """File, id and event or batch of every case of the JSON format."""
    return [
        (name, case["id"], case["batch" if "batch" in case else "event"])
        for name in JSON_FILES
        for case in json.loads((FOLDER / "json-format" / f"{name}.json").read_text())["tests"]
    ]


def cesql_cases() -> dict[str, list[dict[str, Any]]]:
    """The cases of every CESQL file, by its name."""
    return {
        path.name: yaml.safe_load(path.read_text())["tests"]
        for path in sorted((FOLDER / "cesql").glob("*.yaml"))
    }


CESQL_EVENT = {"specversion": "1.0", "id": "an-id", "source": "http://localhost/source", "type": "a-type"}
"""What a case without an event of its own is tried on."""
CESQL_OVERRIDES: dict[tuple[str, str], tuple[Any, str | None]] = {
    # The file wants true and a cast error; section 3.7 casts 10 to true, as the case of BOOL(100) has it.
    ("not_operator.yaml", "Invalid int cast"): (False, None),
}
"""Cases that contradict the specification: what it says instead."""


def cesql_passes(file: str, case: dict[str, Any]) -> bool:
    """Whether value and kind of error are those of the case."""
    event = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in ((case.get("event") or CESQL_EVENT) | (case.get("eventOverrides") or {})).items()
    }
    value, kind = case.get("result", False), case.get("error")
    value, kind = CESQL_OVERRIDES.get((file, case["name"]), (value, kind))
    wanted = value.isoformat() if isinstance(value, datetime) else value
    try:
        result = parse(str(case["expression"])).evaluate(event)
    except ParseError as error:
        return kind == error.kind
    found = (type(result.value), result.value, result.error.kind if result.error else None)
    return found == (type(wanted), wanted, kind)
