"""Hands mails off: whoever sends one goes on at once, and neither waits for it nor fails with it."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol
from weakref import WeakKeyDictionary

from shared.mail.settings import MailSettings, Server, sender_of
from shared.mail.smtp import SESSION_SECONDS, Refused, Unreachable, deliver
from shared.runtime.metrics import METRICS

AT_ONCE = 2
WAITING = 1_000
"""How many mails may wait in one process. Past that they are dropped and counted: it is a flood, or the server is away."""

PAUSES_SECONDS = (1.0, 5.0, 30.0)
"""How long a mail waits that was not taken for now, before it is tried again."""

CLOSE_SECONDS = 10.0

MAILS = METRICS.counter(
    "weir_mails_total", "Mails, by what became of them: sent, refused, lost.", ("outcome",)
)

logger = logging.getLogger("weir.mail")


class Process(Protocol):
    """What a mailer needs of its process. `shared.runtime.resources.Resources` is one."""

    def at_close(self, close: Callable[[], Awaitable[None]]) -> None:
        """Have it called when the process ends."""

    def at_rest(self, settle: Callable[[float], Awaitable[None]]) -> None:
        """Have it called before the process is made to stand still, with the seconds that it may take."""


@dataclass(frozen=True, slots=True)
class _Mail:
    """A mail that waits; None of an address for one that is not to be sent."""

    to: str | None
    subject: str = field(default="", repr=False)
    text: str = field(default="", repr=False)


class Mailer:
    """Sends mails in the background, two at a time. Without a server it sends none and says so."""

    def __init__(self, settings: MailSettings, *, pauses_seconds: tuple[float, ...] = PAUSES_SECONDS) -> None:
        self._sender = settings.mail_from or ""
        self._domain = sender_of(self._sender)[1].rpartition("@")[2] if self._sender else ""
        self._server: Server | None = settings.server
        self._pauses = pauses_seconds
        self._waiting: deque[_Mail] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    @property
    def is_configured(self) -> bool:
        """Whether a mail would be sent."""
        return self._server is not None

    def send(self, *, to: str, subject: str, text: str) -> None:
        """Hand a mail off. Returns at once and never raises; needs a running loop.

        Nothing tells the caller what became of it: a log and a metric do.
        """
        self._add(_Mail(to, subject, text))

    def pretend(self) -> None:
        """Do all that `send` does, up to the mail itself.

        For a question whose answer must not show whether somebody is known here: where the process finishes its mails
        before the answer goes out (AWS Lambda), both take the same time.
        """
        self._add(_Mail(None))

    async def settle(self, seconds: float) -> None:
        """Wait until what was handed off is done, at most so long. What is left by then is sent later, if at all."""
        if self._workers:
            await asyncio.wait(set(self._workers), timeout=seconds)

    async def close(self) -> None:
        """Try once more what waits, then end; what is left is lost."""
        self._closing.set()
        workers = set(self._workers)
        if workers:
            _, late = await asyncio.wait(workers, timeout=CLOSE_SECONDS)
            for worker in late:
                worker.cancel()
            if late:
                await asyncio.wait(late)
        self._lose("the process ends", len(self._waiting))
        self._waiting.clear()

    def _add(self, mail: _Mail) -> None:
        if self._server is None:
            return
        if len(self._waiting) >= WAITING or self._closing.is_set():
            self._lose("too many wait")
            return
        self._waiting.append(mail)
        if len(self._workers) < AT_ONCE:
            worker = asyncio.get_running_loop().create_task(self._work(self._server))
            self._workers.add(worker)

    async def _work(self, server: Server) -> None:
        try:
            while self._waiting:
                mail = self._waiting.popleft()
                try:
                    await self._try(server, mail)
                except Refused as error:
                    self._lose(str(error), outcome="refused")
                except Exception as error:
                    self._lose(str(error) or type(error).__name__)
        finally:
            # In the same step in which it was seen that nothing waits: the next mail starts another.
            task = asyncio.current_task()
            assert task is not None
            self._workers.discard(task)

    async def _try(self, server: Server, mail: _Mail) -> None:
        from shared.mail.message import compose

        message = None
        if mail.to is not None:
            try:
                message = compose(sender=self._sender, to=mail.to, subject=mail.subject, text=mail.text)
            except ValueError as error:
                raise Refused(str(error)) from error
        for pause in (*self._pauses, None):
            try:
                await deliver(server, message, name=self._domain, seconds=SESSION_SECONDS)
            except Unreachable as error:
                if pause is None or message is None or self._closing.is_set():
                    raise
                logger.info("a mail was not taken and is tried again: %s", error)
                await self._rest(pause)
            else:
                if message is not None:
                    MAILS.add("sent")
                return

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return

    def _lose(self, reason: str, count: int = 1, *, outcome: str = "lost") -> None:
        if count:
            MAILS.add(outcome, amount=count)
            logger.warning("%d mail(s) not sent: %s", count, reason)


_MAILERS: WeakKeyDictionary[Process, Mailer] = WeakKeyDictionary()


def mailer_of(process: Process) -> Mailer:
    """The one mailer of a process, given its `Resources`. Raises ValidationError for settings that cannot be used."""
    found = _MAILERS.get(process)
    if found is None:
        found = _MAILERS[process] = Mailer(MailSettings())
        process.at_close(found.close)
        process.at_rest(found.settle)
    return found
