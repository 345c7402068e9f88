"""Where connections go: names, addresses, the guard, TLS, and how many there are."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from shared.http.addresses import AddressGuard
from shared.http.client import NoAnswer, OutboundClient
from shared.http.descriptors import connections
from shared.http.pool import OPENINGS
from tests.integration.http.conftest import RawServer
from tests.support.sink import Sink

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
LOOPBACK = AddressGuard(["127.0.0.0/8", "::1/128"])


class Names:
    """A resolver whose answers follow each other, as a DNS server's may."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[Any]:
        self.asked.append(host)
        found = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (a, port, 0, 0))
            if ":" in a
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port))
            for a in found
        ]


def port_of(url: URL | str) -> int:
    port = URL(url).port
    assert port is not None
    return port


async def test_a_name_that_changes_its_address_is_caught(raw: RawServer) -> None:
    """DNS rebinding: what was allowed at the first connection says nothing about the next."""
    closing = OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    url = await raw.answers(closing)
    names = Names(["127.0.0.1"], ["127.0.0.2"], ["10.0.0.7"], ["::ffff:169.254.169.254"])
    client = OutboundClient(AddressGuard(["127.0.0.1/32"]), resolve=names)
    target = URL(f"http://rebound.example:{port_of(url)}/")
    assert (await client.post(target, [], b"", timeout_seconds=5)).status == 200
    for address in ("127.0.0.2", "10.0.0.7", "::ffff:169.254.169.254"):
        with pytest.raises(NoAnswer) as caught:
            await client.post(target, [], b"", timeout_seconds=5)
        assert str(caught.value) == f"the address {address} is not public and not allowed for sinks"
    assert raw.connections == 1
    assert len(names.asked) == 4
    await client.close()


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "172.16.0.1", "192.168.1.1",  # private
        "127.0.0.1", "::1", "0.0.0.0", "::",  # this machine
        "169.254.169.254", "fe80::1", "fd00:ec2::254", "168.63.129.16", "100.100.100.200",  # metadata, link-local
        "100.64.0.1",  # carrier-grade NAT
        "224.0.0.1", "ff02::1", "255.255.255.255",  # multicast, broadcast
        "::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:a00:1::1", "2001::1",  # IPv4 inside
        "fc00::1", "fec0::1", "198.18.0.1", "192.0.0.1", "240.0.0.1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("by", ["name", "literal"])
async def test_no_connection_to_what_is_not_public(address: str, by: str) -> None:
    client = OutboundClient(AddressGuard(), resolve=Names([address]))
    literal = f"[{address}]" if ":" in address else address
    url = URL(f"http://{'some.name' if by == 'name' else literal}:1/")
    with pytest.raises(NoAnswer) as caught:
        await client.post(url, [], b"", timeout_seconds=5)
    said = str(ip_address(address)) if by == "literal" else address
    assert str(caught.value) == f"the address {said} is not public and not allowed for sinks"
    await client.close()


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "[::ffff:7f00:1]"]
)
async def test_other_spellings_of_this_machine(host: str) -> None:
    client = OutboundClient(AddressGuard())
    with pytest.raises(NoAnswer, match=r"not allowed for sinks|cannot be resolved"):
        await client.post(URL(f"http://{host}:1/", encoded=True), [], b"", timeout_seconds=5)
    await client.close()


async def test_of_several_addresses_only_those_allowed_are_tried(raw: RawServer) -> None:
    url = await raw.answers(OK)
    client = OutboundClient(AddressGuard(["127.0.0.1/32"]), resolve=Names(["10.0.0.1", "127.0.0.1", "::1"]))
    answer = await client.post(URL(f"http://two.example:{port_of(url)}/"), [], b"", timeout_seconds=5)
    assert answer.status == 200
    assert answer.timings.dns_us is not None
    assert (answer.address, answer.tls) == ("127.0.0.1", None)
    await client.close()


