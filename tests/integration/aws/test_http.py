"""Endpoint functions behind API Gateway, function URLs and load balancers."""

import json
from urllib.parse import quote

import pytest

from shared.runtime.aws.http import Endpoint
from tests.support.aws import Context, body_of, request
from tests.support.people import create_person

EVENT = {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/shop",
    "ce-type": "com.example.bought",
    "content-type": "application/octet-stream",
}
BYTES = bytes(range(256))
WAYS = ("gateway_v2", "function_url", "balancer", "balancer_multi")


def header(answer, name):
    found = answer.get("headers") or {k: v[0] for k, v in answer["multiValueHeaders"].items()}
    return next((value for key, value in found.items() if key.lower() == name), None)


@pytest.mark.parametrize("way", WAYS)
async def test_a_binary_event_is_stored_byte_for_byte(call, pool, project, way):
    ingest = await call("ingest")
    answer = await ingest(request("POST", f"/in/{project.name}", {**EVENT, **project.headers}, BYTES, by=way))
    assert answer["statusCode"] == 202, answer
    assert answer["isBase64Encoded"] is False
    uid = json.loads(answer["body"])["uid"]
    assert await pool.fetchval("SELECT data FROM events WHERE uid = $1", uid) == BYTES


@pytest.mark.parametrize("way", WAYS)
async def test_problems_are_those_of_everywhere(call, project, way):
    ingest = await call("ingest")
    nobody = await ingest(request("POST", f"/in/{project.name}", EVENT, BYTES, by=way))
    assert nobody["statusCode"] == 401
    assert header(nobody, "content-type") == "application/problem+json"
    assert header(nobody, "www-authenticate") == "Bearer"
    assert json.loads(nobody["body"])["title"] == "No valid credential"  # text, not base64
    large = b"x" * (1024 * 1024 + 1)
    too_large = await ingest(
        request("POST", f"/in/{project.name}", {**EVENT, **project.headers}, large, by=way)
    )
    assert too_large["statusCode"] == 413
    method = await ingest(request("PUT", f"/in/{project.name}", project.headers, by=way))
    assert (method["statusCode"], header(method, "allow")) == (405, "POST, OPTIONS")


async def test_a_batch_and_a_structured_event(call, project):
    ingest = await call("ingest")
    one = {"specversion": "1.0", "id": "s", "source": "/shop", "type": "com.example.bought", "data": {"ü": 1}}
    structured = {"content-type": "application/cloudevents+json", **project.headers}
    answer = await ingest(request("POST", f"/in/{project.name}", structured, json.dumps(one)))
    assert answer["statusCode"] == 202, answer
    batch = {"content-type": "application/cloudevents-batch+json", **project.headers}
    body = json.dumps([one, {**one, "id": "t"}])
    answer = await ingest(request("POST", f"/in/{project.name}", batch, body))
    assert [r["duplicate"] for r in json.loads(answer["body"])["results"]] == [True, False]


async def test_signing_in_sets_a_cookie_and_a_refresh_shows_it(call, pool):
    identity = await call("identity")
    password = "correct horse battery"
    person = await create_person(pool, password=password)
    asked = json.dumps({"email": person.email, "password": password})
    kind = {"content-type": "application/json"}
    answer = await identity(request("POST", "/v1/auth/sign-in", kind, asked))
    assert answer["statusCode"] == 200, answer
    kept, *others = answer["cookies"]
    assert kept.startswith("weir_refresh=")
    assert [cookie.partition("=")[0] for cookie in others] == ["weir_device"]
    assert "set-cookie" not in answer["headers"]
    again = request("POST", "/v1/auth/refresh", kind)
    again["cookies"] = [kept.partition(";")[0], "other=1"]
    refreshed = await identity(again)
    assert refreshed["statusCode"] == 200, refreshed
    multi = await identity(request("POST", "/v1/auth/sign-in", kind, asked, by="balancer_multi"))
    assert len(multi["multiValueHeaders"]["set-cookie"]) == 2


@pytest.mark.parametrize("way", ["function_url", "balancer", "balancer_multi"])
async def test_a_type_with_a_slash_is_one_segment(call, project, way):
    """API Gateway's HTTP APIs decode the path before anybody can see it; the others do not."""
    catalog = await call("catalog")
    path = f"/v1/projects/{project.name}/types/{quote('com/example/bought', safe='')}"
    answer = await catalog(request("GET", path, project.headers, by=way))
    assert answer["statusCode"] in {200, 404}, answer
    problem = json.loads(answer["body"])
    assert problem.get("detail") != "There is nothing at this address.", problem


