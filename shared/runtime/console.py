"""The built console as static files: hashed assets for ever, the page itself fresh every time."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec
from starlette.types import Receive, Scope, Send

from shared.runtime.browser import API, TRANSPORT, files, transport

SECURITY = tuple((name.encode(), value.encode()) for name, value in files().items())
ASSETS = "/assets/"
PAGE = "/index.html"
IMMUTABLE = b"public, max-age=31536000, immutable"
FRESH = b"no-cache"
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""Suffix to media type. A list of our own: those of machines differ, and an image has none."""

UNKNOWN = "application/octet-stream"

COMPRESSIBLE = frozenset({".css", ".html", ".js", ".json", ".map", ".svg", ".txt", ".webmanifest"})


def hosting() -> dict[str, object]:
    """What any host of the static files has to do, so that the console works there as it does here."""
    return {
        "headers": {**files(API), TRANSPORT: transport()},
        "cacheControl": {f"{ASSETS}*": IMMUTABLE.decode(), "*": FRESH.decode()},
        "missing": {f"{ASSETS}*": 404, "*": PAGE},
        "config": {"/config.json": {"apiUrl": API}},
    }


def is_text(media_type: str) -> bool:
    """Whether the encoding is said beside the type: it is UTF-8."""
    return media_type.startswith("text/") or media_type == "application/json"


@dataclass(frozen=True, slots=True)
class Page:
    """One file, ready to send."""

    body: bytes
    packed: bytes | None
    etag: bytes
    media_type: bytes
    cache_control: bytes


class Console:
    """Serves the folder that the console was built into.

    Files are found by their name in a list made from the folder, so no path from outside ever reaches the
    file system. They are read once each and kept, packed: the whole console is under a few megabytes.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self._files = {
            "/" + path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
        }
        self._pages: dict[str, Page] = {}
        config = msgspec.json.encode({"apiUrl": "", "version": version})
        self._pages["/config.json"] = _page(config, "config.json", immutable=False)

    def has(self, path: str) -> bool:
        """Whether there is a file of that name."""
        return path in self._pages or path in self._files

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer GET or HEAD with the file, or with the page for every address that the console routes."""
        page = self._load(scope["path"] if self.has(scope["path"]) else PAGE)
        wanted = {name: value for name, value in scope["headers"] if name in _CONDITIONS}
        headers = [
            (b"etag", page.etag),
            (b"cache-control", page.cache_control),
            (b"vary", b"accept-encoding"),
            *SECURITY,
        ]
        if page.etag in wanted.get(b"if-none-match", b""):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body"})
            return
        body = page.body
        if page.packed is not None and b"gzip" in wanted.get(b"accept-encoding", b""):
            body = page.packed
            headers.append((b"content-encoding", b"gzip"))
        headers += [(b"content-type", page.media_type), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _load(self, name: str) -> Page:
        page = self._pages.get(name)
        if page is None:
            path = self._files[name]
            immutable = name.startswith(ASSETS)
            page = self._pages[name] = _page(path.read_bytes(), path.name, immutable=immutable)
        return page


_CONDITIONS = frozenset({b"if-none-match", b"accept-encoding"})


def _page(body: bytes, name: str, *, immutable: bool) -> Page:
    suffix = Path(name).suffix
    media_type = TYPES.get(suffix, UNKNOWN)
    if is_text(media_type):
        media_type += "; charset=utf-8"
    return Page(
        body=body,
        packed=gzip.compress(body, 6, mtime=0) if suffix in COMPRESSIBLE and len(body) > 500 else None,
        etag=b'"' + hashlib.sha256(body).hexdigest()[:16].encode() + b'"',
        media_type=media_type.encode(),
        cache_control=IMMUTABLE if immutable else FRESH,
    )
