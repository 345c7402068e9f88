"""What comes in at the door goes out to a sink as it came, in whichever mode either of them speaks."""

import base64
import json
from typing import Any

import httpx
import pytest

from functions.ingest.app import create
from shared.core.cloudevents import DataKind, Event, parse
from tests.integration.dispatch.conftest import World
from tests.support.sink import Received, Sink

HEADERS = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/tests", "ce-type": "com.example.made"}
EVENT: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "/tests", "type": "com.example.made"}
STRUCTURED = {"content-type": "application/cloudevents+json"}
EXTENSIONS: dict[str, str | int | bool] = {
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
    "partitionkey": "customer 42",
    "sequence": "0010",
    "dataref": "https://example.com/store/a%20b#c",
    "sampledrate": 10,
    "expirytime": "2001-01-01T00:00:00Z",
    "deprecated": True,
    "deprecationmigration": "https://example.com/new",
    "correlationid": "order-1",
    "causationid": "e-0",
    "authtype": "app_user",
    "authclaims": '{"sub":"a"}',
    "recordedtime": "2026-03-31t15:12:00.123456789-00:00",
    "severitynumber": 17,
    "severitytext": "ERROR",
    "bamtxid": "tx",
    "bampid": "p",
    "bamptxid": "ptx",
    "bamptxsid": "ptxs",
    "bamptxcompleted": False,
    "dataclassification": "unheard of",
    "dataregulation": "GDPR,xyz",
    "datacategory": "location",
    "dssematerial": "TWE=",
    "opcuametadatamajorversion": 1,
    "unknown": 'ü 100% "q" 😀',
    "a" * 40: "",
}


async def post(world: World, headers: dict[str, str], body: bytes) -> None:
    """Through the door, as the project's key."""
    transport = httpx.ASGITransport(create(world.resources))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as client:
        answer = await client.post(
            f"/in/{world.project.name}", headers={**world.project.headers, **headers}, content=body
        )
    assert answer.status_code == 202, answer.text


def event_of(request: Received) -> Event:
    return parse([(name.encode(), value.encode("latin-1")) for name, value in request.headers], request.body)


async def through(world: World, sink: Sink, form: str, headers: dict[str, str], body: bytes) -> Received:
    await world.subscribe(sink.url, format=form)
    world.start()
    await post(world, headers, body)
    await world.settled()
    (request,) = sink.requests
    return request


@pytest.mark.spec("X01", "X02", "X03", "X04", "X05", "X06", "X07", "X08", "X09")
@pytest.mark.spec("X10", "X11", "X12", "X13", "X14", "X15", "X16", "C32")
@pytest.mark.parametrize("form", ["binary", "json"])
async def test_extensions_arrive_as_they_were_sent(world: World, sink: Sink, form: str) -> None:
    body = json.dumps(EVENT | EXTENSIONS | {"data": {"n": 1}}).encode()
    event = event_of(await through(world, sink, form, STRUCTURED, body))
    sent = EXTENSIONS
    if form == "binary":
        sent = {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in EXTENSIONS.items()}
    assert event.extensions == sent
    assert {k: event.attributes()[k] for k in EVENT} == EVENT


@pytest.mark.spec("K1.7", "C22")
@pytest.mark.parametrize("form", ["binary", "json"])
async def test_version_03_is_not_upgraded(world: World, sink: Sink, form: str) -> None:
    headers = HEADERS | {"ce-specversion": "0.3", "ce-schemaurl": "/s#a", "content-type": "application/json"}
    event = event_of(await through(world, sink, form, headers, b"{}"))
    assert (event.specversion, event.extensions, event.data) == ("0.3", {"schemaurl": "/s#a"}, b"{}")


@pytest.mark.spec("C42", "H10", "J14", "J24")
@pytest.mark.parametrize("form", ["binary", "json"])
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"a":1.10, "a":12345678901234567890}'),
        ("application/json", b"null"),
        ("application/json", b"{broken \xff"),
        ("application/octet-stream", bytes(range(256))),
        ("text/plain", "ü\n\x00".encode()),
        ("text/plain; charset=utf-16", "ü".encode("utf-16")),
    ],
)
@pytest.mark.spec("K4.2")
async def test_data_arrives_byte_for_byte(
    world: World, sink: Sink, form: str, content_type: str, body: bytes
) -> None:
    headers = HEADERS | {"content-type": content_type}
    event = event_of(await through(world, sink, form, headers, body))
    assert (event.datacontenttype, event.data) == (content_type, body)


def filled(size: int, kind: DataKind, structured: bool) -> tuple[dict[str, str], bytes]:
    """A message whose header lines and body together have `size` bytes."""
    if structured:
        frame = json.dumps(EVENT | {"data_base64": ""}).encode()
        room = (size - len(wire(STRUCTURED)) - len(frame)) // 4 * 3
        data = base64.b64encode(b"\xff" * room).decode()
        return STRUCTURED, json.dumps(EVENT | {"data_base64": data}).encode()
    media_type = "application/json" if kind is DataKind.JSON else "application/octet-stream"
    headers = HEADERS | {"content-type": media_type}
    room = size - len(wire(headers))
    return headers, b'"' + b"x" * (room - 2) + b'"' if kind is DataKind.JSON else b"\xff" * room


def wire(headers: dict[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"


@pytest.mark.spec("C35", "C36", "K1.13")
@pytest.mark.parametrize("form", ["binary", "json"])
@pytest.mark.parametrize("kind", [DataKind.JSON, DataKind.BINARY])
@pytest.mark.parametrize("size", [36_864, 64 * 1024, 87_500])
async def test_events_of_64_kib_arrive_in_every_encoding(
    world: World, sink: Sink, form: str, kind: DataKind, size: int
) -> None:
    """64 KiB of bytes are 87,382 characters of base64."""
    headers, body = filled(size, kind, structured=size > 64 * 1024)
    event = event_of(await through(world, sink, form, headers, body))
    taken = parse([(k.encode(), v.encode()) for k, v in headers.items()], body)
    assert (event.id, event.data) == (taken.id, taken.data)
    assert len(sink.requests) == 1


@pytest.mark.spec("C39", "H07", "J21")
async def test_events_of_a_batch_arrive_one_by_one(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    world.start()
    batch = [EVENT | {"id": str(n), "data": n} for n in range(5)]
    await post(world, {"content-type": "application/cloudevents-batch+json"}, json.dumps(batch).encode())
    await world.settled(5)
    arrived = {e.id: e.data for e in map(event_of, sink.requests)}
    assert arrived == {str(n): str(n).encode() for n in range(5)}
