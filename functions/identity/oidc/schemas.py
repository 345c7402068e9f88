"""The HTTP shapes of sign-in by a provider."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from functions.identity.schemas import SessionBody, StepBody
from shared.runtime.schema import Request, Schema

Token = Annotated[SecretStr, Field(min_length=1, max_length=200)]


class ProviderBody(Schema):
    """Who else signs people in, by the name that stands on the button."""

    name: str


class MethodsBody(Schema):
    """The ways to sign in that there are. `mail` says whether Weir can send a forgotten password's link."""

    password: Literal[True] = True
    oidc: ProviderBody | None
    mail: bool


class OidcStartBody(Schema):
    """Where the browser goes. It comes back to `/sign-in/oidc` of the page that asked."""

    authorization_url: str


class OidcCallbackRequest(Request):
    """What the provider has put in the address. `invitation` is the token of one that is to be accepted by it."""

    state: Token
    code: SecretStr = Field(min_length=1, max_length=4_096)
    iss: str | None = Field(default=None, max_length=2_000)
    invitation: Token | None = None


class LinkStepBody(Schema):
    """There is an account with this address. Sign in to it in another way, then send the ticket: once, and for good."""

    next: Literal["link"]
    email: str
    ticket: str
    expires_at: datetime


class LinkAccountRequest(Request):
    """The ticket of such a step."""

    ticket: Token


OidcEnteredBody = SessionBody | StepBody | LinkStepBody
