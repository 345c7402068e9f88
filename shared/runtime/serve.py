"""Runs functions: `python -m shared.runtime.serve NAME`, or `--all` behind the edge.

One function listens on 0.0.0.0:$PORT (8080 without), as Knative's runtime contract asks; the environment
variable WEIR_FUNCTION names it as well. `--all` serves every function on the listening socket `--fd`, or on
127.0.0.1:$PORT. SIGTERM and SIGINT drain: no new work is claimed, what is under way ends, exit code 0.
"""

import argparse
import os
import socket
import sys
from collections.abc import Sequence

from shared.runtime import registry
from shared.runtime.early import EarlyWake
from shared.runtime.function import Function
from shared.runtime.lean import leave_out_pydantic_1
from shared.runtime.log import start_logging


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; OSError when the port is taken."""
    return socket.create_server((host, port), backlog=2048, reuse_port=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m shared.runtime.serve", description="Run functions.")
    parser.add_argument("name", nargs="?", default=os.environ.get("WEIR_FUNCTION"), help="the function")
    parser.add_argument("--all", action="store_true", help="every function, behind the edge")
    parser.add_argument("--fd", type=int, help="an inherited listening socket")
    chosen = parser.parse_args(arguments)
    if not chosen.all and not chosen.name:
        parser.error("name a function (or set WEIR_FUNCTION), or say --all")
    start_logging(os.environ.get("WEIR_LOG_LEVEL", "INFO"))
    function: Function | None = None
    if not chosen.all:
        try:
            function = registry.find(chosen.name)
        except LookupError as error:
            parser.error(str(error))
    try:
        port = int(os.environ.get("PORT", "8080"))
    except ValueError:
        parser.error("PORT has to be a number")
    # Before the server and the settings are loaded, which takes most of a start.
    early = EarlyWake.sent() if function is not None and function.wakes_early else None
    leave_out_pydantic_1()

    from pydantic import ValidationError

    from shared.runtime import process
    from shared.runtime.settings import Settings

    try:
        settings = Settings.model_validate({})
    except ValidationError as error:
        parser.error(str(error))
    host = "127.0.0.1" if chosen.all else "0.0.0.0"  # noqa: S104 the runtime contract asks for it
    listening = socket.socket(fileno=chosen.fd) if chosen.fd is not None else listen(host, port)
    if function is not None:
        work = process.serve_one(function, settings, listening, early)
    else:
        work = process.serve_all(settings, listening)

    import uvloop

    uvloop.run(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
