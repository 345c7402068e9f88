"""Where mail goes, and from whom."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr, field_validator, model_validator

from shared.runtime.environment import FromEnvironment

Tls = Literal["implicit", "starttls", "none"]

_PORTS: dict[str, tuple[int, Tls]] = {"smtps": (465, "implicit"), "smtp": (587, "starttls")}


@dataclass(frozen=True, slots=True)
class Server:
    """An SMTP server. `starttls` is required of it then: without TLS nothing is sent."""

    host: str
    port: int
    tls: Tls
    user: str | None = None
    password: str | None = field(default=None, repr=False)


class MailSettings(FromEnvironment):
    """`smtp_url` is `smtps://user:password@host:465` (TLS from the start) or `smtp://host:587` (STARTTLS).

    `smtp://host:25?tls=none` sends in the clear, and then without a password. `mail_from` is who mails are from:
    `Weir <weir@example.com>`. Without both there is no mail.
    """

    smtp_url: SecretStr | None = None
    mail_from: str | None = None

    @field_validator("smtp_url")
    @classmethod
    def _is_a_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            server_of(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None:
            sender_of(value)
        return value

    @model_validator(mode="after")
    def _both(self) -> Any:
        if (self.smtp_url is None) != (self.mail_from is None):
            raise ValueError("WEIR_SMTP_URL and WEIR_MAIL_FROM belong together: set both, or neither")
        return self

    @property
    def server(self) -> Server | None:
        """The server, where there is one."""
        return None if self.smtp_url is None else server_of(self.smtp_url.get_secret_value())


_SENDER = re.compile(r"""(?:(?P<name>[^<>",]+) )?<(?P<of>[^<>]+)>|(?P<bare>[^<>]+)""")


def sender_of(text: str) -> tuple[str, str]:
    """The name, which may be empty, and the address in `Weir <weir@example.com>`. Raises ValueError."""
    found = _SENDER.fullmatch(text)
    address = (found["of"] or found["bare"]) if found is not None else ""
    if found is None or not text.isprintable() or not is_address(address):
        raise ValueError("must be an address, like Weir <weir@example.com>")
    return found["name"] or "", address


def server_of(url: str) -> Server:
    """The server that `url` names. Raises ValueError, which never has the password in it."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in {"", "/"} or parts.fragment:
        raise ValueError("must be like smtps://user:password@host:465 or smtp://host:587")
    port, tls = _PORTS[parts.scheme]
    told = dict(parse_qsl(parts.query, keep_blank_values=True))
    if told not in ({}, {"tls": "none"}) or (told and parts.scheme == "smtps"):
        raise ValueError("may say ?tls=none after smtp://host, and nothing else")
    if told:
        tls = "none"
    if tls == "none" and parts.password is not None:
        raise ValueError("a password is not sent without TLS: leave ?tls=none out, or the password")
    if (parts.username is None) != (parts.password is None):
        raise ValueError("has a user without a password")
    return Server(
        parts.hostname,
        parts.port or port,
        tls,
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
    )


_ADDRESS = re.compile(r"""[^@\s<>()\[\]\\,;:"]+@[^@\s<>()\[\]\\,;:"]+""")


def is_address(text: str) -> bool:
    """Whether `text` is one bare address: nothing in it could be a second one, or another header."""
    return len(text) <= 320 and text.isprintable() and _ADDRESS.fullmatch(text) is not None
