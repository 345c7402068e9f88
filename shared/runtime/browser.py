"""What browsers are told with every answer, in one list: of an API, of the console's files, and behind TLS.

The server, the edge's nginx, Lambda and hosts of the console's files all say it from here
(`docs/reference/browsers.md`).
"""

API = "{api}"
"""Stands for the origin of the API in the policy of a console that another host serves."""

FEATURES = (
    *("accelerometer", "autoplay", "camera", "display-capture", "geolocation", "gyroscope"),
    *("hid", "idle-detection", "magnetometer", "microphone", "midi", "payment", "picture-in-picture"),
    *("screen-wake-lock", "serial", "usb", "xr-spatial-tracking"),
)
"""What no page of Weir asks a browser for, and so no script in one may. It does ask for passkeys and the clipboard."""

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": ", ".join(f"{feature}=()" for feature in FEATURES),
}

ANSWERS = {
    **EVERYWHERE,
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-site",
}
"""What every answer of an API carries unless it says otherwise."""


def files(*connect: str) -> dict[str, str]:
    """What every file of the console carries. Its scripts may call the page's own origin and those in `connect`.

    No script or style stands in a page, nothing makes one of a text (Trusted Types; `vue` is the framework's own
    policy, which is asked for the static parts of templates), and no page of anybody has this one in a frame.
    """
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        " ".join(("connect-src 'self'", *connect)),
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types vue",
    )
    return {
        **EVERYWHERE,
        "content-security-policy": "; ".join(policy),
        "referrer-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }


TRANSPORT = "strict-transport-security"
YEAR_SECONDS = 31_536_000


def transport(seconds: int = YEAR_SECONDS) -> str:
    """That this name and all below it are asked over TLS alone for so long (RFC 6797, 6.1)."""
    return f"max-age={seconds}; includeSubDomains"


def transport_headers(public_url: str, seconds: int) -> list[tuple[str, str]]:
    """`Strict-Transport-Security` where the public address is https, which a plain answer must not say (RFC 6797, 7.2).

    With `seconds` 0 browsers forget what they were told before.
    """
    return [(TRANSPORT, transport(seconds))] if public_url.startswith("https://") else []
