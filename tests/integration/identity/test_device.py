"""Sign-in on a device (RFC 8628): who asks, who approves, and what neither a browser nor a stranger can do with it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import httpx
import pytest

from functions.identity.app import create
from functions.identity.device.codes import DeviceCodes, normalized
from functions.identity.device.service import MADE, TRIED
from shared.runtime.resources import Resources
from tests.support.mail import MailServer
from tests.support.people import Person, browser, create_person, new_link

AGENT = "weir-cli/1.0 (Linux)"


@pytest.fixture
async def device(resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    async with program(resources) as opened:
        yield opened


def program(resources: Resources, user_agent: str = AGENT) -> httpx.AsyncClient:
    """A client that is no browser."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=create(resources)),
        base_url="http://127.0.0.1:8480",
        headers={"user-agent": user_agent},
    )


@dataclass
class SignedInPerson:
    person: Person
    client: httpx.AsyncClient

    async def decide(self, how: str, code: str) -> httpx.Response:
        return await self.client.post(f"/v1/auth/device/{how}", json={"userCode": code})

    async def age_proof(self, resources: Resources) -> None:
        """As if whoever is signed in had proved who they are long ago."""
        redis = await resources.redis()
        for family in await redis.smembers(f"weir:user-sessions:{self.person.id}"):
            await redis.hset(f"weir:session:{family}", "proved", "1")


@pytest.fixture
async def ann(resources: Resources, pool: asyncpg.Pool) -> AsyncIterator[SignedInPerson]:
    async with browser(create(resources)) as client:
        person = await create_person(pool)
        yield await _sign_in(client, pool, person)


async def _sign_in(client: httpx.AsyncClient, pool: asyncpg.Pool, person: Person) -> SignedInPerson:
    session = await client.post("/v1/auth/link", json={"token": await new_link(pool, person)})
    client.headers["authorization"] = f"Bearer {session.json()['accessToken']}"
    return SignedInPerson(person, client)


async def ask(device: httpx.AsyncClient, name: str = "ann's laptop") -> dict[str, str]:
    answer = await device.post("/v1/auth/device", json={"name": name})
    assert answer.status_code == 200
    return answer.json()


async def poll(device: httpx.AsyncClient, codes: dict[str, str]) -> httpx.Response:
    return await device.post("/v1/auth/device/token", json={"deviceCode": codes["deviceCode"]})


async def session_on(device: httpx.AsyncClient, ann: SignedInPerson) -> dict[str, str]:
    codes = await ask(device)
    assert (await ann.decide("approve", codes["userCode"])).status_code == 204
    return (await poll(device, codes)).json()


async def test_a_device_gets_a_session_of_whoever_approves_it(
    device: httpx.AsyncClient, ann: SignedInPerson
) -> None:
    codes = await ask(device)
    assert codes["verificationUri"] == "http://127.0.0.1:8480/device"
    assert codes["verificationUriComplete"] == f"http://127.0.0.1:8480/device#code={codes['userCode']}"
    assert codes["intervalSeconds"] == 5
    assert (await poll(device, codes)).json() == {"state": "pending", "intervalSeconds": 5}

    shown = (await ann.decide("lookup", codes["userCode"].lower().replace("-", " "))).json()
    assert shown["userCode"] == codes["userCode"]
    assert (shown["name"], shown["program"]) == ("ann's laptop", "weir on Linux")
    assert shown["address"] == "127.0.0.1"
    assert shown["expiresAt"] == codes["expiresAt"]

    assert (await ann.decide("approve", codes["userCode"])).status_code == 204
    session = (await poll(device, codes)).json()
    assert session["state"] == "approved"
    assert session["user"]["email"] == ann.person.email
    bearer = {"authorization": f"Bearer {session['accessToken']}"}
    assert (await device.get("/v1/me", headers=bearer)).status_code == 200
    assert "set-cookie" not in device.cookies


