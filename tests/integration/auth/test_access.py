"""Credentials: what is refused, what is granted, and for how long it is remembered."""

import asyncio
import base64
import gc
import json
import time
import weakref
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from shared.auth.authority import Authority, authority_of, authorize, identify
from shared.auth.permissions import PERMISSIONS, ROLES
from shared.auth.remembered import REMEMBER_SECONDS
from shared.auth.sealing import SealingKeys
from shared.auth.signing_keys import current_signer
from shared.auth.tokens import Signer, issue
from shared.core.problems import Problem
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.people import create_person
from tests.support.projects import Project, create_key, create_project


async def status(
    resources: Resources, header: str | None, project: str, permission: str = "events:read"
) -> int:
    try:
        await authorize(resources, header, project, permission)
    except Problem as problem:
        return problem.kind.status
    return 200


@pytest.fixture
async def away(settings: Settings) -> AsyncIterator[Resources]:
    """A process that cannot reach Postgres."""
    url = type(settings.database_url)("postgresql://nobody@127.0.0.1:1/none")
    opened = Resources(settings.model_copy(update={"database_url": url}))
    yield opened
    await opened.close()


async def bearer(resources: Resources, user_id) -> str:
    return f"Bearer {(await authority_of(resources).issue(user_id, 'a session')).text}"


async def test_a_key_opens_its_project_alone(
    resources: Resources, project: Project, pool: asyncpg.Pool, settings: Settings
) -> None:
    other = await create_project(pool, settings)
    access = await authorize(resources, f"bearer  {project.key} ", project.name, "events:write")
    assert access.project_id == project.id
    assert access.principal.startswith("key:")
    assert access.permissions == PERMISSIONS
    assert await status(resources, f"Bearer {project.key}", other.name) == 404
    assert await status(resources, f"Bearer {project.key}", "no-such-project") == 404


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Bearer weir_",
        "Bearer weir_short_secret",
        f"Bearer weir_{'a' * 12}_{'b' * 43}",
        f"Bearer weir_{'é' * 12}_{'b' * 43}",
        "Bearer weir_" + "\0" * 12 + "_" + "b" * 43,
        "Bearer not.a.jwt",
        "Bearer a.b",
        f"Bearer {'x' * 100_000}",
        f"Bearer {base64.urlsafe_b64encode(b'[' * 3000).decode()}.e30.e30",
    ],
)
async def test_what_is_no_credential_is_401(
    resources: Resources, project: Project, header: str | None
) -> None:
    assert await status(resources, header, project.name) == 401


async def test_a_key_with_another_secret_is_401(
    resources: Resources, project: Project, settings: Settings
) -> None:
    changed = project.key[:-1] + ("x" if project.key[-1] != "x" else "y")
    assert await status(resources, f"Bearer {changed}", project.name) == 401
    exchanged = settings.model_copy(update={"secret": SecretStr("another secret of the deployment, long")})
    other = Resources(exchanged)
    assert await status(other, f"Bearer {project.key}", project.name) == 401
    await other.close()


async def test_a_key_may_do_what_its_scopes_say(
    resources: Resources, project: Project, pool: asyncpg.Pool, settings: Settings
) -> None:
    key = await create_key(
        pool, settings, project.id, ["events:write", "an:old:scope"], ["/shop/*"], ["com.acme.*"]
    )
    access = await authorize(resources, f"Bearer {key}", project.name, "events:write")
    assert access.permissions == {"events:write"}
    assert (access.sources, access.types) == (("/shop/*",), ("com.acme.*",))
    assert await status(resources, f"Bearer {key}", project.name, "events:read") == 403


async def test_a_key_ends_when_it_says(resources: Resources, project: Project, pool: asyncpg.Pool) -> None:
    await pool.execute(
        "UPDATE api_keys SET expires_at = $2 WHERE project_id = $1",
        project.id,
        datetime.now(UTC) - timedelta(seconds=1),
    )
    assert await status(resources, f"Bearer {project.key}", project.name) == 401


