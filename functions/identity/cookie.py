"""The cookies of sign-in, out of reach of scripts and of all paths but those of sign-in."""

from collections.abc import Mapping
from typing import Literal

from starlette.responses import Response

COOKIE = "weir_refresh"
DEVICE_COOKIE = "weir_device"
SECURE = "__Secure-"
"""Before the name of a cookie that is: browsers take one of such a name from nobody without TLS (RFC 6265bis, 4.1.3)."""

COOKIE_PATH = "/v1/auth"


class Cookies:
    """Writes `Set-Cookie` (RFC 6265bis). Raises ValueError where browsers would not keep the cookie."""

    def __init__(self, public_url: str, same_site: Literal["strict", "none"]) -> None:
        self._secure = not public_url.startswith("http://")
        self._same_site = same_site
        if same_site == "none" and not self._secure:
            raise ValueError(
                "WEIR_COOKIE_SAME_SITE=none needs an https:// address in WEIR_PUBLIC_URL: "
                "browsers keep no cookie for other sites that is not secure."
            )

    def name(self, plain: str) -> str:
        """What the cookie `plain` is called here."""
        return f"{SECURE}{plain}" if self._secure else plain

    def found(self, cookies: Mapping[str, str], plain: str = COOKIE) -> str | None:
        """What the cookie holds that came with a request; one that the version before has set counts as well."""
        return cookies.get(self.name(plain), cookies.get(plain))

    def holding(self, token: str, max_age_seconds: int, *, name: str = COOKIE) -> str:
        """The header's value that keeps `token`."""
        return self._written(self.name(name), token, max_age_seconds)

    def former(self) -> str | None:
        """The header's value that removes the refresh token that the version before has kept by its plain name."""
        return self._written(COOKIE, "", 0) if self._secure else None

    def _written(self, name: str, token: str, max_age_seconds: int) -> str:
        response = Response()
        response.set_cookie(
            name,
            token,
            max_age=max_age_seconds,
            path=COOKIE_PATH,
            secure=self._secure,
            httponly=True,
            samesite=self._same_site,
        )
        header = response.headers["set-cookie"]
        # Of another site's cookies browsers keep those that are kept per page's site (CHIPS). Only Python 3.14
        # can write the attribute itself.
        return f"{header}; Partitioned" if self._same_site == "none" else header

    def ended(self) -> str:
        """The header's value that removes the refresh token."""
        return self.holding("", 0)
