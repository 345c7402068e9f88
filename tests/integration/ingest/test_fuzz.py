"""Ten thousand requests that are not what they were: whatever comes, the answers and what is stored are right.

Of each round it holds that every answer is a documented one, that exactly those events are stored that were
answered with a uid, that the codec takes each of them back as it is, and that the good events in between are
stored once. Hypothesis chooses by a fixed seed and shows the requests of a round that fails.
"""

import asyncio
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote
from uuid import UUID

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from functions.explore.answer import stored_event
from functions.ingest.app import create
from shared.core.cloudevents import DataKind, Event, parse, to_binary, to_structured
from shared.core.problems import KINDS, TYPE_BASE
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.ingest.conftest import serve
from tests.support.mutations import BATCH, Request, elements, requests, spoilt
from tests.support.projects import Project, create_project

IN_PROCESS_ROUNDS = 170
WIRE_ROUNDS = 30
BAD = 50
REQUESTS = (IN_PROCESS_ROUNDS + WIRE_ROUNDS) * BAD
EXAMPLES = 100
CONNECTIONS = 25

STATUSES = {202, 400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 431}
TYPES = {TYPE_BASE + kind.slug: kind for kind in KINDS}
COLUMNS = "uid, specversion, id, source, type, subject, time, datacontenttype, dataschema, extensions, data, data_kind"
# Not shrunk: what failed names its request, and a round cannot be played twice with the same ids.
PROFILE = profile(
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)

numbers = itertools.count()


class World:
    """A loop, the door in it and a project; one for all rounds."""

    def __init__(self, settings: Settings) -> None:
        self._runner = asyncio.Runner()
        self._settings = settings
        self.run = self._runner.run
        self.run(self._open())

    async def _open(self) -> None:
        self.resources = Resources(self._settings)
        self.pool = await self.resources.pg()
        self.project: Project = await create_project(self.pool, self._settings)
        self.app = create(self.resources)
        self.seen: set[UUID] = set()

    def close(self) -> None:
        self.run(self.resources.close())
        self._runner.close()


@pytest.fixture(scope="module")
def deployment(database_url: str, redis_url: str) -> Settings:
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret="a secret of the tests alone, 32 signs or more",
    )


@pytest.fixture(scope="module")
def world(deployment: Settings) -> Iterator[World]:
    opened = World(deployment)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def port(database_url: str, redis_url: str) -> Iterator[int]:
    with serve(
        database_url, redis_url, WEIR_BODY_TIMEOUT_SECONDS="0.3", WEIR_HEAD_TIMEOUT_SECONDS="0.3"
    ) as served:
        yield served.port
    assert '"level":"error"' not in served.errors


Answer = tuple[int, dict[bytes, bytes], bytes]


