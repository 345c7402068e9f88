"""Requests that two readers could understand differently, each with its exact answer over a real connection."""

import json
from collections.abc import Iterator

import asyncpg
import pytest

from shared.core.problems import KINDS
from tests.integration.ingest.conftest import DATA, Post, serve, stored
from tests.support.projects import Project
from tests.support.wire import Reply, Wire, ask

TITLES = {kind.slug: kind.title for kind in KINDS}
LINES = {
    400: "HTTP/1.1 400 Bad Request",
    413: "HTTP/1.1 413 Request Entity Too Large",
    431: "HTTP/1.1 431 Request Header Fields Too Large",
}


@pytest.fixture(scope="module")
def port(database_url: str, redis_url: str) -> Iterator[int]:
    with serve(database_url, redis_url) as served:
        yield served.port
    assert '"level":"error"' not in served.errors


def refused(reply: Reply, status: int, slug: str, detail: str, pointer: str | None = None) -> None:
    assert (reply.status_line, reply.headers["content-type"]) == (LINES[status], "application/problem+json")
    expected = {
        "type": f"https://weir.dev/problems/{slug}",
        "title": TITLES[slug],
        "status": status,
        "detail": detail,
    }
    if pointer is not None:
        expected["errors"] = [{"pointer": pointer, "detail": detail}]
    assert reply.document == expected
    assert reply.headers["x-content-type-options"] == "nosniff"


NOT_HTTP = [
    pytest.param(b"content-length: 7\r\ncontent-length: 3", "Duplicate Content-Length", id="two lengths"),
    pytest.param(
        b"content-length: 7\r\ncontent-length: 7", "Duplicate Content-Length", id="one length twice"
    ),
    pytest.param(
        b"content-length: 7\r\ntransfer-encoding: chunked",
        "Transfer-Encoding can't be present with Content-Length",
        id="length and chunks",
    ),
    pytest.param(
        b"transfer-encoding: chunked\r\ncontent-length: 7",
        "Content-Length can't be present with Transfer-Encoding",
        id="chunks and length",
    ),
    pytest.param(
        b"transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "Invalid `Transfer-Encoding` header value",
        id="chunked twice",
    ),
    pytest.param(
        b"transfer-encoding: chunked, gzip", "Invalid `Transfer-Encoding` header value", id="chunked not last"
    ),
    pytest.param(b"content-length: -7", "Invalid character in Content-Length", id="negative length"),
    pytest.param(b"content-length: +7", "Invalid character in Content-Length", id="length with a sign"),
    pytest.param(b"content-length: 7, 7", "Invalid character in Content-Length", id="list of lengths"),
    pytest.param(b"content-length: 0x7", "Invalid character in Content-Length", id="hexadecimal length"),
    pytest.param(b"content-length: seven", "Invalid character in Content-Length", id="length in words"),
    pytest.param(b"content-length:", "Empty Content-Length", id="no length"),
    pytest.param(b"content-length: " + b"9" * 30, "Content-Length overflow", id="endless length"),
    pytest.param(b"ce-x: a\rb", "Missing expected LF after header value", id="bare CR"),
    pytest.param(b"ce-x: a\nce-y: b", "Missing expected CR after header value", id="bare LF"),
    pytest.param(b"ce-x: a\r\n b", "Unexpected whitespace after header value", id="obs-fold"),
    pytest.param(b"ce-x: a\x00b", "Invalid header value char", id="NUL"),
    pytest.param(b"ce-x : a", "Invalid header token", id="space before the colon"),
    pytest.param(b" ce-x: a", "Unexpected space after start line", id="space before the name"),
    pytest.param(b": a", "Invalid header token", id="no name"),
    pytest.param("ce-ü: a".encode(), "Invalid header token", id="name beyond ASCII"),
]


