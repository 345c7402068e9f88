"""The declaration of `identity`."""

from shared.runtime.function import Function, Scale

FUNCTION = Function(
    name="identity",
    summary="Signs people in, keeps their sessions, and publishes the keys that verify access tokens",
    entry="functions.identity.app:create",
    routes=("/v1/auth", "/v1/me", "/.well-known/jwks.json"),
    # Without Redis it says itself when to come again; a gateway in front of an unready one would not.
    needs=frozenset({"postgres"}),
    calls_out=True,  # mail, and whoever else signs people in
    scale=Scale(warm=1),
)
