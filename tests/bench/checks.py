"""Microseconds to check who asks and what they may do, on a warm cache, beside what a check cannot do without.

    python -m tests.bench.checks

Of a key: again within the second, and when it was looked up anew (a hash, compared). Of a token: again, and one that is
seen for the first time (a signature, verified), with either algorithm. References are a bare HMAC-SHA256 of the key, and
`jwt.decode` of PyJWT with the key at hand. The processor's time of this process, as `codec`. Prints one JSON object.
"""

import asyncio
import hmac
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import jwt

from shared.auth.authority import authority_of, authorize
from shared.auth.keys import hash_secret, make_key
from shared.auth.signing_keys import _make, _public_jwk
from shared.auth.tokens import ALGORITHMS, AUDIENCE, Signer, issue
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings

ROUNDS, REPEATS, FIRST = 7, 4_000, 400
PROJECT = "bench"


class Rows:
    """Stands where Postgres is, one row for each question, so that what is measured is the check alone."""

    def __init__(self, key: dict[str, Any], user_id: UUID, jwks: dict[str, dict[str, Any]]) -> None:
        self._key = key
        self._user_id = user_id
        self._jwks = jwks

    async def fetchrow(self, statement: str, *arguments: Any) -> dict[str, Any] | None:
        """The row that the statement asks for."""
        if "FROM api_keys" in statement:
            return self._key
        if "FROM signing_keys" in statement:
            return {"public_jwk": self._jwks[arguments[0]]}
        limits = {"rate_per_second": None, "burst": None}
        return {
            "id": self._user_id,
            "role": "admin",
            "permissions": None,
            "last_seen_at": datetime.now(UTC),
        } | limits


class Stand(Resources):
    """A process whose Postgres is `Rows`."""

    rows: Rows

    async def pg(self) -> Any:
        """The rows."""
        return self.rows


async def microseconds(work: Callable[[], Awaitable[object]], repeats: int = REPEATS) -> float:
    """Of the processor, for one check; the median of the rounds."""
    took = []
    for _ in range(ROUNDS):
        await work()
        began = time.process_time()
        for _ in range(repeats):
            await work()
        took.append((time.process_time() - began) / repeats * 1e6)
    return statistics.median(took)


async def each(checks: Sequence[str], check: Callable[[str], Awaitable[object]]) -> float:
    """The same where each is another one: the median of as many parts."""
    part = len(checks) // ROUNDS
    took = []
    for number in range(ROUNDS):
        began = time.process_time()
        for one in checks[number * part : (number + 1) * part]:
            await check(one)
        took.append((time.process_time() - began) / part * 1e6)
    return statistics.median(took)


def bare(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """What a plain call takes."""
    took = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(repeats):
            work()
        took.append((time.process_time() - began) / repeats * 1e6)
    return statistics.median(took)


async def figures() -> dict[str, float]:
    """Everything, by name."""
    settings = Settings(
        database_url="postgresql://nobody@127.0.0.1:1/nothing",
        redis_url="redis://127.0.0.1:1/0",
        secret="measured, not used: 32 signs or so",
    )
    key, user_id = make_key(), uuid4()
    private = {algorithm: _make(algorithm) for algorithm in sorted(ALGORITHMS)}
    row = {
        "project_id": uuid4(),
        "project_name": PROJECT,
        "secret_hash": hash_secret(settings.secret, key),
        "previous_hash": None,
        "previous_expires_at": None,
        "scopes": ["*"],
        "sources": ["/shop*"],
        "types": [],
        "expires_at": datetime(2100, 1, 1, tzinfo=UTC),
        "last_used_at": datetime.now(UTC),
        "producer_id": None,
        "rate_per_second": None,
        "burst": None,
    }
    stand = Stand(settings)
    stand.rows = Rows(
        row, user_id, {name: _public_jwk(private_key, name, name) for name, private_key in private.items()}
    )
    await stand.cache.close()  # there is no Redis here, and looking for one would be measured too
    authority = authority_of(stand)
    header = f"Bearer {key.text}"

    async def check(authorization: str) -> object:
        return await authorize(stand, authorization, PROJECT, "events:read")

    async def check_anew() -> object:
        authority._proven.clear()
        return await check(header)

    found = {
        "key": await microseconds(lambda: check(header)),
        "keyAnew": await microseconds(check_anew),
        "hmac": bare(
            lambda: hmac.digest(settings.secret.get_secret_value().encode(), key.text.encode(), "sha256")
        ),
    }
    for algorithm, private_key in private.items():
        signer = Signer(algorithm, algorithm, private_key)
        tokens = [
            issue(signer, issuer=settings.public_url, user_id=user_id, session="s").text for _ in range(FIRST)
        ]
        headers = [f"Bearer {token}" for token in tokens]
        public = private_key.public_key()

        def decode(token: str = tokens[0], public: Any = public, algorithm: str = algorithm) -> object:
            return jwt.decode(
                token, public, algorithms=[algorithm], audience=AUDIENCE, issuer=settings.public_url
            )

        await check(headers[0])
        found[f"token{algorithm}"] = await microseconds(lambda known=headers[0]: check(known))  # type: ignore[misc]
        found[f"first{algorithm}"] = await each(headers[1:], check)
        found[f"pyjwt{algorithm}"] = bare(decode, FIRST)
    await stand.close()
    return found


def main() -> None:
    print(json.dumps(asyncio.run(figures())))


if __name__ == "__main__":
    main()
