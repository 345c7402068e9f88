"""How a subscription proves to its sink who is sending: what is shown of it, and what is secret."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from shared.core.delivery import InvalidPolicy, check_sink
from shared.core.pointers import write_pointer
from shared.core.problems import Fault
from shared.core.sink_headers import name_fault, value_fault

MAX_TEXT = 2_000
MAX_SECRET = 8_000


@dataclass(frozen=True, slots=True)
class Kind:
    """`identity` are the members that say whose credential it is: where they change, so does the secret."""

    identity: tuple[str, ...]
    optional: tuple[str, ...]
    secret: str


KINDS = {
    "bearer": Kind((), (), "token"),
    "basic": Kind(("username",), (), "password"),
    "header": Kind(("name",), (), "value"),
    "oauth2": Kind(("tokenUrl", "clientId"), ("scope", "audience", "clientAuthentication"), "clientSecret"),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """OAuth 2.0 client credentials (RFC 6749, section 4.4). Equal ones share a token."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str | None = None
    audience: str | None = None
    in_body: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """The client's secret, and the pair that carries it where it is not in the body."""
        return self.client_secret, self._pair()

    def _pair(self) -> str:
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        return base64.b64encode(pair.encode()).decode()

    def request(self) -> tuple[list[tuple[str, str]], bytes]:
        """Headers and body of the request for a token (sections 2.3.1 and 4.4.2)."""
        form = {"grant_type": "client_credentials"}
        if self.scope is not None:
            form["scope"] = self.scope
        if self.audience is not None:
            form["audience"] = self.audience
        headers = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")]
        if self.in_body:
            form |= {"client_id": self.client_id, "client_secret": self.client_secret}
        else:
            headers.append(("authorization", f"Basic {self._pair()}"))
        return headers, urlencode(form).encode()


def auth_faults(auth: Any) -> list[Fault]:
    """What is wrong with an `auth` object; its secret may be absent. Pointers begin at it."""
    if not isinstance(auth, Mapping):
        return [Fault("", "must be null, or an object with a type")]
    kind = KINDS.get(auth["type"]) if isinstance(auth.get("type"), str) else None
    if kind is None:
        return [Fault("/type", f"must be one of {', '.join(KINDS)}")]
    known = {"type", kind.secret, *kind.identity, *kind.optional}
    faults = [
        Fault(write_pointer([str(name)]), f"is not known; known are {', '.join(sorted(known))}")
        for name in auth
        if name not in known
    ]
    faults += [Fault(f"/{name}", "must be given") for name in kind.identity if auth.get(name) is None]
    for name in (kind.secret, *kind.identity, *kind.optional):
        value = auth.get(name)
        if value is not None and (fault := _fault(auth["type"], name, value)) is not None:
            faults.append(Fault(f"/{name}", fault))
    return faults


def shown(auth: Mapping[str, Any]) -> dict[str, Any]:
    """An `auth` object without faults as it is kept and shown: every member but the secret."""
    kind = KINDS[auth["type"]]
    found: dict[str, Any] = {"type": auth["type"]}
    found |= {name: auth.get(name) for name in (*kind.identity, *kind.optional)}
    if auth["type"] == "oauth2":
        found["clientAuthentication"] = found["clientAuthentication"] or "basic"
    return found


def secret_of(auth: Mapping[str, Any]) -> str | None:
    """The secret in an `auth` object, if it is there."""
    secret: str | None = auth.get(KINDS[auth["type"]].secret)
    return secret


def same_holder(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether a secret of `one` is a secret of `other`: the type and all that says whose it is are the same."""
    names = ("type", *KINDS[one["type"]].identity)
    return all(one.get(name) == other.get(name) for name in names)


def headers_for(auth: Mapping[str, Any], secret: str) -> list[tuple[str, str]]:
    """The headers that carry a credential; none for `oauth2`, which needs a token first (`grant_for`)."""
    match auth["type"]:
        case "bearer":
            return [("authorization", f"Bearer {secret}")]
        case "basic":
            pair = f"{auth['username']}:{secret}".encode()
            return [("authorization", f"Basic {base64.b64encode(pair).decode()}")]
        case "header":
            return [(auth["name"], secret)]
    return []


def secrets_in(auth: Mapping[str, Any], secret: str) -> tuple[str, ...]:
    """The secret, and what of it stands in requests: each gives it away to who reads it."""
    carried = (value.removeprefix("Basic ").removeprefix("Bearer ") for _, value in headers_for(auth, secret))
    return tuple(dict.fromkeys((secret, *carried)))


def grant_for(auth: Mapping[str, Any], secret: str) -> Grant | None:
    """What to ask a token with; None for the other types."""
    if auth["type"] != "oauth2":
        return None
    return Grant(
        auth["tokenUrl"],
        auth["clientId"],
        secret,
        auth.get("scope"),
        auth.get("audience"),
        auth.get("clientAuthentication") == "post",
    )


def _fault(kind: str, name: str, value: Any) -> str | None:
    if not isinstance(value, str):
        return "must be a text"
    match kind, name:
        case "oauth2", "tokenUrl":
            try:
                return (
                    None if len(check_sink(value, "")) <= MAX_TEXT else f"has more than {MAX_TEXT} characters"
                )
            except InvalidPolicy as error:
                return error.detail
        case "oauth2", "clientAuthentication":
            return None if value in {"basic", "post"} else "must be basic or post"
        case "header", "name":
            return name_fault(value)
        case "header", "value":
            return value_fault(value)
        case "bearer", "token":
            return "must not have spaces in it" if " " in value else value_fault(value, MAX_SECRET)
        case "basic", "username" if ":" in value:
            return "must not have a colon in it (RFC 7617)"
    if not value or len(value) > MAX_SECRET or not value.isprintable():
        return f"must be a text of 1 to {MAX_SECRET} characters without control characters"
    return None
