"""Makes one list of what Weir is made of, as CycloneDX 1.5 on stdout, of those that uv and npm make of the lock files.

    python sbom.py functions.cdx.json console.cdx.json [--debian /image/var/lib/dpkg/status.d] >sbom.cdx.json

With `--debian`, a folder of dpkg's entries, it has what an image holds besides: C libraries, and this Python. The same
input gives the same output: the serial number is a digest, the time SOURCE_DATE_EPOCH (0 without).
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from email.parser import HeaderParser
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

Part = dict[str, Any]


def debian(folder: Path) -> Iterator[Part]:
    """The component of each entry, and this Python's."""
    for path in sorted(folder.iterdir()):
        entry = HeaderParser().parsestr(path.read_text())
        name, version, architecture = entry["Package"], entry["Version"], entry["Architecture"]
        yield {
            "type": "library",
            "bom-ref": f"debian/{name}",
            "name": name,
            "version": version,
            "purl": f"pkg:deb/debian/{name}@{quote(version, safe='')}?arch={architecture}",
        }
    version = platform.python_version()
    yield {
        "type": "platform",
        "bom-ref": "python",
        "name": "python",
        "version": version,
        "cpe": f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*",
        "purl": f"pkg:generic/python@{version}",
    }


def is_shipped(part: Part) -> bool:
    """Whether a package of the console is more than a tool that builds it.

    `npm sbom --omit dev` leaves out what a tool needs as well, Vue among it.
    """
    marks = {mark["name"] for mark in part.get("properties", ())}
    return part["scope"] == "required" and "cdx:npm:package:development" not in marks


def merged(functions: Part, console: Part, others: list[Part], when: int) -> Part:
    """One document. Its subject is Weir; the console is one of its components."""
    subject = {
        **functions["metadata"]["component"],
        "type": "application",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    page = {key: value for key, value in console["metadata"]["component"].items() if key != "purl"}
    shipped = [part for part in console["components"] if is_shipped(part)]
    parts = [*functions["components"], {**page, "type": "application"}, *shipped, *others]
    known = {subject["bom-ref"], *(part["bom-ref"] for part in parts)}
    needs = {
        entry["ref"]: sorted(known.intersection(entry.get("dependsOn", ())))
        for document in (functions, console)
        for entry in document["dependencies"]
        if entry["ref"] in known
    }
    own = needs.setdefault(subject["bom-ref"], [])
    needs[subject["bom-ref"]] = sorted({*own, page["bom-ref"], *(part["bom-ref"] for part in others)})
    content = {
        "metadata": {
            "timestamp": datetime.fromtimestamp(when, UTC).isoformat().replace("+00:00", "Z"),
            "component": subject,
        },
        "components": sorted(parts, key=lambda part: part["bom-ref"]),
        "dependencies": [{"ref": ref, "dependsOn": needs[ref]} for ref in sorted(needs)],
    }
    serial = uuid5(NAMESPACE_URL, json.dumps(content, sort_keys=True))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        **content,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("functions", type=Path, help="what `uv export --format cyclonedx1.5` wrote")
    parser.add_argument("console", type=Path, help="what `npm sbom --sbom-format cyclonedx` wrote")
    parser.add_argument("--debian", type=Path, help="a folder of dpkg's entries")
    chosen = parser.parse_args()
    document = merged(
        json.loads(chosen.functions.read_text()),
        json.loads(chosen.console.read_text()),
        list(debian(chosen.debian)) if chosen.debian else [],
        int(os.environ.get("SOURCE_DATE_EPOCH", "0")),
    )
    sys.stdout.write(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
