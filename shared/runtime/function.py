"""The declaration from which everything about one deployable is generated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Store = Literal["postgres", "redis"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How far Knative may scale a function; `concurrency` is requests per instance at most.

    `target` is how many of them there should be, where that is less; 70 % of it, to be exact, as Knative reckons.
    `warm` is how many instances a deployment keeps that pays for the absence of cold starts; zero where nobody waits.
    """

    minimum: int = 0
    maximum: int = 10
    concurrency: int = 100
    target: int | None = None
    warm: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What an instance is given for certain, and the memory past which it is ended.

    There is no limit on CPU: one slows a start down and protects nobody who has requests.
    """

    cpu_millicores: int = 50
    memory_mebibytes: int = 128
    memory_max_mebibytes: int = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One deployable: an endpoint function (`routes`) or an event handler (`on`).

    `entry` is "module:callable"; the callable takes `Resources` and returns an ASGI application for
    an endpoint function, a `Handler` for an event handler. `routes` are path templates as the edge
    sees them: a segment in braces stands for any one segment, and a template covers all below it.
    `imports` names the heavy modules that the function may load until its first answer; any other
    from `HEAVY` fails the suite. `wakes` says that it sends wakes, so that it is told where the broker is;
    `wakes_early` that it sends one when it starts, since what starts it brings work;
    `archives` that it reads and writes the archive, so that its way there is open and it has the rights;
    `calls_out` that it calls addresses which users name, so that its way there is open.
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
    archives: bool = False
    calls_out: bool = False
    scale: Scale = field(default_factory=Scale)
    size: Size = field(default_factory=Size)
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
        "aws_lambda_powertools",
        "aws_xray_sdk",
        "boto3",
        "botocore",
        "cloudevents",
        "cryptography",
        "httpx",
        "jsonschema_rs",
        "jwt",
        "mangum",
        "obstore",
        "redis",
        "sqlalchemy",
        "yaml",
    }
)
"""Modules that cost tens of milliseconds to import: a function says which of them it needs at start."""
