"""From what a client said of an API key to what can be kept."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.auth.permissions import EVERYTHING, PERMISSIONS
from shared.core.durations import parse_duration
from shared.core.problems import INVALID, Fault, Problem

LONGEST = timedelta(days=36_525)
LONGEST_OVERLAP = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a key to be may do. `scopes` are permissions or `*`."""

    name: str
    scopes: list[str]
    sources: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    expires_at: datetime | None = None
    producer: str | None = None

    @property
    def permissions(self) -> frozenset[str]:
        """What the scopes ask for; one that is not known is among them."""
        return PERMISSIONS if EVERYTHING in self.scopes else frozenset(self.scopes)


def check(draft: Draft, *, before: Draft | None = None) -> None:
    """Raises Problem 422 with a pointer to each member that cannot be.

    What a key had `before` it may keep: an expiry that is over, a scope that is no longer known.
    """
    kept = before.scopes if before is not None else []
    faults = [
        Fault(f"/scopes/{index}", f"is not a permission; there are {', '.join(sorted(PERMISSIONS))} and *")
        for index, scope in enumerate(draft.scopes)
        if scope != EVERYTHING and scope not in PERMISSIONS and scope not in kept
    ]
    faults += [
        Fault(pointer, "must not contain U+0000")
        for pointer, text in (
            ("/name", draft.name),
            ("/producer", draft.producer or ""),
            *((f"/sources/{i}", text) for i, text in enumerate(draft.sources)),
            *((f"/types/{i}", text) for i, text in enumerate(draft.types)),
        )
        if "\0" in text
    ]
    if draft.expires_at is not None and (before is None or draft.expires_at != before.expires_at):
        now = datetime.now(UTC)
        if not now < draft.expires_at < now + LONGEST:
            faults.append(Fault("/expiresAt", "must be in the future and within a hundred years"))
    if faults:
        raise Problem(INVALID, "This API key cannot be made.", errors=faults)


def only_takes_away(before: Draft, after: Draft) -> bool:
    """Whether `after` lets nobody do what `before` did not, nor for longer: so that no right is given by it."""
    is_no_longer = before.expires_at is None or (
        after.expires_at is not None and after.expires_at <= before.expires_at
    )
    is_as_limited = (after.sources, after.types, after.producer) == (
        before.sources,
        before.types,
        before.producer,
    )
    # All there are today is less than `*`, which takes in what is added later.
    is_no_wider = EVERYTHING in before.scopes or EVERYTHING not in after.scopes
    return is_no_longer and is_as_limited and is_no_wider and after.permissions <= before.permissions


def read_overlap(text: str) -> timedelta:
    """For how long two secrets work. Raises Problem 422."""
    try:
        overlap = timedelta(seconds=parse_duration(text))
    except (ValueError, OverflowError):
        overlap = timedelta(-1)
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise Problem(
            INVALID,
            "This API key cannot be rotated so.",
            errors=[Fault("/overlap", "must be an ISO 8601 duration from PT0S to P90D, such as P1D")],
        )
    return overlap
