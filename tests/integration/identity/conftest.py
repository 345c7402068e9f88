"""Accounts and the browsers that they sign in with."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import httpx
import pytest

from functions.identity.app import create
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.mail import MailServer
from tests.support.people import Person, browser, create_person

URL = "https://weir.example.org"
PASSWORD = "correct horse battery"


@dataclass
class Account:
    """A person who has signed in with their password, in a browser."""

    person: Person
    client: httpx.AsyncClient
    resources: Resources

    async def sign_in(self, client: httpx.AsyncClient | None = None) -> httpx.Response:
        body = {"email": self.person.email, "password": PASSWORD}
        answer = await (client or self.client).post("/v1/auth/sign-in", json=body)
        assert answer.status_code == 200, answer.text
        return answer

    def hold(self, token: str) -> None:
        """Have every request carry that access token."""
        self.client.headers["authorization"] = f"Bearer {token}"

    async def age_proof(self) -> None:
        """As if whoever is signed in had proved who they are long ago."""
        redis = await self.resources.redis()
        for family in await redis.smembers(f"weir:user-sessions:{self.person.id}"):
            await redis.hset(f"weir:session:{family}", "proved", "1")

    async def actions(self, pool: asyncpg.Pool) -> list[str]:
        """What the audit log has of the account, in its order."""
        rows = await pool.fetch(
            "SELECT action FROM audit WHERE thing_name = $1 ORDER BY sequence", self.person.email
        )
        return [row["action"] for row in rows]


@pytest.fixture
async def https(settings: Settings) -> AsyncIterator[Resources]:
    """A deployment that has a name, as passkeys need it."""
    opened = Resources(settings.model_copy(update={"public_url": URL}))
    yield opened
    await opened.close()


@pytest.fixture
async def account(https: Resources, pool: asyncpg.Pool) -> AsyncIterator[Account]:
    person = await create_person(pool, password=PASSWORD)
    async with browser(create(https), URL) as client:
        found = Account(person, client, https)
        found.hold((await found.sign_in()).json()["accessToken"])
        yield found


@pytest.fixture
async def elsewhere(https: Resources) -> AsyncIterator[httpx.AsyncClient]:
    """Another browser of the same deployment."""
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19.0 Mobile Safari/604"
    async with browser(create(https), URL, agent) as opened:
        yield opened


@pytest.fixture
async def mails(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MailServer]:
    """A server that takes the mails of whatever is made of `resources` after it."""
    with MailServer() as server:
        monkeypatch.setenv("WEIR_SMTP_URL", f"smtp://127.0.0.1:{server.port}?tls=none")
        monkeypatch.setenv("WEIR_MAIL_FROM", "Weir <weir@example.org>")
        yield server
        await resources.close()
