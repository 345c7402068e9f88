"""Writes everything that follows from the declarations: `python -m shared.runtime.generate [--check]`.

`--check` writes nothing; it names the files that are not what they would be and exits with 1.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from shared.contracts.catalog import CONTRACTS
from shared.runtime import registry
from shared.runtime.console import hosting
from shared.runtime.function import Function
from shared.runtime.knative.manifests import manifests
from shared.runtime.lay_out import applications, openapi
from shared.runtime.nginx import configuration
from shared.runtime.permissions_page import page

if TYPE_CHECKING:
    Files = Iterator[tuple[str, str]]

HEADER = "# Generated from the Function declarations by `make generate`.\n"
OWNED = (
    "infra/knative/base",
    "infra/knative/components/edge",
    "infra/knative/components/high-availability",
    "infra/knative/components/network-policies",
    "infra/knative/components/private-sinks",
    "shared/contracts/schemas",
)
"""Folders in which every file is generated: what is there beside is drift as well."""


class _Plain(yaml.SafeDumper):
    """Writes what is said twice out twice: people read these files, and anchors send them back and forth."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 the library asks for it
        """Whatever it is."""
        return True


def files(functions: Sequence[Function]) -> dict[str, str]:
    """Path below the root to content."""
    found: dict[str, str] = {}
    for part in (_knative, _edge, _terraform, _openapi, _permissions, _contracts):
        found.update(part(functions))
    return found


def _knative(functions: Sequence[Function]) -> "Files":
    for path, documents in manifests(functions).items():
        text = yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, width=110, allow_unicode=True)
        yield f"infra/knative/{path}", HEADER + text
    yield "infra/knative/components/edge/nginx.conf", configuration(functions)


def _edge(functions: Sequence[Function]) -> "Files":
    routes = [{"path": route, "function": f.name} for f in functions for route in f.routes]
    yield "infra/edge/console.json", _json(hosting())
    yield "infra/edge/routes.json", _json({"routes": sorted(routes, key=lambda r: r["path"])})


def _terraform(functions: Sequence[Function]) -> "Files":
    yield (
        "infra/terraform/functions.json",
        _json(
            {
                f.name: {
                    "summary": f.summary,
                    "kind": "handler" if f.is_handler else "endpoint",
                    "routes": list(f.routes),
                    "on": list(f.on),
                    "needs": sorted(f.needs),
                    "wakes": f.wakes,
                    "archives": f.archives,
                    "timeoutSeconds": f.timeout_seconds,
                    "concurrency": f.scale.concurrency,
                    "maximum": f.scale.maximum,
                    "environment": {"WEIR_FUNCTION": f.name, **f.environment},
                }
                for f in functions
            }
        ),
    )


def _openapi(functions: Sequence[Function]) -> "Files":
    yield "docs/openapi.json", _json(openapi(functions))


def _permissions(functions: Sequence[Function]) -> "Files":
    yield "docs/reference/permissions.md", page(applications(functions))


def _contracts(_functions: Sequence[Function]) -> "Files":
    for kind, contract in CONTRACTS.items():
        schema = contract.model_json_schema(mode="serialization")
        named = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": kind, **schema}
        yield f"shared/contracts/schemas/{kind}.json", _json(named)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def drift(root: Path, wanted: dict[str, str]) -> list[str]:
    """Which paths below `root` are missing, different, or not generated any more."""
    different = [
        path
        for path, text in wanted.items()
        if not (root / path).exists() or (root / path).read_text(encoding="utf-8") != text
    ]
    there = {
        path.relative_to(root).as_posix()
        for folder in OWNED
        for path in (root / folder).glob("*")
        if path.is_file()
    }
    return sorted({*different, *(there - wanted.keys())})


def write(root: Path, wanted: dict[str, str], paths: Sequence[str]) -> None:
    """Make the files at `paths` what they should be; those that should not be are removed."""
    for path in paths:
        target = root / path
        if path in wanted:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(wanted[path], encoding="utf-8")
        else:
            target.unlink()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write, or check; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m shared.runtime.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on any difference")
    check = parser.parse_args(arguments).check
    wanted = files(registry.functions())
    different = drift(registry.ROOT, wanted)
    for path in different:
        print(path)  # noqa: T201 a command's own output
    if check and different:
        print("these are not what the declarations say: run `make generate`", file=sys.stderr)  # noqa: T201
        return 1
    write(registry.ROOT, wanted, different)
    return 0


if __name__ == "__main__":
    sys.exit(main())