async def test_an_approval_is_used_once(device: httpx.AsyncClient, ann: SignedInPerson) -> None:
    codes = await ask(device)
    assert (await ann.decide("approve", codes["userCode"])).status_code == 204
    assert (await ann.decide("approve", codes["userCode"])).status_code == 404
    assert (await ann.decide("lookup", codes["userCode"])).status_code == 404
    answers = await asyncio.gather(*(poll(device, codes) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]


async def test_an_approval_ends_with_the_session_that_gave_it(
    device: httpx.AsyncClient, ann: SignedInPerson
) -> None:
    """Whoever was talked into approving and signs out everywhere has nobody come in after that."""
    asked = await ask(device)
    assert (await ann.decide("approve", asked["userCode"])).status_code == 204
    assert (await ann.client.delete("/v1/me/sessions")).status_code == 200
    polled = await device.post("/v1/auth/device/token", json={"deviceCode": asked["deviceCode"]})
    assert polled.status_code == 401, polled.text


async def test_only_who_has_just_shown_who_they_are_lets_a_device_in(
    device: httpx.AsyncClient, ann: SignedInPerson, resources: Resources
) -> None:
    """Else a stolen access token of ten minutes would give a session of ninety days."""
    codes = await ask(device)
    await ann.age_proof(resources)
    late = await ann.decide("approve", codes["userCode"])
    assert (late.status_code, late.json()["type"].rpartition("/")[2]) == (403, "proof-needed")
    assert (await poll(device, codes)).json()["state"] == "pending"
    assert (await ann.decide("lookup", codes["userCode"])).status_code == 200
    assert (
        await ann.decide("deny", codes["userCode"])
    ).status_code == 204  # gives nothing, so asks for nothing


async def test_the_owner_hears_by_mail_of_a_device_that_was_let_in(
    mails: MailServer, device: httpx.AsyncClient, ann: SignedInPerson
) -> None:
    refused, approved = await ask(device), await ask(device)
    assert (await ann.decide("deny", refused["userCode"])).status_code == 204
    assert (await ann.decide("approve", approved["userCode"])).status_code == 204
    mail = await mails.mail()
    assert (mail["to"], mail["subject"]) == (ann.person.email, "Weir: a device was let in to your account")
    assert len(mails.taken) == 1


async def test_a_denial_is_heard(device: httpx.AsyncClient, ann: SignedInPerson) -> None:
    codes = await ask(device)
    assert (await ann.decide("deny", codes["userCode"])).status_code == 204
    assert (await ann.decide("approve", codes["userCode"])).status_code == 404
    assert (await poll(device, codes)).status_code == 403
    assert (await poll(device, codes)).status_code == 401


async def test_whoever_asks_too_often_is_slowed_down(device: httpx.AsyncClient) -> None:
    codes = await ask(device)
    assert (await poll(device, codes)).status_code == 200
    slow = [await poll(device, codes) for _ in range(2)]
    assert [answer.status_code for answer in slow] == [429, 429]
    assert [answer.headers["retry-after"] for answer in slow] == ["10", "15"]


async def test_a_request_expires(
    device: httpx.AsyncClient, ann: SignedInPerson, resources: Resources
) -> None:
    codes = await ask(device)
    redis = await resources.redis()
    keys = [key async for key in redis.scan_iter("weir:device*")]
    # One that another test has left may end just now: -2 is gone, -1 for ever.
    assert [key for key in keys if await redis.ttl(key) not in {-2, *range(601)}] == []
    assert not any(codes["deviceCode"] in key or codes["userCode"] in key for key in keys)
    await redis.delete(*keys)
    assert (await poll(device, codes)).status_code == 401
    assert (await ann.decide("approve", codes["userCode"])).status_code == 404


@pytest.mark.parametrize("headers", [{"origin": "http://127.0.0.1:8480"}, {"sec-fetch-site": "same-origin"}])
async def test_no_browser_asks_polls_or_refreshes(
    device: httpx.AsyncClient, ann: SignedInPerson, headers: dict[str, str]
) -> None:
    session = await session_on(device, ann)
    for path, body in (
        ("", {}),
        ("/token", {"deviceCode": "x"}),
        ("/refresh", {"refreshToken": session["refreshToken"]}),
        ("/sign-out", {"refreshToken": session["refreshToken"]}),
    ):
        answer = await device.post(f"/v1/auth/device{path}", json=body, headers=headers)
        assert answer.status_code == 403
    assert (await _refresh(device, session["refreshToken"])).status_code == 200


async def test_a_browsers_session_is_not_refreshed_by_a_body(
    ann: SignedInPerson, device: httpx.AsyncClient
) -> None:
    cookie = ann.client.cookies["weir_refresh"]
    assert (await _refresh(device, cookie)).status_code == 401
    assert (await device.post("/v1/auth/device/sign-out", json={"refreshToken": cookie})).status_code == 204
    assert (await ann.client.post("/v1/auth/refresh")).status_code == 200
    # Nor a device's by a cookie.
    token = (await session_on(device, ann))["refreshToken"]
    in_a_cookie = {"cookie": f"weir_refresh={token}"}
    assert (await device.post("/v1/auth/refresh", headers=in_a_cookie)).status_code == 401
    assert (await _refresh(device, token)).status_code == 200
    # The cookie is not looked at: a page that could send it gets nothing by it.
    form = await ann.client.post(
        "/v1/auth/device/refresh", content=b"", headers={"content-type": "text/plain"}
    )
    assert form.status_code in {415, 422}


async def test_a_devices_session_refreshes_and_a_copy_of_its_token_ends_it(
    device: httpx.AsyncClient, ann: SignedInPerson, resources: Resources
) -> None:
    first = (await session_on(device, ann))["refreshToken"]
    second = (await _refresh(device, first)).json()["refreshToken"]
    third = (await _refresh(device, second)).json()["refreshToken"]
    assert len({first, second, third}) == 3
    async with program(resources, "somebody else") as thief:
        assert (await _refresh(thief, second)).status_code == 401
    assert (await _refresh(device, third)).status_code == 401


async def test_a_device_signs_itself_out(device: httpx.AsyncClient, ann: SignedInPerson) -> None:
    token = (await session_on(device, ann))["refreshToken"]
    for _ in range(2):
        answer = await device.post("/v1/auth/device/sign-out", json={"refreshToken": token})
        assert answer.status_code == 204
    assert (await _refresh(device, token)).status_code == 401


async def test_only_a_person_whose_session_lives_approves(
    device: httpx.AsyncClient, ann: SignedInPerson, project: object, pool: asyncpg.Pool
) -> None:
    codes = await ask(device)
    code = {"userCode": codes["userCode"]}
    nobody = await device.post("/v1/auth/device/approve", json=code)
    key = await device.post("/v1/auth/device/approve", json=code, headers=project.headers)  # type: ignore[attr-defined]
    assert (nobody.status_code, key.status_code) == (401, 403)

    session = await session_on(device, ann)
    by_device = await device.post(
        "/v1/auth/device/approve", json=code, headers={"authorization": f"Bearer {session['accessToken']}"}
    )
    assert by_device.status_code == 403

    assert (await ann.client.post("/v1/auth/sign-out")).status_code == 204
    ended = await ann.decide("approve", codes["userCode"])
    assert ended.status_code == 401  # though the access token lives for minutes yet
    assert (await poll(device, codes)).json()["state"] == "pending"


async def test_codes_are_not_guessed(ann: SignedInPerson) -> None:
    answers = [await ann.decide("approve", f"BCDF-GHJ{sign}") for sign in "BCDFGHJKLMNPQRSTVWXZB"]
    assert [answer.status_code for answer in answers[: TRIED.tries]] == [404] * TRIED.tries
    assert answers[TRIED.tries].status_code == 429
    assert int(answers[TRIED.tries].headers["retry-after"]) > 0


async def test_one_network_makes_so_many_requests(device: httpx.AsyncClient, resources: Resources) -> None:
    redis = await resources.redis()
    async for key in redis.scan_iter("weir:tries:device-made:*"):
        await redis.delete(key)
    answers = [await device.post("/v1/auth/device", json={}) for _ in range(MADE.tries + 1)]
    assert [answer.status_code for answer in answers] == [200] * MADE.tries + [429]
    async for key in redis.scan_iter("weir:tries:device-made:*"):
        await redis.delete(key)


async def test_a_devices_session_is_among_the_users(
    device: httpx.AsyncClient, ann: SignedInPerson, resources: Resources
) -> None:
    await session_on(device, ann)
    from functions.identity.sessions.families import Sessions

    sessions = Sessions(await resources.redis(), resources.settings.secret)
    found = {kept.how: kept.browser for kept in await sessions.of_user(ann.person.id)}
    assert found == {"link": "An unknown client", "device": "weir on Linux"}


@pytest.mark.parametrize("name", ["x" * 81, "a\nb", "\x1b[2J", "a\u202eb", "a\u2066b", "a\u2028b"])
async def test_a_name_is_one_short_line(device: httpx.AsyncClient, name: str) -> None:
    assert (await device.post("/v1/auth/device", json={"name": name})).status_code == 422


@pytest.mark.parametrize("code", ["", "BCDF", "AEIO-UAEI", "BCDFGHJKL", "\u0000" * 8])
def test_what_cannot_be_a_code_is_not_looked_up(code: str) -> None:
    assert normalized(code) is None


async def test_short_codes_are_even(resources: Resources) -> None:
    codes = DeviceCodes(await resources.redis(), resources.settings.secret)
    from functions.identity.visitor import Visitor

    made = [(await codes.make(Visitor("a", "b", "c"), "n")).user_code for _ in range(200)]
    assert len(set(made)) == 200
    assert set("".join(made)) == {*"BCDFGHJKLMNPQRSTVWXZ", "-"}


async def _refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/v1/auth/device/refresh", json={"refreshToken": token})
