"""Secrets are sealed with another key in batches, while they are used, and by a program that may be killed."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.auth import sealed
from shared.auth.sealed import PLACES
from shared.auth.sealing import SealingKeys, UnsealError, seal, sealed_with, unseal
from shared.auth.sealing_keys import make_sealing_key
from shared.auth.signing_keys import current_signer
from shared.auth.sink_secrets import SIGNING_PURPOSE
from shared.runtime.settings import Settings
from tests.support.people import create_person
from tests.support.projects import Project
from tests.support.served import ROOT
from tests.support.waiting import until

ROWS = 300


@pytest.fixture(autouse=True)
async def fresh(pool: asyncpg.Pool) -> AsyncIterator[None]:
    async def clear() -> None:
        for table in {place.table for place in PLACES}:
            await pool.execute(f"DELETE FROM {table}")

    await clear()
    yield
    await clear()


def keys_of(settings: Settings, *listed: str) -> SealingKeys:
    return SealingKeys(settings.secret, ",".join(listed) or None)


def environment(settings: Settings, *listed: str) -> dict[str, str]:
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("WEIR_")},
        "WEIR_DATABASE_URL": settings.database_url.get_secret_value(),
        "WEIR_SECRET": settings.secret.get_secret_value(),
        **({"WEIR_SEALING_KEYS": ",".join(listed)} if listed else {}),
    }


async def program(settings: Settings, listed: list[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Its exit code and what it says."""
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "shared.auth.reseal", *arguments],
        cwd=ROOT,
        env=environment(settings, *listed),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout, ended.stderr
    for key in listed:
        assert (key.partition(":")[2] or "no key") not in ended.stdout + ended.stderr
    return ended.returncode, json.loads(ended.stdout.splitlines()[-1])


def plain_of(number: int) -> bytes:
    return b'["whsec_%d"]' % number


async def fill(pool: asyncpg.Pool, project: Project, keys: SealingKeys, rows: int = ROWS) -> list[UUID]:
    """Subscriptions with signing secrets, and one secret in each other place."""
    ids = [uuid4() for _ in range(rows)]
    await pool.executemany(
        "INSERT INTO subscriptions (id, project_id, name, filters, sink, delivery, signing_secrets_sealed)"
        " VALUES ($1, $2, $3, '[]', 'http://127.0.0.1/', '{}', $4)",
        [
            (id_, project.id, f"s-{id_}", seal(keys, plain_of(n), purpose=SIGNING_PURPOSE))
            for n, id_ in enumerate(ids)
        ],
    )
    await current_signer(pool, keys)
    person = await create_person(pool)
    for place, row in ((PLACES[1], person.id), (PLACES[2], uuid4()), (PLACES[4], ids[0])):
        value = seal(keys, b"{}", purpose=place.purpose_of(row))
        if place.table == "totp_secrets":
            await pool.execute(
                "INSERT INTO totp_secrets (user_id, secret_sealed) VALUES ($1, $2)", row, value
            )
        elif place.table == "sources":
            await pool.execute(
                "INSERT INTO sources (id, project_id, name, kind, settings, secrets_sealed)"
                " VALUES ($1, $2, $3, 'hmac', '{}', $4)",
                row,
                project.id,
                f"s-{row}",
                value,
            )
        else:
            await pool.execute("UPDATE subscriptions SET credentials_sealed = $2 WHERE id = $1", row, value)
    return ids


async def check(pool: asyncpg.Pool, ids: list[UUID], keys: SealingKeys, first: str) -> None:
    """Everything opens, and is sealed with the key of that id."""
    for place in PLACES:
        for row in await pool.fetch(
            f"SELECT {place.id} AS id, {place.column} AS sealed FROM {place.table} WHERE {place.column} IS NOT NULL"
        ):
            assert row["sealed"].startswith(sealed_with(first)), place
            unseal(keys, row["sealed"], purpose=place.purpose_of(row["id"]))
    rows = await pool.fetch("SELECT id, signing_secrets_sealed AS s FROM subscriptions")
    assert {row["id"]: unseal(keys, row["s"]) for row in rows} == {
        id_: plain_of(n) for n, id_ in enumerate(ids)
    }


