"""Requests that use or set the cookie must come from Weir's own pages."""

from urllib.parse import urlsplit

from starlette.requests import Request

from shared.core.problems import FORBIDDEN, Problem


def check_origin(request: Request, public_url: str) -> None:
    """Refuse a browser's request from another site, beside what SameSite=Strict keeps away.

    Clients other than browsers send neither header and have no foreign cookies to misuse.
    Raises Problem 403.
    """
    origin = request.headers.get("origin")
    own = {urlsplit(public_url).netloc, request.headers.get("host")}
    foreign = origin is not None and urlsplit(origin).netloc not in own
    if foreign or request.headers.get("sec-fetch-site") == "cross-site":
        raise Problem(FORBIDDEN, "This comes from another site.", internal=f"origin {origin!r}")