async def test_a_failure_says_how_far_the_request_came(raw: RawServer) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await raw.request(reader)
        writer.close()

    url = await raw(script)
    client = OutboundClient(LOOPBACK, resolve=Names(["127.0.0.1"]))
    with pytest.raises(NoAnswer) as failed:
        await client.post(URL(f"http://one.example:{port_of(url)}/"), [], b"", timeout_seconds=5)
    assert failed.value.address == "127.0.0.1"
    assert failed.value.timings.dns_us is not None
    assert failed.value.timings.connect_us is not None
    assert failed.value.timings.first_byte_us is None

    with pytest.raises(NoAnswer) as failed:
        await client.post(URL("http://one.example:1/"), [], b"", timeout_seconds=5)
    assert failed.value.timings.dns_us is not None
    assert failed.value.timings.connect_us is None

    guarded = OutboundClient(AddressGuard(), resolve=Names(["127.0.0.1"]))
    with pytest.raises(NoAnswer) as failed:
        await guarded.post(URL("http://one.example/"), [], b"", timeout_seconds=5)
    assert failed.value.address is None
    await client.close()
    await guarded.close()


async def test_the_next_address_when_one_refuses(raw: RawServer) -> None:
    url = await raw.answers(OK)
    client = OutboundClient(LOOPBACK, resolve=Names(["127.0.0.9", "::1", "127.0.0.1"]))
    answer = await client.post(URL(f"http://three.example:{port_of(url)}/"), [], b"", timeout_seconds=5)
    assert answer.status == 200
    await client.close()


async def test_a_name_without_an_address() -> None:
    client = OutboundClient(LOOPBACK, resolve=Names([]))
    with pytest.raises(NoAnswer):
        await client.post(URL("http://none.example/"), [], b"", timeout_seconds=5)
    await client.close()


async def test_an_ipv6_literal() -> None:
    client = OutboundClient(LOOPBACK)
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)
        writer.close()

    server = await asyncio.start_server(serve, "::1", 0)
    port = server.sockets[0].getsockname()[1]
    assert (
        await client.get(URL(f"http://[::1]:{port}/a%20b?c=%2F", encoded=True), timeout_seconds=5)
    ).body == b"ok"
    assert seen[0].startswith(b"GET /a%20b?c=%2F HTTP/1.1\r\nhost: [::1]:" + str(port).encode() + b"\r\n")
    await client.close()
    server.close()
    await server.wait_closed()


