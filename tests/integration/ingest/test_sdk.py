"""The CloudEvents SDK, which nobody of Weir wrote, sends through a served process and reads what Weir sends."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import (
    HTTPMessage,
    from_http_event,
    to_binary_event,
    to_structured_event,
)
from cloudevents.core.v03.event import CloudEvent as CloudEvent03
from cloudevents.core.v1.event import CloudEvent

from shared.core.cloudevents import DataKind, Event, parse_structured, to_binary, to_structured
from shared.runtime.settings import Settings
from tests.support.projects import Project
from tests.support.served import Served

Send = Callable[[BaseCloudEvent], HTTPMessage]
MODES = pytest.mark.parametrize("send", [to_binary_event, to_structured_event], ids=["binary", "structured"])
STRUCTURED = {"content-type": "application/cloudevents+json"}


@pytest.fixture(scope="module")
def weir(database_url: str, redis_url: str) -> Iterator[str]:
    deployment = Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret="a secret of the tests alone, 32 signs or more",
    )
    with Served(["-m", "shared.runtime.serve", "--all"], deployment) as served:
        yield served.url
        assert served.end() == 0
    assert '"level":"error"' not in served.errors


class Weir:
    """A project of the served process, with the credential of its key."""

    def __init__(self, url: str, project: Project) -> None:
        self.client = httpx.AsyncClient(base_url=url, headers=project.headers, timeout=30)
        self._name = project.name

    async def take(self, message: HTTPMessage) -> UUID:
        answer = await self.client.post(f"/in/{self._name}", headers=message.headers, content=message.body)
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["uid"])

    async def shown(self, uid: UUID) -> bytes:
        """The event as the API shows it, in the JSON format."""
        answer = await self.client.get(f"/v1/projects/{self._name}/events/{uid}")
        assert answer.status_code == 200, answer.text
        document = answer.text
        start = document.index('"event":') + len('"event":')
        event, _ = json.JSONDecoder().raw_decode(document, start)
        return json.dumps(event).encode()


@pytest.fixture
async def project_of(weir: str, project: Project) -> AsyncIterator[Weir]:
    made = Weir(weir, project)
    async with made.client:
        yield made


def an_event(data: Any = None, **attributes: Any) -> CloudEvent:
    return CloudEvent(
        {"id": "1", "source": "https://example.com/sdk", "type": "com.example.sdk", **attributes}, data
    )


def read(message: tuple[list[tuple[str, str]], bytes]) -> BaseCloudEvent:
    """What the SDK makes of a message of Weir's."""
    headers, body = message
    return from_http_event(HTTPMessage(dict(headers), body))


def texts(event: BaseCloudEvent) -> dict[str, Any]:
    """Its attributes, of which binary mode keeps no types but that of `time`."""
    return {
        name: value if isinstance(value, datetime) else str(value)
        for name, value in event.get_attributes().items()
    }


EVENTS = [
    pytest.param(an_event(), id="bare"),
    pytest.param(
        an_event({"a": [1, None, {"b": "ü"}]}, datacontenttype="application/json", subject="s"), id="json"
    ),
    pytest.param(an_event("Straße €\n", datacontenttype="text/plain; charset=utf-8"), id="text"),
    pytest.param(an_event("<a/>", datacontenttype="application/xml"), id="xml"),
    pytest.param(an_event(bytes(range(256)), datacontenttype="application/octet-stream"), id="bytes"),
    pytest.param(
        an_event(
            {},
            datacontenttype="application/json",
            subject='Füße "100%" 😀 %41',
            type="日本.語",
            dataschema="https://example.com/s?v=%20",
            partitionkey="a b",
            sequence="007",
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            empty="",
        ),
        id="unicode and extensions",
    ),
    pytest.param(
        an_event(None, time=datetime(2026, 3, 31, 15, 12, 0, 123456, timezone(timedelta(hours=-3)))),
        id="time",
    ),
    pytest.param(an_event(None, source="/relative/a%20b#c", count=7, minus=-(2**31)), id="integers"),
]


@pytest.mark.spec("C01", "C08", "H01", "H02", "H11", "H20", "K1.1")
@MODES
@pytest.mark.parametrize("event", EVENTS)
async def test_what_the_sdk_sends_is_read_back_by_it(project_of: Weir, send: Send, event: CloudEvent) -> None:
    uid = await project_of.take(send(event))
    again = from_http_event(HTTPMessage(STRUCTURED, await project_of.shown(uid)))
    assert texts(again) == texts(event)
    if send is to_structured_event:
        assert again.get_attributes() == event.get_attributes()
    assert again.get_data() == event.get_data()


@pytest.mark.spec("H08", "H10", "J24")
@MODES
async def test_what_the_sdk_sends_is_stored_to_the_byte(
    project_of: Weir, pool: asyncpg.Pool, send: Send
) -> None:
    data = {"amount": 10.5, "text": "ü"}
    uid = await project_of.take(send(an_event(data, datacontenttype="application/json")))
    row = await pool.fetchrow("SELECT * FROM events WHERE uid = $1", uid)
    assert row["data"] == json.dumps(data).encode()
    assert (row["id"], row["source"], row["datacontenttype"]) == (
        "1",
        "https://example.com/sdk",
        "application/json",
    )


