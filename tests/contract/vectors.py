"""The published conformance vectors: outside the repository, at WEIR_CONFORMANCE or beside the checkout."""

import json
import os
from pathlib import Path
from typing import Any

import yaml

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
