"""What a smoke Job runs in the cluster: `python -m shared.runtime.inside URL…`. Standard library alone, so that it starts quickly.

A URL is a function's tag address. `/healthz` and `/readyz` must answer 200; a URL that begins with `tick+` is an event
handler's, which must take a tick too.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

SECONDS = 120.0
REQUEST_SECONDS = 30.0
TICK_SECONDS = 5.0
"""How long a tick may take: a dispatcher holds it open while there is work, which is as good as an answer."""

PAUSE_SECONDS = 0.5


def ask(
    url: str,
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    seconds: float = REQUEST_SECONDS,
) -> str:
    """Empty when the answer is 2xx, else what it was. Raises TimeoutError when it was sent and is not answered."""
    request = urllib.request.Request(url, data=body, headers=headers or {})  # noqa: S310 the deploy names it
    try:
        with urllib.request.urlopen(request, timeout=seconds):  # noqa: S310
            return ""
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read(500).decode(errors='replace')}"
    except TimeoutError:
        raise
    except OSError as error:
        return str(error)


def tick(url: str) -> str:
    """Send a tick, as the PingSource does."""
    headers = {
        "ce-specversion": "1.0",
        "ce-id": str(uuid4()),
        "ce-source": "/weir/deploy",
        "ce-type": "dev.weir.tick",
        "content-type": "application/json",
    }
    try:
        return ask(url, headers, b"{}", TICK_SECONDS)
    except TimeoutError:
        return ""


def _get(url: str) -> str:
    try:
        return ask(url)
    except TimeoutError:
        return f"no answer within {REQUEST_SECONDS:.0f} s"


def check(url: str, deadline: float) -> str:
    """Empty when the function there is well; what is wrong when it is not by `deadline` (monotonic seconds)."""
    base = url.removeprefix("tick+").rstrip("/")
    for path in ("/healthz", "/readyz"):
        while wrong := _get(base + path):
            if time.monotonic() > deadline:
                return f"GET {base}{path}: {wrong}"
            time.sleep(PAUSE_SECONDS)
    if base != url.rstrip("/") and (wrong := tick(base + "/")):
        return f"POST {base}/ (a tick): {wrong}"
    return ""


def main(urls: Sequence[str]) -> int:
    """Check each; a line of JSON says what was wrong. The exit code is 1 when anything was."""
    deadline = time.monotonic() + SECONDS
    with ThreadPoolExecutor(max(1, len(urls))) as pool:  # all rest at zero pods: they start together
        wrong = [said for said in pool.map(lambda url: check(url, deadline), urls) if said]
    print(json.dumps({"checked": len(urls), "wrong": wrong}))  # noqa: T201 a command's own output
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
