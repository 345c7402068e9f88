"""What can be done with subscriptions. Each change is one transaction."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from uuid import UUID

import msgspec

from functions.subscriptions import queries
from functions.subscriptions.credentials import KEEP, Before, Credentials, settled
from functions.subscriptions.draft import Draft, derived_name, refusal
from functions.subscriptions.probe import Probes
from functions.subscriptions.recorded import documents, given_in, what_was_done
from functions.subscriptions.schemas.probe import ProbeBody, ProbeRequest
from functions.subscriptions.transforms import Transforms
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Access
from shared.auth.giving import check_unrestricted
from shared.core.ids import uuid7
from shared.core.problems import CONFLICT, NOT_FOUND, Problem
from shared.core.things import id_of, there
from shared.runtime.listing import page_of, read_cursor
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Connection, Record

T = TypeVar("T")

DEADLOCK_TRIES = 3
DEADLOCK_PAUSE_SECONDS = (0.05, 0.25)


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows and the cursor of what follows, None at the end."""

    rows: "list[Record]"
    next: str | None
    health: "dict[UUID, Record]"


class Subscriptions:
    """The use cases, on the stores of one process."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self.transforms = Transforms(resources)
        self._probes = Probes(resources)

    async def page(self, access: Access, cursor: str | None, limit: int) -> Page:
        """The project's subscriptions, newest first. Raises Problem 422 for a bad cursor."""
        before = read_cursor(cursor)
        async with (await self._resources.of(access.project_id)).acquire() as conn:
            rows = await queries.subscriptions(conn, access.project_id, before, limit + 1)
            rows, following = page_of(rows, limit)
            ids = [row["id"] for row in rows]
            health = await queries.sink_health(conn, access.project_id, ids) if ids else {}
        return Page(rows, following, health)

    async def get(self, access: Access, subscription_id: str) -> "tuple[Record, Record | None]":
        """One subscription, and what is known of its sink when that is unwell. Raises Problem 404."""
        async with (await self._resources.of(access.project_id)).acquire() as conn:
            row = await _found(conn, access, subscription_id)
            return row, (await queries.sink_health(conn, access.project_id, [row["id"]])).get(row["id"])

    async def probe(self, access: Access, by: By, subscription_id: str, wanted: ProbeRequest) -> ProbeBody:
        """Send a test event to the sink of one. Raises Problem 404, and what `Probes.probe` does."""
        async with (await self._resources.of(access.project_id)).acquire() as conn:
            row = await _found(conn, access, subscription_id)
        said = await self._probes.probe(access, row, wanted)
        async with (await self._resources.of(access.project_id)).acquire() as conn, conn.transaction():
            await record(
                conn,
                by,
                "subscription.probed",
                project_id=access.project_id,
                id=row["id"],
                name=row["name"],
                after={"sink": row["sink"], "delivered": said.delivered, "statusCode": said.status_code},
            )
        return said

    async def create(self, access: Access, by: By, draft: Draft, state: str | None) -> "Record":
        """Keep a new one.

        Raises Problem 403 for replies to a limited key, 409 when the name is taken, 422 when its transform cannot be read.
        """
        _check_replies(access, draft)
        await self._check_transform(draft)
        credentials = _settled(draft, None)

        async def use_case(conn: "Connection") -> "Record":
            name = draft.name
            if name is None:
                host = derived_name(draft.sink, set())
                name = derived_name(draft.sink, await queries.names_like(conn, access.project_id, host))
            elif name in await queries.names_like(conn, access.project_id, name):
                _refuse_name(name)
            identity = uuid7()
            row = await queries.insert(
                conn,
                subscription_id=identity,
                project_id=access.project_id,
                name=name,
                filters=draft.filters,
                sink=draft.sink,
                delivery=draft.delivery,
                signing_secrets_sealed=self._seal(draft.signing_secrets),
                auth=credentials.auth,
                tls=credentials.tls,
                transform=None if draft.transform is KEEP else draft.transform,
                credentials_sealed=self._seal_credentials(identity, credentials),
                state=state or "active",
            )
            await queries.keep_version(conn, access.project_id, row["id"])
            _, after = documents(None, row)
            await record(
                conn,
                by,
                "subscription.created",
                project_id=access.project_id,
                id=row["id"],
                name=name,
                after=after,
            )
            return row

        return await self._change(access, use_case)

    async def replace(
        self,
        access: Access,
        by: By,
        subscription_id: str,
        draft: Draft,
        state: str | None,
        *,
        drop_secrets: bool,
    ) -> "Record":
        """Change one. No secrets in the draft keep those there are, unless `drop_secrets`.

        Of `auth` and `tls` what is absent stays. Raises Problem 403 for replies to a limited key, 404, 409 when another one
        has the name, and 422 when a secret is missing that cannot be kept, or the transform cannot be read.
        """
        _check_replies(access, draft)
        await self._check_transform(draft)

        async def use_case(conn: "Connection") -> "tuple[Record, set[int]]":
            old = await _found(conn, access, subscription_id)
            credentials = _settled(draft, self._before(old))
            name = draft.name or old["name"]
            if name != old["name"] and name in await queries.names_like(conn, access.project_id, name):
                _refuse_name(name)
            sealed = None if drop_secrets else old["signing_secrets_sealed"]
            if draft.signing_secrets:
                sealed = self._seal(draft.signing_secrets)
            new_state = state or old["state"]
            row = await queries.replace(
                conn,
                subscription_id=old["id"],
                project_id=access.project_id,
                name=name,
                filters=draft.filters,
                sink=draft.sink,
                delivery=draft.delivery,
                signing_secrets_sealed=sealed,
                auth=credentials.auth,
                tls=credentials.tls,
                transform=old["transform"] if draft.transform is KEEP else draft.transform,
                credentials_sealed=self._seal_credentials(old["id"], credentials),
                state=new_state,
                state_reason=old["state_reason"] if new_state == old["state"] else None,
            )
            await queries.keep_version(conn, access.project_id, old["id"])
            shards = await _settle_waiting(conn, access, old["id"], new_state)
            before, after = documents(old, row, given_in(draft))
            assert before is not None
            assert after is not None
            await record(
                conn,
                by,
                what_was_done(before, after),
                project_id=access.project_id,
                id=old["id"],
                name=name,
                before=before,
                after=after,
            )
            return row, shards

        row, released = await self._change(access, use_case)
        if released:
            self._resources.wake.shards(released)
        return row

    async def delete(self, access: Access, by: By, subscription_id: str) -> None:
        """Delete one; what waits for it is cancelled. Raises Problem 404."""

        async def use_case(conn: "Connection") -> None:
            old = await _found(conn, access, subscription_id)
            # In this order: dispatch holds on to the row while it writes deliveries of the subscription.
            await queries.delete(conn, access.project_id, old["id"])
            await queries.cancel_waiting(conn, access.project_id, old["id"])
            before, _ = documents(old, None)
            await record(
                conn,
                by,
                "subscription.deleted",
                project_id=access.project_id,
                id=old["id"],
                name=old["name"],
                before=before,
            )

        await self._change(access, use_case)

    async def _change(self, access: Access, use_case: "Callable[[Connection], Awaitable[T]]") -> T:
        """`use_case` in a transaction that no other change of the project's subscriptions runs beside."""
        import asyncpg

        pool = await self._resources.of(access.project_id)
        for tries_left in reversed(range(DEADLOCK_TRIES)):
            try:
                async with pool.acquire() as conn, conn.transaction():
                    if not await queries.bump_project(conn, access.project_id):
                        raise Problem(NOT_FOUND, "There is no such project any more.")
                    return await use_case(conn)
            except asyncpg.DeadlockDetectedError:
                # Dispatch disables subscriptions by itself and takes the same locks in its own order.
                if not tries_left:
                    raise
                # Whoever comes back at once can be before the one that was let go first, and meet it once more.
                await asyncio.sleep(random.uniform(*DEADLOCK_PAUSE_SECONDS))  # noqa: S311
        raise AssertionError

    def _seal(self, secrets: tuple[str, ...]) -> bytes | None:
        if not secrets:
            return None
        from shared.auth.sealing import seal

        return seal(self._resources.settings.sealing, msgspec.json.encode(secrets))

    def _seal_credentials(self, subscription_id: UUID, credentials: Credentials) -> bytes | None:
        from shared.auth.sink_secrets import AUTH, PRIVATE_KEY, seal_credentials

        secrets = {AUTH: credentials.secret, PRIVATE_KEY: credentials.private_key}
        present = {name: secret for name, secret in secrets.items() if secret is not None}
        return seal_credentials(self._resources.settings.sealing, subscription_id, present)

    def _before(self, row: "Record") -> Before:
        def opened() -> Credentials | None:
            from shared.auth.sealing import UnsealError
            from shared.auth.sink_secrets import AUTH, PRIVATE_KEY, open_credentials

            try:
                secrets = open_credentials(
                    self._resources.settings.sealing, row["id"], row["credentials_sealed"]
                )
            except UnsealError:
                return None
            return Credentials(secret=secrets.get(AUTH), private_key=secrets.get(PRIVATE_KEY))

        return Before(row["sink"], row["auth"], row["tls"], opened)

    async def _check_transform(self, draft: Draft) -> None:
        if draft.transform is not None and draft.transform is not KEEP:
            await self.transforms.check(draft.transform["jsonata"])

    def count_secrets(self, row: "Record") -> int | None:
        """How many signing secrets a subscription has; None when they cannot be opened any more."""
        sealed = row["signing_secrets_sealed"]
        if sealed is None:
            return 0
        from shared.auth.sealing import UnsealError, unseal

        try:
            secrets: list[Any] = msgspec.json.decode(unseal(self._resources.settings.sealing, sealed))
        except UnsealError:
            return None
        return len(secrets)


