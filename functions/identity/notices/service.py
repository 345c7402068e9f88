"""What people are told of their account: at the next page of the console, and by mail where there is some."""

from typing import TYPE_CHECKING, Literal
from uuid import UUID

from functions.identity.entered import User
from functions.identity.notices import queries
from functions.identity.visitor import Visitor
from shared.audit.by import By
from shared.audit.record import record
from shared.core.ids import uuid7
from shared.core.problems import NOT_FOUND, Problem
from shared.mail.mailer import mailer_of
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Connection

Kind = Literal["sessionReused", "recoveryCodeUsed", "codesTried", "secondFactorRemoved"]

_TEXTS: dict[Kind, tuple[str, str]] = {
    "sessionReused": (
        "A session of yours was ended",
        (
            "A session of yours was used from two places at once and has been ended. That happens when somebody has copied "
            "it. Sign in again, look through your sessions, and change your password if you do not know the other place."
        ),
    ),
    "recoveryCodeUsed": (
        "A recovery code was used",
        (
            "Somebody signed in to your account with one of its recovery codes. If that was not you, change your password, "
            "end your other sessions and make new codes."
        ),
    ),
    "codesTried": (
        "Somebody is trying codes for your account",
        (
            "Somebody knows your password, or has your mail, and has tried many codes of your second factor. None was right. "
            "Change your password."
        ),
    ),
    "secondFactorRemoved": (
        "Your second factor was removed",
        "An operator has removed the second factor of your account. Set it up again when you have signed in.",
    ),
}
_CHANGES = {
    "password.changed": "Your password was changed",
    "totp.added": "Codes of an authenticator are asked for now when you sign in",
    "totp.removed": "Codes of an authenticator are no longer asked for when you sign in",
    "passkey.added": "A passkey was added to your account",
    "passkey.removed": "A passkey was removed from your account",
    "device.approved": "A device was let in to your account",
    "recovery_codes.renewed": "New recovery codes were made for your account",
}


async def tell_of_reuse(resources: Resources, user: User, visitor: Visitor, by: By, family: str) -> None:
    """A refresh token was used twice, and its session ended."""
    pool = await resources.pg()
    async with pool.acquire() as connection, connection.transaction():
        await _add(connection, user, "sessionReused", visitor)
        after = {"why": "a refresh token was used twice"}
        await record(
            connection, by, "session.ended", project_id=None, id=family, name=user.email, after=after
        )
    _mail(resources, user, "sessionReused", visitor)


async def tell(resources: Resources, user: User, kind: Kind, visitor: Visitor) -> None:
    """Have the user see it on their next page, and in their mail."""
    pool = await resources.pg()
    async with pool.acquire() as connection, connection.transaction():
        await _add(connection, user, kind, visitor)
    _mail(resources, user, kind, visitor)


def mail_change(resources: Resources, user: User, action: str, visitor: Visitor) -> None:
    """Write to the user that what opens their account has changed. They may not be who changed it."""
    mailer_of(resources).send(
        to=user.email,
        subject=f"Weir: {_CHANGES[action][0].lower()}{_CHANGES[action][1:]}",
        text=f"{_CHANGES[action]}.\n\n{_from(visitor)}\n\nIf that was not you, sign in and look at your account, "
        f"or ask who runs this Weir:\n{resources.settings.public_url}\n",
    )


async def put_away(resources: Resources, user_id: UUID, notice_id: UUID) -> None:
    """The user has read it. Raises Problem 404."""
    if not await queries.remove_notice(await resources.pg(), user_id, notice_id):
        raise Problem(NOT_FOUND, "There is no such notice of yours.")


async def _add(connection: "Connection", user: User, kind: Kind, visitor: Visitor) -> None:
    await queries.add_notice(
        connection,
        notice_id=uuid7(),
        user_id=user.id,
        kind=kind,
        address=visitor.address,
        browser=visitor.browser,
    )


def _mail(resources: Resources, user: User, kind: Kind, visitor: Visitor) -> None:
    subject, text = _TEXTS[kind]
    mailer_of(resources).send(
        to=user.email,
        subject=f"Weir: {subject[0].lower()}{subject[1:]}",
        text=f"{text}\n\n{_from(visitor)}\n\n{resources.settings.public_url}\n",
    )


def _from(visitor: Visitor) -> str:
    return f"It came from {visitor.browser}, at the address {visitor.address or 'that is not known'}."
