"""The asyncpg pool that run-time SQL goes through."""

import asyncpg
import msgspec


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


async def open_pool(url: str, *, size: int) -> asyncpg.Pool:
    """A pool of up to `size` connections to `url`; JSON columns are read and written as plain values.

    Raises OSError or asyncpg.PostgresError when no connection can be made.
    """
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        init=_prepare,
        reset=_keep_session,
        timeout=5,
        command_timeout=30,
        server_settings={
            "application_name": "weir",
            "timezone": "UTC",
            # A transaction that is forgotten would hold back every reader of the stream (see dispatch).
            "idle_in_transaction_session_timeout": "30000",
        },
    )
