"""Start time and memory of each function beside a bare FastAPI application on the same server settings.

    python -m tests.bench.start [--rounds 7] [--json build/start.json]

Measured from the start of the process to its first 2xx on /healthz, the reference in every round as well,
because the machine's speed drifts. The figure is the quickest of the rounds, since whatever else runs can only
add to it; memory is the median resident set after that answer. No store is needed: a function opens them at its first use.
"""

import argparse
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

REFERENCE = "hello-world"
HELLO = """
import os, socket, uvicorn, uvloop
from fastapi import FastAPI

app = FastAPI()

@app.get("/healthz")
async def health() -> dict[str, str]:
    return {"status": "ok"}

listening = socket.create_server(("0.0.0.0", int(os.environ["PORT"])), backlog=2048)
config = uvicorn.Config(app, loop="none", http="httptools", ws="none", lifespan="off", interface="asgi3",
                        log_config=None, access_log=False, server_header=False, proxy_headers=False)
uvloop.run(uvicorn.Server(config).serve(sockets=[listening]))
"""

ENVIRONMENT = {
    "WEIR_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    "WEIR_REDIS_URL": "redis://127.0.0.1:1/0",
    "WEIR_SECRET": "measured, not used: 32 signs or so",
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 300
    except OSError:
        return False
    finally:
        connection.close()


def start(arguments: list[str]) -> tuple[float, float]:
    """Seconds to the first answer, and MiB in memory then."""
    port = free_port()
    environment = {**os.environ, **ENVIRONMENT, "PORT": str(port)}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        while not answers(port):
            if process.poll() is not None:
                raise SystemExit(f"{arguments} ended with {process.returncode}")
            time.sleep(0.002)
        seconds = time.perf_counter() - started
        pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    return seconds, pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(rounds: int, names: list[str]) -> list[dict[str, object]]:
    """One row for the reference and each function."""
    from shared.runtime import registry

    programs = {REFERENCE: ["-c", HELLO]}
    programs |= {
        f.name: ["-m", "shared.runtime.serve", f.name]
        for f in registry.functions()
        if not names or f.name in names
    }
    for arguments in programs.values():
        start(arguments)  # fills the caches of byte-code and files
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, arguments in programs.items():
            found[name].append(start(arguments))
    reference = min(seconds for seconds, _ in found[REFERENCE])
    return [
        {
            "function": name,
            "startMs": round(min(s for s, _ in rows) * 1000),
            "ratio": round(min(s for s, _ in rows) / reference, 3),
            "memoryMiB": round(statistics.median(m for _, m in rows), 1),
        }
        for name, rows in found.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="these functions alone")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    rows = measure(chosen.rounds, chosen.names)
    sys.stdout.write(f"{'function':<16}{'start ms':>10}{'ratio':>8}{'MiB':>8}\n")
    for row in rows:
        sys.stdout.write("{function:<16}{startMs:>10}{ratio:>8}{memoryMiB:>8}\n".format(**row))
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps({"start": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