@pytest.mark.parametrize(("lines", "reason"), NOT_HTTP)
async def test_what_is_not_http_is_400_and_ends_the_connection(
    port: int, post: Post, pool: asyncpg.Pool, project: Project, lines: bytes, reason: str
) -> None:
    head, _, _ = post(framed=False).partition(b"\r\n\r\n")
    first, _, others = head.partition(b"\r\n")
    with Wire(port) as wire:
        reply = wire.send(b"\r\n".join((first, lines, others, b"", DATA))).reply()
        assert wire.rest() == b""
    refused(reply, 400, "malformed", f"The request is not HTTP/1.1: {reason}.")
    assert reply.closes
    assert await stored(pool, project) == []


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        pytest.param(b"zz\r\n", "Invalid character in chunk size", id="no number"),
        pytest.param(b"-1\r\n", "Invalid character in chunk size", id="negative"),
        pytest.param(b"7\n" + DATA, "Missing expected CR after chunk size", id="bare LF"),
        pytest.param(b"f" * 20 + b"\r\n", "Chunk size overflow", id="endless"),
        pytest.param(b"3\r\n" + DATA + b"\r\n0\r\n\r\n", "Expected LF after chunk data", id="too short"),
    ],
)
@pytest.mark.parametrize("apart", [False, True], ids=["at once", "after the head"])
async def test_a_bad_chunk_is_400(
    port: int, post: Post, pool: asyncpg.Pool, project: Project, chunks: bytes, reason: str, apart: bool
) -> None:
    head = post(b"transfer-encoding: chunked", body=b"", framed=False)
    with Wire(port) as wire:
        reply = wire.send(*((head, chunks) if apart else (head + chunks,))).reply()
        assert wire.rest() == b""
    refused(reply, 400, "malformed", f"The request is not HTTP/1.1: {reason}.")
    assert await stored(pool, project) == []


@pytest.mark.parametrize("target", [b"weir:80", b"http://", b"/in/\xff", b"/in/p\\x", b"*", b"?"], ids=repr)
async def test_a_target_that_is_not_a_path_is_refused(port: int, post: Post, target: bytes) -> None:
    line, rest = post().split(b"\r\n", 1)
    reply = ask(port, line.split()[0] + b" " + target + b" HTTP/1.1\r\n" + rest)
    assert reply.status in {400, 404}
    assert reply.headers["content-type"] == "application/problem+json"


async def test_a_path_is_decoded_once(port: int, post: Post, pool: asyncpg.Pool, project: Project) -> None:
    name = project.name.encode()
    once = b"%%%02X" % name[0] + name[1:]
    assert ask(port, post().replace(b"/in/" + name, b"/in/" + once)).status == 202
    twice = b"%%25%02X" % name[0] + name[1:]
    assert ask(port, post(identity="2").replace(b"/in/" + name, b"/in/" + twice)).status == 404
    assert len(await stored(pool, project)) == 1


@pytest.mark.parametrize(
    "start",
    [b"CONNECT weir:80 HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"],
)
def test_other_protocols_are_400(port: int, start: bytes) -> None:
    with Wire(port) as wire:
        reply = wire.send(start).reply()
        assert wire.rest() == b""
    assert (reply.status, reply.document["type"]) == (400, "https://weir.dev/problems/malformed")


REPEATED = [
    pytest.param(b"ce-id: 2", "not-a-cloudevent", "ce-id is there more than once", "/id", id="ce-id"),
    pytest.param(
        b"CE-ID: 1", "not-a-cloudevent", "ce-id is there more than once", "/id", id="ce-id in capitals"
    ),
    pytest.param(
        b"content-type: application/json",
        "not-a-cloudevent",
        "Content-Type is there more than once",
        "/datacontenttype",
        id="content-type",
    ),
    pytest.param(
        b"content-type: application/cloudevents+json",
        "not-a-cloudevent",
        "Content-Type is there more than once",
        "/datacontenttype",
        id="content-type of another mode",
    ),
    pytest.param(
        b"authorization: Bearer other",
        "malformed",
        "Authorization is there more than once.",
        None,
        id="authorization",
    ),
]


