"""Which migrations may run while the version before still serves.

Each migration says its `phase`. `expand` is safe beside the code before it: it only adds. `contract` takes away what
the code that ships it needs no more, but the code before it does: it waits until no older code serves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Phase = Literal["expand", "contract"]
PHASES: tuple[str, ...] = get_args(Phase)


class BlockedError(Exception):
    """What this version needs comes after a migration that must wait: a version in between was left out."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration of the chain."""

    revision: str
    phase: Phase


@dataclass(frozen=True, slots=True)
class Course:
    """How far to go: up to `target` (None: nowhere), and which migrations wait afterwards."""

    target: str | None
    waiting: tuple[str, ...] = ()


def course(chain: Sequence[Migration], current: str | None, running: str | None) -> Course:
    """How far an expand goes from `current`, with code in service whose own last migration is `running`.

    `chain` is every migration in order. Nobody serves from an empty database (`current` None), so nothing waits
    there; code of which nothing is known (`running` None) is taken to need everything. A `running` that the chain
    does not have is newer than it. Raises BlockedError when an expand stands behind a contract that must wait.
    """
    places = {migration.revision: place for place, migration in enumerate(chain)}
    pending = chain[places[current] + 1 :] if current is not None else chain
    known = -1 if running is None else places.get(running, len(chain))
    for place, migration in enumerate(pending):
        if current is None or migration.phase == "expand" or places[migration.revision] <= known:
            continue
        behind = [later.revision for later in pending[place:] if later.phase == "expand"]
        if behind:
            raise BlockedError(
                f"migration {behind[0]} is needed now, and comes after {migration.revision}, which must wait until no"
                f" version from before it serves: deploy the version that brought {migration.revision} first, run"
                " `weir deploy contract`, then come back to this one"
            )
        waiting = tuple(later.revision for later in pending[place:])
        return Course(pending[place - 1].revision if place else None, waiting)
    return Course(pending[-1].revision if pending else None)
