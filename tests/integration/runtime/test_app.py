"""What an endpoint function answers when something is wrong."""

from dataclasses import replace
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import APIRouter
from pydantic import Field, SecretStr

from shared.core.problems import CONFLICT, Problem
from shared.runtime.app import endpoint_app
from shared.runtime.function import Function
from shared.runtime.resources import Resources
from shared.runtime.schema import Request, Spelled
from shared.runtime.settings import Settings

FUNCTION = Function(name="trial", summary="A trial", entry="", needs=frozenset({"postgres", "redis"}))


class Delivery(Request):
    retry: int


State = Literal["open", "shut"]
Amount = Annotated[int, Field(ge=100)] | Annotated[str, Field(max_length=3)]


class Body(Request):
    sink_name: str
    delivery: Delivery | None = None
    label: Annotated[str, Field(min_length=1), Spelled(r"^[a-z]+$", "must be of lower-case letters")] = "a"
    count: int = Field(default=1, ge=1, le=9)
    password: SecretStr | None = Field(default=None, min_length=12, max_length=20)
    state: State | list[State] = "open"
    amount: Amount | Annotated[list[Amount], Field(min_length=1, max_length=2)] | None = None
    owner: UUID | None = None
    rate: float = Field(default=1.0, gt=0)
    day: date | None = None
    is_open: bool = False


def routes() -> APIRouter:
    router = APIRouter()

    @router.post("/things")
    async def make_thing(body: Body) -> dict[str, str]:
        return {"sink": body.sink_name}

    @router.get("/things")
    async def list_things(limit: int = 50) -> dict[str, int]:
        return {"limit": limit}

    @router.get("/raise/{what}")
    async def fail(what: str) -> None:
        raise {
            "problem": Problem(CONFLICT, "It is taken.", internal="row 7", headers={"X-Row": "7"}),
            "mistake": ZeroDivisionError("password=hunter2"),
            "postgres": asyncpg.exceptions.CannotConnectNowError("starting up"),
            "network": ConnectionResetError(),
        }[what]

    return router


@pytest.fixture
async def client(resources):
    app = endpoint_app(FUNCTION, resources, routes(), max_body_bytes=1000)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://weir") as client:
        yield client


def is_problem(answer: httpx.Response, status: int, slug: str) -> dict:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    body = answer.json()
    assert body["status"] == status
    assert body["type"].endswith(f"/{slug}")
    assert body["title"]
    assert body["detail"]
    return body


async def test_values_that_cannot_be_used_are_pointed_at(client):
    body = {"sinkName": 7, "delivery": {"retry": "often"}, "other/thing": 1}
    answer = await client.post("/things", json=body)
    errors = is_problem(answer, 422, "invalid")["errors"]
    assert {e["pointer"]: e["detail"] for e in errors} == {
        "/sinkName": "must be a text",
        "/delivery/retry": "must be a whole number",
        "/other~1thing": "is not known here",
    }


@pytest.mark.parametrize(
    ("password", "detail"),
    [("short", "must have at least 12 characters"), ("x" * 21, "must have at most 20 characters")],
)
async def test_the_length_of_a_secret_is_told_in_characters_and_the_secret_is_not(client, password, detail):
    answer = await client.post("/things", json={"sinkName": "a", "password": password})
    assert is_problem(answer, 422, "invalid")["errors"] == [{"pointer": "/password", "detail": detail}]
    assert password not in answer.text


@pytest.mark.parametrize(
    ("members", "pointer", "detail"),
    [
        ({}, "/sinkName", "is missing"),
        ({"sinkName": "a", "label": ""}, "/label", "must not be empty"),
        ({"sinkName": "a", "label": "A{b}"}, "/label", "must be of lower-case letters"),
        ({"sinkName": "a", "label": "a\n"}, "/label", "must be of lower-case letters"),
        ({"sinkName": "a", "count": 0}, "/count", "must be at least 1"),
        ({"sinkName": "a", "count": 10}, "/count", "must be at most 9"),
        ({"sinkName": "a", "owner": "me"}, "/owner", "must be an id, which is a UUID"),
        ({"sinkName": "a", "rate": 0}, "/rate", "must be more than 0"),
        ({"sinkName": "a", "rate": "fast"}, "/rate", "must be a number"),
        ({"sinkName": "a", "isOpen": "maybe"}, "/isOpen", "must be true or false"),
        (
            {"sinkName": "a", "day": "2026-02-30"},
            "/day",
            "is no such day or time: day value is outside expected range",
        ),
        ({"sinkName": "a", "delivery": []}, "/delivery", "must be an object"),
        ({"sinkName": "a", "amount": []}, "/amount", "must not be empty"),
        ({"sinkName": "a", "amount": [100, 100, 100]}, "/amount", "must have at most 2 items"),
    ],
)
async def test_common_faults_are_told_in_words_for_people(client, members, pointer, detail):
    answer = await client.post("/things", json=members)
    assert is_problem(answer, 422, "invalid")["errors"] == [{"pointer": pointer, "detail": detail}]


@pytest.mark.parametrize(
    ("members", "pointer", "detail"),
    [
        ({"state": "ajar"}, "/state", "must be 'open' or 'shut'"),
        ({"state": ["open", "ajar"]}, "/state/1", "must be 'open' or 'shut'"),
        ({"amount": 99}, "/amount", "must be at least 100"),
        ({"amount": "x1000"}, "/amount", "must have at most 3 characters"),
        ({"amount": [100, 99]}, "/amount/1", "must be at least 100"),
        ({"amount": [100, {"x": 1}]}, "/amount/1", "must be a whole number"),
    ],
)
async def test_a_member_that_may_be_one_or_several_is_pointed_at_once(client, members, pointer, detail):
    answer = await client.post("/things", json={"sinkName": "a", **members})
    assert is_problem(answer, 422, "invalid")["errors"] == [{"pointer": pointer, "detail": detail}]


