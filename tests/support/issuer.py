"""An OIDC issuer on a free port of 127.0.0.1: discovery, a JWK set, and tokens signed with real keys."""

import json
import time
from typing import Any, Self
from uuid import uuid4

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def new_key(algorithm: str) -> PrivateKey:
    """A private key for one algorithm. All RSA keys are the same: they are slow to make."""
    if algorithm in {"RS256", "PS256"}:
        return _RSA
    return (
        ec.generate_private_key(ec.SECP256R1())
        if algorithm == "ES256"
        else ed25519.Ed25519PrivateKey.generate()
    )


def public_jwk(key: PrivateKey, **members: Any) -> dict[str, Any]:
    kinds = {
        rsa.RSAPrivateKey: RSAAlgorithm,
        ec.EllipticCurvePrivateKey: ECAlgorithm,
        ed25519.Ed25519PrivateKey: OKPAlgorithm,
    }
    algorithm = next(found for kind, found in kinds.items() if isinstance(key, kind))
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "use": "sig", **members}


class Issuer:
    """`async with Issuer() as issuer`: its `url`, its `keys` by id, and how often it was asked for them."""

    def __init__(self) -> None:
        self.url = ""
        self.audience = "weir/test"
        self.subject = "system:serviceaccount:shop:checkout"
        self.keys: dict[str, tuple[str, PrivateKey]] = {}
        self.asked: list[str] = []
        self.extra: list[Any] = []
        self.discovery: dict[str, Any] = {}
        self.answer: web.Response | None = None
        """Instead of everything else."""

    def rotate(self, algorithm: str = "ES256") -> str:
        """Only a new key from now on; its id."""
        kid = uuid4().hex[:8]
        self.keys = {kid: (algorithm, new_key(algorithm))}
        return kid

    def claims(self, **claims: Any) -> dict[str, Any]:
        now = int(time.time())
        made = {"iss": self.url, "aud": self.audience, "sub": self.subject, "iat": now, "exp": now + 600}
        return {name: value for name, value in {**made, **claims}.items() if value is not None}

    def token(self, kid: str | None = None, head: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token signed with the key of that id, or with the newest."""
        kid = kid or list(self.keys)[-1]
        algorithm, key = self.keys[kid]
        return jwt.encode(
            self.claims(**claims), key, algorithm=algorithm, headers={"kid": kid, **(head or {})}
        )

    async def _discovery(self, _: web.Request) -> web.Response:
        self.asked.append("discovery")
        return self.answer or web.json_response(
            {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **self.discovery}
        )

    async def _keys(self, _: web.Request) -> web.Response:
        self.asked.append("keys")
        keys = [public_jwk(key, kid=kid, alg=algorithm) for kid, (algorithm, key) in self.keys.items()]
        return web.Response(
            text=json.dumps({"keys": [*self.extra, *keys]}), content_type="application/jwk-set+json"
        )

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/keys", self._keys)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        if not self.keys:
            self.rotate()
        return self

    async def close(self) -> None:
        """It does not answer any more."""
        await self._runner.cleanup()

    async def __aexit__(self, *_: object) -> None:
        await self.close()