async def through_asgi(world: World, request: Request) -> Answer:
    """The door's answer to a request that an ASGI server lets through."""
    path, _, query = request.target.partition(b"?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/in/" + unquote(path.decode("latin-1").removeprefix("/in/")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    # The body in two pieces: what is not there yet is waited for.
    half = len(request.body) // 2
    pieces = [request.body[:half], request.body[half:]] if half else [request.body]
    sent: list[dict] = []

    async def receive() -> dict:
        if not pieces:
            return {"type": "http.disconnect"}
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: dict) -> None:
        sent.append(message)

    await world.app(scope, receive, send)
    start, *bodies = sent
    return start["status"], dict(start["headers"]), b"".join(message.get("body", b"") for message in bodies)


async def over_the_wire(port: int, message: bytes) -> Answer | None:
    """The server's first answer to these bytes; None when it closes without one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(60):
            writer.write(message)
            status = b"100"
            while status == b"100":
                line, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
                status = line.split()[1]
            headers = dict(line.split(b": ", 1) for line in lines)
            body = await reader.readexactly(int(headers.get(b"content-length", 0)))
        return int(status), {name.lower(): value for name, value in headers.items()}, body
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    finally:
        writer.close()


def taken(answer: Answer) -> list[tuple[UUID, bool]]:
    """The uids in an answer, with whether each is a duplicate's. Fails for one that is not documented."""
    status, headers, body = answer
    assert status in STATUSES, answer
    document = json.loads(body)
    if status != 202:
        problem(status, headers[b"content-type"], document)
        return []
    assert headers[b"content-type"] == b"application/json"
    if "results" not in document:
        assert document.keys() == {"uid", "duplicate"}
        return [(UUID(document["uid"]), document["duplicate"])]
    assert [result["index"] for result in document["results"]] == list(range(len(document["results"])))
    for result in document["results"]:
        if "problem" in result:
            problem(result["problem"]["status"], b"application/problem+json", result["problem"])
    return [(UUID(r["uid"]), r["duplicate"]) for r in document["results"] if "uid" in r]


def problem(status: int, content_type: bytes, document: dict) -> None:
    assert content_type == b"application/problem+json"
    kind = TYPES[document["type"]]
    assert (document["status"], document["title"]) == (status, kind.title)
    assert kind.status == status
    assert document["detail"]
    assert all(error.keys() == {"pointer", "detail"} for error in document.get("errors", ()))


def as_text(event: Event) -> Event:
    """What binary mode can say of it: every attribute is a string, and JSON has a type (C26)."""
    extensions = {n: v if isinstance(v, str) else json.dumps(v) for n, v in event.extensions.items()}
    implied = "application/json" if event.data_kind is DataKind.JSON else None
    return Event(
        event.specversion,
        event.id,
        event.source,
        event.type,
        event.subject,
        event.time,
        event.datacontenttype or implied,
        event.dataschema,
        extensions,
        event.data,
        event.data_kind,
    )


def survives(event: Event) -> None:
    """The codec takes what is stored, in both modes, for what it is."""
    headers, body = to_structured(event)
    back = parse([(n.encode(), v.encode()) for n, v in headers], body)
    if event.data_kind is DataKind.JSON:  # white space around a value is none of it
        assert back == replace(event, data=(event.data or b"").strip(b" \t\r\n"))
    else:
        assert back == event
    headers, body = to_binary(event)
    back = parse([(n.encode(), v.encode("latin-1")) for n, v in headers], body)
    assert back == as_text(event)


def good(project: Project) -> tuple[list[Request], list[bytes], list[str]]:
    """Two requests and two elements of a batch with events that are right, and the ids of all four."""
    ids = [f"good-{next(numbers)}" for _ in range(4)]
    target = f"/in/{project.name}".encode()
    key = (b"authorization", project.headers["authorization"].encode())
    bodies = [
        b'{"specversion":"1.0","id":"%b","source":"/good","type":"t","data":{"a":1}}' % i.encode()
        for i in ids
    ]
    binary = (
        (b"ce-specversion", b"1.0"),
        (b"ce-id", ids[0].encode()),
        (b"ce-source", b"/good"),
        (b"ce-type", b"t"),
        (b"content-type", b"application/json"),
    )
    structured = (b"content-type", b"application/cloudevents+json")
    return (
        [Request(target, (key, *binary), b'{"a":1}'), Request(target, (key, structured), bodies[1])],
        bodies[2:],
        ids,
    )


def lenient(project: Project, parts: Sequence[bytes]) -> Request:
    return Request(
        f"/in/{project.name}".encode(),
        (
            (b"authorization", project.headers["authorization"].encode()),
            (b"content-type", BATCH),
            (b"prefer", b"handling=lenient"),
        ),
        b"[" + b",".join(parts) + b"]",
    )


async def verify(
    world: World, sent: Sequence[object], answers: Sequence[Answer | None], ids: Sequence[str]
) -> None:
    """The answers of a round against what it stored; `ids` are those of the good events."""
    uids: list[tuple[UUID, bool]] = []
    for request, answer in zip(sent, answers, strict=True):
        if answer is not None:
            try:
                uids += taken(answer)
            except Exception as error:
                raise AssertionError(f"{answer} to {request}") from error
    rows = await world.pool.fetch(
        f"SELECT {COLUMNS} FROM events WHERE project_id = $1 AND uid <> ALL ($2)",
        world.project.id,
        world.seen,
    )
    fresh = {row["uid"] for row in rows}
    world.seen |= fresh
    assert {uid for uid, duplicate in uids if not duplicate} == fresh
    for row in rows:
        try:
            survives(stored_event(row))
        except Exception as error:
            raise AssertionError(f"stored: {dict(row)}") from error
    assert sorted(row["id"] for row in rows if row["source"] == "/good") == sorted(ids)


TARGET, KEY = b"/in/PROJECT", b"Bearer KEY"
IDENTITIES = [f"fuzz-{n}".encode() for n in range(BAD)]


def addressed(request: Request, project: Project) -> Request:
    """The strategies know neither the project nor its key: so what they draw is the same in each run."""
    headers = tuple((n, v.replace(b"KEY", project.key.encode())) for n, v in request.headers)
    return Request(request.target.replace(b"PROJECT", project.name.encode()), headers, request.body)


def unique(body: bytes) -> bytes:
    """`body` with ids that no round before had."""
    return body.replace(b"fuzz-", b"fuzz-%d-" % next(numbers))


def fresh(request: Request) -> Request:
    headers = tuple((n, unique(v)) for n, v in request.headers)
    return Request(request.target, headers, unique(request.body))


mutants = st.tuples(*(requests(TARGET, KEY, identity) for identity in IDENTITIES))
neighbours = st.lists(elements(b"fuzz-neighbour"), min_size=3, max_size=3)


def test_ten_thousand_requests_are_made() -> None:
    assert REQUESTS == 10_000


@pytest.mark.no_cover  # the lines of the door are counted where each request is made by hand
@profile(PROFILE, max_examples=IN_PROCESS_ROUNDS)
@given(mutants, neighbours)
def test_bad_requests_among_good_ones(world: World, bad: tuple[Request, ...], beside: list[bytes]) -> None:
    async def play() -> None:
        requests, parts, ids = good(world.project)
        one, two, three = map(unique, beside)
        batch = lenient(world.project, [one, parts[0], two, parts[1], three])
        sent = [*(fresh(addressed(request, world.project)) for request in bad), *requests, batch]
        answers = await asyncio.gather(*(through_asgi(world, request) for request in sent))
        assert [answer[0] for answer in answers[-3:]] == [202] * 3
        await verify(world, sent, answers, ids)

    world.run(play())


@st.composite
def messages(draw: st.DrawFn, identity: bytes) -> bytes:
    """A request whose very bytes are spoilt."""
    return draw(
        spoilt(
            draw(requests(TARGET, KEY, identity)).raw(), [b"\r\n", b"\n", b"\r", b": ", b" ", b"\x00", b"0"]
        )
    )


@profile(PROFILE, max_examples=WIRE_ROUNDS)
@given(st.tuples(*(messages(identity) for identity in IDENTITIES)), neighbours)
def test_bad_bytes_among_good_requests(
    world: World, port: int, bad: tuple[bytes, ...], beside: list[bytes]
) -> None:
    async def play() -> None:
        requests, parts, ids = good(world.project)
        one, two, three = map(unique, beside)
        batch = lenient(world.project, [one, parts[0], two, parts[1], three])
        name, key = world.project.name.encode(), world.project.key.encode()
        sent = [unique(message.replace(b"PROJECT", name).replace(b"KEY", key)) for message in bad]
        sent += (request.raw() for request in (*requests, batch))
        room = asyncio.Semaphore(CONNECTIONS)

        async def ask(message: bytes) -> Answer | None:
            async with room:
                return await over_the_wire(port, message)

        answers = await asyncio.gather(*map(ask, sent))
        assert [answer and answer[0] for answer in answers[-3:]] == [202] * 3
        await verify(world, sent, answers, ids)

    world.run(play())


schema = schemathesis.openapi.from_path(
    Path(__file__).resolve().parents[3] / "docs" / "openapi.json"
).include(path_regex="^/in/")
schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])


@schema.parametrize()
@profile(PROFILE, max_examples=EXAMPLES)
def test_the_documented_door(case: schemathesis.Case, world: World, port: int) -> None:
    if "project" in (case.path_parameters or {}) and next(numbers) % 5:
        case.path_parameters["project"] = world.project.name
    case.call_and_validate(
        base_url=f"http://127.0.0.1:{port}",
        headers=world.project.headers if next(numbers) % 7 else {},
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
        timeout=20,
    )
