"""What sign-in needs to know of where it runs."""

from typing import Literal

from shared.runtime.environment import FromEnvironment


class IdentitySettings(FromEnvironment):
    """`cookie_same_site` is `strict` where the console is on the API's own site, as `console.example.com` and
    `api.example.com` are. `none` is for a console on another site; it needs HTTPS, and the cookie is then
    partitioned: browsers that keep no other cookies of third parties keep it, for that console alone.
    """

    cookie_same_site: Literal["strict", "none"] = "strict"
