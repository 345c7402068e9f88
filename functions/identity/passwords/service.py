"""The use cases of passwords: set one, and ask for a link when it is forgotten."""

import asyncio
import logging
from dataclasses import replace
from typing import Literal

from functions.identity import queries
from functions.identity.entered import User, user_of
from functions.identity.notices.service import mail_change
from functions.identity.passwords.guessable import why_refused
from functions.identity.proof import demand_proof
from functions.identity.service import Identity, session_ended, user_id_of, wait_for
from functions.identity.sessions.families import How, Proof
from functions.identity.visitor import Visitor
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Principal
from shared.auth.links import LIFETIME_MINUTES, address_of, create_link
from shared.core.problems import INVALID, Fault, Problem
from shared.mail.mailer import mailer_of

PRODUCT = "weir"

logger = logging.getLogger("weir.identity")

_INSTEAD: frozenset[How] = frozenset({"link", "passkey"})
"""What somebody may have come in by who does not know their password any more."""


class AccountPasswords:
    """Passwords of one process's accounts."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._asked: set[asyncio.Task[None]] = set()
        identity.resources.at_close(self._finish)
        identity.resources.at_rest(self._settle)

    async def set(
        self, principal: Principal, password: str, current_password: str | None, visitor: Visitor, by: By
    ) -> None:
        """Set the password, and end the user's other sessions and links to sign in. Raises Problem 403, 422, 429.

        The current password is required when there is one, but from somebody who has just come in without it. An
        account that asks for more than a password asks for a recent proof of all of it here.
        """
        identity = self._identity
        pool = await identity.resources.pg()
        row = await queries.user_by_id(pool, user_id_of(principal))
        if row is None:
            raise session_ended()
        user, current = user_of(row), row["password_hash"]
        proof = await demand_proof(identity, principal)
        if needs_current(user, proof):
            await identity.count_password(user.email, visitor)
            if current_password is None or not await identity.passwords.verify(current, current_password):
                raise _not_current("The current password is not right.")
            await identity.succeeded(user.email, visitor)
        if (why := why_refused(password, about=(PRODUCT, user.email, user.name))) is not None:
            raise Problem(INVALID, f"This password {why}.", errors=[Fault("/password", why)])
        new_hash = await identity.passwords.hash(password)
        sessions = await identity.sessions()
        async with pool.acquire() as connection, connection.transaction():
            if not await queries.set_password_hash(connection, user.id, new_hash, in_place_of=current):
                raise _not_current("The password was changed meanwhile.")
            # One that somebody else has asked for, and reads in a mailbox that is not theirs, would outlive it.
            await queries.drop_links(connection, user.id)
            # Inside, so that a password is never changed while sessions made with the old one go on.
            ended = await sessions.end_others(user.id, principal.session)
            await record(
                connection,
                by,
                "password.changed",
                project_id=None,
                id=user.id,
                name=user.email,
                before={"hasPassword": user.has_password},
                after={"hasPassword": True, "endedSessions": ended},
            )
        mail_change(identity.resources, user, "password.changed", visitor)

    async def forgotten(self, email: str, visitor: Visitor, by: By) -> Literal["mail", "operator"]:
        """Send a link, if somebody here has that address. Says by whom a link is to be had, and nothing else.

        Whether there is such an account is found out when the answer has gone, so that its time does not tell.
        Raises Problem 429 for an address that asks too often.
        """
        identity = self._identity
        wait_for(await identity.throttle.forgotten(await identity.resources.redis(), visitor.network))
        if not mailer_of(identity.resources).is_configured:
            return "operator"
        asked = asyncio.create_task(self._send(email.strip().lower(), replace(by)))
        self._asked.add(asked)
        asked.add_done_callback(self._asked.discard)
        return "mail"

    async def _send(self, email: str, by: By) -> None:
        identity, mailer = self._identity, mailer_of(self._identity.resources)
        try:
            wait = await identity.throttle.link(await identity.resources.redis(), email)
            pool = await identity.resources.pg()
            row = await queries.user_by_email(pool, email) if "\0" not in email else None
            if row is None or wait:
                mailer.pretend()
                return
            async with pool.acquire() as connection, connection.transaction():
                token = await create_link(connection, row["id"])
                await record(
                    connection,
                    by,
                    "link.made",
                    project_id=None,
                    id=row["id"],
                    name=email,
                    after={"for": "password"},
                )
            mailer.send(to=email, subject="Weir: a link to sign in", text=self._letter(token))
        except Exception as error:
            logger.warning("a link was not sent: %s: %s", type(error).__name__, error)

    def _letter(self, token: str) -> str:
        url = self._identity.resources.settings.public_url
        return (
            f"Somebody, hopefully you, has forgotten the password of this address at Weir.\n\n"
            f"This link signs you in once, within {LIFETIME_MINUTES} minutes. Set a new password then:\n\n"
            f"{address_of(url, token)}&then=password\n\n"
            f"If it was not you, there is nothing to do: nobody else has the link.\n"
        )

    async def _settle(self, seconds: float) -> None:
        if self._asked:
            await asyncio.wait(set(self._asked), timeout=seconds)
            # What they have handed off only now nobody else waits for.
            await mailer_of(self._identity.resources).settle(seconds)

    async def _finish(self) -> None:
        await self._settle(5)
        for asked in set(self._asked):
            asked.cancel()


def needs_current(user: User, proof: Proof) -> bool:
    """Whether the current password has to be shown to set another."""
    return user.has_password and not (proof.is_recent and proof.how in _INSTEAD)


def _not_current(detail: str) -> Problem:
    return Problem(INVALID, detail, errors=[Fault("/currentPassword", "is not the current password")])