@pytest.mark.spec("K1.7")
@MODES
@pytest.mark.parametrize(
    ("data", "datacontenttype"), [({"a": 1}, "application/json"), ("ü", "text/plain"), (b"\xff\x00", "a/b")]
)
async def test_version_03_of_the_sdk_stays_version_03(
    project_of: Weir, send: Send, data: Any, datacontenttype: str
) -> None:
    event = CloudEvent03(
        {"id": "1", "source": "/03", "type": "t", "datacontenttype": datacontenttype, "schemaurl": "/s"}, data
    )
    shown = await project_of.shown(await project_of.take(send(event)))
    again = from_http_event(HTTPMessage(STRUCTURED, shown))
    assert again.get_specversion() == "0.3"
    assert again.get_data() == data
    # Bytes go in base64 in the JSON format, and the attribute that says so belongs to it.
    attributes = {k: v for k, v in texts(again).items() if k != "datacontentencoding"}
    assert attributes == texts(event)


@pytest.mark.spec("K1.9")
@MODES
async def test_the_sdk_may_send_an_event_again(project_of: Weir, send: Send) -> None:
    event = an_event({"a": 1}, datacontenttype="application/json")
    assert await project_of.take(send(event)) == await project_of.take(send(event))


SENT = [
    pytest.param(Event("1.0", "1", "/s", "t", subject='ü "%" 😀'), None, id="bare"),
    pytest.param(
        Event(
            "1.0",
            "1",
            "/s",
            "t",
            time="2018-04-05T17:31:00.123Z",
            datacontenttype="application/json",
            dataschema="urn:a:b",
            extensions={"text": "a b", "number": -5, "empty": ""},
            data=b'{"a": [1]}',
            data_kind=DataKind.JSON,
        ),
        {"a": [1]},
        id="json",
    ),
    pytest.param(
        Event("1.0", "1", "/s", "t", None, None, "text/plain", None, {}, "ü\n".encode(), DataKind.TEXT),
        "ü\n",
        id="text",
    ),
    pytest.param(
        Event("1.0", "1", "/s", "t", None, None, "image/png", None, {}, b"\x89PNG\xff", DataKind.BINARY),
        b"\x89PNG\xff",
        id="bytes",
    ),
]


@pytest.mark.spec("C08", "H11", "H14", "H15", "H23", "J01", "J06", "J07", "J11", "J12")
@pytest.mark.parametrize("write", [to_binary, to_structured], ids=["binary", "structured"])
@pytest.mark.parametrize(("event", "data"), SENT)
def test_the_sdk_reads_what_weir_sends(write: Any, event: Event, data: Any) -> None:
    again = read(write(event))
    attributes = again.get_attributes()
    time = attributes.pop("time", None)
    # The SDK makes up a time where there is none (C02 forbids that for what is required).
    assert event.time is None or time == datetime.fromisoformat(event.time)
    expected: dict[str, Any] = {k: v for k, v in event.attributes().items() if k != "time"}
    if write is to_binary:
        expected = {k: str(v) for k, v in expected.items()}
    assert attributes == expected
    assert again.get_data() == data


@pytest.mark.spec("C17", "H14", "J14", "J20")
async def test_where_the_sdk_breaks_a_rule_weir_keeps_it(project_of: Weir) -> None:
    # H14: a Boolean in a header is `true`. The SDK writes Python's `True`, and that is what it reads back.
    message = to_binary_event(an_event(flag=True))
    assert message.headers["ce-flag"] == "True"
    assert parse_structured(await project_of.shown(await project_of.take(message))).extensions == {
        "flag": "True"
    }
    ours = Event("1.0", "1", "/s", "t", extensions={"flag": True})
    assert dict(to_binary(ours)[0])["ce-flag"] == "true"
    # J14: data that is null is not the same as no data. To the SDK it is.
    null = Event("1.0", "1", "/s", "t", data=b"null", data_kind=DataKind.JSON)
    assert b'"data":null' in to_structured(null)[1]
    assert read(to_structured(null)).get_data() is None
    # J20: a string of JSON content is a JSON string in a binary body. The SDK leaves the quotes out, so that
    # the body is no JSON; it is kept as the bytes that it is.
    message = to_binary_event(an_event("text", datacontenttype="application/json", id="2"))
    assert message.body == b"text"
    shown = parse_structured(await project_of.shown(await project_of.take(message)))
    assert (shown.data, shown.data_kind) == (b"text", DataKind.BINARY)
    string = Event("1.0", "1", "/s", "t", data=b'"text"', data_kind=DataKind.JSON)
    assert to_binary(string)[1] == b'"text"'
    # C17: a leap second is a Timestamp. The SDK cannot read it.
    leap = Event("1.0", "1", "/s", "t", time="2016-12-31T23:59:60Z")
    with pytest.raises(ValueError, match="second must be in"):
        read(to_structured(leap))


async def test_a_time_made_by_the_sdk_is_an_instant(project_of: Weir) -> None:
    before = datetime.now(UTC)
    event = CloudEvent({"source": "/s", "type": "t"}, None)
    shown = parse_structured(await project_of.shown(await project_of.take(to_binary_event(event))))
    assert before <= datetime.fromisoformat(shown.time or "") <= datetime.now(UTC)
    assert shown.id == event.get_id()
