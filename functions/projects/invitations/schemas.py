"""The HTTP shapes of invitations."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.runtime.schema import Request, Schema, Spelled

EmailAddress = Annotated[
    str,
    Field(min_length=3, max_length=320),
    Spelled(
        r"""[^@\s<>()\[\]\\,;:"\u0000-\u001f\u007f-\u009f]+@[^@\s<>()\[\]\\,;:"\u0000-\u001f\u007f-\u009f]+""",
        "is no e-mail address",
    ),
]


class InvitationRequest(Request):
    """Who shall come in, and with which role: a built-in one, or one of the project's own."""

    email: EmailAddress
    role: str = Field(min_length=1, max_length=63)


class InviterBody(Schema):
    """Who invited: `user:…` or `key:…`, and their name; empty when they are gone."""

    id: str
    name: str


class InvitationBody(Schema):
    """An invitation that nobody has accepted yet.

    `void`: whoever invited may not invite to that role any more, so the link opens nothing.
    """

    id: UUID
    email: str
    role: str
    state: Literal["pending", "expired", "void"]
    invited_by: InviterBody
    created_at: datetime
    expires_at: datetime


class InvitationWithLinkBody(InvitationBody):
    """The same with its link, which is answered this once. `mailed` says whether it went out by mail as well: to one address a few times a day at most."""

    link: str
    mailed: bool


class InvitationList(Schema):
    """Invitations, newest first."""

    items: list[InvitationBody]
    next: str | None = None
