"""One session with an SMTP server (RFC 5321), in a thread of its own.

The standard library's client is used: it knows how to log in, to fold, and to stuff dots. It blocks, and its time-out is
for each step alone; so it runs beside the event loop, and its connection is cut when its time is up.
"""

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from shared.mail.settings import Server

if TYPE_CHECKING:
    from email.message import EmailMessage
    from smtplib import SMTP

STEP_SECONDS = 10.0
SESSION_SECONDS = 30.0


class Refused(Exception):
    """The server does not take it, and would not the next time either."""


class Unreachable(Exception):
    """It was not taken for now."""


async def deliver(
    server: Server, message: "EmailMessage | None", *, name: str, seconds: float = SESSION_SECONDS
) -> None:
    """Give `message` to the server; without one, only go as far as logging in. Raises Refused, Unreachable.

    `name` is the domain that the client says it is of: to look up its own name can take longer than the mail.
    """
    session = _Session(server, message, name)
    running = asyncio.ensure_future(asyncio.to_thread(session.run))
    try:
        async with asyncio.timeout(seconds):
            await asyncio.shield(running)
    except TimeoutError as error:
        raise Unreachable(f"no answer within {seconds:g} s") from error
    finally:
        if not running.done():
            session.cut()
            with suppress(Refused, Unreachable):
                await running


class _Session:
    def __init__(self, server: Server, message: "EmailMessage | None", name: str) -> None:
        self._server = server
        self._name = name
        self._message = message
        self._client: SMTP | None = None
        self._is_cut = False

    def run(self) -> None:
        import smtplib

        try:
            self._speak()
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise _verdict(error) from error
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError) as error:
            raise Refused(_said(error)) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(_said(error)) from error

    def cut(self) -> None:
        """Have whatever waits for the server stop waiting."""
        self._is_cut = True
        sock = None if self._client is None else self._client.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _speak(self) -> None:
        import smtplib

        from shared.http.contexts import tls_context

        server = self._server
        if server.tls == "implicit":
            client: SMTP = smtplib.SMTP_SSL(
                local_hostname=self._name, timeout=STEP_SECONDS, context=tls_context()
            )
        else:
            client = smtplib.SMTP(local_hostname=self._name, timeout=STEP_SECONDS)
        # What certificates are checked against; otherwise it is set by the constructor, which then connects at once.
        client._host = server.host  # type: ignore[attr-defined]  # noqa: SLF001
        self._client = client
        try:
            code, said = client.connect(server.host, server.port)
            if code != 220:
                raise smtplib.SMTPConnectError(code, said)
            if self._is_cut:
                raise OSError("its time is up")
            if server.tls == "starttls":
                client.starttls(context=tls_context())
            if server.user is not None and server.password is not None:
                client.login(server.user, server.password)
            client.ehlo_or_helo_if_needed()
            if self._message is not None:
                client.send_message(self._message)
            with suppress(smtplib.SMTPException, OSError):
                client.quit()  # it has been taken, whatever is said now
        finally:
            client.close()


def _verdict(error: Exception) -> Exception:
    """Codes of 5 are for good (RFC 5321, section 4.2.1)."""
    recipients = getattr(error, "recipients", None)
    code = next(iter(recipients.values()))[0] if recipients else getattr(error, "smtp_code", 0)
    return (Refused if code >= 500 else Unreachable)(_said(error))


def _said(error: Exception) -> str:
    """What is logged: the kind and the code, and nothing of what the server may quote."""
    recipients = getattr(error, "recipients", None)
    code = next(iter(recipients.values()))[0] if recipients else getattr(error, "smtp_code", None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"