class Echo:
    """Answers with what it was asked; `body` stands in for that."""

    def __init__(self, body=None):
        self.body = body
        self.scope = None

    async def __call__(self, scope, receive, send):
        self.scope = scope
        body = json.dumps({"path": scope["path"], "query": scope["query_string"].decode()}).encode()
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
        )
        await send({"type": "http.response.body", "body": self.body or body})


def asked(event, base_path=""):
    echo = Echo()
    Endpoint(echo, base_path)(event, Context())
    return echo.scope


@pytest.fixture
def a_loop():
    import asyncio

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()


STAGE = {"stage": "live"}
OWN_DOMAIN = {"stage": "v1", "domainName": "weir.example.com"}


@pytest.mark.parametrize(
    ("path", "context", "base_path", "seen"),
    [
        ("/live/in/p", STAGE, "", "/in/p"),
        ("/live", STAGE, "", "/"),
        ("/lively/in", STAGE, "", "/lively/in"),
        ("/in/p", {}, "", "/in/p"),
        ("/v1/projects", OWN_DOMAIN, "", "/v1/projects"),  # the stage is no part of such a path
        ("/weir/in/p", OWN_DOMAIN, "weir", "/in/p"),
        ("/in/100%25", {}, "", "/in/100%25"),  # decoded already
    ],
)
def test_the_path_is_the_one_behind_stage_and_mapping(a_loop, path, context, base_path, seen):
    assert asked(request("GET", path, **context), base_path)["path"] == seen


def test_the_query_is_as_it_came(a_loop):
    query = "q=a%20b+c&type=x&type=y&empty="
    assert asked(request("GET", f"/e?{query}"))["query_string"].decode() == query
    multi = asked(request("GET", f"/e?{query}", by="balancer_multi"))["query_string"].decode()
    assert multi == "q=a+b+c&type=x&type=y&empty="  # the same, written anew
    single = asked(request("GET", "/e?q=a%20b%26c", by="balancer"))["query_string"].decode()
    assert single == "q=a+b%26c"


@pytest.mark.parametrize("way", ["balancer", "balancer_multi"])
@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("198.51.100.7, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:41234", "203.0.113.9"),
        ("2001:db8::7, 2001:db8::9", "2001:db8::9"),
        ("[2001:db8::9]:443", "2001:db8::9"),
    ],
)
def test_the_client_of_a_balancer_is_whom_it_has_seen(a_loop, way, said, client):
    scope = asked(request("GET", "/", {"x-forwarded-for": said}, by=way))
    assert scope["client"][0] == client
    assert asked(request("GET", "/"))["client"][0] == "203.0.113.9"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("host", ["a:b", "a:1:2", "[::1]", "a:²"])
def test_a_host_that_cannot_be_read_is_400(a_loop, way, host):
    answer = Endpoint(Echo())(request("GET", "/", {"host": host}, by=way), Context())
    assert answer["statusCode"] == 400


@pytest.mark.parametrize(
    ("way", "size", "status"),
    [
        ("gateway_v2", 6 * 1024 * 1024 - 4096, 200),
        ("gateway_v2", 6 * 1024 * 1024, 413),
        ("balancer", 1024 * 1024 - 4096, 200),
        ("balancer_multi", 1024 * 1024, 413),
    ],
)
def test_what_lambda_would_not_let_through_says_so(a_loop, way, size, status):
    answer = Endpoint(Echo(b"x" * size))(request("GET", "/", by=way), Context())
    assert answer["statusCode"] == status
    if status == 413:
        assert "smaller limit" in json.loads(body_of(answer))["detail"]


def test_what_takes_too_long_is_503_in_time(a_loop):
    async def slow(_scope, receive, _send):
        await receive()
        await receive()  # the client waits for an answer, so nothing more comes

    answer = Endpoint(slow)(request("GET", "/"), Context(0.3))
    assert answer["statusCode"] == 503
    assert answer["headers"]["retry-after"] == "5"


def test_what_has_no_type_is_given_none(a_loop):
    async def bare(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": [(b"etag", b"1")]})
        await send({"type": "http.response.body", "body": b""})

    assert Endpoint(bare)(request("DELETE", "/"), Context())["headers"] == {"etag": "1"}


def test_other_payloads_are_refused(a_loop):
    with pytest.raises(ValueError, match="answers HTTP requests"):
        Endpoint(Echo())({"specversion": "1.0"}, Context())
