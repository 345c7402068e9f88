"""The statements that find events: each looks at the rows that it needs, and at a bounded number of them."""

# ruff: noqa: S608 statements are put together from constants of this folder alone

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from functions.explore import conditions
from functions.explore.conditions import Values
from functions.explore.search import Search, around, by_name

Statement = tuple[str, list[object]]
"""A text and its parameters."""

EVENT = """
    uid, specversion, id, source, type, subject, time, datacontenttype, dataschema, extensions, data, data_kind,
    producer, facets, schema_fault
"""

DELIVERY = """
    d.id, d.event_uid, d.subscription_id, d.status, d.held, d.attempt_count, d.next_attempt_at, d.created_at,
    d.ended_at, d.last_status_code, d.last_error, d.first_started_at, d.first_duration_us,
    d.first_status_code, d.first_error, d.dead_letter, d.replay_id, v.name AS subscription_name, v.sink
"""

VERSION = """
    LEFT JOIN subscription_versions v
        ON v.subscription_id = d.subscription_id AND v.version = d.subscription_version
"""

UNDER_WAY = ("dead", "retrying", "pending", "cancelled")
"""Statuses of deliveries that have an index of their own, being few."""


def newest(search: Search, values: Values, limit: str) -> tuple[str, Search]:
    """The newest rows of events by an index that has them in order, and what it leaves to be looked at in each.

    The view `own_events` has an index for what no index behind row-level security serves (migration 0014).
    """
    among = conditions.keys(search, values)
    if search.identity is not None:
        among += conditions.attributes(
            Search(
                project_id=search.project_id,
                low=search.low,
                high=search.high,
                sources=search.sources,
                id=search.id,
            ),
            values,
        )
        return _rows("events", among, limit), replace(search, sources=(), id=None)
    if len(search.types) == 1:
        # The index holds the first 255 characters: an entry has a size limit, a type has none.
        wanted = values.add(search.types[0])
        among += [f"left(e.type, 255) = left({wanted}::text, 255)", f"e.type = {wanted}::text"]
        return _rows("own_events", among, limit), replace(search, types=())
    if search.types:
        wanted = values.add(list(search.types))
        among += ["left(e.type, 255) = left(wanted.value, 255)", "e.type = wanted.value"]
        each = _rows("own_events", among, limit)
        rows = f"""
            SELECT e.* FROM unnest({wanted}::text[]) AS wanted (value) CROSS JOIN LATERAL ({each}) e
            ORDER BY e.uid DESC LIMIT {limit}
        """
        return rows, replace(search, types=())
    if search.faulty:
        return _rows("events", [*among, "e.schema_fault IS NOT NULL"], limit), replace(search, faulty=None)
    return _rows("events", among, limit), search


def _rows(table: str, among: list[str], limit: str) -> str:
    return f"SELECT e.* FROM {table} e WHERE {' AND '.join(among)} ORDER BY e.uid DESC LIMIT {limit}"


def left_over(search: Search, values: Values) -> list[str]:
    """What has to be looked at in each row `e`, the cheapest first."""
    found = conditions.attributes(search, values)
    if search.outcomes or search.deliveries.is_asked:
        project = values.add(search.project_id)
        found += conditions.has_delivery(search.deliveries, values, project)
        found += conditions.outcomes(search, values, project)
    return found + conditions.text(search, values)


def is_whole(search: Search) -> bool:
    """Whether an index alone answers, in order: nothing has to be looked at in each row."""
    return not left_over(newest(search, Values(), "")[1], Values())


def page(search: Search, limit: int, max_bytes: int) -> Statement:
    """A page of events where `is_whole`, newest first.

    `found` is how many there were up to `limit`; of them come those up to the one whose data passes `max_bytes`.
    """
    values = Values()
    places = values.add(limit), values.add(max_bytes)
    rows, _ = newest(search, values, places[0])
    return (
        f"""
        SELECT * FROM (
            SELECT *, count(*) OVER () AS found,
                sum(coalesce(octet_length(data), 0)) OVER (ORDER BY uid DESC) AS bytes
            FROM (SELECT {EVENT} FROM ({rows}) e) newest
        ) page
        WHERE bytes - coalesce(octet_length(data), 0) <= {places[1]} ORDER BY uid DESC
        """,
        values.given,
    )


def step(search: Search, limit: int) -> Statement:
    """Which of the newest `limit` events are looked for: `uid`, `found`, newest first."""
    values = Values()
    rows, rest = newest(search, values, values.add(limit))
    judged = " AND ".join(left_over(rest, values)) or "true"
    return (
        f"SELECT e.uid, coalesce({judged}, false) AS found FROM ({rows}) e ORDER BY e.uid DESC",
        values.given,
    )


def among(search: Search, uids: Sequence[UUID]) -> Statement:
    """Which of these events are looked for: their `uid`, newest first."""
    values = Values()
    where = [*conditions.keys(search, values), f"e.uid = ANY({values.add(list(uids))}::uuid[])"]
    judged = " AND ".join([*where, *left_over(search, values)])
    return f"SELECT e.uid FROM events e WHERE {judged} ORDER BY e.uid DESC", values.given


