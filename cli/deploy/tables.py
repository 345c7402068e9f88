"""What `weir deploy` shows."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cli.output import Column

if TYPE_CHECKING:
    from cli.deploy.edge import Edge
    from cli.deploy.live import Live, Share
    from cli.deploy.rendered import Release

PLAN: list[Column] = [
    ("function", "service"),
    ("serves", "serves"),
    ("would serve", "wanted"),
    ("change", "change"),
]
STATE: list[Column] = [
    ("function", "service"),
    ("traffic", "traffic"),
    ("release", "release"),
    ("phase", "phase"),
    ("before", "before"),
    ("reason", "reason"),
]


def _shares(shares: "Iterable[Share]") -> str:
    return ", ".join(f"{s.revision} {s.percent} %" + (f" ({s.tag})" if s.tag else "") for s in shares)


def plan(release: "Release", now: "Live") -> list[dict[str, Any]]:
    """What a deploy would change: a row for each function, of the columns `PLAN`."""
    rows = []
    for name, wanted in release.wanted.items():
        service = now.services.get(name)
        if service is None:
            change = "new"
        elif service.serves(wanted):
            change = "none"
        else:
            change = "revision is there" if wanted in now.revisions else "new revision"
        serves = _shares(service.serving) if service else None
        rows.append({"service": name, "serves": serves, "wanted": wanted, "change": change})
    return rows


def edges(found: "Iterable[Edge]") -> list[dict[str, Any]]:
    """The Deployments of the edge: which image each has, and what of it is not rolled out."""
    return [{"deployment": e.name, "image": e.image, "late": e.late or None} for e in found]


def states(now: "Live") -> list[dict[str, Any]]:
    """What serves, and how far a deploy is: a row for each function, of the columns `STATE`."""
    return [
        {
            "service": s.name,
            "traffic": _shares(s.traffic),
            "release": s.release or None,
            "phase": s.phase or None,
            "before": _shares(s.blue) or None,
            "reason": s.reason or None,
            "contractsWaiting": list(s.waiting),
        }
        for s in now.services.values()
    ]
