"""Reading server-sent events as a client does."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Message:
    """One message; `kind` is "message" where it has no name of its own. `data` is parsed."""

    kind: str
    id: str | None
    data: Any

    @property
    def uid(self) -> str:
        return str(self.data["uid"])


class Watching:
    """An open stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.last_id: str | None = None
        self._lines = answer.aiter_lines()
        self._messages = self._read()

    async def reach(self, uid: str) -> None:
        """Read until the place that was given last is that of this event, which itself is not sent."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for line in self._lines:
                if line.startswith("id: "):
                    self.last_id = line[4:]
                    if line.endswith(uid):
                        return
        raise AssertionError("the stream ended before")

    async def _read(self) -> AsyncIterator[Message]:
        kind, lines = "message", []
        async for line in self._lines:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                kind = value
            elif name == "id":
                self.last_id = value
            elif name == "data":
                lines.append(value)
            elif not line:
                if lines:
                    yield Message(kind, self.last_id, json.loads("\n".join(lines)))
                kind, lines = "message", []

    async def next(self, kind: str = "message") -> Message:
        """The next message of that kind; those of others are passed over."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for message in self._messages:
                if message.kind == kind:
                    return message
        raise AssertionError(f"the stream ended without a message of the kind {kind}")

    async def take(self, count: int, kind: str = "message") -> list[Message]:
        """So many of them."""
        return [await self.next(kind) for _ in range(count)]

    async def until(self, kind: str) -> list[Message]:
        """All up to and with one of that kind."""
        found: list[Message] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for message in self._messages:
                found.append(message)
                if message.kind == kind:
                    return found
        raise AssertionError(f"the stream ended without a message of the kind {kind}")


@asynccontextmanager
async def watching(
    client: httpx.AsyncClient, path: str, *, after: str | None = None, **params: Any
) -> AsyncIterator[Watching]:
    """Watch; `after` goes as `Last-Event-ID`."""
    headers = {} if after is None else {"last-event-id": after}
    async with client.stream("GET", path, params=params, headers=headers, timeout=PATIENCE_SECONDS) as answer:
        if not answer.is_success:
            await answer.aread()
            raise AssertionError(answer.text)
        yield Watching(answer)