def having(search: Search, column: str, limit: int) -> Statement:
    """The newest uids of the range that have what is asked of `facets` or `extensions`, by the index of that alone.

    Without a materialized step the planner may go through all events by key, hoping to find some soon.
    """
    values = Values()
    place = values.add(limit)
    pairs = search.facets if column == "facets" else search.extensions
    where = conditions.keys(search, values)
    where += [conditions.contains(column, wanted, values) for wanted in by_name(pairs).items()]
    return (
        f"""
        WITH matching AS MATERIALIZED (
            SELECT e.uid FROM own_events e WHERE {" AND ".join(where)} AND e.{column} IS NOT NULL
        )
        SELECT uid FROM matching ORDER BY uid DESC LIMIT {place}
        """,
        values.given,
    )


def looked_up(search: Search, column: str, wanted: Sequence[str], limit: int) -> Statement:
    """The newest uids with one of the values of an attribute, on days that are over: `index_days` has them in order."""
    values = Values()
    place, given = values.add(limit), values.add(list(wanted))
    among = conditions.keys(search, values)
    # Digests, because an index entry has a size limit (migration 0015).
    among += [
        f"hashtextextended(e.{column}, 0) = hashtextextended(wanted.value, 0)",
        f"e.{column} = wanted.value",
    ]
    each = f"""
        SELECT e.uid FROM own_events e WHERE {" AND ".join(among)} ORDER BY e.uid DESC LIMIT {place}
    """
    return (
        f"""
        SELECT e.uid FROM unnest({given}::text[]) AS wanted (value) CROSS JOIN LATERAL ({each}) e
        ORDER BY e.uid DESC LIMIT {place}
        """,
        values.given,
    )


def by_ranges(search: Search, column: str, wanted: Sequence[str], limit: int) -> Statement:
    """The same on days that go on: the index of ranges of pages says where to look (`ONLY_BITMAPS` goes before)."""
    values = Values()
    place = values.add(limit)
    among = conditions.keys(search, values)
    among.append("(" + " OR ".join(f"e.{column} = {values.add(value)}" for value in wanted) + ")")
    return (
        f"""
        WITH matching AS MATERIALIZED (SELECT e.uid FROM own_events e WHERE {" AND ".join(among)})
        SELECT uid FROM matching ORDER BY uid DESC LIMIT {place}
        """,
        values.given,
    )


def keys_of(search: Search, limit: int) -> Statement:
    """The newest uids, whatever the events have."""
    values = Values()
    place = values.add(limit)
    where = " AND ".join(conditions.keys(search, values))
    return f"SELECT e.uid FROM events e WHERE {where} ORDER BY e.uid DESC LIMIT {place}", values.given


ONLY_BITMAPS = """
    SELECT set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true),
        set_config('enable_indexonlyscan', 'off', true)
"""
"""What a range of pages has is not known to the planner, which may prefer to read all events by key."""


def of_deliveries(search: Search, statuses: Sequence[str], limit: int) -> Statement:
    """Events of the newest deliveries that are in one of `statuses`, or of the subscriptions asked for.

    `uid` is an event's, null where there is none; `bottom` is down to which key all are there: the `limit` may have
    left out some of the last millisecond, so those come in addition.
    """
    values = Values()
    project, place = values.add(search.project_id), values.add(limit)
    low, high = values.add(search.low), values.add(around(search.high)[1])
    keys = f"d.project_id = {project} AND d.id >= {{low}} AND d.id < {high}"
    if statuses:
        # A partial index serves a status only where it stands in the text.
        assert all(status.isalpha() for status in statuses)
        kinds = [f"d.status = '{status}'" for status in statuses]
    else:
        wanted = values.add(list(search.deliveries.subscriptions))
        kinds = [
            f"d.subscription_id = ({wanted}::uuid[])[{n + 1}]"
            for n in range(len(search.deliveries.subscriptions))
        ]
    branches = " UNION ALL ".join(
        f"(SELECT d.id FROM deliveries d WHERE {keys.format(low=low)} AND {kind} ORDER BY d.id DESC LIMIT {place})"
        for kind in kinds
    )
    bottom = "(SELECT bottom FROM reach)"
    of_one = conditions.of_deliveries(search.deliveries, values)
    whole = " UNION ALL ".join(
        f"SELECT d.event_uid FROM deliveries d WHERE {' AND '.join([keys.format(low=bottom), kind, *of_one])}"
        for kind in kinds
    )
    return (
        f"""
        WITH first AS MATERIALIZED (SELECT id FROM ({branches}) b ORDER BY id DESC LIMIT {place}),
        reach AS MATERIALIZED (
            SELECT CASE WHEN (SELECT count(*) FROM first) < {place} THEN {low} ELSE
                (left((SELECT id FROM first ORDER BY id LIMIT 1)::text, 13) || '-0000-0000-000000000000')::uuid
            END AS bottom
        )
        SELECT DISTINCT event_uid AS uid, {bottom} AS bottom FROM ({whole}) w
        UNION ALL SELECT NULL, {bottom}
        """,
        values.given,
    )
