"""What can be told of a home from outside its supervisor."""

from typing import Any
from urllib.parse import urlsplit

from cli.local import processes
from cli.local.home import Home
from cli.local.workers import readiness


def look(home: Home) -> dict[str, Any]:
    """`running`, `ready`, `url`, `version`, `home`, `pid`, and `parts` with name, state and pid each."""
    running = home.running() if home.is_busy() else None
    parts: list[dict[str, Any]] = [
        {"name": p.name, "state": "running" if processes.is_alive(p) else "ended", "pid": p.pid}
        for p in processes.read(home.processes)
    ]
    if running is None:
        parts = [part for part in parts if part["state"] == "running"]
        return {
            "running": False,
            "ready": False,
            "url": None,
            "version": None,
            "home": str(home.path),
            "pid": None,
            "parts": [{**part, "state": "left behind"} for part in parts],
        }
    known = {part["name"] for part in parts}
    for name, url in (("postgres", running.database_url), ("redis", running.redis_url)):
        if name not in known:
            parts.append({"name": name, "state": f"at {urlsplit(url).hostname}", "pid": None})
    return {
        "running": True,
        "ready": readiness(running.port) == 200,
        "url": running.url,
        "version": running.version,
        "home": str(home.path),
        "pid": running.pid,
        "parts": parts,
    }
