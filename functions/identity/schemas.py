"""The HTTP shapes of sign-in."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from functions.identity.notices.schemas import NoticeBody
from functions.identity.passwords.schemas import GivenPassword
from shared.runtime.schema import Named, Request, Schema


class LinkRequest(Request):
    """The token of a one-time link."""

    token: str = Field(min_length=1, max_length=200)


class SignInRequest(Request):
    """Who wants to sign in."""

    email: str = Field(min_length=1, max_length=320)
    password: GivenPassword


class NameRequest(Request):
    """What the user is to be called."""

    name: Annotated[str, Field(min_length=1, max_length=100), Named]


class UserBody(Schema):
    """A person."""

    id: UUID
    email: str
    name: str
    has_password: bool


class SessionBody(Schema):
    """What a browser keeps in memory; the refresh token is in the cookie."""

    access_token: str
    expires_at: datetime
    user: UserBody


class StepBody(Schema):
    """The account has a second factor: one of `factors` is to be shown, with the ticket, before `expiresAt`."""

    next: Literal["secondFactor"]
    ticket: str
    factors: list[Literal["passkey", "totp", "recoveryCode"]]
    expires_at: datetime


EnteredBody = SessionBody | StepBody


class MembershipBody(Schema):
    """A project of the user's and what they may do in it."""

    name: str
    role: str
    permissions: list[str]


class MeBody(Schema):
    """The signed-in user. `notices` are what they should know of their account, newest first, until put away."""

    user: UserBody
    projects: list[MembershipBody]
    notices: list[NoticeBody]


class JwksBody(Schema):
    """A JWK Set (RFC 7517, section 5)."""

    keys: list[dict[str, str]]