@pytest.mark.parametrize(("line", "slug", "detail", "pointer"), REPEATED)
async def test_what_may_stand_once_is_refused_twice(
    port: int,
    post: Post,
    pool: asyncpg.Pool,
    project: Project,
    line: bytes,
    slug: str,
    detail: str,
    pointer: str | None,
) -> None:
    refused(ask(port, post(line)), 400, slug, detail, pointer)
    assert await stored(pool, project) == []


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (b"\xff\xfe", "x is neither percent-encoded nor UTF-8"),
        (b"\xc0\xa0", "x is neither percent-encoded nor UTF-8"),
        (b"%C0%A0", "x has percent-encoded bytes that are not UTF-8"),
        (b"%ED%A0%80", "x has percent-encoded bytes that are not UTF-8"),
        (b"%00", "x has characters that no attribute may have"),
        (b"a%0D%0Ace-id: 2", "x has characters that no attribute may have"),
        (b"a\tb", "x has characters that no attribute may have"),
    ],
    ids=repr,
)
async def test_a_header_that_is_no_text_is_400(
    port: int, post: Post, pool: asyncpg.Pool, project: Project, value: bytes, detail: str
) -> None:
    refused(ask(port, post(b"ce-x: " + value)), 400, "not-a-cloudevent", detail, "/x")
    assert await stored(pool, project) == []


async def test_trailers_are_no_headers(port: int, post: Post, pool: asyncpg.Pool, project: Project) -> None:
    head = post(b"transfer-encoding: chunked", body=b"", framed=False)
    trailers = b"ce-id: 2\r\nce-smuggled: x\r\ncontent-type: text/plain\r\nauthorization: Bearer x\r\n"
    assert ask(port, head + b"7\r\n" + DATA + b"\r\n0\r\n" + trailers + b"\r\n").status == 202
    (row,) = await stored(pool, project)
    assert (row["id"], row["data"], row["datacontenttype"]) == ("1", DATA, "application/json")
    assert not row["extensions"]


async def test_a_body_that_stops_early_is_not_stored(
    port: int, post: Post, pool: asyncpg.Pool, project: Project
) -> None:
    whole = post()
    with Wire(port) as wire:
        assert wire.send(whole[:-1]).finish().rest() == b""
    chunked = post(b"transfer-encoding: chunked", body=b"", framed=False) + b"7\r\n" + DATA
    with Wire(port) as wire:
        assert wire.send(chunked).finish().rest() == b""
    assert ask(port, post(identity="good")).status == 202
    assert [row["id"] for row in await stored(pool, project)] == ["good"]


async def test_what_follows_a_whole_body_is_another_request(
    port: int, post: Post, pool: asyncpg.Pool, project: Project
) -> None:
    with Wire(port) as wire:
        wire.send(post() + b"leftover\r\n\r\n")
        assert wire.reply().status == 202
        refused(wire.reply(), 400, "malformed", "The request is not HTTP/1.1: Invalid method encountered.")
        assert wire.rest() == b""
    assert len(await stored(pool, project)) == 1


async def test_pipelined_requests_are_answered_in_their_order(
    port: int, post: Post, pool: asyncpg.Pool, project: Project
) -> None:
    """Bad events harm no others; the first that is not HTTP ends the connection after the answers that are due."""
    bad = post(b"ce-id: 2")
    with Wire(port) as wire:
        wire.send(
            bad + post(identity="a") + bad + post(identity="b") + post(b"x : y") + post(identity="never")
        )
        replies = [wire.reply() for _ in range(5)]
        assert wire.rest() == b""
    assert [reply.status for reply in replies] == [400, 202, 400, 202, 400]
    assert [reply.closes for reply in replies] == [False] * 4 + [True]
    assert {row["id"] for row in await stored(pool, project)} == {"a", "b"}


