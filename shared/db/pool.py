"""The asyncpg pool that run-time SQL goes through."""

import asyncpg
import msgspec


async def _prepare(connection: asyncpg.Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=lambda value: msgspec.json.encode(value).decode(),
            decoder=msgspec.json.decode,
        )


async def open_pool(url: str, *, size: int) -> asyncpg.Pool:
    """A pool of up to `size` connections to `url`; JSON columns are read and written as plain values.

    Raises OSError or asyncpg.PostgresError when no connection can be made.
    """
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        init=_prepare,
        timeout=5,
        command_timeout=30,
        server_settings={"application_name": "weir", "timezone": "UTC"},
    )
