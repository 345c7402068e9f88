"""Access tokens by client credentials (RFC 6749, section 4.4): asked once, used until shortly before they end."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from yarl import URL

from shared.core.credentials import Grant
from shared.core.redaction import redact_text, spellings
from shared.http.client import Answer, NoAnswer

TIMEOUT_SECONDS = 10.0
ANSWER_BYTES = 64 * 1024
TOKENS = 1_000
LIFE_SECONDS = 300.0
"""Of a token that does not say how long it lives."""

EARLY_SECONDS = 60.0
EARLY_SHARE = 0.2
"""A new token is asked for when this part of the old one's life is left, or a minute if that is less."""

MOST_SAID = 200
"""Characters of each text in an endpoint's refusal."""

REST_SECONDS = 1.0
"""For how long after a failure the answer is that failure: many deliveries wait for the same token."""

Post = Callable[..., Awaitable[Answer]]


class NoToken(Exception):
    """No token could be had; the text says why, in words for the sink's owner and without secrets."""


@dataclass(slots=True)
class _Kept:
    token: str
    renew_at: float
    ends_at: float


class ClientTokens:
    """The tokens of one process. Whoever wants the same one waits for the same request."""

    def __init__(self, post: Post) -> None:
        """`post` is `OutboundClient.post`: token endpoints are guarded like sinks."""
        self._post = post
        self._kept: OrderedDict[Grant, _Kept] = OrderedDict()
        self._failed: dict[Grant, tuple[float, str]] = {}
        self._asking: dict[Grant, asyncio.Task[str]] = {}

    async def get(self, grant: Grant) -> str:
        """A token that is valid now. Raises NoToken."""
        kept = self._kept.get(grant)
        now = time.monotonic()
        if kept is None or now >= kept.ends_at:
            return await self._ask(grant)
        self._kept.move_to_end(grant)
        if now >= kept.renew_at and grant not in self._asking:
            kept.renew_at = now + EARLY_SECONDS / 6  # where the endpoint fails, not at every request
            self._start(grant)
        return kept.token

    async def renew(self, grant: Grant, refused: str) -> str:
        """Another token than `refused`, which the sink did not take. Raises NoToken."""
        kept = self._kept.get(grant)
        if kept is not None and kept.token != refused:
            return await self.get(grant)
        self._kept.pop(grant, None)
        return await self._ask(grant)

    async def close(self) -> None:
        """End what is under way."""
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _ask(self, grant: Grant) -> str:
        failed = self._failed.get(grant)
        if failed is not None and time.monotonic() < failed[0]:
            raise NoToken(failed[1])
        task = self._asking.get(grant) or self._start(grant)
        # One delivery that is given up must not end the request for the others.
        return await asyncio.shield(task)

    def _start(self, grant: Grant) -> "asyncio.Task[str]":
        task = asyncio.get_running_loop().create_task(self._fetch(grant))
        self._asking[grant] = task
        task.add_done_callback(_read_error)
        return task

    async def _fetch(self, grant: Grant) -> str:
        try:
            token, life = await self._request(grant)
        except NoToken as error:
            if len(self._failed) >= TOKENS:
                self._failed.clear()
            self._failed[grant] = (time.monotonic() + REST_SECONDS, str(error))
            raise
        finally:
            self._asking.pop(grant, None)
        self._failed.pop(grant, None)
        now = time.monotonic()
        self._kept[grant] = _Kept(token, now + life - min(EARLY_SECONDS, life * EARLY_SHARE), now + life)
        self._kept.move_to_end(grant)
        while len(self._kept) > TOKENS:
            self._kept.popitem(last=False)
        return token

    async def _request(self, grant: Grant) -> tuple[str, float]:
        headers, body = grant.request()
        try:
            answer = await self._post(
                URL(grant.token_url, encoded=True),
                headers,
                body,
                timeout_seconds=TIMEOUT_SECONDS,
                body_bytes=ANSWER_BYTES,
            )
        except NoAnswer as error:
            raise NoToken(f"no token from {grant.token_url}: {error}") from None
        return read_answer(grant.token_url, answer, grant.secrets)


def read_answer(url: str, answer: Answer, secrets: Sequence[str] = ()) -> tuple[str, float]:
    """The token in an answer and how many seconds it lives (RFC 6749, section 5.1).

    Raises NoToken, with what the endpoint says for itself: a line of bounded length without `secrets`.
    """
    said = _object(answer.body)
    if answer.status != 200:
        why = ": ".join(
            filter(None, (_line(said.get(name), secrets) for name in ("error", "error_description")))
        )
        raise NoToken(f"no token from {url}: it answered {answer.status}{' ' + why if why else ''}")
    token, kind, life = said.get("access_token"), said.get("token_type"), said.get("expires_in")
    if not isinstance(token, str) or not token or not all("!" <= c <= "~" for c in token):
        raise NoToken(f"no token from {url}: its answer has no access_token that can be used")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise NoToken(f"no token from {url}: its token_type is not Bearer")
    if isinstance(life, str) and life.isascii() and life.isdigit():
        life = int(life[:10])  # some endpoints write the number as a text
    seconds = float(life) if isinstance(life, int | float) and not isinstance(life, bool) else LIFE_SECONDS
    return token, min(max(seconds, 0.0), 30 * 86_400.0)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _line(said: object, secrets: Sequence[str]) -> str:
    """What an endpoint says, as one line that can be shown; "" where it is no text."""
    if not isinstance(said, str):
        return ""
    known = [form for secret in secrets for form in spellings(secret)]
    text = redact_text(said, known)
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return words if len(words) <= MOST_SAID else words[: MOST_SAID - 1] + "…"


def _read_error(task: "asyncio.Task[str]") -> None:
    """When every waiter has given up, nobody else reads the error, and asyncio would complain of it."""
    if not task.cancelled():
        task.exception()