async def test_a_bad_chunk_waits_for_the_answers_before_it(
    port: int, post: Post, pool: asyncpg.Pool, project: Project
) -> None:
    chunked = post(b"transfer-encoding: chunked", body=b"", framed=False, identity="never") + b"zz\r\n"
    with Wire(port) as wire:
        wire.send(post(identity="a") + post(identity="b") + chunked)
        assert [wire.reply().status for _ in range(3)] == [202, 202, 400]
        assert wire.rest() == b""
    assert {row["id"] for row in await stored(pool, project)} == {"a", "b"}


@pytest.mark.spec("K1.10")
@pytest.mark.parametrize("protocol", ["h2c", "websocket", "anything/1"])
@pytest.mark.parametrize("apart", [False, True], ids=["at once", "after the head"])
async def test_an_offered_upgrade_takes_no_body_away(
    port: int, post: Post, pool: asyncpg.Pool, project: Project, protocol: str, apart: bool
) -> None:
    """Java's client offers h2c with every request."""
    offer = [
        b"connection: Upgrade, HTTP2-Settings",
        b"upgrade: " + protocol.encode(),
        b"http2-settings: AAEAAEAA",
    ]
    known = post(*offer, identity="known")
    head = post(*offer, b"transfer-encoding: chunked", body=b"", framed=False, identity="chunks")
    chunks = b"7\r\n" + DATA + b"\r\n0\r\n\r\n"
    with Wire(port) as wire:
        for body in (known.removesuffix(DATA), DATA), (head, chunks):
            assert wire.send(*(body if apart else (b"".join(body),))).reply().status == 202
        assert wire.send(known + post(identity="last")).reply().document["duplicate"] is True
        assert wire.reply().status == 202
    rows = await stored(pool, project)
    assert [(row["id"], row["data"]) for row in rows] == [("known", DATA), ("chunks", DATA), ("last", DATA)]


async def test_a_head_past_its_limit_is_431(
    port: int, post: Post, pool: asyncpg.Pool, project: Project
) -> None:
    long = post(b"x: " + b"a" * 100 * 1024)
    endless = post(b"x: " + b"a" * 1024 * 1024)
    many = post(*(b"x-%d: a" % n for n in range(20_000)))
    for head in (long, endless, many):
        with Wire(port) as wire:
            reply = wire.send(head).reply()
            assert wire.rest() == b""
        refused(reply, 431, "head-too-large", "The head of a request may have at most 65536 bytes.")
        assert reply.closes
    assert await stored(pool, project) == []


async def test_endless_trailers_are_431(port: int, post: Post, pool: asyncpg.Pool, project: Project) -> None:
    head = post(b"transfer-encoding: chunked", body=b"", framed=False)
    with Wire(port) as wire:
        reply = wire.send(
            head + b"7\r\n" + DATA + b"\r\n0\r\n", *[b"x: " + b"a" * 1024 + b"\r\n"] * 1024
        ).reply()
    refused(reply, 431, "head-too-large", "The head of a request may have at most 65536 bytes.")
    assert await stored(pool, project) == []


async def test_a_thousand_headers_are_taken(
    port: int, post: Post, pool: asyncpg.Pool, project: Project
) -> None:
    assert ask(port, post(*(b"ce-x%d: %d" % (n, n) for n in range(1000)))).status == 202
    (row,) = await stored(pool, project)
    assert row["extensions"] == {f"x{n}": str(n) for n in range(1000)}


