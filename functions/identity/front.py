"""How a request comes in to sign-in, and how its answer goes out."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from functions.identity.browsers import in_words
from functions.identity.cookie import COOKIE, DEVICE_COOKIE, Cookies
from functions.identity.entered import Entered, SignedIn, User
from functions.identity.known_devices import LIFETIME_SECONDS, remembering
from functions.identity.origin import check_origin
from functions.identity.schemas import EnteredBody, SessionBody, StepBody, UserBody
from functions.identity.sessions.families import IDLE_SECONDS
from functions.identity.settings import IdentitySettings
from functions.identity.visitor import Visitor, client_of
from shared.auth.access import Principal
from shared.auth.client import address_of
from shared.runtime.resources import Resources

_AGENT_LENGTH = 512


class Front:
    """What every route of sign-in does before and after: origin, visitor, cookies, the body of a session."""

    def __init__(self, resources: Resources) -> None:
        self._secret = resources.settings.secret
        self._public_url = resources.settings.public_url
        self._console_origins = resources.settings.console_origins
        self._cookies = Cookies(self._public_url, IdentitySettings().cookie_same_site)
        self._proxies = resources.settings.proxy_networks

    def visitor(self, request: Request, caller: Principal | None = None) -> Visitor:
        """Who asks; `caller` where they are signed in. Raises Problem 403 for a page of another site."""
        check_origin(request, self._public_url, self._console_origins)
        address = address_of(request, self._proxies)
        return Visitor(
            address=address,
            client=client_of(request, address),
            browser=in_words(request.headers.get("user-agent", "")[:_AGENT_LENGTH]),
            device=self.kept(request, DEVICE_COOKIE),
            origin=request.headers.get("origin") or self._own_origin(request),
            session=None if caller is None else caller.session,
        )

    def _own_origin(self, request: Request) -> str | None:
        """The origin of a page that reads from its own host: browsers send no `Origin` then."""
        host = request.headers.get("host")
        if host is None or request.headers.get("sec-fetch-site") != "same-origin":
            return None
        return f"{urlsplit(self._public_url).scheme}://{host}"

    def refresh_token(self, request: Request) -> str | None:
        """What the cookie holds."""
        return self.kept(request, COOKIE)

    def kept(self, request: Request, name: str) -> str | None:
        """What the browser kept under that name."""
        return self._cookies.found(request.cookies, name)

    def answer(self, response: Response, entered: Entered, visitor: Visitor) -> EnteredBody:
        """The body for whoever came in, with the cookies beside it; or what they are asked for next."""
        if isinstance(entered, SignedIn):
            return self.session(response, entered, visitor)
        return StepBody(
            next="secondFactor",
            ticket=entered.ticket,
            factors=list(entered.factors),
            expires_at=entered.expires_at,
        )

    def session(self, response: Response, started: SignedIn, visitor: Visitor) -> SessionBody:
        """The body of a session, with its cookie beside it, and that of the device once somebody signed in there."""
        response.headers.append("Set-Cookie", self._cookies.holding(started.refresh_token, IDLE_SECONDS))
        if (former := self._cookies.former()) is not None:
            response.headers.append("Set-Cookie", former)
        if started.how is not None:
            known = remembering(self._secret, visitor.device, started.user.email)
            response.headers.append(
                "Set-Cookie", self._cookies.holding(known, LIFETIME_SECONDS, name=DEVICE_COOKIE)
            )
        return SessionBody(
            access_token=started.access.text,
            expires_at=datetime.fromtimestamp(started.access.expires_at, UTC),
            user=user_body(started.user),
        )

    def keep(self, response: Response, name: str, value: str, seconds: int) -> None:
        """Have the browser keep another cookie, as it keeps the session's."""
        response.headers.append("Set-Cookie", self._cookies.holding(value, seconds, name=name))

    def ended(self) -> str:
        """The `Set-Cookie` that takes the session's cookie away."""
        return self._cookies.ended()


def user_body(user: User) -> UserBody:
    """How a user looks on the wire."""
    return UserBody(id=user.id, email=user.email, name=user.name, has_password=user.has_password)
