"""An event type in a path: it may have slashes, which arrive percent-encoded and have to stay so for the router."""

from urllib.parse import quote, unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

START = "/v1/projects/"


class EncodedTypes:
    """Lets the routes below see each segment of the path as one, whatever stands in it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, its path in the one form that `quote` writes."""
        if scope["type"] == "http" and scope["path"].startswith(START) and scope.get("raw_path"):
            scope = {**scope, "path": encoded(scope["raw_path"])}
        await self._app(scope, receive, send)


def encoded(raw_path: bytes) -> str:
    """The path with each segment percent-encoded the same way, however the client wrote it."""
    return "/".join(quote(unquote_to_bytes(segment), safe="") for segment in raw_path.split(b"/"))
