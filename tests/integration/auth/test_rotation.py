"""Signing keys are exchanged while several processes serve: nobody is refused, unless that is what was asked for."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
import httpx
import jwt
import pytest

from shared.auth.authority import authority_of, identify
from shared.auth.remembered import REMEMBER_SECONDS
from shared.auth.rotate import rotate
from shared.auth.signing_keys import current_signer
from shared.core.problems import Problem
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.people import create_person, new_link
from tests.support.projects import Project
from tests.support.served import ROOT, Served
from tests.support.waiting import until

URL = "http://127.0.0.1:8480"


def command(settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "shared.auth.rotate", *arguments],
        cwd=ROOT,
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("WEIR_")},
            "WEIR_DATABASE_URL": settings.database_url.get_secret_value(),
            "WEIR_SECRET": settings.secret.get_secret_value(),
        },
        capture_output=True,
        text=True,
        check=False,
    )


async def exchanged(settings: Settings, *arguments: str) -> dict[str, object]:
    """What the program says; it must succeed."""
    ended = await asyncio.to_thread(command, settings, *arguments)
    assert ended.returncode == 0, ended.stderr
    said: dict[str, object] = json.loads(ended.stdout.splitlines()[-1])
    return said


@pytest.fixture(autouse=True)
async def fresh(pool: asyncpg.Pool) -> None:
    await pool.execute("DELETE FROM signing_keys")


@dataclass
class Load:
    """People who refresh their session in one process and use its tokens in all of them."""

    project: str
    identities: list[Served]
    every: list[tuple[Served, str]]
    answers: dict[int, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    signed_by: dict[str, int] = field(default_factory=dict)
    """By which keys tokens were signed, and when each did first."""
    seen: set[tuple[str, int]] = field(default_factory=set)
    """Which key's tokens were good in which process."""

    async def run(self, client: httpx.AsyncClient) -> None:
        """Until cancelled."""
        tokens: list[str] = []
        turn = 0
        while True:
            turn += 1
            identity = self.identities[turn % len(self.identities)]
            answer = await client.post(f"{identity.url}/v1/auth/refresh")
            self.count(answer)
            if answer.status_code == 200:
                tokens.append(answer.json()["accessToken"])
                header = jwt.get_unverified_header(tokens[-1])
                claims = jwt.decode(tokens[-1], options={"verify_signature": False})
                self.signed_by.setdefault(header["kid"], claims["iat"])
            for token in {tokens[0], tokens[-1]}:  # the oldest there is, and the newest
                kid = jwt.get_unverified_header(token)["kid"]
                for served, path in self.every:
                    answer = await client.get(served.url + path, headers={"authorization": f"Bearer {token}"})
                    self.count(answer)
                    if answer.status_code == 200:
                        self.seen.add((kid, served.port))

    def count(self, answer: httpx.Response) -> None:
        self.answers[answer.status_code] = self.answers.get(answer.status_code, 0) + 1
        if answer.status_code != 200:
            self.refused.append(f"{answer.request.url} {answer.status_code} {answer.text}")


@pytest.fixture
async def load(settings: Settings, project: Project, pool: asyncpg.Pool) -> AsyncIterator[Load]:
    async with AsyncExitStack() as stack:
        processes = [
            stack.enter_context(Served(["-m", "shared.runtime.serve", name], settings))
            for name in ("identity", "identity", "explore")
        ]
        events = f"/v1/projects/{project.name}/events"
        every = [(served, "/v1/me") for served in processes[:2]] + [(processes[2], events)]
        made = Load(project.name, processes[:2], every)
        tasks = []
        for number in range(3):
            person = await create_person(pool, roles={project.id: "viewer"})
            client = await stack.enter_async_context(
                httpx.AsyncClient(
                    timeout=30,
                    headers={
                        "origin": URL,
                        "sec-fetch-site": "same-origin",
                        "user-agent": f"person {number}",
                    },
                )
            )
            started = await client.post(
                f"{processes[0].url}/v1/auth/link", json={"token": await new_link(pool, person)}
            )
            assert started.status_code == 200, started.text
            tasks.append(asyncio.create_task(made.run(client)))
        yield made
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(error, asyncio.CancelledError) for error in ended), ended