async def test_the_system_is_asked_once_for_a_name(raw: RawServer, client: OutboundClient) -> None:
    url = await raw.answers(OK)
    local = URL(f"http://localhost:{port_of(url)}/")
    answers = await asyncio.gather(*(client.post(local, [], b"", timeout_seconds=5) for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    assert len(client._dialer._resolver._found) == 1


async def test_there_are_only_so_many_connections(sink: Sink) -> None:
    client = OutboundClient(LOOPBACK, connections=6)
    sink.answer(200, delay=0.02)
    url = URL(sink.url)
    answers = await asyncio.gather(*(client.post(url, [], b"", timeout_seconds=10) for _ in range(20)))
    assert len(answers) == 20
    assert sink.most_open == 3  # the rest is for others
    assert client._pool.open <= 3
    await client.close()
    assert client._pool.open == 0


async def test_many_requests_to_a_fast_server_share_few_connections(
    client: OutboundClient, raw: RawServer
) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await raw.request(reader)
            writer.write(OK)

    url = await raw(script)
    answers = await asyncio.gather(*(client.post(url, [], b"", timeout_seconds=30) for _ in range(1000)))
    assert len(answers) == 1000
    assert raw.connections < 500


async def test_a_slow_server_gets_as_many_as_it_takes(sink: Sink) -> None:
    client = OutboundClient(LOOPBACK)
    sink.answer(200, delay=1)
    calls = [client.post(URL(sink.url), [], b"", timeout_seconds=30) for _ in range(OPENINGS * 3)]
    await asyncio.gather(*calls)
    assert sink.most_open == OPENINGS * 3
    await client.close()


async def test_of_many_that_wait_for_a_dead_server_each_is_told(client: OutboundClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = URL(f"http://127.0.0.1:{port}/")
    calls = [client.post(url, [], b"", timeout_seconds=10) for _ in range(OPENINGS * 3)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert {str(result) for result in results} == {"no connection: Connection refused"}
    assert client._pool.open == 0


@pytest.mark.parametrize("wait", [0.0, 0.001, 0.01])
async def test_those_that_are_cancelled_while_they_wait_take_nothing_along(
    client: OutboundClient, raw: RawServer, wait: float
) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await raw.request(reader)
            await asyncio.sleep(0.002)
            writer.write(OK)

    url = await raw(script)
    tasks = [asyncio.create_task(client.post(url, [], b"", timeout_seconds=30)) for _ in range(200)]
    await asyncio.sleep(wait)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(not isinstance(result, Exception) for result in results[1::2])
    idle = sum(len(server.idle) for server in client._pool._servers.values())
    assert client._pool.open == idle
    assert not any(server.waiting or server.opening for server in client._pool._servers.values())


async def test_five_hundred_servers_that_hang_leave_room_for_one_that_is_well(raw: RawServer) -> None:
    hanging, full = 500, asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await raw.request(reader)
        if raw.connections >= 2 * hanging - OPENINGS:
            full.set()
        await reader.read()

    hole = await raw(hang)
    client = OutboundClient(LOOPBACK, connections=connections(2 * hanging), resolve=Names(["127.0.0.1"]))
    lost = [
        asyncio.create_task(
            client.post(hole.with_host(f"s{place % hanging}.test"), [], b"", timeout_seconds=60)
        )
        for place in range(hanging * 8)
    ]
    async with asyncio.timeout(30):
        await full.wait()

    well = RawServer()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await well.request(reader)
            writer.write(OK)

    url = await well(answer)
    try:
        for _ in range(3):
            answers = await asyncio.gather(
                *(client.post(url, [], b"", timeout_seconds=10) for _ in range(100))
            )
            assert {one.status for one in answers} == {200}
        assert well.connections < 10  # it keeps what it has: nobody closes it for those that hang
    finally:
        for task in lost:
            task.cancel()
        await asyncio.gather(*lost, return_exceptions=True)
        await client.close()
        await well.close()
    assert client._pool.open == 0


async def test_an_idle_connection_makes_room_for_another_server(sink: Sink, raw: RawServer) -> None:
    client = OutboundClient(LOOPBACK, connections=1)
    elsewhere = await raw.answers(OK, OK)
    for _ in range(2):
        await client.post(URL(sink.url), [], b"", timeout_seconds=5)
        await client.post(elsewhere, [], b"", timeout_seconds=5)
    assert raw.connections == 2
    await client.close()


async def test_waiting_for_a_connection_ends_with_the_time(raw: RawServer) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    url = await raw(hang)
    client = OutboundClient(LOOPBACK, connections=1)
    results = await asyncio.gather(
        *(client.post(url, [], b"", timeout_seconds=0.3) for _ in range(3)), return_exceptions=True
    )
    assert [str(result) for result in results] == ["no answer within 0.3 s"] * 3
    assert client._pool.open == 0
    await client.close()


class Authority:
    """A certificate authority, for servers and for clients."""

    def __init__(self, folder: Path) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID

        self._folder = folder
        self._x509, self._ec = x509, ec
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._signed(self._name, self._key.public_key(), [], ca=True)
        self.path = folder / "ca.pem"
        self.path.write_bytes(self._pem(self._certificate))

    def _signed(self, subject: Any, key: Any, names: list[Any], *, ca: bool = False) -> Any:
        from cryptography.hazmat.primitives import hashes

        now = datetime.now(UTC)
        builder = (
            self._x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(self._x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(self._x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(self._x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                self._x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if names:
            builder = builder.add_extension(self._x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _pem(self, certificate: Any) -> bytes:
        from cryptography.hazmat.primitives.serialization import Encoding

        return bytes(certificate.public_bytes(Encoding.PEM))

    def chain(self, name: str, *names: Any) -> Path:
        """A file with a certificate for `names` and its key."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
        from cryptography.x509.oid import NameOID

        key = self._ec.generate_private_key(self._ec.SECP256R1())
        subject = self._x509.Name([self._x509.NameAttribute(NameOID.COMMON_NAME, name)])
        path = self._folder / f"{name}.pem"
        path.write_bytes(
            self._pem(self._signed(subject, key.public_key(), list(names)))
            + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        return path


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def serve_tls(raw: RawServer, context: ssl.SSLContext, seen: list[Any]) -> tuple[asyncio.Server, int]:
    context.sni_callback = lambda _socket, name, _context: seen.append(name)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await raw.request(reader)
                seen.append(writer.get_extra_info("peercert"))
                writer.write(OK)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    return server, server.sockets[0].getsockname()[1]


async def test_tls_verifies_names_and_authorities(raw: RawServer, authority: Authority) -> None:
    from cryptography.x509 import DNSName, IPAddress

    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(
        authority.chain("server", DNSName("good.example"), IPAddress(ip_address("127.0.0.1")))
    )
    seen: list[Any] = []
    server, port = await serve_tls(raw, server_side, seen)
    client = OutboundClient(LOOPBACK, resolve=Names(["127.0.0.1"]))
    trusting = ssl.create_default_context(cafile=str(authority.path))

    answer = await client.post(
        URL(f"https://good.example:{port}/"), [], b"x", timeout_seconds=5, tls=trusting
    )
    assert answer.body == b"ok"
    assert answer.timings.tls_us is not None
    assert answer.tls == "TLSv1.3"
    assert seen[0] == "good.example"
    for host in ("127.0.0.1", "good.example."):  # an address, and a name to its root
        await client.post(URL(f"https://{host}:{port}/"), [], b"x", timeout_seconds=5, tls=trusting)
    with pytest.raises(NoAnswer, match=r"the certificate is not valid: .*other\.example"):
        await client.post(URL(f"https://other.example:{port}/"), [], b"x", timeout_seconds=5, tls=trusting)
    with pytest.raises(NoAnswer, match=r"the certificate is not valid: .*issuer"):
        await client.post(URL(f"https://good.example:{port}/"), [], b"x", timeout_seconds=5)
    await client.close()
    server.close()
    await server.wait_closed()


async def test_a_connection_with_a_certificate_serves_nobody_else(
    raw: RawServer, authority: Authority
) -> None:
    from cryptography.x509 import DNSName

    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.path))
    server_side.load_cert_chain(authority.chain("server", DNSName("mutual.example")))
    server_side.verify_mode = ssl.CERT_REQUIRED
    seen: list[Any] = []
    server, port = await serve_tls(raw, server_side, seen)
    client = OutboundClient(LOOPBACK, resolve=Names(["127.0.0.1"]))
    contexts = []
    for name in ("one", "two"):
        context = ssl.create_default_context(cafile=str(authority.path))
        context.load_cert_chain(authority.chain(name))
        contexts.append(context)
    url = URL(f"https://mutual.example:{port}/")
    for context in (*contexts, *contexts):
        await client.post(url, [], b"x", timeout_seconds=5, tls=context)
    peers = [dict(part[0] for part in p["subject"])["commonName"] for p in seen if isinstance(p, dict)]
    assert peers == ["one", "two", "one", "two"]
    assert client._pool.open == 2
    with pytest.raises(NoAnswer):
        await client.post(
            url, [], b"x", timeout_seconds=5, tls=ssl.create_default_context(cafile=str(authority.path))
        )
    await client.close()
    server.close()
    await server.wait_closed()
