"""Exchanges the key that signs access tokens: `python -m shared.auth.rotate [--algorithm ES256] [--ahead 90] [--revoke]`.

The new key is published at once and signs after `--ahead` seconds, when everybody who keeps public keys has it; the one
before verifies until the last token that it signed has ended. With `--revoke` the new key signs at once, and what all
others have signed is refused: for the day on which a private key got about. Needs the settings of the functions:
`WEIR_DATABASE_URL`, `WEIR_SECRET` and the sealing keys. The last line on stdout is JSON: `{"kid": …, "algorithm": …,
"signsFrom": …, "keys": […]}`.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shared.audit.by import by_operator
from shared.audit.record import record
from shared.auth import queries
from shared.auth.beside import Beside
from shared.auth.signing_keys import create_signer
from shared.auth.tokens import ALGORITHMS, EDDSA

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

    from shared.auth.sealing import SealingKeys

AHEAD_SECONDS = 90.0
"""Longer than anybody keeps the published keys: `Cache-Control` of `/.well-known/jwks.json` says 60 s."""

SIGNS_ON_SECONDS = 60.0
"""For how long after that the key before may still sign: a process remembers for a second which one does."""


async def rotate(
    pool: "Pool",
    sealing: "SealingKeys",
    *,
    algorithm: str,
    ahead_seconds: float = AHEAD_SECONDS,
    revoke: bool = False,
) -> dict[str, Any]:
    """Make the next key, unless one is waiting already. Safe to repeat."""
    async with pool.acquire() as connection, connection.transaction():
        await queries.lock(connection, queries.SIGNING_LOCK)
        before = await queries.signing_keys(connection)
        waiting = next((key for key in before if key["is_waiting"]), None)
        if waiting is None or revoke:
            await _exchange(connection, sealing, before, algorithm, ahead_seconds, revoke=revoke)
        return {
            "waitingAlready": waiting is not None and not revoke,
            **shown(await queries.signing_keys(connection)),
        }


async def listed(pool: "Pool") -> dict[str, Any]:
    """The keys as they are."""
    return shown(await queries.signing_keys(pool))


async def _exchange(
    connection: "Connection",
    sealing: "SealingKeys",
    before: "list[Record]",
    algorithm: str,
    ahead_seconds: float,
    *,
    revoke: bool,
) -> None:
    # Where nothing signs nobody is to wait either.
    after = 0.0 if revoke or not any(key["may_sign"] for key in before) else ahead_seconds
    signer = await create_signer(connection, sealing, algorithm, after_seconds=after)
    if revoke:
        await queries.revoke_signing_keys(connection, but=signer.kid)
    else:
        await queries.retire_signing_keys(connection, but=signer.kid, after_seconds=after + SIGNS_ON_SECONDS)
    await record(
        connection,
        by_operator("shared.auth.rotate"),
        "signing_key.revoked" if revoke else "signing_key.rotated",
        project_id=None,
        id=signer.kid,
        before={"keys": [key["kid"] for key in before]},
        after={"key": signer.kid, "algorithm": algorithm, "signsAfterSeconds": after},
    )


def shown(keys: "list[Record]") -> dict[str, Any]:
    """The newest, and all of them, as JSON."""
    items = [
        {
            "kid": key["kid"],
            "algorithm": key["algorithm"],
            "state": _state(key, is_first=key["kid"] == _signing(keys)),
            "createdAt": key["created_at"].isoformat(),
            "signsFrom": key["signs_from"].isoformat(),
            "endsAt": None if key["ends_at"] is None else key["ends_at"].isoformat(),
        }
        for key in keys
    ]
    newest = items[0] if items else {}
    return {name: newest.get(name) for name in ("kid", "algorithm", "signsFrom")} | {"keys": items}


def _signing(keys: "list[Record]") -> str | None:
    return next((str(key["kid"]) for key in keys if key["may_sign"]), None)


def _state(key: "Record", *, is_first: bool) -> str:
    if key["is_waiting"]:
        return "published"
    return "signs" if is_first else "verifies"


async def _run(beside: Beside, **chosen: Any) -> dict[str, Any]:
    async with beside.pool() as pool:
        return await rotate(pool, beside.sealing, **chosen)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m shared.auth.rotate", description=__doc__)
    parser.add_argument(
        "--algorithm", choices=sorted(ALGORITHMS), default=os.environ.get("WEIR_TOKEN_ALGORITHM", EDDSA)
    )
    parser.add_argument("--ahead", type=float, default=AHEAD_SECONDS, help="seconds until the new key signs")
    parser.add_argument("--revoke", action="store_true", help="end the others at once")
    chosen = parser.parse_args(arguments)
    if chosen.algorithm not in ALGORITHMS or chosen.ahead < 0:
        parser.error(f"the algorithm is one of {', '.join(sorted(ALGORITHMS))}, and --ahead not negative")
    try:
        beside = Beside.of()
    except ValueError as error:
        parser.error(str(error))
    said = asyncio.run(
        _run(beside, algorithm=chosen.algorithm, ahead_seconds=chosen.ahead, revoke=chosen.revoke)
    )
    print(json.dumps(said))  # noqa: T201 a command's own output
    return 0


if __name__ == "__main__":
    sys.exit(main())
