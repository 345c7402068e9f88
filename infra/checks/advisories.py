"""Known faults of what is used: every lock file against the advisories of its registry (pip-audit, npm audit).

Where a database of advisories cannot be had, its check is named as skipped; it fails where WEIR_ADVISORIES is
`required`, as the pipeline has it. A fault that is not ours to mend yet is excused in `excused.toml`, with the
reason and until when.
"""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SERVICES = ("pypi", "osv")
"""Where pip-audit can look, by its names for them; the first that answers is enough."""


class NoDatabaseError(Exception):
    """The advisories could not be had: nothing is known, which is not the same as nothing wrong."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An advisory that concerns a version in a lock file."""

    lock: str
    package: str
    id: str
    about: str


def run(*command: str, folder: Path = ROOT) -> str:
    """What it prints; that it has found something is no failure of it."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 of this file
    return done.stdout


def of_python() -> list[Fault]:
    """What concerns uv.lock, every group of it. Raises NoDatabaseError."""
    with tempfile.TemporaryDirectory() as folder:
        listed = str(Path(folder) / "requirements.txt")
        run(str(BIN / "uv"), "export", "-q", "--frozen", "--all-groups", "--no-emit-project", "-o", listed)
        for service in SERVICES:
            options = ("--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json")
            answer = run(str(BIN / "pip-audit"), "-r", listed, "-s", service, *options)
            try:
                return read_pip_audit(json.loads(answer))
            except (ValueError, NoDatabaseError):
                continue
    raise NoDatabaseError(f"none of {', '.join(SERVICES)} answers")


def read_pip_audit(report: dict[str, Any]) -> list[Fault]:
    """The faults in what it says. Raises NoDatabaseError when it knew of no package at all."""
    found = report["dependencies"]
    if not any("vulns" in one for one in found):
        raise NoDatabaseError("no package is known there")
    return [
        Fault("uv.lock", f"{one['name']} {one['version']}", vulnerability["id"], vulnerability["description"])
        for one in found
        for vulnerability in one.get("vulns", ())
    ]


def of_npm(lock: Path) -> list[Fault]:
    """What concerns one package-lock.json. Raises NoDatabaseError."""
    try:
        report = json.loads(run("npm", "audit", "--json", "--package-lock-only", folder=lock.parent))
    except ValueError as error:
        raise NoDatabaseError("npm audit says nothing") from error
    return read_npm_audit(report, str(lock.relative_to(ROOT)))


def read_npm_audit(report: dict[str, Any], lock: str) -> list[Fault]:
    """The faults in what it says. Raises NoDatabaseError when it is no report."""
    if "auditReportVersion" not in report:
        raise NoDatabaseError(str(report.get("message") or report.get("error") or "no report"))
    return [
        Fault(lock, f"{package} {found['range']}", cause["url"].rpartition("/")[2], cause["title"])
        for package, found in report["vulnerabilities"].items()
        for cause in found["via"]
        if isinstance(cause, dict)
    ]


def excused(text: str, today: date) -> Iterator[tuple[str, str]]:
    """Advisory and reason of each that is excused, and still is today."""
    for one in tomllib.loads(text).get("excused", ()):
        if one["until"] >= today:
            yield one["id"], one["reason"]


def main() -> int:
    """Say what was looked at; 1 when there is a fault, or nothing to look at where that is required."""
    allowed = dict(excused((ROOT / "infra/checks/excused.toml").read_text(), datetime.now(UTC).date()))
    locks = sorted(ROOT / name for name in run("git", "ls-files", "*package-lock.json").split())
    failed = False
    for name, look in (
        ("uv.lock", of_python),
        *((str(lock.relative_to(ROOT)), lambda at=lock: of_npm(at)) for lock in locks),
    ):
        try:
            faults = look()
        except NoDatabaseError as error:
            print(f"skipped: advisories for {name}: {error}")
            failed |= os.environ.get("WEIR_ADVISORIES") == "required"
            continue
        for fault in faults:
            reason = allowed.get(fault.id)
            failed |= reason is None
            print(f"{fault.lock}: {fault.package}: {fault.id}: {reason or fault.about.splitlines()[0]}")
        print(f"{name}: {len(faults)} known")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
