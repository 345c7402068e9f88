"""What a browser calls itself, in words of ours: nothing that a client wrote is shown or kept."""

import re

_BROWSERS = (
    # Most of them also name those that they want to be taken for, so the order decides.
    ("Edge", re.compile(r"Edg(?:e|A|iOS)?/(\d+)")),
    ("Opera", re.compile(r"OPR/(\d+)")),
    ("Samsung Internet", re.compile(r"SamsungBrowser/(\d+)")),
    ("Firefox", re.compile(r"(?:Firefox|FxiOS)/(\d+)")),
    ("Chromium", re.compile(r"Chromium/(\d+)")),
    ("Chrome", re.compile(r"(?:HeadlessChrome|Chrome|CriOS)/(\d+)")),
    ("Safari", re.compile(r"Version/(\d+).* Safari/")),
    ("weir", re.compile(r"^weir(?:/(\d+))?")),
    ("curl", re.compile(r"^curl/(\d+)")),
)
_SYSTEMS = (
    ("iPhone", re.compile("iPhone")),
    ("iPad", re.compile("iPad")),
    ("Android", re.compile("Android")),
    ("Windows", re.compile("Windows")),
    ("macOS", re.compile("Macintosh|Mac OS X|Darwin|macOS")),
    ("ChromeOS", re.compile("CrOS")),
    ("Linux", re.compile("Linux|X11")),
)


def in_words(user_agent: str) -> str:
    """`Firefox 145 on Linux`, or as much of it as can be told."""
    browser = next(
        (
            " ".join(filter(None, (name, found[1])))
            for name, sign in _BROWSERS
            if (found := sign.search(user_agent))
        ),
        "",
    )
    system = next((name for name, sign in _SYSTEMS if sign.search(user_agent)), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or (f"A browser on {system}" if system else "An unknown client")