@pytest.mark.parametrize("body", ["null", "[]", '"x"'])
async def test_a_body_that_is_no_object_is_told_so(client, body):
    answer = await client.post("/things", content=body, headers={"content-type": "application/json"})
    assert is_problem(answer, 422, "invalid")["errors"][0]["detail"] in {"must be an object", "is missing"}


def test_a_spelling_is_in_the_contract():
    assert Body.model_json_schema()["properties"]["label"]["pattern"] == "^[a-z]+$"


async def test_a_parameter_is_named_too(client):
    errors = is_problem(await client.get("/things?limit=many"), 422, "invalid")["errors"]
    assert errors[0]["pointer"] == "/query/limit"


@pytest.mark.parametrize("body", [b"{", b"", b'{"sinkName": "x"', b"\xff\xfe{", b"[" * 990])
async def test_what_is_not_json_is_400_or_422(client, body):
    answer = await client.post("/things", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}
    is_problem(answer, answer.status_code, "malformed" if answer.status_code == 400 else "invalid")


async def test_another_media_type_is_415(client):
    answer = await client.post("/things", content=b"a=b", headers={"content-type": "text/plain"})
    is_problem(answer, 415, "unsupported-format")


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_past_the_limit_is_413(client, chunked):
    async def chunks():
        for _ in range(20):
            yield b"x" * 100

    answer = await client.post(
        "/things", content=chunks() if chunked else b"x" * 2000, headers={"content-type": "application/json"}
    )
    is_problem(answer, 413, "too-large")


async def test_an_unknown_address_is_404(client):
    is_problem(await client.get("/nothing"), 404, "not-found")


async def test_a_wrong_method_is_405_with_allow(client):
    answer = await client.delete("/healthz")
    is_problem(answer, 405, "method-not-allowed")
    assert "GET" in answer.headers["allow"]


async def test_a_problem_is_told_without_its_internal_message(client, caplog):
    answer = await client.get("/raise/problem")
    is_problem(answer, 409, "conflict")
    assert answer.headers["x-row"] == "7"
    assert "row 7" not in answer.text
    assert "row 7" in caplog.text


async def test_a_mistake_is_500_and_says_nothing_about_itself(client, caplog):
    answer = await client.get("/raise/mistake")
    is_problem(answer, 500, "internal")
    assert "hunter2" not in answer.text
    assert "hunter2" in caplog.text


@pytest.mark.parametrize("what", ["postgres", "network"])
async def test_a_store_that_is_away_is_503_with_retry_after(client, what):
    answer = await client.get(f"/raise/{what}")
    is_problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def test_health_and_readiness(client, resources):
    await resources.pg()  # the check has a limit of its own, which connecting is not to use up
    await (await resources.redis()).ping()
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).json() == {"status": "ready"}
    resources.draining = True
    is_problem(await client.get("/readyz"), 503, "unavailable")
    assert (await client.get("/healthz")).status_code == 200


async def test_not_ready_without_its_stores():
    settings = Settings(
        database_url=SecretStr("postgresql://nobody@127.0.0.1:1/x"),
        redis_url=SecretStr("redis://127.0.0.1:1"),
        secret=SecretStr("x" * 32),
    )
    resources = Resources(settings)
    app = endpoint_app(FUNCTION, resources)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://weir") as client:
        body = is_problem(await client.get("/readyz"), 503, "unavailable")
        assert "postgres, redis" in body["detail"]
        assert (await client.get("/healthz")).status_code == 200
    await resources.close()


async def test_metrics_are_for_the_token_alone(settings):
    resources = Resources(settings.model_copy(update={"metrics_token": SecretStr("counted")}))
    app = endpoint_app(FUNCTION, resources)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://weir") as client:
        for header in ({}, {"authorization": "Bearer other"}, {"authorization": "Basic counted"}):
            is_problem(await client.get("/metrics", headers=header), 401, "unauthenticated")
        for header in ({"authorization": "bearer counted"}, {"x-weir-metrics-token": "counted"}):
            answer = await client.get("/metrics", headers=header)
            assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert (await client.get("/metrics", headers={"x-weir-metrics-token": "other"})).status_code == 401


async def test_requests_are_counted_but_for_those_that_only_look(settings):
    resources = Resources(settings.model_copy(update={"metrics_token": SecretStr("counted")}))
    function = replace(FUNCTION, name="counted")
    app = endpoint_app(function, resources)
    token = {"authorization": "Bearer counted"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://weir") as client:
        for path in ("/healthz", "/metrics", "/nowhere"):
            await client.get(path)
        text = (await client.get("/metrics", headers=token)).text
    lines = [line for line in text.splitlines() if '_count{function="counted"' in line]
    assert lines == [
        'weir_http_request_duration_seconds_count{function="counted",method="GET",status="404"} 1'
    ]


async def test_metrics_stay_closed_without_a_token(client):
    is_problem(await client.get("/metrics", headers={"authorization": "Bearer "}), 401, "unauthenticated")


async def test_the_document_names_what_can_go_wrong(client):
    document = (await client.get("/openapi.json")).json()
    make = document["paths"]["/things"]["post"]
    assert make["operationId"] == "makeThing"
    assert {"200", "400", "401", "403", "413", "415", "422", "503"} <= make["responses"].keys()
    assert "HTTPValidationError" not in str(document)
    assert document["security"] == [{"bearer": []}]
