"""What comes of signing in: a session, or the next thing to show."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from functions.identity.sessions.families import How
from shared.auth.tokens import AccessToken

if TYPE_CHECKING:
    from asyncpg import Record

Factor = Literal["passkey", "totp", "recoveryCode"]


@dataclass(frozen=True, slots=True)
class User:
    """A person, as others may see them."""

    id: UUID
    email: str
    name: str
    has_password: bool


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was started, or, without `how`, refreshed. `refresh_token` goes into the cookie only."""

    user: User
    access: AccessToken
    refresh_token: str = field(repr=False)
    how: How | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Somebody has shown the first factor; one of `factors` is asked for next, with the ticket."""

    ticket: str = field(repr=False)
    factors: tuple[Factor, ...]
    expires_at: datetime


Entered = SignedIn | Step


def user_of(row: "Record") -> User:
    """The user in a row of `users`."""
    return User(row["id"], row["email"], row["name"], row["password_hash"] is not None)
