"""Invitations, from the member who makes one to the person who comes in by it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from functions.identity.app import create as create_identity
from functions.identity.throttle import JOINING
from functions.projects.app import create as create_projects
from functions.projects.invitations import letter
from functions.projects.invitations.service import MAILED, SENT
from shared.runtime.resources import Resources
from tests.support.mail import MailServer
from tests.support.people import Person, browser, create_person, new_link
from tests.support.projects import Project

PASSWORD = "correct horse battery staple"


class Site:
    """Both functions, as one address."""

    def __init__(self, resources: Resources, project: Project, pool: asyncpg.Pool) -> None:
        self.resources = resources
        self.project = project
        self.pool = pool
        self.projects = browser(create_projects(resources))
        self.identity = browser(create_identity(resources))

    async def member(self, role: str | None) -> tuple[Person, dict[str, str]]:
        """Somebody with that role, and what they send."""
        person = await create_person(self.pool, roles={self.project.id: role} if role else {})
        async with browser(create_identity(self.resources)) as client:
            session = await client.post("/v1/auth/link", json={"token": await new_link(self.pool, person)})
        return person, {"authorization": f"Bearer {session.json()['accessToken']}"}

    async def call(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> httpx.Response:
        url = f"/v1/projects/{self.project.name}/invitations{path}"
        return await self.projects.request(method, url, headers=headers, json=body)

    async def invite(self, headers: dict[str, str], email: str, role: str = "viewer") -> httpx.Response:
        return await self.call("POST", "", headers, {"email": email, "role": role})

    async def opened(self, link: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return await self.identity.post(
            "/v1/auth/invitation", json={"token": token_of(link)}, headers=headers
        )

    async def accept(self, link: str, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        return await self.identity.post(
            "/v1/auth/invitation/accept", json={"token": token_of(link), **body}, headers=headers
        )

    async def role_of(self, user_id: UUID | str) -> str | None:
        return await self.pool.fetchval(
            "SELECT role FROM members WHERE project_id = $1 AND user_id = $2",
            self.project.id,
            UUID(str(user_id)),
        )

    async def actions(self) -> list[str]:
        rows = await self.pool.fetch(
            "SELECT action FROM audit WHERE project_id = $1 ORDER BY sequence", self.project.id
        )
        return [row["action"] for row in rows]


def token_of(link: str) -> str:
    return link.partition("#token=")[2]


def somebody() -> str:
    return f"{uuid4().hex[:10]}@example.org"


@pytest.fixture
async def site(resources: Resources, project: Project, pool: asyncpg.Pool) -> AsyncIterator[Site]:
    made = Site(resources, project, pool)
    async with made.projects, made.identity:
        yield made


@pytest.fixture
async def owner(site: Site) -> dict[str, str]:
    return (await site.member("owner"))[1]


async def test_an_invited_person_makes_an_account_and_is_in(site: Site, owner: dict[str, str]) -> None:
    email = somebody()
    made = await site.invite(owner, email.upper(), "operator")
    assert made.status_code == 201, made.text
    body = made.json()
    assert made.headers["location"].endswith(f"/invitations/{body['id']}")
    assert body["link"].startswith("http://127.0.0.1:8480/invitation#token=")
    assert (body["email"], body["role"], body["state"], body["mailed"]) == (
        email,
        "operator",
        "pending",
        False,
    )
    assert body["invitedBy"]["name"] == "Ann Example"
    week = datetime.fromisoformat(body["expiresAt"]) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < week <= timedelta(days=7)

    opened = (await site.opened(body["link"])).json()
    assert opened == {
        "project": site.project.name,
        "role": "operator",
        "email": email,
        "invitedBy": "Ann Example",
        "expiresAt": body["expiresAt"],
        "state": "open",
    }
    session = await site.accept(body["link"], name="Bob  Example", password=PASSWORD)
    assert session.status_code == 200, session.text
    assert "weir_refresh=" in session.headers["set-cookie"]
    user = session.json()["user"]
    assert (user["email"], user["name"], user["hasPassword"]) == (email, "Bob  Example", True)
    assert await site.role_of(user["id"]) == "operator"
    signed_in = await site.identity.post("/v1/auth/sign-in", json={"email": email, "password": PASSWORD})
    assert signed_in.status_code == 200

    assert (await site.opened(body["link"])).json()["state"] == "used"
    again = await site.accept(body["link"], name="Eve", password=PASSWORD)
    assert again.status_code == 409
    assert (await site.call("GET", "", owner)).json() == {"items": [], "next": None}
    assert await site.actions() == ["invitation.created", "invitation.accepted"]
    kept = await site.pool.fetchrow("SELECT * FROM invitations WHERE id = $1", UUID(body["id"]))
    assert token_of(body["link"]) not in repr(dict(kept))
    logged = await site.pool.fetch("SELECT * FROM audit WHERE project_id = $1", site.project.id)
    assert token_of(body["link"]) not in repr([dict(row) for row in logged])


async def test_a_signed_in_user_joins_whatever_their_address_is(site: Site, owner: dict[str, str]) -> None:
    person, headers = await site.member(None)
    link = (await site.invite(owner, somebody(), "viewer")).json()["link"]
    joined = await site.accept(link, headers)
    assert (joined.status_code, joined.json()) == (200, {"project": site.project.name})
    assert await site.role_of(person.id) == "viewer"
    row = await site.pool.fetchrow(
        "SELECT before, after FROM audit WHERE action = 'invitation.accepted' AND project_id = $1",
        site.project.id,
    )
    assert person.email in str(row["after"])
    assert person.email not in str(row["before"])


async def test_a_member_does_not_use_an_invitation_up(site: Site, owner: dict[str, str]) -> None:
    _, viewer = await site.member("viewer")
    link = (await site.invite(owner, somebody(), "admin")).json()["link"]
    assert (await site.opened(link, viewer)).json()["state"] == "member"
    assert (await site.accept(link, viewer)).status_code == 409
    assert (await site.opened(link)).json()["state"] == "open"


async def test_of_many_at_once_one_comes_in(site: Site, owner: dict[str, str]) -> None:
    link = (await site.invite(owner, somebody())).json()["link"]
    people = [await site.member(None) for _ in range(5)]
    answers = await asyncio.gather(*(site.accept(link, headers) for _, headers in people))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert sum([await site.role_of(person.id) is not None for person, _ in people]) == 1


@pytest.mark.parametrize(
    ("inviter", "role", "status"),
    [
        ("admin", "admin", 201),
        ("admin", "owner", 403),
        ("operator", "viewer", 403),
        ("viewer", "viewer", 403),
        ("owner", "owner", 201),
        ("owner", "nothing-such", 422),
    ],
)
async def test_nobody_invites_to_more_than_they_may(site: Site, inviter: str, role: str, status: int) -> None:
    _, headers = await site.member(inviter)
    assert (await site.invite(headers, somebody(), role)).status_code == status


async def test_an_own_role_is_given(site: Site, owner: dict[str, str]) -> None:
    role = await site.projects.post(
        f"/v1/projects/{site.project.name}/roles",
        headers=owner,
        json={"name": "auditor", "permissions": ["events:read", "audit:read"]},
    )
    assert role.status_code == 201, role.text
    link = (await site.invite(owner, somebody(), "auditor")).json()["link"]
    person, headers = await site.member(None)
    assert (await site.accept(link, headers)).status_code == 200
    assert await site.role_of(person.id) == "auditor"


async def test_an_invitation_is_worth_what_its_inviter_may_do_now(site: Site, owner: dict[str, str]) -> None:
    admin, headers = await site.member("admin")
    link = (await site.invite(headers, somebody(), "admin")).json()["link"]
    demoted = await site.projects.put(
        f"/v1/projects/{site.project.name}/members/{admin.id}", headers=owner, json={"role": "viewer"}
    )
    assert demoted.status_code == 200
    assert (await site.opened(link)).json()["state"] == "void"
    assert [one["state"] for one in (await site.call("GET", "", owner)).json()["items"]] == ["void"]
    _, stranger = await site.member(None)
    assert (await site.accept(link, stranger)).status_code == 409
    assert (await site.accept(link, name="Eve", password=PASSWORD)).status_code == 409


async def test_a_key_invites_as_far_as_it_goes(site: Site) -> None:
    email = somebody()
    made = await site.invite(site.project.headers, email, "admin")
    assert made.status_code == 201
    assert made.json()["invitedBy"]["id"].startswith("key:")
    await site.pool.execute(
        "UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE project_id = $1", site.project.id
    )
    assert (await site.opened(made.json()["link"])).json()["state"] == "void"


async def test_a_resent_invitation_is_a_new_link(site: Site, owner: dict[str, str]) -> None:
    first = (await site.invite(owner, somebody())).json()
    await site.pool.execute(
        "UPDATE invitations SET expires_at = now() - interval '1 second' WHERE id = $1", UUID(first["id"])
    )
    assert (await site.opened(first["link"])).json()["state"] == "expired"
    _, stranger = await site.member(None)
    assert (await site.accept(first["link"], stranger)).status_code == 409
    assert [one["state"] for one in (await site.call("GET", "", owner)).json()["items"]] == ["expired"]
    second = (await site.call("POST", f"/{first['id']}/resend", owner)).json()
    assert second["state"] == "pending"
    assert second["link"] != first["link"]
    assert (await site.opened(first["link"])).status_code == 404
    assert (await site.opened(second["link"])).json()["state"] == "open"


async def test_a_revoked_invitation_is_gone(site: Site, owner: dict[str, str]) -> None:
    made = (await site.invite(owner, somebody())).json()
    assert (await site.call("DELETE", f"/{made['id']}", owner)).status_code == 204
    assert (await site.call("DELETE", f"/{made['id']}", owner)).status_code == 404
    assert (await site.opened(made["link"])).status_code == 404
    assert (await site.accept(made["link"], name="Eve", password=PASSWORD)).status_code == 404
    assert await site.actions() == ["invitation.created", "invitation.revoked"]


async def test_an_address_is_invited_once_and_not_when_it_is_in(site: Site, owner: dict[str, str]) -> None:
    member, _ = await site.member("viewer")
    assert (await site.invite(owner, member.email)).status_code == 409
    email = somebody()
    assert (await site.invite(owner, email)).status_code == 201
    assert (await site.invite(owner, email.upper())).status_code == 409
    await site.pool.execute("UPDATE invitations SET expires_at = now() WHERE email = $1", email)
    assert (await site.invite(owner, email)).status_code == 201
    assert len((await site.call("GET", "", owner)).json()["items"]) == 1


@pytest.mark.parametrize(
    "email", ["ann", "@", "a@b, c@d", "a b@c", "a@b\r\nBcc: x@y", "<a@b>", "a" * 320 + "@b"]
)
async def test_what_is_no_address_is_not_invited(site: Site, owner: dict[str, str], email: str) -> None:
    assert (await site.invite(owner, email)).status_code == 422


async def test_an_account_that_exists_is_not_made_again(site: Site, owner: dict[str, str]) -> None:
    person, headers = await site.member(None)
    link = (await site.invite(owner, person.email)).json()["link"]
    answer = await site.accept(link, name="Not Ann", password=PASSWORD)
    assert answer.status_code == 409
    assert "Sign in" in answer.json()["detail"]
    assert (await site.opened(link)).json()["state"] == "open"
    assert (await site.accept(link, headers)).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/name", "/password"}),
        ({"name": "Bob"}, {"/password"}),
        ({"password": PASSWORD}, {"/name"}),
        ({"name": "  ", "password": PASSWORD}, {"/name"}),
        ({"name": "Bob", "password": "short"}, {"/password"}),
        ({"name": "Bob", "password": "password1234"}, {"/password"}),
    ],
)
async def test_a_new_account_needs_a_name_and_a_good_password(
    site: Site, owner: dict[str, str], body: dict[str, str], pointers: set[str]
) -> None:
    link = (await site.invite(owner, somebody())).json()["link"]
    answer = await site.accept(link, **body)
    assert answer.status_code == 422
    assert {fault["pointer"] for fault in answer.json()["errors"]} == pointers
    assert (await site.opened(link)).json()["state"] == "open"


async def test_an_address_tries_only_so_often_to_make_an_account(site: Site, owner: dict[str, str]) -> None:
    """Each try hashes a password, for nothing where there is an account already: that is work for who has one link."""
    person, _ = await site.member(None)
    link = (await site.invite(owner, person.email)).json()["link"]
    body = {"token": token_of(link), "name": "Eve", "password": PASSWORD}
    async with browser(create_identity(site.resources), address="192.0.2.77") as client:
        assert (await client.post("/v1/auth/invitation/accept", json=body)).status_code == 409
        redis = await site.resources.redis()
        counted = "weir:tries:joining:" + sha256(b"192.0.2.77").hexdigest()[:32]
        await redis.incrby(counted, JOINING.tries - 1)
        refused = await client.post("/v1/auth/invitation/accept", json=body)
        await redis.delete(counted)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0


async def test_other_projects_and_pages_are_kept_out(
    site: Site, owner: dict[str, str], pool: asyncpg.Pool
) -> None:
    made = (await site.invite(owner, somebody())).json()
    _, stranger = await site.member(None)
    for method, path in (("GET", ""), ("POST", f"/{made['id']}/resend"), ("DELETE", f"/{made['id']}")):
        assert (await site.call(method, path, stranger)).status_code == 404
    foreign = {"origin": "https://evil.example"}
    assert (await site.opened(made["link"], foreign)).status_code == 403
    assert (await site.accept(made["link"], foreign, name="Eve", password=PASSWORD)).status_code == 403
    assert (await site.accept(made["link"], {"authorization": "Bearer nothing"})).status_code == 401
    assert (await site.accept(made["link"], site.project.headers)).status_code == 403
    both = await site.accept(made["link"], stranger, name="Eve", password=PASSWORD)
    assert both.status_code == 422


async def test_a_project_gives_out_so_many_in_an_hour(site: Site, owner: dict[str, str]) -> None:
    redis = await site.resources.redis()
    await redis.set(f"weir:tries:{SENT.name}:{site.project.id}", SENT.tries, ex=60)
    answer = await site.invite(owner, somebody())
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with MailServer() as server:
        monkeypatch.setenv("WEIR_SMTP_URL", f"smtp://127.0.0.1:{server.port}?tls=none")
        monkeypatch.setenv("WEIR_MAIL_FROM", "Weir <weir@example.com>")
        yield server


async def test_nobody_is_mailed_without_end(
    mail: MailServer, resources: Resources, project: Project, pool: asyncpg.Pool
) -> None:
    """Anybody may make projects, and send an invitation again: so it is counted for whom they write to."""
    site = Site(resources, project, pool)
    async with site.projects, site.identity:
        _, owner = await site.member("owner")
        email = somebody()
        made = (await site.invite(owner, email)).json()
        path = f"/{made['id']}/resend"
        again = [(await site.call("POST", path, owner)).json() for _ in range(MAILED.tries)]
        assert [one["mailed"] for one in again] == [*[True] * (MAILED.tries - 1), False]
        assert (await site.opened(again[-1]["link"])).json()["state"] == "open"
        assert (await site.invite(owner, somebody())).json()["mailed"] is True


async def test_an_invitation_is_mailed_where_that_is_configured(
    mail: MailServer, resources: Resources, project: Project, pool: asyncpg.Pool
) -> None:
    site = Site(resources, project, pool)
    async with site.projects, site.identity:
        _, owner = await site.member("owner")
        email = somebody()
        made = (await site.invite(owner, email, "operator")).json()
        assert made["mailed"] is True
        sent = await mail.mail()
        assert sent["to"] == email
        text = sent.get_content()
        assert made["link"] in text
        assert "Ann Example invites you" in text
        assert site.project.name in sent["subject"]
        again = (await site.call("POST", f"/{made['id']}/resend", owner)).json()
        assert again["link"] in (await mail.mail(2)).get_content()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Ann Example", "Ann Example"),
        ("Ann\r\nExample", "Ann Example"),
        ("J. R. R. Tolkien", "J. R. R. Tolkien"),
        ("Win at https://evil.example", "Somebody"),
        ("evil.example", "Somebody"),
        ("ann@example.org", "Somebody"),
        ("x" * 61, "Somebody"),
        ("", "Somebody"),
    ],
)
def test_a_name_in_a_mail_leads_nowhere(name: str, written: str) -> None:
    text = letter.text(
        inviter=name, project="shop", role="viewer", link="https://w.example/invitation#token=t", days=7
    )
    assert text.startswith(f"{written} invites you to the project shop at w.example, as viewer.\n")
