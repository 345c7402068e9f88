"""A real SMTP server on a free port of 127.0.0.1, and what it was given."""

import asyncio
import ssl
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class MailServer:
    """`with MailServer() as server`: its `port`, the mails it has taken, and what it answers.

    `answers` are the next answers to a mail's data; without one it is taken. `users` are who may log in; with any, nobody
    else may send. `tls` is what it speaks TLS with: after STARTTLS, or `implicit` from the start.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        *,
        implicit: bool = False,
        users: dict[str, str] | None = None,
    ) -> None:
        self.answers: list[str] = []
        self.taken: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.was_encrypted: list[bool] = []
        self.logins = 0
        self.sessions = 0
        self._users = users or {}
        self._implicit = implicit
        self._changed = threading.Condition()
        self._controller = _Controller(
            self,
            hostname="127.0.0.1",
            port=0,
            ssl_context=tls if implicit else None,
            auth_required=bool(users),
            authenticator=self._authenticate if users else None,
            auth_require_tls=not implicit,
            **({"tls_context": tls, "require_starttls": bool(users)} if tls and not implicit else {}),
        )

    @property
    def port(self) -> int:
        return int(self._controller.server.sockets[0].getsockname()[1])

    async def mail(self, count: int = 1) -> EmailMessage:
        """The newest mail, once there are `count`. Raises TimeoutError."""

        def wait() -> bool:
            with self._changed:
                return self._changed.wait_for(lambda: len(self.taken) >= count, timeout=10)

        if not await asyncio.to_thread(wait):
            raise TimeoutError(f"{len(self.taken)} mail(s) of {count} came")
        return self.taken[count - 1]

    async def handle_EHLO(  # noqa: N802 aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answers:
            answer = self.answers.pop(0)
            if not answer.startswith("2"):
                return answer
        with self._changed:
            parsed: Any = message_from_bytes(envelope.original_content or b"", policy=policy.default)
            self.taken.append(parsed)
            self.envelopes.append(envelope)
            self.was_encrypted.append(self._implicit or session.ssl is not None)
            self._changed.notify_all()
        return "250 taken"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        self.logins += 1
        known = isinstance(data, LoginPassword) and self._users.get(data.login.decode())
        return AuthResult(success=bool(known) and known == data.password.decode(), handled=False)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


class _Controller(Controller):
    def _trigger_server(self) -> None:
        """The controller connects once to see that it listens: port 0 is not where."""
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
