"""A cold start on Lambda beside that of a FastAPI hello-world through Mangum: `python -m tests.bench.lambda_start TASK`.

TASK is the unpacked package; both run from it, by AWS's runtime client against a Runtime API of our own. In turns, so
that whatever else the machine does meets both. Processor time, which other processes change least, and wall time.

    python -m tests.bench.lambda_start /tmp/task --python python3.13 --client /tmp/client
"""

import argparse
import os
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.support.aws import request
from tests.support.runtime_api import Runtime

HELLO = """
from fastapi import FastAPI
from mangum import Mangum

app = FastAPI()


@app.get("/healthz")
async def health():
    return {"status": "ok"}


handler = Mangum(app, lifespan="off")
"""


def start(make: Callable[[], Runtime]) -> tuple[float, float, float]:
    """Seconds of wall time to the first question for work and to the first answer, and of processor time."""
    before = os.times()
    with make() as runtime:
        answer = runtime(request("GET", "/healthz"))
        whole = perf_counter() - runtime.begun
        assert answer["statusCode"] == 200, answer
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return runtime.started_seconds, whole, spent


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.lambda_start",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("task", type=Path)
    parser.add_argument("--python", default="python3.13")
    parser.add_argument("--client", type=Path, required=True, help="a folder with awslambdaric in it")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--function", default="ingest")
    chosen = parser.parse_args()
    hello = chosen.task / "hello_of_the_bench.py"
    hello.write_text(HELLO)
    nowhere = {
        "WEIR_DATABASE_URL": "postgresql://127.0.0.1:1/x",
        "WEIR_REDIS_URL": "redis://127.0.0.1:1/0",
        "WEIR_SECRET": "a secret of the bench alone, 32 signs or more",
        "WEIR_FUNCTION": chosen.function,
        "AWS_REGION": "eu-central-1",
    }

    def runtime(handler: str, environment: Mapping[str, str]) -> Callable[[], Runtime]:
        options: dict[str, Any] = {"task": chosen.task, "python": chosen.python, "client": chosen.client}
        return lambda: Runtime(environment, handler=handler, **options)

    ways = {
        "hello-world through Mangum": runtime("hello_of_the_bench.handler", {}),
        chosen.function: runtime("shared.runtime.aws.entry.handler", nowhere),
    }
    taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
    for number in range(chosen.rounds + 1):
        for name, make in ways.items():
            figures = start(make)
            if number:  # the first one fills the page cache
                taken[name].append(figures)
    hello.unlink()
    print("| | init, s | first answer, s | processor, s |")
    print("|---|---|---|---|")
    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in taken.items()
    }
    for name, row in medians.items():
        print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in row) + " |")
    first, second = medians.values()
    print("| ratio | " + " | ".join(f"{b / a:.2f}" for a, b in zip(first, second, strict=True)) + " |")


if __name__ == "__main__":
    main()
