"""What processes tell each other of sinks that are unwell."""

from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg

from events.dispatch.queries.statement import TIMEOUT_SECONDS, Connection, Row
from shared.core.breaker import PROBE


async def holds(connection: Connection, owner: str) -> list[asyncpg.Record]:
    """What others found of sinks: (subscription_id, seconds, well_ago).

    It is to be left alone for `seconds`, and took a test `well_ago` seconds ago; None each where that is not so.
    What was found before the test is passed over.
    """
    rows: list[asyncpg.Record] = await connection.fetch(
        """
        SELECT h.subscription_id,
            max(extract(epoch FROM h.until - now())) FILTER (
                WHERE h.owner <> $2 AND h.since > coalesce(w.since, '-infinity')
            )::float8 AS seconds,
            extract(epoch FROM now() - w.since)::float8 AS well_ago
        FROM sink_health h
            JOIN subscriptions s ON s.id = h.subscription_id AND s.version = h.subscription_version
            LEFT JOIN sink_health w ON w.subscription_id = h.subscription_id AND w.owner = $2
                AND w.subscription_version = s.version AND w.expires_at > now()
        WHERE h.owner NOT IN ($1, $2) AND h.state = 'open' AND h.until > now()
            OR h.owner = $2 AND h.expires_at > now()
        GROUP BY h.subscription_id, w.since
        """,
        owner,
        PROBE,
        timeout=TIMEOUT_SECONDS,
    )
    return rows


async def tell_health(connection: Connection, owner: str, rows: Sequence[Row]) -> None:
    """Write what is known of sinks: (subscription, version, state, since, until, reason, limit, seconds it counts).

    What is known of a subscription that was deleted is dropped; one that is just being deleted is waited for.
    """
    await connection.execute(
        """
        WITH known AS (SELECT id FROM subscriptions WHERE id = ANY($2) ORDER BY id FOR KEY SHARE)
        INSERT INTO sink_health (subscription_id, owner, subscription_version, state, since, until, reason,
            in_flight_limit, expires_at)
        SELECT n.id, $1, n.version, n.state, n.since, n.until, n.reason, n.in_flight_limit,
            greatest(n.until, now() + n.seconds * interval '1 second')
        FROM unnest($2::uuid[], $3::integer[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[],
            $8::integer[], $9::float8[])
            AS n (id, version, state, since, until, reason, in_flight_limit, seconds)
        JOIN known ON known.id = n.id
        ORDER BY n.id
        ON CONFLICT (subscription_id, owner) DO UPDATE SET
            subscription_version = excluded.subscription_version, state = excluded.state,
            since = excluded.since, until = excluded.until, reason = excluded.reason,
            in_flight_limit = excluded.in_flight_limit, expires_at = excluded.expires_at
        """,
        owner,
        *zip(*rows, strict=True),
        timeout=TIMEOUT_SECONDS,
    )


async def drop_health(connection: Connection, owner: str, subscription_ids: Collection[UUID]) -> None:
    """Forget what `owner` said of these, and what nobody says any more."""
    await connection.execute(
        """
        DELETE FROM sink_health
        WHERE owner = $1 AND subscription_id = ANY($2) OR expires_at < now() - interval '1 minute'
        """,
        owner,
        list(subscription_ids),
        timeout=TIMEOUT_SECONDS,
    )