def _check_replies(access: Access, draft: Draft) -> None:
    """Raises Problem 403: replies become events of any source and type, so a limited key would have no limit."""
    if draft.delivery.get("replies"):
        check_unrestricted(
            access, "have replies taken in. Leave delivery.replies out, or use a key without such limits"
        )


def _settled(draft: Draft, before: Before | None) -> Credentials:
    credentials, faults = settled(draft.auth, draft.tls, draft.sink, before, datetime.now(UTC))
    if faults:
        raise refusal(faults)
    return credentials


async def _settle_waiting(conn: "Connection", access: Access, subscription_id: UUID, state: str) -> set[int]:
    """Make what waits fit the subscription's new state. Returns the shards that have work by that.

    Comes after the row's change: whatever dispatch wrote by the old state can be seen then.
    """
    if state == "active":
        return await queries.release_held(conn, access.project_id, subscription_id)
    if state == "paused":
        await queries.hold_waiting(conn, access.project_id, subscription_id)
    else:
        await queries.cancel_waiting(conn, access.project_id, subscription_id)
    return set()


async def _found(conn: "Connection", access: Access, subscription_id: str) -> "Record":
    found = id_of(subscription_id, "subscription")
    return there(await queries.subscription(conn, access.project_id, found), "subscription")


def _refuse_name(name: str) -> NoReturn:
    raise Problem(CONFLICT, f"There is a subscription of the name {name!r} in this project.")
