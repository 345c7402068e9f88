"""The use cases of passkeys (Web Authentication Level 3): add one, sign in with one, prove with one."""

import json
import logging
from typing import TYPE_CHECKING, Any
from uuid import UUID

from functions.identity.entered import SignedIn
from functions.identity.notices.service import mail_change
from functions.identity.passkeys import queries
from functions.identity.passkeys.party import Party
from functions.identity.proof import demand_proof
from functions.identity.second_factor.queries import drop_codes_without_factor, replace_recovery_codes
from functions.identity.second_factor.service import SecondFactors, ticket_is_old
from functions.identity.service import CHALLENGE, Identity, user_id_of, wait_for
from functions.identity.sessions.families import How
from functions.identity.tickets import Tickets
from functions.identity.visitor import Visitor
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Principal
from shared.core.ids import uuid7
from shared.core.problems import CONFLICT, INVALID, NOT_FOUND, UNAUTHENTICATED, Fault, Problem

if TYPE_CHECKING:
    from asyncpg import Record

logger = logging.getLogger("weir.identity")

CEREMONY_SECONDS = 5 * 60
_UNREADABLE = (ValueError, KeyError, TypeError, RecursionError)
"""What is raised of what a client wrote."""

_SHOW, _MAKE = "passkey-shown", "passkey-made"


