"""The merge patches (RFC 7396) of Services that a deploy consists of. Pure.

Each is harmless by itself and can be repeated: whatever was interrupted between two of them, traffic is on
revisions that are ready.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cli.deploy import names
from cli.deploy.live import Service, Share

Patch = dict[str, Any]


def traffic(shares: Iterable[Share]) -> list[dict[str, Any]]:
    """`spec.traffic`. A revision that has a share and a tag has them in one entry."""
    return [
        {
            "revisionName": s.revision,
            "percent": s.percent,
            "latestRevision": False,
            **({"tag": s.tag} if s.tag else {}),
        }
        for s in shares
    ]


def pin(service: Service, release: str, wanted: str, waiting: Iterable[str]) -> Patch:
    """Keep the traffic where it is, whatever revisions come; note what is to come and what was.

    Of a Service that has just been made there is nothing to keep yet.
    """
    notes = {
        names.RELEASE: release,
        names.PHASE: "staged",
        names.WANTED: wanted,
        names.BEFORE: None if service.serves(wanted) or not service.serving else _shares(service.serving),
        names.WAITING: ",".join(waiting) or None,
        names.REASON: None,
    }
    return _patch(notes, service.serving) if service.serving else {"metadata": {"annotations": notes}}


def tag(service: Service) -> Patch:
    """Make the new revision reachable by its tag. One that nothing served before gets the traffic."""
    if not service.blue:
        return _patch({}, [Share(service.green, 100, names.GREEN)])
    return _patch({}, [*service.blue, Share(service.green, 0, names.GREEN)])


def promote(service: Service) -> Patch:
    """Give the new revision the traffic, and keep the one before at hand."""
    before = max(service.blue, key=lambda s: s.percent, default=None)
    kept = [Share(before.revision, 0, names.BLUE)] if before and before.revision != service.green else []
    return _patch({names.PHASE: "promoted"}, [Share(service.green, 100, names.GREEN), *kept])


def settle(service: Service, release: str, wanted: str, waiting: Iterable[str]) -> Patch:
    """Leave the new revision alone with the traffic: without a route the one before costs nothing."""
    changed = service.release == release
    notes = {
        names.RELEASE: release,
        names.PHASE: "settled",
        names.WANTED: wanted,
        names.BEFORE: _shares(service.blue) if changed else None,
        names.WAITING: ",".join(waiting) or None,
        names.REASON: None,
    }
    return _patch(notes, [Share(wanted, 100)])


def restore(service: Service, reason: str) -> Patch:
    """Give the traffic back to what had it before. What nothing came before keeps it."""
    shares = service.blue or (Share(service.green, 100),)
    return _patch({names.PHASE: "rolled-back", names.REASON: reason}, shares)


def contracted() -> Patch:
    """There is no way back: what served before does not know the schema that comes now."""
    return {"metadata": {"annotations": {names.BEFORE: None, names.WAITING: None}}}


def _patch(notes: Mapping[str, str | None], shares: Iterable[Share]) -> Patch:
    return {"metadata": {"annotations": dict(notes)}, "spec": {"traffic": traffic(shares)}}


def _shares(shares: Iterable[Share]) -> str | None:
    return json.dumps([[s.revision, s.percent] for s in shares]) if shares else None
