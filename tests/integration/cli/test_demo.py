"""`weir demo`: the published events flow, and some deliveries fail."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.weir import LocalWeir

SAMPLES = Path(__file__).resolve().parents[3] / "infra" / "demo" / "node_modules"


def test_every_page_has_something_to_show(weir: LocalWeir) -> None:
    if not SAMPLES.exists():
        assert os.environ.get("CI") != "true"
        pytest.skip("the published events are not installed: make install")
    process = weir.start("demo", "--port", "0")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    deadline = time.monotonic() + 60
    for status in ("delivered", "retrying", "dead"):
        while not weir.json("deliveries", "ls", "--status", status, "--limit", "1")["items"]:
            assert time.monotonic() < deadline, status
    sources = {e["event"]["source"] for e in weir.json("events", "ls", "--limit", "500")["items"]}
    assert any(source.startswith("https://api.github.com/") for source in sources)
    assert len(weir.json("subscriptions", "ls")["items"]) == 7
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Not a CloudEvent" not in errors
    weir.wait_until_empty(5)