async def test_secrets_go_from_the_derived_key_to_a_named_one_to_the_next_and_back(
    pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    old, new = make_sealing_key("2026"), make_sealing_key("2027")
    ids = await fill(pool, project, keys_of(settings), 30)
    for listed, first in (([old], "2026"), ([new, old], "2027"), (["secret", new], "secret")):
        code, before = await program(settings, listed, "--status")
        assert (code, sum(before["left"].values())) == (1, 34)
        code, said = await program(settings, listed, "--batch", "7")
        assert (code, said) == (0, {"key": first, "sealed": 34, "left": {}, "unreadable": []})
        await check(pool, ids, keys_of(settings, *listed), first)
    await check(pool, ids, keys_of(settings), "secret")
    code, said = await program(settings, [], "--batch", "7")
    assert (code, said["sealed"]) == (0, 0)


async def test_what_no_key_opens_is_named_and_does_not_stop_the_rest(
    pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    lost, old, new = (make_sealing_key(name) for name in ("2025", "2026", "2027"))
    ids = await fill(pool, project, keys_of(settings, old), 20)
    await pool.execute(
        "UPDATE subscriptions SET signing_secrets_sealed = $2 WHERE id = $1",
        ids[3],
        seal(keys_of(settings, lost), b"gone"),
    )
    code, said = await program(settings, [new, old], "--batch", "3")
    assert code == 1
    assert said == {
        "key": "2027",
        "sealed": 23,
        "left": {"?": 1},
        "unreadable": [f"subscriptions.signing_secrets_sealed {ids[3]}"],
    }


async def test_it_may_be_killed_and_run_again(
    pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    old, new = make_sealing_key("2026"), make_sealing_key("2027")
    ids = await fill(pool, project, keys_of(settings, old))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "shared.auth.reseal", "--batch", "1"),
        cwd=ROOT,
        env=environment(settings, new, old),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    keys = keys_of(settings, new, old)

    async def has_begun() -> int:
        return (
            sum((await sealed.count(pool, keys))["subscriptions.signing_secrets_sealed"].values())
            and (await sealed.count(pool, keys))["subscriptions.signing_secrets_sealed"]["2027"]
        )

    await until(has_begun, 30)
    process.kill()
    await process.wait()
    left = sealed.left(await sealed.count(pool, keys), keys)
    assert 0 < left["2026"] < ROWS
    code, said = await program(settings, [new, old])
    assert (code, said["sealed"]) == (0, left["2026"])
    await check(pool, ids, keys, "2027")


async def test_what_is_used_and_changed_meanwhile_opens_all_the_time(
    pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    """As functions do: read and unsealed, and written by whoever changes a subscription."""
    old, new = make_sealing_key("2026"), make_sealing_key("2027")
    keys = keys_of(settings, new, old)
    ids = await fill(pool, project, keys_of(settings, old))
    changed: dict[UUID, bytes] = {}
    running = True
    opened = 0

    async def use() -> None:
        nonlocal opened
        while running:
            for row in await pool.fetch("SELECT id, signing_secrets_sealed AS s FROM subscriptions LIMIT 50"):
                try:
                    unseal(keys, row["s"])
                except UnsealError as error:
                    raise AssertionError(f"{row['id']}") from error
                opened += 1

    async def change() -> None:
        number = 0
        while running:
            id_ = ids[number % ROWS]
            number += 7
            changed[id_] = b'["changed %d"]' % number
            await pool.execute(
                "UPDATE subscriptions SET signing_secrets_sealed = $2 WHERE id = $1",
                id_,
                seal(keys_of(settings, old), changed[id_]),
            )
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(use()), asyncio.create_task(change())]
    _, said = await program(settings, [new, old], "--batch", "20")
    running = False
    await asyncio.gather(*tasks)
    assert opened > 0
    assert said["unreadable"] == []
    rows = await pool.fetch("SELECT id, signing_secrets_sealed AS s FROM subscriptions")
    for row in rows:
        expected = changed.get(row["id"], plain_of(ids.index(row["id"])))
        assert unseal(keys, row["s"]) == expected
