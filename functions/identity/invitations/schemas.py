"""The HTTP shapes of accepting an invitation."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from functions.identity.passwords.hashing import MAX_LENGTH, MIN_LENGTH
from functions.identity.schemas import SessionBody, StepBody
from shared.runtime.schema import Named, Request, Schema

GivenToken = Annotated[SecretStr, Field(min_length=1, max_length=200)]


class InvitationTokenRequest(Request):
    """The token behind the `#` of the link."""

    token: GivenToken


class AcceptRequest(Request):
    """Name and password of a new account; neither from whoever is signed in, who joins with the account they have."""

    token: GivenToken
    name: Annotated[str, Field(min_length=1, max_length=200), Named] | None = None
    password: SecretStr | None = Field(default=None, min_length=MIN_LENGTH, max_length=MAX_LENGTH)


class OpenedInvitationBody(Schema):
    """What an invitation is to, and whether it is good: `void` when whoever invited may not invite to it any more.

    `member` is said to the signed-in who are in the project already. `invitedBy` is a person's name; empty when it was
    an API key, or somebody who is gone.
    """

    project: str
    role: str
    email: str
    invited_by: str
    expires_at: datetime
    state: Literal["open", "expired", "used", "void", "member"]


class JoinedBody(Schema):
    """The project that the account is in from now on."""

    project: str


AcceptedBody = JoinedBody | SessionBody | StepBody
