"""The keys that sign access tokens: rows that every function reads, the private halves sealed."""

from typing import TYPE_CHECKING, Any

from shared.auth import queries
from shared.auth.keys import make_token
from shared.auth.sealing import SealingKeys, UnsealError, seal, unseal
from shared.auth.tokens import ALGORITHMS, EDDSA, ES256, Signer

if TYPE_CHECKING:
    from asyncpg import Connection, Pool

    from shared.auth.tokens import PrivateKey


def purpose_of(kid: str) -> bytes:
    """What the private half of that key is sealed for."""
    return b"signing key " + kid.encode()


async def current_signer(pool: "Pool", sealing: SealingKeys, algorithm: str = EDDSA) -> Signer:
    """The newest key that may sign now and that `sealing` opens; makes one of `algorithm` when there is none."""
    async with pool.acquire() as connection:
        signer = await _newest(connection, sealing)
        if signer is not None:
            return signer
        async with connection.transaction():
            await queries.lock(connection, queries.SIGNING_LOCK)
            return await _newest(connection, sealing) or await create_signer(
                connection, sealing, algorithm, after_seconds=0
            )


async def create_signer(
    connection: "Connection", sealing: SealingKeys, algorithm: str, *, after_seconds: float
) -> Signer:
    """A new key that is published at once and signs after so many seconds."""
    kid = make_token()[:16]
    private_key = _make(algorithm)
    await queries.insert_signing_key(
        connection,
        kid=kid,
        algorithm=algorithm,
        public_jwk=_public_jwk(private_key, kid, algorithm),
        private_sealed=seal(sealing, _written(private_key), purpose=purpose_of(kid)),
        after_seconds=after_seconds,
    )
    return Signer(kid, algorithm, private_key)


async def _newest(connection: "Connection", sealing: SealingKeys) -> Signer | None:
    for row in await queries.live_signing_keys(connection):
        if row["algorithm"] not in ALGORITHMS:
            continue
        try:
            written = unseal(sealing, row["private_sealed"], purpose=purpose_of(row["kid"]))
        except UnsealError:
            # The deployment's keys were exchanged: what the old ones sealed still verifies, but cannot sign.
            continue
        return Signer(row["kid"], row["algorithm"], _read(row["algorithm"], written))
    return None


def _make(algorithm: str) -> "PrivateKey":
    if algorithm == ES256:
        from cryptography.hazmat.primitives.asymmetric import ec

        return ec.generate_private_key(ec.SECP256R1())
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()


def _written(private_key: "PrivateKey") -> bytes:
    """32 bytes of an Ed25519 key, PKCS 8 of another."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if isinstance(private_key, Ed25519PrivateKey):
        return private_key.private_bytes_raw()
    return private_key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read(algorithm: str, written: bytes) -> "PrivateKey":
    if algorithm == ES256:
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.serialization import load_der_private_key

        private_key = load_der_private_key(written, None)
        assert isinstance(private_key, EllipticCurvePrivateKey)
        return private_key
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(written)


def _public_jwk(private_key: "PrivateKey", kid: str, algorithm: str) -> dict[str, Any]:
    from jwt.algorithms import ECAlgorithm, OKPAlgorithm

    kind: Any = ECAlgorithm if algorithm == ES256 else OKPAlgorithm
    jwk: dict[str, Any] = {
        **kind.to_jwk(private_key.public_key(), as_dict=True),
        "kid": kid,
        "alg": algorithm,
        "use": "sig",
    }
    jwk.pop("key_ops", None)
    return jwk
