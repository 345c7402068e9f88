"""The keys that sign access tokens: rows that every function reads, the private halves sealed."""

from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from shared.auth import queries
from shared.auth.keys import make_token
from shared.auth.sealing import UnsealError, seal, unseal
from shared.auth.tokens import ALGORITHMS, Signer

if TYPE_CHECKING:
    from asyncpg import Connection, Pool

_PURPOSE = b"signing key "


async def current_signer(pool: "Pool", secret: SecretStr) -> Signer:
    """The newest key that `secret` opens; makes one when there is none."""
    async with pool.acquire() as connection:
        signer = await _newest(connection, secret)
        if signer is not None:
            return signer
        async with connection.transaction():
            await queries.lock(connection, queries.SIGNING_LOCK)
            return await _newest(connection, secret) or await _create(connection, secret)


async def _newest(connection: "Connection", secret: SecretStr) -> Signer | None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    for row in await queries.live_signing_keys(connection):
        if row["algorithm"] not in ALGORITHMS:
            continue
        try:
            raw = unseal(secret, row["private_sealed"], purpose=_PURPOSE + row["kid"].encode())
        except UnsealError:
            # The deployment's secret was exchanged: what the old one sealed still verifies, but cannot sign.
            continue
        return Signer(row["kid"], row["algorithm"], Ed25519PrivateKey.from_private_bytes(raw))
    return None


async def _create(connection: "Connection", secret: SecretStr) -> Signer:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from jwt.algorithms import OKPAlgorithm

    kid = make_token()[:16]
    private_key = Ed25519PrivateKey.generate()
    public_jwk: dict[str, Any] = {
        **OKPAlgorithm.to_jwk(private_key.public_key(), as_dict=True),
        "kid": kid,
        "alg": "EdDSA",
        "use": "sig",
    }
    public_jwk.pop("key_ops", None)
    await queries.insert_signing_key(
        connection,
        kid=kid,
        algorithm="EdDSA",
        public_jwk=public_jwk,
        private_sealed=seal(secret, private_key.private_bytes_raw(), purpose=_PURPOSE + kid.encode()),
    )
    return Signer(kid, "EdDSA", private_key)