class Passkeys:
    """Passkeys of one process's accounts. They are discoverable, and ask their user for a finger, a face or a PIN."""

    def __init__(self, identity: Identity, factors: SecondFactors) -> None:
        self._identity = identity
        self._factors = factors

    async def options_to_show(self, ticket: str | None, visitor: Visitor) -> dict[str, Any]:
        """What a browser needs to show a passkey. Raises Problem 401, 409, 429.

        Without a ticket every passkey of this party is asked for, so that nothing tells whose there are.
        """
        from webauthn import generate_authentication_options, options_to_json
        from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

        party = self._party(visitor)
        wait_for(
            await self._identity.throttle.passkey(await self._identity.resources.redis(), visitor.network)
        )
        allowed: list[Any] = []
        if ticket is not None:
            step = await (await self._identity.steps()).look(ticket)
            if step is None:
                raise ticket_is_old()
            rows = await queries.passkeys_of(await self._identity.resources.pg(), UUID(step["user"]))
            allowed = [
                PublicKeyCredentialDescriptor(row["credential_id"], transports=_transports(row))
                for row in rows
                if row["relying_party"] == party.id
            ]
        options = generate_authentication_options(
            rp_id=party.id,
            timeout=CEREMONY_SECONDS * 1000,
            allow_credentials=allowed or None,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        await (await self._challenges(_SHOW)).give({}, token=options.challenge.hex())
        found: dict[str, Any] = json.loads(options_to_json(options))
        return found

    async def sign_in(
        self, credential: dict[str, Any], ticket: str | None, visitor: Visitor, by: By
    ) -> SignedIn:
        """Come in by a passkey: alone, since it is something one has and something one knows or is, or after another factor.

        Raises Problem 401, 409, 429.
        """
        party = self._party(visitor)
        wait_for(
            await self._identity.throttle.passkey(await self._identity.resources.redis(), visitor.network)
        )
        steps = await self._identity.steps()
        step = await steps.look(ticket) if ticket is not None else None
        if ticket is not None and step is None:
            raise ticket_is_old()
        user_id = await self._verify(credential, party)
        how: How = "passkey"
        if ticket is not None and step is not None:
            if UUID(step["user"]) != user_id or await steps.take(ticket) is None:
                raise _refused("shown for another account, or with a ticket that is used up")
            how = step["how"]
        return await self._identity.start(user_id, visitor, how, by)

    async def prove(self, user_id: UUID, credential: dict[str, Any], visitor: Visitor) -> bool:
        """Whether that passkey is one of the user's. Raises Problem 401 for one that is not valid."""
        return await self._verify(credential, self._party(visitor)) == user_id

    async def options_to_make(self, principal: Principal, visitor: Visitor) -> dict[str, Any]:
        """What a browser needs to make a passkey. Raises Problem 403, 409."""
        from webauthn import generate_registration_options, options_to_json
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            PublicKeyCredentialDescriptor,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        party = self._party(visitor)
        await demand_proof(self._identity, principal)
        user = await self._identity.user(user_id_of(principal))
        rows = await queries.passkeys_of(await self._identity.resources.pg(), user.id)
        _check_room(len(rows))
        options = generate_registration_options(
            rp_id=party.id,
            rp_name="Weir",
            # The id says nothing of the person (section 14.6.1).
            user_id=user.id.bytes,
            user_name=user.email,
            user_display_name=user.name or user.email,
            timeout=CEREMONY_SECONDS * 1000,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(row["credential_id"], transports=_transports(row))
                for row in rows
                if row["relying_party"] == party.id
            ],
        )
        about = {"user": str(user.id)}
        await (await self._challenges(_MAKE)).give(about, token=options.challenge.hex())
        found: dict[str, Any] = json.loads(options_to_json(options))
        return found

    async def add(
        self, principal: Principal, name: str, credential: dict[str, Any], visitor: Visitor, by: By
    ) -> "tuple[Record, list[str] | None]":
        """Keep a passkey that was made; recovery codes too, if there are none. Raises Problem 403, 409, 422."""
        from webauthn import verify_registration_response
        from webauthn.helpers.exceptions import WebAuthnException

        party = self._party(visitor)
        await demand_proof(self._identity, principal)
        user = await self._identity.user(user_id_of(principal))
        try:
            challenge = _challenge(credential)
            asked = await (await self._challenges(_MAKE)).take(challenge.hex())
            made = verify_registration_response(
                credential=credential,
                # Somebody else's, or one that is used up, is as good as another.
                expected_challenge=challenge if asked == {"user": str(user.id)} else b"",
                expected_rp_id=party.id,
                expected_origin=party.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, *_UNREADABLE) as error:
            raise Problem(
                INVALID,
                "This passkey could not be taken. Try it again.",
                errors=[Fault("/credential", "could not be verified")],
                internal=f"{type(error).__name__}: {error}",
            ) from error
        codes = await self._factors.codes_for_first_factor(user.id)
        pool = await self._identity.resources.pg()
        async with pool.acquire() as connection, connection.transaction():
            await queries.lock_user(connection, user.id)
            _check_room(len(await queries.passkeys_of(connection, user.id)))
            row = await queries.add_passkey(
                connection,
                passkey_id=uuid7(),
                user_id=user.id,
                credential_id=made.credential_id,
                public_key=made.credential_public_key,
                sign_count=made.sign_count,
                relying_party=party.id,
                name=name,
                transports=[one for one in credential["response"].get("transports", []) if one.isascii()],
                is_synced=made.credential_backed_up,
            )
            if row is None:
                raise Problem(CONFLICT, "This passkey is there already.")
            if codes is not None:
                await replace_recovery_codes(connection, user.id, codes.salt, codes.hashes)
            after = {"name": name, "relyingParty": party.id}
            await record(
                connection, by, "passkey.added", project_id=None, id=row["id"], name=user.email, after=after
            )
        mail_change(self._identity.resources, user, "passkey.added", visitor)
        return row, None if codes is None else codes.written

    async def rename(self, principal: Principal, passkey_id: UUID, name: str, by: By) -> None:
        """Call a passkey something else. Raises Problem 404."""
        user = await self._identity.user(user_id_of(principal))
        pool = await self._identity.resources.pg()
        async with pool.acquire() as connection, connection.transaction():
            before = await queries.rename_passkey(connection, user.id, passkey_id, name)
            if before is None:
                raise _no_such()
            await record(
                connection,
                by,
                "passkey.renamed",
                project_id=None,
                id=passkey_id,
                name=user.email,
                before={"name": before},
                after={"name": name},
            )

    async def remove(self, principal: Principal, passkey_id: UUID, visitor: Visitor, by: By) -> None:
        """Forget a passkey. Raises Problem 403, 404."""
        await demand_proof(self._identity, principal)
        user = await self._identity.user(user_id_of(principal))
        pool = await self._identity.resources.pg()
        async with pool.acquire() as connection, connection.transaction():
            name = await queries.remove_passkey(connection, user.id, passkey_id)
            if name is None:
                raise _no_such()
            await drop_codes_without_factor(connection, user.id)
            await record(
                connection,
                by,
                "passkey.removed",
                project_id=None,
                id=passkey_id,
                name=user.email,
                before={"name": name},
            )
        mail_change(self._identity.resources, user, "passkey.removed", visitor)

    async def _verify(self, credential: dict[str, Any], party: Party) -> UUID:
        """Whose passkey that is, once challenge, page, signature, presence and counter are right. Raises Problem 401."""
        from webauthn import base64url_to_bytes, verify_authentication_response
        from webauthn.helpers.exceptions import WebAuthnException

        pool = await self._identity.resources.pg()
        try:
            challenge = _challenge(credential)
            if await (await self._challenges(_SHOW)).take(challenge.hex()) is None:
                raise _refused("its challenge is too old, or was used")
            row = await queries.passkey_by_credential(pool, base64url_to_bytes(credential["rawId"]))
            if row is None or row["relying_party"] != party.id:
                raise _refused("not known here")
            shown = verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                credential_public_key=row["public_key"],
                credential_current_sign_count=row["sign_count"],
                require_user_verification=True,
            )
        except (WebAuthnException, *_UNREADABLE) as error:
            raise _refused(f"{type(error).__name__}: {error}") from error
        # The handle, when a browser shows it, is whose passkey it says to be (section 7.2, step 6).
        handle = credential["response"].get("userHandle")
        if handle is not None and base64url_to_bytes(handle) != row["user_id"].bytes:
            raise _refused("of another account than it says")
        if not await queries.note_use(
            pool,
            row["id"],
            before=row["sign_count"],
            count=shown.new_sign_count,
            synced=shown.credential_backed_up,
        ):
            raise _refused("its counter was used by another answer")
        found: UUID = row["user_id"]
        return found

    async def _challenges(self, kind: str) -> Tickets:
        return Tickets(
            await self._identity.resources.redis(),
            self._identity.resources.settings.secret,
            kind,
            CEREMONY_SECONDS,
        )

    def _party(self, visitor: Visitor) -> Party:
        party = self._identity.party(visitor)
        if party is None:
            raise Problem(
                CONFLICT,
                "Browsers keep passkeys for a name, not for an address such as 127.0.0.1. "
                "Open Weir at the name that WEIR_PUBLIC_URL has, or at localhost.",
                internal=f"origin {visitor.origin!r}",
            )
        return party


def _challenge(credential: dict[str, Any]) -> bytes:
    from webauthn import base64url_to_bytes

    client_data = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))
    return base64url_to_bytes(client_data["challenge"])


def _transports(row: "Record") -> list[Any]:
    from webauthn.helpers.structs import AuthenticatorTransport

    known = {one.value for one in AuthenticatorTransport}
    return [AuthenticatorTransport(text) for text in row["transports"] if text in known]


def _check_room(count: int) -> None:
    if count >= queries.AT_MOST:
        raise Problem(CONFLICT, f"There are {count} passkeys; remove one first.")


def _refused(reason: str) -> Problem:
    logger.info("a passkey was refused: %s", reason)
    return Problem(UNAUTHENTICATED, "This passkey opens no account here.", headers=CHALLENGE, internal=reason)


def _no_such() -> Problem:
    return Problem(NOT_FOUND, "There is no such passkey of yours.")
