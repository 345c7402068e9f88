"""What the sink remembers: the last requests and how to answer, in Redis, for a while."""

import base64
import codecs
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

if TYPE_CHECKING:
    from redis.asyncio import Redis

KEPT = 20
KEPT_BODY_BYTES = 64 * 1024
REQUESTS_SECONDS = 3600
ANSWER_SECONDS = 24 * 3600
DEFAULT_ANSWER = "200"

_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


@dataclass(frozen=True, slots=True)
class Received:
    """One request; `body` is at most `KEPT_BODY_BYTES` of it."""

    method: str
    path: str
    headers: Iterable[tuple[str, str]]
    body: bytes
    truncated: bool

    def document(self) -> dict[str, Any]:
        """As it is kept and shown: credentials are masked, bytes that are no text are in base64."""
        headers: dict[str, str] = {}
        for name, value in self.headers:
            shown = "***" if name in _SECRET_HEADERS else value
            headers[name] = f"{headers[name]}, {shown}" if name in headers else shown
        text = _text(self.body, whole=not self.truncated)
        return {
            "at": datetime.now(UTC),
            "method": self.method,
            "path": self.path,
            "headers": headers,
            "body": text,
            "body_base64": base64.b64encode(self.body).decode() if text is None else None,
            "truncated": self.truncated,
        }


async def keep(redis: "Redis", project_id: UUID, received: Received) -> str:
    """Keep a request; how the sink is told to answer."""
    key = _requests(project_id)
    async with redis.pipeline(transaction=True) as batch:
        batch.lpush(key, msgspec.json.encode(received.document()).decode())
        batch.ltrim(key, 0, KEPT - 1)
        batch.expire(key, REQUESTS_SECONDS)
        batch.get(_answer(project_id))
        answer = (await batch.execute())[-1]
    return answer or DEFAULT_ANSWER


async def read(redis: "Redis", project_id: UUID) -> tuple[str, list[dict[str, Any]]]:
    """How the sink answers, and its last requests, newest first."""
    async with redis.pipeline(transaction=True) as batch:
        batch.get(_answer(project_id))
        batch.lrange(_requests(project_id), 0, KEPT - 1)
        answer, kept = await batch.execute()
    return answer or DEFAULT_ANSWER, [msgspec.json.decode(document) for document in kept]


async def tell(redis: "Redis", project_id: UUID, answer: str) -> None:
    """Set how the sink answers, for a day: a test that was forgotten must not fail deliveries for ever."""
    await redis.set(_answer(project_id), answer, ex=ANSWER_SECONDS)


def _text(body: bytes, *, whole: bool) -> str | None:
    """The body as text. Where it was cut off, a sign that was cut in two is left out."""
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(body, final=whole)
    except UnicodeDecodeError:
        return None


def _requests(project_id: UUID) -> str:
    return f"weir:sink:{project_id}:requests"


def _answer(project_id: UUID) -> str:
    return f"weir:sink:{project_id}:answer"