async def test_an_event_may_have_a_mebibyte_and_no_byte_more(
    port: int, post: Post, pool: asyncpg.Pool, project: Project
) -> None:
    detail = "An event may have at most 1048576 bytes."
    assert ask(port, post(body=b"a" * 1024 * 1024)).status == 202
    refused(ask(port, post(body=b"a" * (1024 * 1024 + 1), identity="2")), 413, "too-large", detail)
    event = b'{"specversion":"1.0","id":"3","source":"/a","type":"t","data":"%s"}'
    padding = b"a" * (1024 * 1024 - len(b'""'))
    assert ask(port, post.structured(event % padding)).status == 202
    refused(ask(port, post.structured(event % (padding + b"a"))), 413, "too-large", detail)
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    head = post(b"transfer-encoding: chunked", body=b"", framed=False, identity="4")
    refused(ask(port, head, chunk * 16, b"1\r\na\r\n0\r\n\r\n"), 413, "too-large", detail)
    assert [row["id"] for row in await stored(pool, project)] == ["1", "3"]


def as_json(**members: object) -> bytes:
    return json.dumps({"specversion": "1.0", "id": "1", "source": "/a", "type": "t", **members}).encode()


@pytest.mark.parametrize(
    ("body", "detail", "pointer"),
    [
        pytest.param(
            as_json(data=float("nan")),
            "the event is not JSON: invalid character (byte 71)",
            None,
            id="data NaN",
        ),
        pytest.param(
            as_json(data=float("-inf")),
            "the event is not JSON: invalid character (byte 72)",
            None,
            id="data -Infinity",
        ),
        pytest.param(
            as_json(x=float("nan")),
            "the event is not JSON: invalid character (byte 68)",
            None,
            id="attribute NaN",
        ),
        pytest.param(as_json(x=1.5), "x must be a string, an integer or a boolean", "/x", id="attribute 1.5"),
        pytest.param(
            as_json(x=10**400),
            "x must be an integer from -2147483648 to 2147483647",
            "/x",
            id="attribute 10^400",
        ),
        pytest.param(
            as_json()[:-1] + b',"id":"2"}', "id is there more than once", "/id", id="repeated member"
        ),
        pytest.param(
            as_json()[:-1] + b',"\\u0069d":"2"}',
            "id is there more than once",
            "/id",
            id="repeated with an escape",
        ),
        pytest.param(
            as_json()[:-1] + b',"data":1,"data":2}',
            "data is there more than once",
            "/data",
            id="repeated data",
        ),
        pytest.param(
            as_json()[:-1] + b',"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            "the JSON is nested too deep",
            None,
            id="100,000 levels",
        ),
        pytest.param(b"[" * 100_000, "an event must be a JSON object", None, id="100,000 levels of nothing"),
        pytest.param(
            as_json()[:-1] + b',"data":' + b'{"a":' * 150_000 + b"1" + b"}" * 150_000 + b"}",
            "the JSON is nested too deep",
            None,
            id="900 KiB of nested objects",
        ),
        pytest.param(
            as_json(x="\ud800"), "the event is not JSON: Input data was truncated", None, id="half a pair"
        ),
        pytest.param(
            b"\xef\xbb\xbf" + as_json(), "the event is not JSON: invalid character (byte 0)", None, id="BOM"
        ),
        pytest.param(
            as_json().decode().encode("utf-16"),
            "the body is not UTF-8: byte 0 cannot be decoded",
            None,
            id="UTF-16",
        ),
    ],
)
async def test_json_that_is_no_event_is_400(
    port: int, post: Post, pool: asyncpg.Pool, project: Project, body: bytes, detail: str, pointer: str | None
) -> None:
    refused(ask(port, post.structured(body)), 400, "not-a-cloudevent", detail, pointer)
    assert await stored(pool, project) == []


@pytest.mark.parametrize(
    "data",
    [b"NaN", b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":1,"a":2}', b"\xff"],
    ids=lambda d: repr(d[:9]),
)
async def test_data_in_binary_mode_is_kept_whatever_it_is(
    port: int, post: Post, pool: asyncpg.Pool, project: Project, data: bytes
) -> None:
    """What Content-Type says of the data is the sender's word: it comes out as the bytes that went in (C42)."""
    assert ask(port, post(body=data)).status == 202
    (row,) = await stored(pool, project)
    assert row["data"] == data
