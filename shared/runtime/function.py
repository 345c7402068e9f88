"""The declaration from which everything about one deployable is generated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Store = Literal["postgres", "redis"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How far Knative may scale a function; `concurrency` is requests per instance at most.

    `target` is how many of them there should be, where that is less; 70 % of it, to be exact, as Knative reckons.
    """

    minimum: int = 0
    maximum: int = 10
    concurrency: int = 100
    target: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One deployable: an endpoint function (`routes`) or an event handler (`on`).

    `entry` is "module:callable"; the callable takes `Resources` and returns an ASGI application for
    an endpoint function, a `Handler` for an event handler. `routes` are path templates as the edge
    sees them: a segment in braces stands for any one segment, and a template covers all below it.
    `imports` names the heavy modules that the function may load until its first answer; any other
    from `HEAVY` fails the suite. `wakes` says that it sends wakes, so that it is told where the broker is;
    `wakes_early` that it sends one when it starts, since what starts it brings work.
    """

    name: str
    summary: str
    entry: str
    routes: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    needs: frozenset[Store] = frozenset({"postgres"})
    imports: frozenset[str] = frozenset()
    wakes: bool = False
    wakes_early: bool = False
    scale: Scale = field(default_factory=Scale)
    timeout_seconds: int = 60
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_handler(self) -> bool:
        """Whether events wake it, rather than requests from outside."""
        return bool(self.on)


HEAVY = frozenset(
    {
        "aiohttp",
        "alembic",
        "argon2",
        "asyncpg",
        "cloudevents",
        "cryptography",
        "httpx",
        "jsonschema_rs",
        "jwt",
        "redis",
        "sqlalchemy",
        "yaml",
    }
)
"""Modules that cost tens of milliseconds to import: a function says which of them it needs at start."""
