"""An answer that is sent as long as it lasts."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

STALL_SECONDS = 60.0
"""How long a reader may take nothing before it is let go of."""

HEADERS = {
    "cache-control": "no-store",
    # What stands between must not gather it: nginx has a word of its own for that.
    "x-accel-buffering": "no",
}

logger = logging.getLogger("weir.live")


class EventStream(StreamingResponse):
    """Server-sent events. A reader that stands still does not hold it for ever."""

    media_type = "text/event-stream"

    def __init__(
        self, pieces: AsyncGenerator[bytes, None], headers: Mapping[str, str], at_end: Callable[[], None]
    ) -> None:
        super().__init__(pieces, headers=headers)
        self._pieces = pieces
        self._at_end = at_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; however that ends, `at_end` is called, even where not a byte was sent."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._at_end()

    async def stream_response(self, send: Send) -> None:
        """Send the pieces; each waits until the client has taken most of those before it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async with aclosing(self._pieces) as pieces:
                async for piece in pieces:
                    if piece:
                        async with asyncio.timeout(STALL_SECONDS):
                            await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            logger.info("a reader took nothing for %d s", STALL_SECONDS)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