async def test_a_revoked_key_stops_within_a_second(
    resources: Resources, project: Project, pool: asyncpg.Pool
) -> None:
    header = f"Bearer {project.key}"
    assert await status(resources, header, project.name) == 200
    await pool.execute("UPDATE api_keys SET revoked_at = now() WHERE project_id = $1", project.id)
    revoked = asked = time.monotonic()
    while await status(resources, header, project.name) == 200:
        assert asked < revoked + REMEMBER_SECONDS
        await asyncio.sleep(0.02)
        asked = time.monotonic()
    assert await status(resources, header, project.name) == 401


async def test_the_last_use_is_noted(resources: Resources, project: Project, pool: asyncpg.Pool) -> None:
    await authorize(resources, f"Bearer {project.key}", project.name, "events:read")
    used = await pool.fetchval("SELECT last_used_at FROM api_keys WHERE project_id = $1", project.id)
    assert datetime.now(UTC) - used < timedelta(seconds=10)


async def test_a_user_may_do_what_their_role_says(
    resources: Resources, project: Project, pool: asyncpg.Pool, settings: Settings
) -> None:
    elsewhere = await create_project(pool, settings)
    for role, permissions in ROLES.items():
        person = await create_person(pool, roles={project.id: role})
        header = await bearer(resources, person.id)
        for permission in PERMISSIONS:
            expected = 200 if permission in permissions else 403
            assert await status(resources, header, project.name, permission) == expected
        assert await status(resources, header, elsewhere.name) == 404
        assert await status(resources, header, "no-such-project") == 404
        assert await status(resources, header, "nul\0") == 404


async def test_a_key_is_read_once_however_many_ask(
    resources: Resources, project: Project, pool: asyncpg.Pool
) -> None:
    reads = 0
    open_pool = resources.pg

    async def counted() -> asyncpg.Pool:
        nonlocal reads
        reads += 1
        return await open_pool()

    resources.pg = counted  # type: ignore[method-assign]
    await pool.execute("UPDATE api_keys SET last_used_at = now() WHERE project_id = $1", project.id)
    header = f"Bearer {project.key}"
    await asyncio.gather(*(authorize(resources, header, project.name, "events:read") for _ in range(100)))
    assert reads == 1


async def test_without_postgres_what_is_remembered_goes_on(
    resources: Resources, away: Resources, project: Project
) -> None:
    header = f"Bearer {project.key}"
    with pytest.raises(OSError):
        await authorize(away, header, project.name, "events:read")
    await authorize(resources, header, project.name, "events:read")
    resources.pg = away.pg  # type: ignore[method-assign]
    assert await status(resources, header, project.name) == 200


@pytest.fixture
async def signer(resources: Resources, settings: Settings) -> Signer:
    return await current_signer(await resources.pg(), settings.sealing)


async def token_status(resources: Resources, token: str) -> int:
    try:
        await identify(resources, f"Bearer {token}")
    except Problem as problem:
        return problem.kind.status
    return 200


def claims(settings: Settings, **changed: object) -> dict[str, object]:
    now = int(time.time())
    whole = {
        "iss": settings.public_url,
        "aud": "weir",
        "sub": str(uuid4()),
        "sid": "s",
        "iat": now,
        "exp": now + 600,
        "jti": "1",
    }
    return {name: value for name, value in {**whole, **changed}.items() if value is not None}


def signed(signer: Signer, body: dict[str, object], **header: str) -> str:
    headers = {"kid": signer.kid, "typ": "at+jwt", **header}
    return jwt.encode(body, signer.private_key, algorithm="EdDSA", headers=headers)


async def test_a_token_as_it_should_be_is_taken(
    resources: Resources, settings: Settings, signer: Signer
) -> None:
    assert await token_status(resources, signed(signer, claims(settings))) == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": int(time.time()) - 60},
        {"iat": int(time.time()) + 3600},
        {"aud": "another"},
        {"aud": ["weir", "another"]},
        {"iss": "https://another.example"},
        {"sub": "not a uuid"},
        {"sub": None},
        {"exp": None},
        {"aud": None},
        {"iss": None},
        {"jti": None},
        {"sid": None},
    ],
)
async def test_a_token_with_other_claims_is_401(
    resources: Resources, settings: Settings, signer: Signer, changed: dict[str, object]
) -> None:
    assert await token_status(resources, signed(signer, claims(settings, **changed))) == 401


