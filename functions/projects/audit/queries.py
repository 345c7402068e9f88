"""The SQL that reads the audit log. Every statement names the chain."""

# ruff: noqa: S608 statements are put together from constants of this file alone

from typing import TYPE_CHECKING
from uuid import UUID

from functions.projects.audit.filters import Filters
from shared.audit.queries import NO_PROJECT

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

COLUMNS = """
    a.id, a.project_id, a.chain, a.sequence, a.at, a.actor_kind, a.actor_id, a.actor_name, a.role, a.via, a.agent,
    a.address, a.request_id, a.action, a.kind, a.thing_id, a.thing_name, a.prev_hash, a.hash
"""

# Exact values first; the text of a whole row is made for those alone that fit the rest.
FITS = """
    ($4::text IS NULL OR a.actor_kind = $4) AND ($5::text IS NULL OR a.actor_id = $5)
    AND ($6::text IS NULL OR lower(a.actor_name) = lower($6))
    AND ($7::text[] IS NULL OR a.action = ANY($7)) AND ($8::text[] IS NULL OR a.kind = ANY($8))
    AND ($9::text IS NULL OR a.thing_id = $9 OR a.thing_name = $9)
    AND ($10::timestamptz IS NULL OR a.at >= $10) AND ($11::timestamptz IS NULL OR a.at < $11)
    AND ($12::text IS NULL OR strpos(lower(concat_ws(' ', a.actor_name, a.actor_id, a.action, a.thing_name,
        a.thing_id, a.address, a.agent, a.before, a.after)), lower($12)) > 0)
"""


async def page(
    on: "Connection | Pool", chain: UUID, filters: Filters, before: UUID, *, limit: int, window: int
) -> "list[Record]":
    """Rows of a chain with ids below `before` that fit, the newest first, among the next `window`.

    The last of those looked at is always there, so that it can be told how far this came; `fits` says of each
    whether it is looked for.
    """
    rows: list[Record] = await on.fetch(
        f"""
        WITH part AS MATERIALIZED (
            SELECT a.id, row_number() OVER (ORDER BY a.id DESC) AS place, ({FITS}) AS fits
            FROM (
                SELECT * FROM audit WHERE chain = $1 AND id < $2 AND id >= $3 ORDER BY id DESC LIMIT $13
            ) a
        ), taken AS (
            (SELECT id, place, fits FROM part WHERE fits ORDER BY id DESC LIMIT $14)
            UNION
            (SELECT id, place, fits FROM part ORDER BY id LIMIT 1)
        )
        SELECT {COLUMNS}, taken.fits, taken.place FROM taken JOIN audit a USING (id) ORDER BY id DESC
        """,
        chain,
        before,
        filters.low,
        *filters.arguments,
        window,
        limit,
    )
    return rows


async def of_members(
    on: "Connection | Pool", project_id: UUID, filters: Filters, before: UUID, *, limit: int
) -> "list[Record]":
    """What concerns no project and was done by, or to, its members (they sign in, change their password), newest first; since they came."""
    return await _of_people(
        on,
        "SELECT user_id, coalesce(joined_at, '-infinity') AS since FROM members WHERE project_id = $1",
        project_id,
        filters,
        before,
        limit,
    )


async def of_user(
    on: "Connection | Pool", user_id: UUID, filters: Filters, before: UUID, *, limit: int
) -> "list[Record]":
    """The same of one person."""
    return await _of_people(
        on, "SELECT $1::uuid AS user_id, '-infinity'::timestamptz AS since", user_id, filters, before, limit
    )


async def _of_people(  # noqa: PLR0917
    on: "Connection | Pool", people: str, key: UUID, filters: Filters, before: UUID, limit: int
) -> "list[Record]":
    one = f"""
        SELECT a.id FROM audit a
        WHERE a.chain = '{NO_PROJECT}' AND {{column}} = p.user_id::text AND a.at >= p.since AND a.id < $2 AND a.id >= $3 AND {FITS}
        ORDER BY a.id DESC LIMIT $13
    """
    rows: list[Record] = await on.fetch(
        f"""
        WITH found AS (
            SELECT found.id FROM ({people}) p CROSS JOIN LATERAL (
                ({one.format(column="a.actor_id")}) UNION ({one.format(column="a.thing_id")})
            ) found
        )
        SELECT {COLUMNS} FROM audit a WHERE a.id IN (SELECT id FROM found) ORDER BY a.id DESC LIMIT $13
        """,
        key,
        before,
        filters.low,
        *filters.arguments,
        limit,
    )
    return rows


async def count(on: "Connection | Pool", chain: UUID, filters: Filters, most: int) -> int:
    """How many rows of the chain fit, at most `most`."""
    return int(
        await on.fetchval(
            f"""
            SELECT count(*) FROM (
                SELECT FROM audit a WHERE a.chain = $1 AND a.id < $2 AND a.id >= $3 AND {FITS} LIMIT $13
            ) found
            """,
            chain,
            UUID(int=(1 << 128) - 1),
            filters.low,
            *filters.arguments,
            most,
        )
    )


async def entry(on: "Connection | Pool", chain: UUID, entry_id: UUID) -> "Record | None":
    """One row of a chain with what was before and after."""
    return await on.fetchrow(
        f"SELECT {COLUMNS}, a.before, a.after FROM audit a WHERE a.chain = $1 AND a.id = $2", chain, entry_id
    )


async def is_of_member(on: "Connection | Pool", project_id: UUID, row: "Record") -> bool:
    """Whether what concerns no project was done by, or to, a member of this one, since they came."""
    return bool(
        await on.fetchval(
            """
            SELECT EXISTS (
                SELECT FROM members
                WHERE project_id = $1 AND user_id::text IN ($2, $3) AND coalesce(joined_at, '-infinity') <= $4
            )
            """,
            project_id,
            row["actor_id"],
            row["thing_id"],
            row["at"],
        )
    )


async def head(on: "Connection | Pool", chain: UUID) -> int:
    """The number of the newest row, 0 without one."""
    return int(await on.fetchval("SELECT coalesce(max(sequence), 0) FROM audit WHERE chain = $1", chain))


async def part(
    on: "Connection | Pool", chain: UUID, filters: Filters, *, after: int, to: int, limit: int
) -> "list[Record]":
    """Rows numbered behind `after` and up to `to` that fit, the first one first; before and after as their JSON."""
    rows: list[Record] = await on.fetch(
        f"""
        SELECT {COLUMNS}, a.before::text AS before, a.after::text AS after FROM audit a
        WHERE a.chain = $1 AND a.id < $2 AND a.id >= $3 AND {FITS} AND a.sequence > $13 AND a.sequence <= $14
        ORDER BY a.sequence LIMIT $15
        """,
        chain,
        UUID(int=(1 << 128) - 1),
        filters.low,
        *filters.arguments,
        after,
        to,
        limit,
    )
    return rows


async def values(on: "Connection | Pool", chain: UUID, newest: int) -> "list[Record]":
    """Who did what among the newest rows: each actor with each action once."""
    rows: list[Record] = await on.fetch(
        """
        SELECT DISTINCT actor_kind, actor_id, actor_name, action FROM (
            SELECT actor_kind, actor_id, actor_name, action FROM audit WHERE chain = $1 ORDER BY id DESC LIMIT $2
        ) newest
        ORDER BY actor_name, actor_kind, actor_id, action
        """,
        chain,
        newest,
    )
    return rows
