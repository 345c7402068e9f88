"""The asyncpg pool that run-time SQL goes through."""

from contextlib import suppress
from typing import Any

import asyncpg
import msgspec

RELEASE_SECONDS = 1.0
"""How long a server may take to end a statement that nobody waits for any more; then its connection is dropped."""


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "json",
        schema="pg_catalog",
        encoder=lambda value: msgspec.json.encode(value).decode(),
        decoder=msgspec.json.decode,
    )
    # COPY is binary alone. Before its text, jsonb has the number of its binary format.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: _JSONB + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(data[1:]),
    )


_JSONB = b"\x01"


async def _keep_session(_: asyncpg.Connection) -> None:
    """At every release asyncpg would ask the server to forget session state: a round trip for nothing.

    Nothing here sets any; a transaction left open is rolled back before this is called.
    """


class _Pool(asyncpg.Pool):  # type: ignore[misc]  # it has no types
    """Does not wait for a server that stopped answering when it is given back a connection.

    asyncpg would, for as long as a command may take: whoever had a time-out would have a second one, far longer.
    """

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:
        """Take a connection back; one whose server does not answer is dropped."""
        # What it was used for has an outcome of its own, which this one must not stand for.
        with suppress(TimeoutError):
            await super().release(connection, timeout=RELEASE_SECONDS if timeout is None else timeout)


async def open_pool(url: str, *, size: int, planned_once: bool = False) -> asyncpg.Pool:
    """A pool of up to `size` connections to `url`; JSON columns are read and written as plain values.

    With `planned_once` the server makes one plan of a statement, whatever it is given, and not one at each call.

    Raises OSError or asyncpg.PostgresError when no connection can be made.
    """
    pool = _Pool(
        url,
        min_size=1,
        max_size=size,
        max_queries=50_000,
        max_inactive_connection_lifetime=300.0,
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
        setup=None,
        init=_prepare,
        reset=_keep_session,
        loop=None,
        timeout=5,
        command_timeout=30,
        server_settings={
            "application_name": "weir",
            "timezone": "UTC",
            "plan_cache_mode": "force_generic_plan" if planned_once else "auto",
            # A transaction that is forgotten would hold back every reader of the stream (see dispatch).
            "idle_in_transaction_session_timeout": "30000",
        },
    )
    await pool
    return pool