async def test_a_token_that_we_did_not_sign_is_401(
    resources: Resources, settings: Settings, signer: Signer
) -> None:
    body = claims(settings)
    foreign = Signer(signer.kid, "EdDSA", Ed25519PrivateKey.generate())
    good = signed(signer, body)
    head, payload, signature = good.split(".")
    other_payload = base64.urlsafe_b64encode(json.dumps(claims(settings)).encode()).decode().rstrip("=")
    public = signer.private_key.public_key().public_bytes_raw()
    headers = {"kid": signer.kid, "typ": "at+jwt"}
    for token in (
        signed(foreign, body),
        jwt.encode(body, None, algorithm="none", headers=headers),
        jwt.encode(body, public, algorithm="HS256", headers=headers),
        signed(signer, body, kid="unknown"),
        signed(signer, body, kid="x" * 100),
        signed(signer, body, typ="JWT"),
        f"{head}.{other_payload}.{signature}",
        f"{head}.{payload}.",
        f"{head}.{payload}",
    ):
        assert await token_status(resources, token) == 401


async def test_a_retired_key_verifies_while_its_tokens_live_and_signs_no_more(
    settings: Settings, pool: asyncpg.Pool, resources: Resources, signer: Signer
) -> None:
    token = signed(signer, claims(settings))
    try:
        await pool.execute("UPDATE signing_keys SET retired_at = now() WHERE kid = $1", signer.kid)
        assert (await current_signer(pool, settings.sealing)).kid != signer.kid
        assert await token_status(resources, token) == 200
        await pool.execute(
            "UPDATE signing_keys SET retired_at = now() - interval '21 minutes' WHERE kid = $1", signer.kid
        )
        other = Resources(settings)
        assert await token_status(other, token) == 401
        await other.close()
    finally:
        await pool.execute("DELETE FROM signing_keys WHERE kid = $1", signer.kid)


async def test_processes_that_start_together_make_one_signing_key(
    settings: Settings, pool: asyncpg.Pool
) -> None:
    await pool.execute("DELETE FROM signing_keys")
    signers = await asyncio.gather(*(current_signer(pool, settings.sealing) for _ in range(6)))
    assert len({signer.kid for signer in signers}) == 1
    assert await pool.fetchval("SELECT count(*) FROM signing_keys") == 1


async def test_with_another_secret_another_key_signs_and_the_old_one_still_verifies(
    settings: Settings, pool: asyncpg.Pool, resources: Resources, signer: Signer
) -> None:
    token = issue(signer, issuer=settings.public_url, user_id=uuid4(), session="s").text
    exchanged = await current_signer(pool, SealingKeys("another secret of the deployment, long"))
    assert exchanged.kid != signer.kid
    assert await token_status(resources, token) == 200
    await pool.execute("DELETE FROM signing_keys WHERE kid = $1", exchanged.kid)


async def test_an_algorithm_that_we_do_not_use_is_not_looked_up(
    settings: Settings, pool: asyncpg.Pool, resources: Resources
) -> None:
    secret = base64.urlsafe_b64encode(b"k" * 32).decode().rstrip("=")
    await pool.execute(
        "INSERT INTO signing_keys (kid, algorithm, public_jwk, private_sealed) VALUES ('odd', 'HS256', $1, $2)",
        {"kty": "oct", "k": secret, "alg": "HS256", "kid": "odd"},
        b"",
    )
    try:
        token = jwt.encode(claims(settings), b"k" * 32, "HS256", headers={"kid": "odd", "typ": "at+jwt"})
        assert await token_status(resources, token) == 401
    finally:
        await pool.execute("DELETE FROM signing_keys WHERE kid = 'odd'")


async def test_what_is_remembered_does_not_hold_its_stores(settings: Settings) -> None:
    resources = Resources(settings)
    assert isinstance(authority_of(resources), Authority)
    held = weakref.ref(resources)
    await resources.close()
    del resources
    gc.collect()
    assert held() is None
