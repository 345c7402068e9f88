"""What a credential may do, and who is asking."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from shared.core.token_bucket import Limit

Address = Callable[[], str | None]
"""Where a request came from, for whoever needs to know."""


@dataclass(frozen=True, slots=True)
class ProducerAccess:
    """What the producer of a credential may send. No `sources` or `types` means any."""

    id: UUID
    name: str
    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """What a credential may do in one project. No `sources` or `types` means any.

    A credential of a producer may send what both allow. Events count towards `limit` in the bucket of
    that name, which all credentials of a producer share.
    """

    project_id: UUID
    project_name: str
    principal: str
    permissions: frozenset[str]
    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    producer: ProducerAccess | None = None
    limit: Limit | None = None
    bucket: str = ""

    @property
    def is_restricted(self) -> bool:
        """Whether it is limited to some events, so that it must not give out more than it has."""
        return bool(self.sources or self.types or self.producer)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, where no project is named: a user in a session, or an API key with its project."""

    id: str
    user_id: UUID | None = None
    session: str | None = None
    access: Access | None = None
