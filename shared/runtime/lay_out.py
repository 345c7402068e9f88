"""Puts what the edge of a cluster needs into a folder: `python -m shared.runtime.lay_out FOLDER`.

That is `here.conf` for nginx, and in `files` the console (of `WEIR_CONSOLE_DIR`) and `/openapi.json`. WEIR_NAMESPACE is
where the functions are, WEIR_GATEWAY the address (host, or host:port) of Knative's gateway inside the cluster.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import msgspec
from fastapi import FastAPI
from pydantic import SecretStr

from shared.runtime import load, registry
from shared.runtime.function import Function
from shared.runtime.lean import leave_out_pydantic_1
from shared.runtime.nginx import FILES, HERE, here
from shared.runtime.openapi import merged
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings

PAST = 1_700_000_000
"""Seconds since 1970, before any version of Weir: a file must not be from the future."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?")


def lay_out(folder: Path, console: Path | None, namespace: str, gateway: str) -> None:
    """Write all of it. Raises ValueError for what is no name, OSError for a folder that cannot be read or written."""
    for name in (namespace, gateway):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a host or a namespace")
    files = folder / FILES
    files.mkdir(parents=True, exist_ok=True)
    if console is not None:
        ours = shutil.ignore_patterns(".*")
        shutil.copytree(console, files, copy_function=shutil.copyfile, ignore=ours, dirs_exist_ok=True)
    (files / "openapi.json").write_bytes(msgspec.json.encode(openapi(registry.functions())))
    for path in files.rglob("*"):
        if path.is_file():
            _date(path)
    (folder / HERE).write_text(here(namespace, gateway), encoding="utf-8")


def _date(path: Path) -> None:
    """Give a file a time that follows from its content.

    nginx makes an ETag of time and length. All files of an image have one time, and pages of two versions one length.
    """
    digest = sha256(path.read_bytes()).digest()
    then = int.from_bytes(digest[:8], "big") % PAST
    os.utime(path, (then, then))


def applications(functions: Iterable[Function]) -> Iterator[tuple[Function, FastAPI]]:
    """The endpoint functions among these with their applications. Nothing is asked of a store for it."""
    nowhere = SecretStr("")
    resources = Resources(Settings(database_url=nowhere, redis_url=nowhere, secret=nowhere))
    for function in functions:
        if not function.is_handler:
            app = load.application(function, resources)
            if isinstance(app, FastAPI):
                yield function, app


def openapi(functions: Iterable[Function]) -> object:
    """The document of all endpoint functions among these."""
    return merged([app.openapi() for _, app in applications(functions)], version("weir"))


def main(arguments: Sequence[str]) -> int:
    """Lay out into the folder that is named; returns the exit code."""
    leave_out_pydantic_1()
    (folder,) = arguments
    console = os.environ.get("WEIR_CONSOLE_DIR")
    lay_out(
        Path(folder),
        Path(console) if console else None,
        os.environ["WEIR_NAMESPACE"],
        os.environ["WEIR_GATEWAY"],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
