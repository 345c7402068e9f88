"""What browsers are told about pages of other origins (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from collections.abc import Collection

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
ASKED = ("Authorization", "If-Match", "If-None-Match", "Last-Event-ID")
"""Headers that the console sends beside those that need no permission."""

TOLD = ("ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After")
"""Headers that scripts may read beside those that they always may."""

REMEMBERED_SECONDS = 7200
"""How long a preflight is good for: no browser remembers longer but Firefox (a day)."""


def let_in(app: FastAPI, origins: Collection[str]) -> None:
    """Let pages of exactly these origins call `app` with credentials.

    The outermost layer, so that problems carry the headers too: a page could not tell what is wrong otherwise.
    What stands beside the application's layers, such as the door of `ingest`, stays closed to pages.
    """
    app.add_middleware(
        CORSMiddleware,
        allow_origins=tuple(origins),
        allow_credentials=True,
        allow_methods=METHODS,
        allow_headers=ASKED,
        expose_headers=TOLD,
        max_age=REMEMBERED_SECONDS,
    )
