"""Cold start and memory of each function beside a FastAPI hello-world, here or in the container image.

    python -m tests.bench.cold [--rounds 7] [--json build/cold.json] [NAME ...]
    python -m tests.bench.cold --image weir:local

Measured from the start of the process (in an image, of the container runtime) to its first 2xx on /healthz, which
every function answers only when all of it is loaded. The reference is the hello-world on the server that functions
run on: uvicorn with uvloop and httptools, no access log. `uvicorn` is the same one served as uvicorn does by itself.
All are started in turn in every round, because the machine's speed drifts; figures are medians. `cpu` is what the
process has computed until then: whatever else runs can hardly add to that. No store is needed: functions open them
at their first use.
"""

import argparse
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.image import Contained, Image, free_port, unpacked

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 1.25

REFERENCE = "hello-world"
APP = """
import os
from fastapi import FastAPI

app = FastAPI()

@app.get("/healthz")
async def health() -> dict[str, str]:
    return {"status": "ok"}
"""
HELLO = f"""
import socket, uvicorn, uvloop
{APP}
listening = socket.create_server(("0.0.0.0", int(os.environ["PORT"])), backlog=2048)
config = uvicorn.Config(app, loop="none", http="httptools", ws="none", lifespan="off", interface="asgi3",
                        log_config=None, access_log=False, server_header=False, proxy_headers=False)
uvloop.run(uvicorn.Server(config).serve(sockets=[listening]))
"""
PLAIN = f"""
import uvicorn
{APP}
uvicorn.run(app, host="0.0.0.0", port=int(os.environ["PORT"]))
"""

ENVIRONMENT = {
    "WEIR_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    "WEIR_REDIS_URL": "redis://127.0.0.1:1/0",
    "WEIR_SECRET": "measured, not used: 32 signs or so",
}


@dataclass(frozen=True)
class Start:
    """One start: seconds to the first answer, seconds of a processor's time, and MiB in memory then."""

    seconds: float
    cpu: float
    memory: float


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 300
    except OSError:
        return False
    finally:
        connection.close()


def until_answer(port: int, process: subprocess.Popen[bytes], started: float) -> float:
    """Seconds from `started` to the first 2xx."""
    while not answers(port):
        if process.poll() is not None:
            raise SystemExit(f"it ended with {process.returncode} before it answered")
        time.sleep(0.002)
    return time.perf_counter() - started


def looked_at(pid: int, seconds: float) -> Start:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    cpu = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return Start(seconds, cpu, pages * os.sysconf("SC_PAGE_SIZE") / 2**20)


def start(arguments: list[str]) -> Start:
    """One start of this Python on this machine."""
    port = free_port()
    environment = {**os.environ, **ENVIRONMENT, "PORT": str(port)}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return looked_at(process.pid, until_answer(port, process, started))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def start_contained(image: Image, arguments: list[str]) -> Start:
    """One start in a container of `image`."""
    contained = Contained(image, ENVIRONMENT, ["python", *arguments])
    started = time.perf_counter()
    contained.start()
    try:
        seconds = until_answer(contained.port, contained.process, started)
        return looked_at(contained.pid(), seconds)
    finally:
        contained.end()
        contained.__exit__()


def measure(
    rounds: int, names: list[str], begin: Callable[[list[str]], Start] = start
) -> list[dict[str, object]]:
    """One row for each reference and each function."""
    from shared.runtime import registry

    programs = {REFERENCE: ["-c", HELLO], "uvicorn": ["-c", PLAIN]}
    programs |= {
        f.name: ["-m", "shared.runtime.serve", f.name]
        for f in registry.functions()
        if not names or f.name in names
    }
    for arguments in programs.values():
        begin(arguments)  # fills the caches of byte-code and files
    found: dict[str, list[Start]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, arguments in programs.items():
            found[name].append(begin(arguments))

    def median(name: str, figure: str) -> float:
        return statistics.median(getattr(row, figure) for row in found[name])

    return [
        {
            "function": name,
            "startMs": round(median(name, "seconds") * 1000),
            "ratio": round(median(name, "seconds") / median(REFERENCE, "seconds"), 3),
            "cpuMs": round(median(name, "cpu") * 1000),
            "cpuRatio": round(median(name, "cpu") / median(REFERENCE, "cpu"), 3),
            "memoryMiB": round(median(name, "memory"), 1),
        }
        for name in found
    ]


def table(rows: list[dict[str, object]]) -> str:
    """The figures, one line each."""
    lines = [f"{'':<16}{'start ms':>10}{'ratio':>8}{'cpu ms':>9}{'ratio':>8}{'MiB':>8}"]
    for row in rows:
        over = " *" if float(str(row["ratio"])) > LIMIT else ""
        lines.append(
            "{function:<16}{startMs:>10}{ratio:>8.2f}{cpuMs:>9}{cpuRatio:>8.2f}{memoryMiB:>8}".format(**row)
            + over
        )
    return "\n".join([*lines, f"ratios to {REFERENCE}; * is more than {LIMIT}", ""])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="these functions alone")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--image", help="in containers of this image, by runc, as root")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    if chosen.image:
        with tempfile.TemporaryDirectory() as folder:
            image = unpacked(chosen.image, Path(folder))
            rows = measure(chosen.rounds, chosen.names, lambda arguments: start_contained(image, arguments))
    else:
        rows = measure(chosen.rounds, chosen.names)
    sys.stdout.write(table(rows))
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps({"start": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
