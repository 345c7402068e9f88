"""Opening connections: names to addresses, the guard, TCP, TLS."""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from ipaddress import ip_address

from aiohappyeyeballs import AddrInfoType, start_connection

from shared.http.addresses import AddressGuard
from shared.http.answer import Opening
from shared.http.connection import Connection
from shared.http.request import Target

Resolve = Callable[[str, int], Awaitable[Sequence[AddrInfoType]]]
"""Finds the addresses of (name, port). Raises OSError."""

FRESH_SECONDS = 5.0
"""How long the addresses of a name are used again. Every connection checks the one it goes to, whenever it was found."""

NAMES = 10_000
THREADS = 32
"""Names that do not resolve take a thread each for many seconds; others must not wait for them."""

STAGGER_SECONDS = 0.25
"""After so long the next address is tried beside the one that does not answer (RFC 8305, section 5)."""


class Unresolved(OSError):
    """The name has no address."""


class Resolver:
    """The system's resolver, in threads, asked once for a name however many want to know."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], tuple[float, Sequence[AddrInfoType]]] = {}
        self._asking: dict[tuple[str, int], asyncio.Task[Sequence[AddrInfoType]]] = {}
        self._threads: ThreadPoolExecutor | None = None

    async def __call__(self, host: str, port: int) -> Sequence[AddrInfoType]:
        """The addresses of a name, at most `FRESH_SECONDS` old. Raises OSError."""
        key = (host, port)
        found = self._found.get(key)
        if found is not None and time.monotonic() - found[0] < FRESH_SECONDS:
            return found[1]
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.get_running_loop().create_task(self._ask(key))
            asking.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(asking)

    async def _ask(self, key: tuple[str, int]) -> Sequence[AddrInfoType]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="dns")
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, _look_up, *key)
        finally:
            del self._asking[key]
        if len(self._found) >= NAMES:
            self._found.clear()
        self._found[key] = (time.monotonic(), found)
        return found

    def close(self) -> None:
        """Ask nothing more. A thread that waits for an answer ends with it."""
        for asking in self._asking.values():
            asking.cancel()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> Sequence[AddrInfoType]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)


def literal(host: str, port: int) -> Sequence[AddrInfoType] | None:
    """The address that `host` is, if it is one and no name."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if address.version == 4:
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (str(address), port))]
    scope = 0
    if address.scope_id is not None:
        scope = (
            int(address.scope_id) if address.scope_id.isdigit() else socket.if_nametoindex(address.scope_id)
        )
    plain = str(address).partition("%")[0]
    return [(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (plain, port, 0, scope))]


@cache
def public_tls() -> ssl.SSLContext:
    """Verification against the system's authorities. To read them takes a moment, so it waits until one needs them."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Dialer:
    """Opens connections to addresses that the guard allows, whatever a name said before."""

    def __init__(self, guard: AddressGuard, resolve: Resolve | None = None) -> None:
        self._guard = guard
        self._resolver = Resolver()
        self._resolve: Resolve = resolve or self._resolver

    async def open(self, target: Target, tls: ssl.SSLContext | None, opening: Opening) -> Connection:
        """A connection to `target`; `opening` is filled in as it goes.

        The address that is checked is the one that is connected to: no name is looked up in between.
        Raises AddressRefused, Unresolved, ssl.SSLError and other OSErrors.
        """
        addresses = await self._addresses(target, opening)
        clock = time.perf_counter()
        opened = await start_connection(
            addresses,
            happy_eyeballs_delay=STAGGER_SECONDS,
            interleave=1,
            socket_factory=partial(self._socket, opening),
        )
        try:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opening.connect_us = _since(clock)
            opening.address = str(opened.getpeername()[0])
            clock = time.perf_counter()
            loop = asyncio.get_running_loop()
            if not target.is_tls:
                _, connection = await loop.create_connection(lambda: Connection(opening), sock=opened)
            else:
                transport, connection = await loop.create_connection(
                    lambda: Connection(opening),
                    sock=opened,
                    ssl=tls or public_tls(),
                    server_hostname=target.host.partition("%")[0].rstrip("."),
                )
                opening.tls_us = _since(clock)
                opening.tls = transport.get_extra_info("ssl_object").version()
        except BaseException:
            opened.close()
            raise
        connection.watch(opened)
        return connection

    def close(self) -> None:
        """Resolve nothing more."""
        self._resolver.close()

    async def _addresses(self, target: Target, opening: Opening) -> Sequence[AddrInfoType]:
        found = literal(target.host, target.port)
        if found is None:
            clock = time.perf_counter()
            try:
                found = await self._resolve(target.host, target.port)
            except (OSError, UnicodeError) as error:
                raise Unresolved(f"the name {target.host} cannot be resolved") from error
            opening.dns_us = _since(clock)
        allowed = [info for info in found if self._guard.allows(str(info[4][0]))]
        if not allowed:
            self._guard.check(str(found[0][4][0]) if found else "")
            raise Unresolved(f"the name {target.host} has no address")
        return allowed

    def _socket(self, opening: Opening, info: AddrInfoType) -> socket.socket:
        """A socket for an address that is about to be connected to: the last word is here."""
        family, kind, protocol, _, address = info
        self._guard.check(str(address[0]))
        opening.address = str(address[0])
        return socket.socket(family, kind, protocol)


def _since(clock: float) -> int:
    return int((time.perf_counter() - clock) * 1_000_000)
