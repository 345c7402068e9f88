"""The SQL of second factors."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from functions.identity.entered import Factor

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record


async def factors_of(on: "Connection | Pool", user_id: UUID, party: str) -> tuple[Factor, ...]:
    """What the account asks for beside its first factor, on pages of that relying party; nothing where it asks for none.

    A passkey of another party cannot be shown here, and yet the account is not without a second factor.
    """
    row = await on.fetchrow(
        """
        SELECT
            EXISTS (SELECT FROM totp_secrets WHERE user_id = $1 AND confirmed_at IS NOT NULL) AS totp,
            EXISTS (SELECT FROM passkeys WHERE user_id = $1) AS any_passkey,
            EXISTS (SELECT FROM passkeys WHERE user_id = $1 AND relying_party = $2) AS passkey
        """,
        user_id,
        party,
    )
    assert row is not None
    if not row["totp"] and not row["any_passkey"]:
        return ()
    found: tuple[tuple[Factor, bool], ...] = (
        ("passkey", row["passkey"]),
        ("totp", row["totp"]),
        ("recoveryCode", True),
    )
    return tuple(factor for factor, there in found if there)


async def totp(on: "Connection | Pool", user_id: UUID) -> "Record | None":
    """The secret that the user's authenticator shares, confirmed or not."""
    return await on.fetchrow(
        "SELECT secret_sealed, last_step, confirmed_at FROM totp_secrets WHERE user_id = $1", user_id
    )


async def put_totp(on: "Connection | Pool", user_id: UUID, secret_sealed: bytes) -> bool:
    """Keep a secret that is to be confirmed, in place of one that was not. False when one is confirmed."""
    status = await on.execute(
        """
        INSERT INTO totp_secrets (user_id, secret_sealed) VALUES ($1, $2)
        ON CONFLICT (user_id) DO UPDATE SET secret_sealed = excluded.secret_sealed, created_at = now(), last_step = 0
        WHERE totp_secrets.confirmed_at IS NULL
        """,
        user_id,
        secret_sealed,
    )
    return bool(status == "INSERT 0 1")


async def confirm_totp(on: "Connection", user_id: UUID, secret_sealed: bytes, step: int) -> bool:
    """Have that secret count from now on, its code of `step` being used up."""
    status = await on.execute(
        """
        UPDATE totp_secrets SET confirmed_at = now(), last_step = $3
        WHERE user_id = $1 AND secret_sealed = $2 AND confirmed_at IS NULL
        """,
        user_id,
        secret_sealed,
        step,
    )
    return bool(status == "UPDATE 1")


async def use_step(on: "Connection | Pool", user_id: UUID, step: int) -> bool:
    """Use up the code of `step`. Of any number of calls at the same time, one gets True."""
    status = await on.execute(
        "UPDATE totp_secrets SET last_step = $2 WHERE user_id = $1 AND last_step < $2", user_id, step
    )
    return bool(status == "UPDATE 1")


async def remove_totp(on: "Connection", user_id: UUID) -> bool:
    """Forget the secret, confirmed or not."""
    return bool(await on.execute("DELETE FROM totp_secrets WHERE user_id = $1", user_id) == "DELETE 1")


async def recovery_salt(on: "Connection | Pool", user_id: UUID) -> bytes | None:
    """What the user's recovery codes are hashed with."""
    found: bytes | None = await on.fetchval(
        "SELECT salt FROM recovery_codes WHERE user_id = $1 LIMIT 1", user_id
    )
    return found


async def use_recovery_code(on: "Connection | Pool", user_id: UUID, code_hash: bytes) -> bool:
    """Use up a code. Of any number of calls at the same time, one gets True."""
    status = await on.execute(
        "UPDATE recovery_codes SET used_at = now() WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL",
        user_id,
        code_hash,
    )
    return bool(status == "UPDATE 1")


async def replace_recovery_codes(
    on: "Connection", user_id: UUID, salt: bytes, code_hashes: Iterable[bytes]
) -> None:
    """Keep these codes, and no others."""
    await on.execute("DELETE FROM recovery_codes WHERE user_id = $1", user_id)
    await on.execute(
        "INSERT INTO recovery_codes (user_id, salt, code_hash) SELECT $1, $2, unnest($3::bytea[])",
        user_id,
        salt,
        list(code_hashes),
    )


async def codes_left(on: "Connection | Pool", user_id: UUID) -> int:
    """How many recovery codes are unused."""
    return int(
        await on.fetchval(
            "SELECT count(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL", user_id
        )
    )


async def drop_codes_without_factor(on: "Connection", user_id: UUID) -> None:
    """Forget the recovery codes of a user who has no second factor any more."""
    await on.execute(
        """
        DELETE FROM recovery_codes WHERE user_id = $1
            AND NOT EXISTS (SELECT FROM totp_secrets WHERE user_id = $1 AND confirmed_at IS NOT NULL)
            AND NOT EXISTS (SELECT FROM passkeys WHERE user_id = $1)
        """,
        user_id,
    )


async def totp_since(on: "Connection | Pool", user_id: UUID) -> datetime | None:
    """Since when codes of an authenticator are asked for."""
    found: datetime | None = await on.fetchval(
        "SELECT confirmed_at FROM totp_secrets WHERE user_id = $1", user_id
    )
    return found
