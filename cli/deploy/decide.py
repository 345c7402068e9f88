"""What comes next. Pure: a release, the cluster as it is, and what this process saw to be good give a step.

Every step can be done again. A deploy that was killed anywhere, begun again, looks and goes on; so does one of
another machine.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cli.deploy import patches
from cli.deploy.live import Live, Service
from cli.deploy.patches import Patch
from cli.deploy.rendered import Release


class Kind(StrEnum):
    """The steps, in the order in which a deploy takes them."""

    PREPARE = "prepare"
    MIGRATE = "migrate"
    DISCARD = "discard"
    PIN = "pin"
    CREATE = "create"
    AWAIT_REVISIONS = "await revisions"
    TAG = "tag"
    AWAIT_TAGS = "await tags"
    SMOKE = "smoke"
    HOLD = "hold"
    PROMOTE = "promote"
    AWAIT_TRAFFIC = "await traffic"
    WIRE = "wire"
    WATCH = "watch"
    SETTLE = "settle"
    AWAIT_SETTLED = "await settled"
    ROLL_OUT = "roll out"
    DONE = "done"
    RESTORE = "restore"
    AWAIT_RESTORED = "await restored"
    ROLLED_BACK = "rolled back"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now: `patches` of Services by name, or `names` of what it is about."""

    kind: Kind
    patches: Mapping[str, Patch] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What this process has seen, which nobody needs to remember: `done` steps, contracts that wait, a fault."""

    done: frozenset[Kind] = frozenset()
    waiting: tuple[str, ...] = ()
    fault: str = ""


def decide(release: Release, live: Live, seen: Seen, *, hold: bool = False) -> Step:
    """The next step of a deploy. With `hold` it ends before it promotes."""
    wanted = release.wanted
    mine = {n: s for n, s in live.services.items() if n in wanted and s.release == release.id}
    if (half := half_done(live, but=release.id)) is not None:
        return Step(Kind.REFUSE, text=half)
    rolled_back = {n: s for n, s in mine.items() if s.phase == "rolled-back"}
    if seen.fault or (rolled_back and any(_is_ahead(s) for s in mine.values())):
        return _restore(mine, seen.fault or next(iter(rolled_back.values())).reason)
    yet_to_do = [kind for kind in (Kind.PREPARE, Kind.MIGRATE) if kind not in seen.done]
    if yet_to_do:
        return Step(yet_to_do[0])
    changed = {
        n: live.services.get(n) for n in wanted if _is_changed(release, live.services.get(n), wanted[n])
    }
    if changed:
        step = _stage(release, live, seen, changed)
        if step is not None:
            return step
        if Kind.SMOKE not in seen.done:
            return Step(Kind.SMOKE, names=tuple(changed))
        staged = {n: s for n, s in changed.items() if s is not None and s.phase == "staged"}
        if hold and len(staged) == len(changed):
            return Step(Kind.HOLD, names=tuple(staged))
        if staged:
            return Step(Kind.PROMOTE, {n: patches.promote(s) for n, s in staged.items()})
        if late := [n for n, s in changed.items() if s is not None and not s.current]:
            return Step(Kind.AWAIT_TRAFFIC, names=tuple(late))
    if Kind.WIRE not in seen.done:
        return Step(Kind.WIRE)
    if changed and Kind.WATCH not in seen.done:
        return Step(Kind.WATCH, names=tuple(changed))
    services = {n: live.services[n] for n in wanted}
    unsettled = {n: s for n, s in services.items() if s.phase != "settled" or s.release != release.id}
    if unsettled:
        settled = {n: patches.settle(s, release.id, wanted[n], seen.waiting) for n, s in unsettled.items()}
        return Step(Kind.SETTLE, settled)
    # A release that was taken back leaves its templates: traffic does not follow them, but the Service says that
    # its newest revision failed.
    if adrift := [n for n, s in services.items() if s.template != wanted[n]]:
        return Step(Kind.CREATE, names=tuple(adrift))
    if late := [n for n, s in services.items() if not s.current]:
        return Step(Kind.AWAIT_SETTLED, names=tuple(late))
    # Last, when nothing takes the functions back any more: the edge before it serves with either version of them.
    if release.edge and Kind.ROLL_OUT not in seen.done:
        return Step(Kind.ROLL_OUT, names=tuple(release.deployments))
    return Step(Kind.DONE)


def _is_changed(release: Release, service: Service | None, wanted: str) -> bool:
    """Whether the deploy has to do with a Service: what serves its revision already is left alone."""
    if service is None:
        return True
    if service.release == release.id and service.phase != "settled":
        return True
    return not service.serves(wanted)


def _is_ahead(service: Service) -> bool:
    """Whether it has gone on to what its release brought, and has something to go back to."""
    return service.phase == "promoted" or (service.phase == "settled" and bool(service.blue))


def _stage(release: Release, live: Live, seen: Seen, changed: Mapping[str, Service | None]) -> Step | None:
    wanted = release.wanted
    fresh = {n: s for n, s in changed.items() if s is not None and not _is_staged(s, release, wanted[n])}
    in_use = {share.revision for s in live.services.values() for share in s.serving}
    broken = [
        n
        for n in fresh
        if (r := live.revisions.get(wanted[n])) is not None and r.ready is False and r.name not in in_use
    ]
    if broken:
        # A revision that once failed may stay so; without it another one is made under the same name.
        return Step(Kind.DISCARD, names=tuple(wanted[n] for n in broken))
    if fresh:
        return Step(
            Kind.PIN, {n: patches.pin(s, release.id, wanted[n], seen.waiting) for n, s in fresh.items()}
        )
    if missing := [n for n, s in changed.items() if s is None or s.template != wanted[n]]:
        return Step(Kind.CREATE, names=tuple(missing))
    here: dict[str, Service] = {n: s for n, s in changed.items() if s is not None}
    waited_for = [wanted[n] for n in here if not _is_ready(live, wanted[n])]
    if waited_for:
        return Step(Kind.AWAIT_REVISIONS, names=tuple(waited_for))
    staged = {n: s for n, s in here.items() if s.phase == "staged"}
    if untagged := {n: s for n, s in staged.items() if _asks(s) != patches.tag(s)["spec"]["traffic"]}:
        return Step(Kind.TAG, {n: patches.tag(s) for n, s in untagged.items()})
    if late := [n for n, s in staged.items() if not s.current]:
        return Step(Kind.AWAIT_TAGS, names=tuple(late))
    return None


def _is_staged(service: Service, release: Release, wanted: str) -> bool:
    return (
        service.release == release.id and service.green == wanted and service.phase in {"staged", "promoted"}
    )


def _is_ready(live: Live, revision: str) -> bool:
    found = live.revisions.get(revision)
    return found is not None and found.ready is True


def _asks(service: Service) -> list[dict[str, object]]:
    return patches.traffic(service.traffic) if service.pinned else []


def _restore(services: Mapping[str, Service], reason: str) -> Step:
    """Back to what was, all of it; and when all of it is, the end."""
    forward = {n: s for n, s in services.items() if s.phase == "staged" or _is_ahead(s)}
    if forward:
        return Step(Kind.RESTORE, {n: patches.restore(s, reason) for n, s in forward.items()}, text=reason)
    if late := [n for n, s in services.items() if not s.current and s.blue]:
        return Step(Kind.AWAIT_RESTORED, names=tuple(late), text=reason)
    return Step(Kind.ROLLED_BACK, text=reason)


def half_done(live: Live, but: str = "") -> str | None:
    """Why another deploy must be finished first: some of its functions are promoted and others are not."""
    for release, services in _releases(live):
        phases = {s.phase for s in services}
        parted = ("promoted" in phases and "staged" in phases) or (
            "rolled-back" in phases and any(_is_ahead(s) for s in services)
        )
        if release != but and parted:
            return f"release {release} is promoted in part: a deploy of it, or its way back, was interrupted"
    return None


def _releases(live: Live) -> Iterator[tuple[str, list[Service]]]:
    found: dict[str, list[Service]] = {}
    for service in live.services.values():
        if service.release:
            found.setdefault(service.release, []).append(service)
    return iter(found.items())


def under_way(live: Live) -> str | None:
    """The release that is staged or promoted and not yet settled."""
    for release, services in _releases(live):
        if any(s.phase in {"staged", "promoted"} for s in services):
            return release
    return None


def decide_rollback(live: Live, release: str, reason: str) -> Step:
    """The next step of the way back from `release`: what it changed goes to what served before."""
    mine = {n: s for n, s in live.services.items() if s.release == release}
    back = {
        n: s
        for n, s in mine.items()
        if s.phase in {"staged", "promoted"} or (s.phase == "settled" and s.blue)
    }
    gone = sorted({b.revision for s in back.values() for b in s.blue if b.revision not in live.revisions})
    if gone:
        return Step(
            Kind.REFUSE, text=f"what served before is no longer there: {', '.join(gone)}", names=tuple(gone)
        )
    if back:
        return Step(Kind.RESTORE, {n: patches.restore(s, reason) for n, s in back.items()}, text=reason)
    if late := [n for n, s in mine.items() if not s.current and s.blue and s.phase == "rolled-back"]:
        return Step(Kind.AWAIT_RESTORED, names=tuple(late), text=reason)
    return Step(Kind.ROLLED_BACK, text=reason)


def release_to_leave(live: Live) -> str | None:
    """The release that a rollback goes back from: the one under way, or the last that settled and has a before."""
    half = next(
        (
            r
            for r, s in _releases(live)
            if any(x.phase == "rolled-back" for x in s) and any(map(_is_ahead, s))
        ),
        None,
    )
    settled = next((r for r, s in _releases(live) if any(x.phase == "settled" and x.blue for x in s)), None)
    return half or under_way(live) or settled


def why_not_contract(live: Live) -> str | None:
    """Why what the version before needs cannot be taken away yet; None when it can."""
    if (release := under_way(live)) is not None:
        return f"release {release} is not settled: finish it with `weir deploy`, or take it back"
    releases = {s.release for s in live.services.values()}
    if len(releases) != 1 or "" in releases:
        return "not every function serves one and the same release"
    if any(s.phase != "settled" for s in live.services.values()):
        return "the last release was rolled back: the version before serves, and needs it"
    mixed = sorted(s.name for s in live.services.values() if not s.serves(s.green))
    if mixed:
        return f"other revisions have traffic too: {', '.join(mixed)}"
    return None
