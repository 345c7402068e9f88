"""The asyncpg pool that run-time SQL goes through."""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from shared.db.project_pool import ProjectPool
from shared.db.roles import Role

RELEASE_SECONDS = 1.0
"""How long a server may take to end a statement that nobody waits for any more; then its connection is dropped."""

STATEMENTS = 50_000
"""How many of them a connection serves: what a session keeps at the server grows with them."""

AT_HAND_SECONDS = 1.0
"""For how long a connection is kept as it is for the next one who asks."""

UNANSWERED = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What asyncpg raises where a server is away, or a connection to it."""


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # it has no types
    """Knows whether it took on the role that it is to have, and which project it serves."""

    entered = True
    project: UUID | None = None
    """None where that is not known: then it is set before anybody gets it."""


async def _prepare(role: Role | None, connection: _Connection) -> None:
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
    if role is not None:
        connection.entered = await _enter(connection, role)
    await _follow_server(connection)


_JSONB = b"\x01"


async def _enter(connection: _Connection, role: Role) -> bool:
    """Take the role on, for as long as the connection is there; False where this database does not know it yet.

    It does once `own_events` is there, which is made after the rights of the roles. A database that knows it and a
    server that does not raise asyncpg.PostgresError: nothing is done there with more rights than were meant.
    """
    done: str = await connection.execute(
        f"SELECT set_config('role', '{role}', false) WHERE to_regclass('own_events') IS NOT NULL"
    )
    return done == "SELECT 1"


async def _follow_server(connection: asyncpg.Connection) -> None:
    """Before anything is written to a database that was restored into another server, have it follow that one.

    At every connection, because a name can lead to another server from one to the next. One message each way.
    """
    try:
        await connection.execute("SELECT CASE WHEN server_moved() THEN follow_server() END")
    except (asyncpg.UndefinedFunctionError, asyncpg.ReadOnlySQLTransactionError):
        return  # not migrated yet, or a replica: nothing can be written to it


async def _keep_session(_: asyncpg.Connection) -> None:
    """At every release asyncpg would ask the server to forget session state: a round trip for nothing.

    What is set is the role, for ever, and the project, which `acquire_for` looks at. A transaction left open is
    rolled back before this is called.
    """


class Pool(asyncpg.Pool):  # type: ignore[misc]  # it has no types
    """Keeps connections that were just used at hand, and does not wait for a server that stopped answering.

    asyncpg takes several tasks and timers to give a connection back and out again, which costs half of what a short
    statement does. And it waits for the server for as long as a command may take: whoever had a time-out would have
    a second one, far longer.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._at_hand: list[tuple[Any, Any, float]] = []
        """asyncpg's holder, its connection that nobody uses, and since when (of the loop's clock); the last used last."""

        self._waiters = 0
        self._ending = False
        self._putting_away: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many wait for a connection."""
        return self._waiters

    async def _acquire(self, timeout: float | None) -> Any:
        while self._at_hand:
            holder, inner, _ = self._at_hand.pop()
            connection = _lent(holder, inner)
            if _is_clean(holder, inner):
                return connection
            await self._put_away(connection)
        self._waiters += 1
        try:
            return await super()._acquire(timeout)
        finally:
            self._waiters -= 1

    def of(self, project_id: UUID) -> ProjectPool:
        """The pool as that project sees it."""
        return ProjectPool(self, project_id)

    async def acquire_for(self, project_id: UUID, timeout: float | None = None) -> Any:
        """A connection that serves this project; without a message to the server where it did before.

        The project is set outside of any transaction, whose end could take it back.
        """
        self._bring_forward(project_id)
        connection = await self._acquire(timeout)
        inner = connection._con  # noqa: SLF001
        if inner.project != project_id:
            inner.project = None  # for whoever has it next, should it not be known what the server made of it
            try:
                await inner.execute(f"SET weir.project = '{UUID(int=project_id.int)}'", timeout=timeout)
            except BaseException:
                await self.release(connection)
                raise
            inner.project = project_id
        return connection

    def _bring_forward(self, project_id: UUID) -> None:
        """Have the next who asks get a connection at hand that serves this project, or else the one longest unused."""
        if not self._at_hand:
            return
        fitting = (p for p, one in enumerate(self._at_hand) if one[1].project == project_id)
        self._at_hand.append(self._at_hand.pop(max(fitting, default=0)))

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:
        """Take a connection back; one whose server does not answer is dropped.

        Whoever had it has it no more, as with asyncpg: what they use or give back again is not the next one's.
        """
        holder, inner = connection._holder, connection._con  # noqa: SLF001
        if inner is None:  # given back before, or closed, and given back by that
            return
        if not inner.entered:  # the role may be there when the next one asks
            holder._generation = None  # noqa: SLF001 asyncpg closes it then
        if self._waiters or self._ending or not inner.entered or not _is_clean(holder, inner):
            await self._put_away(connection, timeout)
            return
        connection._detach()  # noqa: SLF001
        holder._proxy = None  # noqa: SLF001
        loop = asyncio.get_running_loop()
        self._at_hand.append((holder, inner, loop.time()))
        if self._sweeper is None:
            self._sweeper = loop.call_later(AT_HAND_SECONDS, self._sweep)

    async def revive(self) -> None:
        """Drop the idle connections that do not answer any more, as after a pause of the process.

        Raises nothing where the server is away: whoever asks for a connection then is told.
        """
        self._at_hand = [one for one in self._at_hand if one[0]._con is one[1]]  # noqa: SLF001 or closed meanwhile
        connections: list[Any] = []
        try:
            for _ in range(self.get_idle_size() + len(self._at_hand)):
                connections.append(await self.acquire())  # noqa: PERF401 those that came are given back
            await asyncio.gather(*map(_answers_or_ends, connections))
        except UNANSWERED:
            return
        finally:
            for connection in connections:
                await self.release(connection)

    @property
    def used(self) -> int:
        """How many connections somebody has."""
        at_hand = sum(holder._con is inner for holder, inner, _ in self._at_hand)  # noqa: SLF001 not closed meanwhile
        return int(self.get_size() - self.get_idle_size()) - at_hand

    async def close(self) -> None:
        """Close every connection; waits for those that are used."""
        self._ending = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        while self._at_hand:
            await self._put_away(_lent(*self._at_hand.pop()[:2]))
        await super().close()

    async def _put_away(self, connection: Any, timeout: float | None = None) -> None:
        if connection is None:
            return
        # What it was used for has an outcome of its own, which this one must not stand for.
        with suppress(TimeoutError):
            await super().release(connection, timeout=RELEASE_SECONDS if timeout is None else timeout)

    def _sweep(self) -> None:
        """Put away what was not used for a while."""
        loop = asyncio.get_running_loop()
        before = loop.time() - AT_HAND_SECONDS
        idle = [(holder, inner) for holder, inner, since in self._at_hand if since <= before]
        del self._at_hand[: len(idle)]
        for holder, inner in idle:
            task = loop.create_task(self._put_away(_lent(holder, inner)))
            self._putting_away.add(task)
            task.add_done_callback(self._putting_away.discard)
        self._sweeper = loop.call_later(AT_HAND_SECONDS, self._sweep) if self._at_hand else None


def _lent(holder: Any, inner: Any) -> Any:
    """A connection at hand as somebody has it; None where it was closed, by which asyncpg has its holder back."""
    if holder._con is not inner:  # noqa: SLF001
        return None
    proxy = holder._proxy = PoolConnectionProxy(holder, inner)  # noqa: SLF001
    return proxy


def _is_clean(holder: Any, inner: Any) -> bool:
    """Whether a connection can be given to the next one as it is: no transaction, no statement being cancelled.

    And it has not served for as long as one may.
    """
    if holder._con is not inner or inner.is_closed() or inner.is_in_transaction():  # noqa: SLF001
        return False
    protocol = inner._protocol  # noqa: SLF001
    return not protocol._is_cancelling() and protocol.queries_count < STATEMENTS  # noqa: SLF001


async def _answers_or_ends(connection: Any) -> None:
    """Close `connection` unless its server says something soon."""
    try:
        await connection.execute("SELECT 1", timeout=RELEASE_SECONDS)
    except UNANSWERED:
        if not connection.is_closed():
            connection.terminate()


async def open_pool(
    url: str, *, size: int, role: Role | None = None, planned_once: bool = False
) -> asyncpg.Pool:
    """A pool of up to `size` connections to `url`; JSON columns are read and written as plain values.

    They work as `role`; without one as whoever `url` names, who may be the owner of everything. With `planned_once` the server makes one plan of a statement, whatever it is given, and not one at each call.

    Raises OSError or asyncpg.PostgresError when no connection can be made.
    """
    pool = Pool(
        url,
        min_size=1,
        max_size=size,
        max_queries=STATEMENTS,
        max_inactive_connection_lifetime=300.0,
        connection_class=_Connection,
        record_class=asyncpg.Record,
        setup=None,
        init=partial(_prepare, role),
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
