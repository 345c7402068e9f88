"""Webhooks of third parties through the door: what is taken, what is refused, what is stored."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from functions.ingest.app import create
from shared.auth.source_secrets import seal_secrets
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support import webhooks
from tests.support.projects import Project, create_key, create_project
from tests.support.webhooks import Asymmetric, github_examples

SECRET = "a secret of both sides"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"action": "opened", "issue": {"number": 7}, "n": 1.0}'


@dataclass
class Hooks:
    """A project, what posts to its sources, and how to make one."""

    client: httpx.AsyncClient
    pool: asyncpg.Pool
    settings: Settings
    project: Project

    async def make(self, kind: str, *secrets: str, **settings: Any) -> str:
        """A new source; its path."""
        source, name = uuid4(), f"s-{uuid4().hex[:8]}"
        await self.pool.execute(
            "INSERT INTO sources (id, project_id, name, kind, settings, secrets_sealed) VALUES ($1, $2, $3, $4, $5, $6)",
            source,
            self.project.id,
            name,
            kind,
            settings,
            seal_secrets(self.settings.sealing, source, secrets),
        )
        return f"/in/{self.project.name}/{name}"

    async def post(self, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        """What the door answers."""
        return await self.client.post(path, headers=headers, content=body)

    async def stored(self, answer: httpx.Response) -> asyncpg.Record:
        """The row of what was taken."""
        assert answer.status_code == 202, answer.text
        return await self.pool.fetchrow("SELECT * FROM events WHERE uid = $1", UUID(answer.json()["uid"]))

    async def count(self) -> int:
        """How many events the project has."""
        return await self.pool.fetchval("SELECT count(*) FROM events WHERE project_id = $1", self.project.id)


@pytest.fixture
async def hooks(
    resources: Resources, settings: Settings, project: Project, pool: asyncpg.Pool
) -> AsyncIterator[Hooks]:
    transport = httpx.ASGITransport(create(resources))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as client:
        yield Hooks(client, pool, settings, project)


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    return found


async def test_githubs_delivery_is_an_event(hooks: Hooks) -> None:
    path = await hooks.make("github", SECRET)
    answer = await hooks.post(path, webhooks.github(SECRET, BODY, "issues"), BODY)
    assert answer.json() == {"uid": answer.json()["uid"], "duplicate": False}
    row = await hooks.stored(answer)
    assert (row["type"], row["id"], row["subject"]) == ("com.github.issues.opened", "d-1", "7")
    assert row["producer"] == f"source:{path.rpartition('/')[2]}"
    assert row["data"] == BODY
    assert row["datacontenttype"] == "application/json"


async def test_a_sample_of_githubs_examples_is_taken(hooks: Hooks) -> None:
    path = await hooks.make("github", SECRET)
    sample = list(github_examples("api.github.com"))[::8]
    for number, (name, payload) in enumerate(sample):
        body = json.dumps(payload).encode()
        row = await hooks.stored(
            await hooks.post(path, webhooks.github(SECRET, body, name, f"d-{number}"), body)
        )
        assert row["data"] == body
    assert await hooks.count() == len(sample)


async def test_a_retry_is_the_same_event(hooks: Hooks) -> None:
    path = await hooks.make("stripe", "whsec_something")
    body = b'{"id": "evt_1", "type": "charge.succeeded", "created": 1772366400}'
    now = int(time.time())
    first = await hooks.post(path, webhooks.stripe("whsec_something", body, now - 60), body)
    again = await hooks.post(path, webhooks.stripe("whsec_something", body, now), body)
    assert again.status_code == 202
    assert again.json() == {"uid": first.json()["uid"], "duplicate": True}
    assert await hooks.count() == 1


async def test_racing_copies_are_one_event(hooks: Hooks) -> None:
    path = await hooks.make("standard-webhooks", WHSEC)
    headers = webhooks.standard(WHSEC, BODY)
    answers = await asyncio.gather(*(hooks.post(path, headers, BODY) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["uid"] for answer in answers}) == 1
    assert [answer.json()["duplicate"] for answer in answers].count(False) == 1


async def test_every_kind_through_the_door(hooks: Hooks) -> None:
    sender = Asymmetric()
    at = {"Content-Type": "application/json"}
    signature = webhooks.openssl_hmac(SECRET.encode(), BODY, "sha1").hex()
    sent = [
        ("slack", SECRET, {}, webhooks.slack(SECRET, BODY), "com.slack.opened"),
        ("shopify", SECRET, {}, webhooks.shopify(SECRET, BODY, "orders/create"), "com.shopify.orders.create"),
        ("standard-webhooks", sender.public, {}, sender.sign(BODY), "t"),
        ("hmac", SECRET, {"algorithm": "sha1", "header": "X-S"}, at | {"x-s": signature}, "t"),
        ("plain", SECRET, {}, at | {"Authorization": f"Bearer {SECRET}"}, "t"),
    ]
    for kind, secret, said, headers, expected in sent:
        mapping = {"type": expected}
        path = await hooks.make(kind, secret, **said, mapping=mapping)
        row = await hooks.stored(await hooks.post(path, headers, BODY))
        assert (row["type"], row["data"]) == (expected, BODY), kind


async def test_two_secrets_while_one_is_exchanged_for_the_other(hooks: Hooks) -> None:
    path = await hooks.make("github", "the new secret", "the old secret")
    for number, secret in enumerate(("the new secret", "the old secret")):
        headers = webhooks.github(secret, BODY, "issues", f"d-{number}")
        assert (await hooks.post(path, headers, BODY)).status_code == 202
    problem(await hooks.post(path, webhooks.github("another secret", BODY, "issues"), BODY), 401)


async def test_what_is_not_signed_as_it_should_be_is_refused(hooks: Hooks) -> None:
    path = await hooks.make("github", SECRET)
    good = webhooks.github(SECRET, BODY, "issues")
    wrong = [
        (good, BODY.replace(b"7", b"8")),
        (good, b""),
        ({k: v for k, v in good.items() if k != "X-Hub-Signature-256"}, BODY),
        (good | {"X-Hub-Signature-256": good["X-Hub-Signature-256"].removeprefix("sha256=")}, BODY),
        (good | {"X-Hub-Signature-256": "sha256=zz"}, BODY),
        (good | {"X-Hub-Signature-256": ""}, BODY),
    ]
    for headers, body in wrong:
        found = problem(await hooks.post(path, headers, body), 401)
        assert found["type"].endswith("/unauthenticated")
        assert "X-Hub-Signature-256" in found["detail"]
    twice = [*good.items(), ("x-hub-signature-256", "sha256=00")]
    answer = await hooks.client.post(path, headers=twice, content=BODY)
    assert "more than once" in problem(answer, 401)["detail"]
    assert answer.headers["www-authenticate"] == 'Webhook header="X-Hub-Signature-256"'
    assert await hooks.count() == 0


async def test_a_stale_request_is_refused(hooks: Hooks) -> None:
    path = await hooks.make("slack", SECRET)
    for skew in (-400, 400):
        headers = webhooks.slack(SECRET, BODY, int(time.time()) + skew)
        assert "300 seconds" in problem(await hooks.post(path, headers, BODY), 401)["detail"]


async def test_slacks_check_of_the_address_is_answered_when_it_is_signed(hooks: Hooks) -> None:
    path = await hooks.make("slack", SECRET)
    body = b'{"type": "url_verification", "challenge": "3eZbrw1aB"}'
    answer = await hooks.post(path, webhooks.slack(SECRET, body), body)
    assert (answer.status_code, answer.text) == (200, "3eZbrw1aB")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    problem(await hooks.post(path, webhooks.slack("another secret", body), body), 401)
    assert await hooks.count() == 0


async def test_forms_are_kept_as_they_came(hooks: Hooks) -> None:
    body = b"payload=" + quote_plus(BODY).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    path = await hooks.make("github", SECRET)
    row = await hooks.stored(await hooks.post(path, webhooks.github(SECRET, body, "issues") | form, body))
    assert (row["type"], row["data"], row["datacontenttype"]) == (
        "com.github.issues.opened",
        body,
        form["Content-Type"],
    )
    body = b"command=%2Fdeploy&team_id=T1&trigger_id=1.2.3"
    path = await hooks.make("slack", SECRET)
    headers = webhooks.slack(SECRET, body, content_type=form["Content-Type"])
    row = await hooks.stored(await hooks.post(path, headers, body))
    assert (row["type"], row["data"]) == ("com.slack.command.deploy", body)


# --- kind plain -------------------------------------------------------------------------------------------


async def test_a_token_comes_as_bearer_or_in_the_query(hooks: Hooks) -> None:
    path = await hooks.make("plain", SECRET, mapping={"id": "{unique}"})
    query = f"{path}?access_token={quote_plus(SECRET)}"
    taken = await hooks.post(query, {}, b"a")
    assert (taken.status_code, taken.headers["cache-control"]) == (202, "private")
    assert (await hooks.post(path, {"Authorization": f"bearer {SECRET}"}, b"a")).status_code == 202
    assert (await hooks.post(path, {}, b"a")).headers["www-authenticate"] == "Bearer"
    refused = [
        (path, {}),
        (path, {"Authorization": "Bearer another secret"}),
        (path, {"Authorization": f"Basic {SECRET}"}),
        (path, hooks.project.headers),
        (f"{path}?access_token=", {}),
        (f"{path}?access_token=another+secret", {}),
        (f"{path}?" + "&" * 200, {}),
    ]
    for where, headers in refused:
        problem(await hooks.post(where, headers, b"a"), 401)
    twice = [("authorization", "Bearer x"), ("authorization", f"Bearer {SECRET}")]
    problem(await hooks.client.post(path, headers=twice, content=b"a"), 400)
    problem(await hooks.post(f"{query}&access_token=x", {}, b"a"), 400)
    problem(await hooks.post(query, {"Authorization": f"Bearer {SECRET}"}, b"a"), 400)


async def test_a_query_is_no_concern_of_a_signed_source(hooks: Hooks) -> None:
    path = await hooks.make("github", SECRET) + "?access_token=a&access_token=b&%FF"
    assert (await hooks.post(path, webhooks.github(SECRET, BODY, "issues"), BODY)).status_code == 202


async def test_without_a_secret_an_api_key_is_asked_for(hooks: Hooks) -> None:
    path = await hooks.make("plain")
    row = await hooks.stored(await hooks.post(path, hooks.project.headers, b"a"))
    assert row["producer"].startswith("source:")
    problem(await hooks.post(path, {}, b"b"), 401)
    reader = await create_key(hooks.pool, hooks.settings, hooks.project.id, ["events:read"])
    problem(await hooks.post(path, {"Authorization": f"Bearer {reader}"}, b"b"), 403)
    limited = await create_key(hooks.pool, hooks.settings, hooks.project.id, sources=["/shop"])
    problem(await hooks.post(path, {"Authorization": f"Bearer {limited}"}, b"b"), 403)
    other = await create_project(hooks.pool, hooks.settings)
    problem(await hooks.post(path, other.headers, b"b"), 404)


async def test_the_same_body_is_the_same_event_where_nothing_else_tells(hooks: Hooks) -> None:
    path = await hooks.make("plain")
    first = await hooks.post(path, hooks.project.headers, b"build 7")
    assert (await hooks.post(path, hooks.project.headers, b"build 7")).json()["duplicate"]
    assert first.json()["uid"] != (await hooks.post(path, hooks.project.headers, b"build 8")).json()["uid"]


# --- CloudEvents to a source ------------------------------------------------------------------------------

EVENT = {"ce-specversion": "1.0", "ce-id": "e", "ce-type": "com.acme.made", "ce-source": "/acme"}


async def test_a_cloudevent_stays_the_event_it_is(hooks: Hooks) -> None:
    path = await hooks.make("standard-webhooks", WHSEC)
    headers = webhooks.standard(WHSEC, BODY) | EVENT
    row = await hooks.stored(await hooks.post(path, headers, BODY))
    assert (row["id"], row["type"], row["source"], row["data"]) == ("e", "com.acme.made", "/acme", BODY)
    body = json.dumps({"specversion": "1.0", "id": "f", "type": "t", "source": "/s", "data": 1}).encode()
    structured = {"Content-Type": "application/cloudevents+json"}
    row = await hooks.stored(await hooks.post(path, webhooks.standard(WHSEC, body) | structured, body))
    assert (row["id"], row["data"]) == ("f", b"1")
    problem(await hooks.post(path, EVENT, BODY), 401)
    broken = webhooks.standard(WHSEC, BODY) | EVENT | {"ce-time": "noon"}
    assert problem(await hooks.post(path, broken, BODY), 400)["errors"][0]["pointer"] == "/time"
    for content_type in ("application/cloudevents-batch+json", "application/cloudevents+avro"):
        headers = webhooks.standard(WHSEC, BODY) | {"Content-Type": content_type}
        problem(await hooks.post(path, headers, BODY), 415)
    two = [*webhooks.standard(WHSEC, BODY).items(), ("content-type", "text/plain")]
    problem(await hooks.client.post(path, headers=two, content=BODY), 400)


async def test_a_kind_with_events_of_its_own_takes_no_cloudevents(hooks: Hooks) -> None:
    path = await hooks.make("github", SECRET)
    row = await hooks.stored(await hooks.post(path, webhooks.github(SECRET, BODY, "issues") | EVENT, BODY))
    assert row["type"] == "com.github.issues.opened"


# --- addresses, sizes, what is kept badly -----------------------------------------------------------------


async def test_what_is_not_there_is_not_found(hooks: Hooks) -> None:
    path = await hooks.make("github", SECRET)
    headers = webhooks.github(SECRET, BODY, "issues")
    name = path.rpartition("/")[2]
    for other in (
        f"/in/{hooks.project.name}/nothing",
        f"/in/nobody/{name}",
        f"{path}/more",
        f"{path}%2Fmore",
        f"/in/{hooks.project.name}/%00",
        f"/in/{hooks.project.name}/%FF",
        f"/in/{hooks.project.name}/{name.upper()}",
        f"/in/{hooks.project.name}/" + "a" * 5000,
    ):
        problem(await hooks.post(other, headers, BODY), 404)
    encoded = path.replace("-", "%2D")
    assert (await hooks.post(encoded, headers, BODY)).status_code == 202


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
async def test_other_methods_are_refused(hooks: Hooks, method: str) -> None:
    answer = await hooks.client.request(method, await hooks.make("github", SECRET))
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")


async def test_the_hand_shake_is_that_of_the_project(hooks: Hooks) -> None:
    asked = {"webhook-request-origin": "eventemitter.example.com", "webhook-request-rate": "120"}
    answers = [
        await hooks.client.options(path, headers=asked)
        for path in (await hooks.make("github", SECRET), f"/in/{hooks.project.name}")
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].headers == answers[1].headers
    assert "webhook-allowed-origin" in answers[0].headers


async def test_a_body_past_the_limit_is_refused_before_it_is_read_whole(hooks: Hooks) -> None:
    path = await hooks.make("github", SECRET)
    body = b"x" * (1024 * 1024 + 1)
    problem(await hooks.post(path, webhooks.github(SECRET, b"", "issues"), body), 413)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 65536

    problem(await hooks.client.post(path, content=chunks()), 413)
    most = b"x" * (1024 * 1024)
    assert (await hooks.post(path, webhooks.github(SECRET, most, "push"), most)).status_code == 202


async def test_what_makes_no_event_is_told_with_pointers(hooks: Hooks) -> None:
    path = await hooks.make("stripe", "whsec_something")
    found = problem(await hooks.post(path, webhooks.stripe("whsec_something", b"[]"), b"[]"), 400)
    assert found["type"].endswith("/not-a-cloudevent")
    assert [error["pointer"] for error in found["errors"]] == ["/type"]


@pytest.mark.parametrize("damage", ["kind = 'gone'", "secrets_sealed = '\\x01'", "settings = '{\"a\": 1}'"])
async def test_a_source_that_is_kept_badly_is_503_so_that_it_comes_again(
    hooks: Hooks, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = await hooks.make("github", SECRET)
    await hooks.pool.execute(
        f"UPDATE sources SET {damage} WHERE project_id = $1",
        hooks.project.id,
    )
    answer = await hooks.post(path, webhooks.github(SECRET, BODY, "issues"), BODY)
    problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert "source " in caplog.text


async def test_a_changed_secret_counts_within_a_second(hooks: Hooks) -> None:
    path = await hooks.make("github", SECRET)
    assert (await hooks.post(path, webhooks.github(SECRET, BODY, "issues"), BODY)).status_code == 202
    (source,) = await hooks.pool.fetch("SELECT id FROM sources WHERE project_id = $1", hooks.project.id)
    sealed = seal_secrets(hooks.settings.sealing, source["id"], ["another secret"])
    await hooks.pool.execute("UPDATE sources SET secrets_sealed = $2 WHERE id = $1", source["id"], sealed)
    deadline = time.monotonic() + 5
    while (await hooks.post(path, webhooks.github(SECRET, BODY, "issues"), BODY)).status_code == 202:
        assert time.monotonic() < deadline
    assert (
        await hooks.post(path, webhooks.github("another secret", BODY, "issues"), BODY)
    ).status_code == 202


async def test_no_secret_is_ever_logged_or_answered(hooks: Hooks, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answers = []
    for kind, secret in (("github", SECRET), ("plain", SECRET), ("standard-webhooks", WHSEC)):
        path = await hooks.make(kind, secret)
        answers += [
            await hooks.post(path, webhooks.github(secret, BODY, "issues"), BODY),
            await hooks.post(path, webhooks.standard(WHSEC, BODY), BODY),
            await hooks.post(path, {"Authorization": f"Bearer {secret}"}, BODY),
            await hooks.post(path, {"Authorization": "Bearer not it"}, BODY + b" "),
        ]
    told = caplog.text + "".join(answer.text + str(answer.headers) for answer in answers)
    assert {answer.status_code for answer in answers} == {202, 401}
    for hidden in (SECRET, WHSEC, WHSEC.removeprefix("whsec_")):
        assert hidden not in told
    expected = webhooks.openssl_hmac(SECRET.encode(), BODY + b" ").hex()
    assert expected not in told


async def test_a_kind_of_the_deployments_own_is_taken(
    settings: Settings, project: Project, pool: asyncpg.Pool, tmp_path: Path
) -> None:
    kind = {
        "name": "acme",
        "title": "Acme",
        "description": "Acme's builds.",
        "documentation": [],
        "secrets": {"hint": "Acme's."},
        "signature": {"header": "X-Acme"},
        "mapping": {"type": ["com.acme.{/what}"], "source": ["/acme"], "id": ["{/id}"]},
    }
    (tmp_path / "acme.json").write_text(json.dumps(kind))
    resources = Resources(settings.model_copy(update={"source_kinds_dir": str(tmp_path)}))
    transport = httpx.ASGITransport(create(resources))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as client:
        hooks = Hooks(client, pool, settings, project)
        path = await hooks.make("acme", SECRET)
        body = b'{"what": "built", "id": 7}'
        headers = {"x-acme": webhooks.openssl_hmac(SECRET.encode(), body).hex()}
        row = await hooks.stored(await hooks.post(path, headers, body))
        assert (row["type"], row["id"]) == ("com.acme.built", "7")
    await resources.close()


HEADERS = st.sampled_from(
    [
        "content-type",
        "authorization",
        "x-hub-signature-256",
        "x-github-event",
        "stripe-signature",
        "x-slack-signature",
        "x-slack-request-timestamp",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "ce-specversion",
        "ce-id",
        "ce-type",
    ]
)
VALUES = st.binary(max_size=60) | st.sampled_from(
    [
        b"application/json",
        b"application/cloudevents+json",
        b"1.0",
        b"t=1,v1=00",
        b"v1,AAAA v1a,AAAA",
        b"Bearer x",
    ]
)


@examples(max_examples=150, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(
        ["github", "stripe", "slack", "shopify", "standard-webhooks", "hmac", "plain", "key"]
    ),
    headers=st.lists(st.tuples(HEADERS.map(str.encode), VALUES), max_size=6),
    body=st.binary(max_size=200) | st.sampled_from([BODY, b"[" * 50_000, b'{"type": "\\ud800"}']),
    signed=st.booleans(),
)
async def test_no_request_makes_a_server_error(
    hooks: Hooks, kind: str, headers: list[tuple[bytes, bytes]], body: bytes, signed: bool
) -> None:
    made = getattr(hooks, "made", None)
    if made is None:
        sender = Asymmetric()
        made = {
            "github": await hooks.make("github", SECRET),
            "stripe": await hooks.make("stripe", "whsec_something"),
            "slack": await hooks.make("slack", SECRET),
            "shopify": await hooks.make("shopify", SECRET),
            "standard-webhooks": await hooks.make("standard-webhooks", WHSEC, sender.public),
            "hmac": await hooks.make("hmac", SECRET),
            "plain": await hooks.make("plain", SECRET),
            "key": await hooks.make("plain"),
        }
        hooks.made = made  # type: ignore[attr-defined]
    good: dict[str, str] = {}
    if signed:
        match kind:
            case "github":
                good = webhooks.github(SECRET, body, "push", str(uuid4()))
            case "slack":
                good = webhooks.slack(SECRET, body)
            case "shopify":
                good = webhooks.shopify(SECRET, body, "orders/create")
            case "stripe":
                good = webhooks.stripe("whsec_something", body)
            case "plain":
                good = {"Authorization": f"Bearer {SECRET}"}
            case "key":
                good = hooks.project.headers
            case "hmac":
                good = {"X-Signature": webhooks.openssl_hmac(SECRET.encode(), body).hex()}
    all_headers = [*webhooks.raw(good), *headers]
    answer = await hooks.client.post(made[kind], headers=all_headers, content=body)
    assert answer.status_code in {200, 202, 400, 401, 403, 404, 413, 415}, answer.text


async def test_a_source_has_its_own_limit_or_the_projects(hooks: Hooks) -> None:
    own, other = await hooks.make("github", SECRET), await hooks.make("github", SECRET)
    await hooks.pool.execute("UPDATE sources SET rate_per_second = 1, burst = 2 WHERE name = $1", own[-10:])
    await hooks.pool.execute(
        "UPDATE projects SET rate_per_second = 1, burst = 3 WHERE id = $1", hooks.project.id
    )
    forged = await hooks.post(own, webhooks.github("another", BODY, "issues", "x"), BODY)
    assert forged.status_code == 401  # and counts nothing
    for path, burst in ((own, 2), (other, 3)):
        for number in range(burst + 1):
            headers = webhooks.github(SECRET, BODY, "issues", f"{path}-{number}")
            answer = await hooks.post(path, headers, BODY)
            assert (answer.status_code == 202) is (number < burst)
            assert answer.headers["ratelimit-policy"].startswith('"producer";')
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