async def test_a_rotation_refuses_nobody(load: Load, settings: Settings, pool: asyncpg.Pool) -> None:
    async def is_running() -> bool:
        return len(load.seen) == len(load.every)

    await until(is_running, 30)
    (first,) = load.signed_by
    said = await exchanged(settings, "--algorithm", "ES256", "--ahead", "5")
    second = str(said["kid"])
    assert [key["state"] for key in said["keys"]] == ["published", "signs"]  # type: ignore[attr-defined]
    async with httpx.AsyncClient() as anybody:
        jwks = await anybody.get(f"{load.identities[1].url}/.well-known/jwks.json")
    published = jwks.json()["keys"]
    assert [(key["kid"], key["alg"]) for key in published] == [(second, "ES256"), (first, "EdDSA")]
    again = await rotate(pool, settings.sealing, algorithm="EdDSA", ahead_seconds=0)
    assert (again["kid"], again["waitingAlready"]) == (second, True)

    async def is_exchanged() -> bool:
        return {(second, served.port) for served, _ in load.every} <= load.seen

    await until(is_exchanged, 30)
    assert load.refused == []
    assert list(load.answers) == [200]
    assert list(load.signed_by) == [first, second]
    signs_from = datetime.fromisoformat(str(said["signsFrom"])).timestamp()
    assert load.signed_by[second] + 1 > signs_from  # `iat` has no fractions
    row = await pool.fetchrow("SELECT * FROM signing_keys WHERE kid = $1", second)
    assert (row["signs_from"] - row["created_at"]).total_seconds() == 5
    third = await rotate(pool, settings.sealing, algorithm="EdDSA", ahead_seconds=60)
    assert [key["state"] for key in third["keys"]] == ["published", "signs", "verifies"]


async def test_what_a_revoked_key_has_signed_is_refused_within_a_second(
    resources: Resources, settings: Settings, pool: asyncpg.Pool
) -> None:
    person = await create_person(pool)
    other = Resources(settings)
    token = f"Bearer {(await authority_of(resources).issue(person.id, 'a session')).text}"
    for process in (resources, other):
        assert (await identify(process, token)).user_id == person.id
    said = await rotate(pool, settings.sealing, algorithm="EdDSA", revoke=True)
    assert len(said["keys"]) == 1
    revoked_at = last = asyncio.get_running_loop().time()
    for process in (resources, other):

        async def is_refused(process: Resources = process) -> bool:
            nonlocal last
            asked_at = asyncio.get_running_loop().time()
            try:
                await identify(process, token)
            except Problem:
                return True
            last = max(last, asked_at)
            return False

        await until(is_refused)
    assert last - revoked_at <= REMEMBER_SECONDS
    fresh = f"Bearer {(await authority_of(other).issue(person.id, 'a session')).text}"
    assert (await identify(resources, fresh)).user_id == person.id
    await other.close()


async def test_the_first_key_signs_at_once_with_the_algorithm_of_the_settings(
    settings: Settings, pool: asyncpg.Pool
) -> None:
    modern = settings.model_copy(update={"token_algorithm": "ES256"})
    resources = Resources(modern)
    person = await create_person(pool)
    token = (await authority_of(resources).issue(person.id, "a session")).text
    assert jwt.get_unverified_header(token)["alg"] == "ES256"
    assert (await identify(resources, f"Bearer {token}")).user_id == person.id
    await resources.close()
    await pool.execute("DELETE FROM signing_keys")
    said = await rotate(pool, settings.sealing, algorithm="EdDSA")
    assert [key["state"] for key in said["keys"]] == ["signs"]


async def test_while_a_key_waits_the_one_before_signs_and_a_private_half_does_not_outlive_its_use(
    settings: Settings, pool: asyncpg.Pool
) -> None:
    first = await current_signer(pool, settings.sealing)
    said = await rotate(pool, settings.sealing, algorithm="EdDSA", ahead_seconds=600)
    assert (await current_signer(pool, settings.sealing)).kid == first.kid
    await pool.execute("UPDATE signing_keys SET signs_from = now() WHERE kid = $1", said["kid"])
    assert (await current_signer(pool, settings.sealing)).kid == said["kid"]
    await pool.execute(
        "UPDATE signing_keys SET retired_at = now() - interval '25 hours' WHERE kid = $1", first.kid
    )
    await rotate(pool, settings.sealing, algorithm="EdDSA", ahead_seconds=0)
    assert await pool.fetchval("SELECT count(*) FROM signing_keys WHERE kid = $1", first.kid) == 0


async def test_without_its_settings_it_says_which(settings: Settings) -> None:
    settings = settings.model_copy(update={"secret": type(settings.secret)("")})
    ended = await asyncio.to_thread(command, settings)
    assert ended.returncode == 2
    assert "WEIR_SECRET must be set" in ended.stderr
