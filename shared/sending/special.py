"""What some subscriptions ask for beyond a signed POST: worked out once for each of their versions."""

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from yarl import URL

from shared.auth.sealing import UnsealError
from shared.auth.sink_secrets import AUTH, PRIVATE_KEY, open_credentials
from shared.core.credentials import Grant, grant_for, headers_for, secrets_in
from shared.core.delivery import K_SINK, DeliveryPolicy
from shared.http.contexts import tls_context
from shared.runtime.resources import Resources
from shared.sending.binding import Binding

if TYPE_CHECKING:
    from asyncpg import Record


HIDDEN_HEADERS = frozenset({"webhook-signature", "authorization", "cookie"})
"""What is shown of no request."""


class Unusable(Exception):
    """A credential that cannot be used any more."""


@dataclass(slots=True, eq=False)
class Special:
    """`name` is the subscription's. `headers` are sent with every request; `hidden` are those of them that nobody is shown.

    `secrets` are those that a sink must not be able to put on record by an echo.
    `fault` says why nothing can be sent at the moment. A sink that the `operator` has named is not held against
    the address guard.
    """

    name: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    hidden: frozenset[str] = HIDDEN_HEADERS
    secrets: tuple[str, ...] = ()
    grant: Grant | None = None
    transform: str | None = None
    extensions: tuple[tuple[str, str], ...] = ()
    replies: bool = False
    operator: bool = False
    shows_body: bool = False
    fault: str | None = None
    certificate: str | None = None
    private_key: str | None = None
    ca: str | None = None
    also: str | None = None
    _context: ssl.SSLContext | None = field(default=None)

    @property
    def tls(self) -> ssl.SSLContext | None:
        """What https is spoken with, made at the first request; None for what everybody has. Raises Unusable."""
        if self._context is None and (self.certificate or self.ca or self.also):
            try:
                self._context = tls_context(self.certificate, self.private_key, self.ca, also=self.also)
            except (ssl.SSLError, ValueError) as error:
                raise Unusable(f"its certificates cannot be used: {error}") from error
        return self._context

    @property
    def rewrites(self) -> bool:
        """Whether what is sent is not what was stored, or is to be shown all the same (`shows_body`)."""
        return self.shows_body or self.transform is not None or bool(self.extensions)


def special_of(
    row: "Record", policy: DeliveryPolicy, resources: Resources, binding: Binding
) -> Special | None:
    """What this subscription asks for; None for the many that ask for nothing. Raises Unusable."""
    bound = row["sink"] == K_SINK
    tls: dict[str, Any] = row["tls"] or {}
    auth: dict[str, Any] | None = row["auth"]
    # A token in the address: nobody on the way is to keep the answer (http-webhook.md, section 3.2).
    private = not bound and "access_token" in URL(row["sink"], encoded=True).query
    if not (
        bound or tls or auth or private or row["transform"] or policy.headers or policy.extensions
    ) and not (policy.replies or policy.batch_size > 1):
        return None
    try:
        secrets = open_credentials(resources.settings.sealing, row["id"], row["credentials_sealed"])
    except UnsealError as error:
        raise Unusable(f"its credential cannot be opened: {error}") from None
    headers = list(policy.headers)
    if private and all(name.lower() != "cache-control" for name, _ in headers):
        headers.append(("cache-control", "no-store"))
    if policy.replies:
        headers.append(("prefer", "reply"))
    hidden = set(HIDDEN_HEADERS)
    grant: Grant | None = None
    echoes: tuple[str, ...] = ()
    if auth is not None:
        if AUTH not in secrets:
            raise Unusable("its credential is gone")
        carried = headers_for(auth, secrets[AUTH])
        headers += carried
        hidden |= {name.lower() for name, _ in carried}
        grant = grant_for(auth, secrets[AUTH])
        echoes = secrets_in(auth, secrets[AUTH])
    return Special(
        name=row["name"],
        headers=tuple(headers),
        hidden=frozenset(hidden),
        secrets=echoes,
        grant=grant,
        transform=(row["transform"] or {}).get("jsonata"),
        extensions=policy.extensions + (binding.extensions if bound else ()),
        replies=policy.replies,
        operator=bound,
        fault=binding.fault if bound else None,
        certificate=tls.get("certificate"),
        private_key=secrets.get(PRIVATE_KEY),
        ca=tls.get("ca"),
        also=binding.ca if bound and not tls.get("ca") else None,
    )
