"""Requests that use or set the cookie must come from Weir's own pages."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import Request

from shared.core.problems import FORBIDDEN, Problem


def check_origin(request: Request, public_url: str, console_origins: Collection[str]) -> None:
    """Refuse a browser's request from another site, beside what the cookie's SameSite keeps away.

    `console_origins` are let in exactly as they are written, scheme and port with them. Clients other than
    browsers send neither header and have no foreign cookies to misuse. Raises Problem 403.
    """
    origin = request.headers.get("origin")
    if origin is not None and origin in console_origins:
        return
    own = {urlsplit(public_url).netloc, request.headers.get("host")}
    foreign = origin is not None and origin.partition("://")[2] not in own
    if origin is not None and public_url.startswith("https://"):
        foreign = foreign or not origin.startswith("https://")  # whoever is in between can make such a page
    if foreign or request.headers.get("sec-fetch-site") == "cross-site":
        raise Problem(FORBIDDEN, "This comes from another site.", internal=f"origin {origin!r}")
