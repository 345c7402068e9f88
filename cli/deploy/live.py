"""What the cluster says of Services and Revisions. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from cli.deploy import names
from cli.deploy.rendered import CONTAINER

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a Service's traffic a revision has, and the tag under which it is reached by itself."""

    revision: str
    percent: int
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """A function as it serves now.

    `traffic` is what is asked for, `pinned` says that it names revisions; `current` that the gateways do it.
    `green` and `blue` are what the last deploy brought and what had the traffic before it.
    """

    name: str
    traffic: tuple[Share, ...]
    pinned: bool
    template: str
    current: bool
    message: str = ""
    release: str = ""
    phase: names.Phase = ""
    green: str = ""
    blue: tuple[Share, ...] = ()
    reason: str = ""
    waiting: tuple[str, ...] = ()
    local: bool = False
    url: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def serving(self) -> tuple[Share, ...]:
        """The revisions that have some of the traffic; none while the first one is not ready."""
        return tuple(Share(s.revision, s.percent) for s in self.traffic if s.percent and s.revision)

    def serves(self, revision: str) -> bool:
        """Whether a revision has all of the traffic."""
        return self.serving == (Share(revision, 100),)


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision. `ready` is None while it is not known."""

    name: str
    service: str
    ready: bool | None
    message: str = ""
    schema: str | None = None
    image: str = ""
    created: str = ""


@dataclass(frozen=True, slots=True)
class Live:
    """All of a namespace that a deploy looks at."""

    services: Mapping[str, Service]
    revisions: Mapping[str, Revision]

    def serving(self) -> list[Revision]:
        """The revisions that have traffic, the oldest first."""
        named = {share.revision for service in self.services.values() for share in service.serving}
        found = (self.revisions[name] for name in named if name in self.revisions)
        return sorted(found, key=lambda r: (r.created, r.name))

    def running(self) -> str | None:
        """The last migration of the oldest code that has traffic; None when nothing is known of some of it."""
        heads = []
        for service in self.services.values():
            for share in service.serving:
                revision = self.revisions.get(share.revision)
                if revision is None or revision.schema is None:
                    return None
                heads.append(revision.schema)
        return min(heads, default=None)


def read(services: Iterable[Object], revisions: Iterable[Object]) -> Live:
    """From the items of two lists of the API server."""
    return Live(
        {s.name: s for s in map(_service, services)},
        {r.name: r for r in map(_revision, revisions)},
    )


def condition(document: Object, kind: str) -> tuple[bool | None, str]:
    """What a condition says (None: unknown), and in which words."""
    for found in (document.get("status") or {}).get("conditions") or ():
        if found["type"] == kind:
            said = ": ".join(filter(None, (found.get("reason", ""), found.get("message", ""))))
            return {"True": True, "False": False}.get(found["status"]), said
    return None, ""


def _service(document: Object) -> Service:
    metadata, spec = document["metadata"], document["spec"]
    status = document.get("status") or {}
    notes = metadata.get("annotations") or {}
    asked = spec.get("traffic") or [{"latestRevision": True, "percent": 100}]
    latest = status.get("latestReadyRevisionName", "")
    routed, message = condition(document, "RoutesReady")
    return Service(
        name=metadata["name"],
        traffic=tuple(
            Share(t.get("revisionName") or latest, int(t.get("percent") or 0), t.get("tag") or "")
            for t in asked
        ),
        pinned=all(t.get("revisionName") for t in asked),
        template=((spec.get("template") or {}).get("metadata") or {}).get("name") or "",
        current=routed is True and status.get("observedGeneration") == metadata.get("generation"),
        message=message,
        release=notes.get(names.RELEASE, ""),
        phase=cast("names.Phase", notes.get(names.PHASE, "")),
        green=notes.get(names.WANTED, ""),
        blue=tuple(Share(r, p) for r, p in json.loads(notes.get(names.BEFORE) or "[]")),
        reason=notes.get(names.REASON, ""),
        waiting=tuple(filter(None, notes.get(names.WAITING, "").split(","))),
        local=(metadata.get("labels") or {}).get(names.LOCAL) == "cluster-local",
        url=status.get("url", ""),
        tags={t["tag"]: t["url"] for t in status.get("traffic") or () if t.get("tag") and t.get("url")},
    )


def _revision(document: Object) -> Revision:
    metadata = document["metadata"]
    ready, message = condition(document, "Ready")
    return Revision(
        name=metadata["name"],
        service=(metadata.get("labels") or {}).get(names.SERVICE_OF, ""),
        ready=ready,
        message=message,
        schema=(metadata.get("annotations") or {}).get(names.SCHEMA),
        image=next((c["image"] for c in document["spec"]["containers"] if c.get("name") == CONTAINER), ""),
        created=metadata.get("creationTimestamp", ""),
    )
