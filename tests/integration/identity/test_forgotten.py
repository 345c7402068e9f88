"""A forgotten password: a link by mail, and nothing that tells whose address it is."""

import re
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx

from functions.identity.app import create
from shared.runtime.resources import Resources
from tests.integration.identity.conftest import PASSWORD
from tests.support.mail import MailServer
from tests.support.people import browser, create_person


async def ask(client: httpx.AsyncClient, email: str) -> httpx.Response:
    return await client.post("/v1/auth/forgotten", json={"email": email})


async def test_a_link_comes_by_mail_and_sets_a_password(
    mails: MailServer, resources: Resources, pool: asyncpg.Pool
) -> None:
    person = await create_person(pool, password=PASSWORD)
    async with browser(create(resources), address="198.51.100.20") as client:
        asked = await ask(client, f" {person.email.upper()} ")
        assert (asked.status_code, asked.json()) == (202, {"by": "mail"})
        mail = await mails.mail()
        assert (mail["to"], mail["subject"]) == (person.email, "Weir: a link to sign in")
        found = re.search(r"http\S+", mail.get_content())
        assert found is not None
        said = parse_qs(urlsplit(found[0]).fragment)
        assert said["then"] == ["password"]
        entered = await client.post("/v1/auth/link", json={"token": said["token"][0]})
        bearer = {"authorization": f"Bearer {entered.json()['accessToken']}"}
        assert (await client.get("/v1/me/credentials", headers=bearer)).json()["currentPassword"] is False
        changed = await client.put("/v1/me/password", json={"password": "nine grey herons"}, headers=bearer)
        assert changed.status_code == 204
        assert (await mails.mail(2))["subject"] == "Weir: your password was changed"
    row = await pool.fetchrow(
        "SELECT action, actor_kind, address FROM audit WHERE thing_id = $1 ORDER BY sequence LIMIT 1",
        str(person.id),
    )
    assert tuple(row.values()) == ("link.made", "nobody", "198.51.100.20")


async def test_the_answer_is_the_same_for_whoever_is_not_here(
    mails: MailServer, resources: Resources, pool: asyncpg.Pool
) -> None:
    """Nor does its time tell: what depends on the account is done when the answer has gone."""
    person = await create_person(pool, password=PASSWORD)
    emails = (person.email, "nobody@example.org", "no address", "nul\u0000@example.org")
    async with browser(create(resources), address="198.51.100.21") as client, pool.acquire() as locked:
        # Whoever looked for the account before answering would wait here until the test ends.
        async with locked.transaction():
            await locked.execute("LOCK TABLE users, sign_in_links IN ACCESS EXCLUSIVE MODE")
            answers = [await ask(client, email) for email in emails]
        assert {(answer.status_code, answer.content) for answer in answers} == {(202, b'{"by":"mail"}')}
        await resources.settle(10)
    assert [mail["to"] for mail in mails.taken] == [person.email]
    assert mails.sessions == len(emails)


async def test_an_account_is_not_flooded_and_an_address_asks_so_often(
    mails: MailServer, resources: Resources, pool: asyncpg.Pool
) -> None:
    person = await create_person(pool)
    async with browser(create(resources), address="198.51.100.22") as client:
        answers = [await ask(client, person.email) for _ in range(21)]
        await resources.settle(10)
    assert [answer.status_code for answer in answers] == [202] * 20 + [429]
    assert len(mails.taken) == 3


async def test_without_mail_an_operator_is_named(resources: Resources, pool: asyncpg.Pool) -> None:
    person = await create_person(pool)
    async with browser(create(resources), address="198.51.100.23") as client:
        for email in (person.email, "nobody@example.org"):
            assert (await ask(client, email)).json() == {"by": "operator"}
    assert await pool.fetchval("SELECT count(*) FROM sign_in_links WHERE user_id = $1", person.id) == 0
