"""What is told of who visits: browsers in words, devices that are known, whom passkeys are for."""

import pytest

from functions.identity.browsers import in_words
from functions.identity.known_devices import known_device, remembering
from functions.identity.passkeys.party import Party, party_of

SECRET = "s" * 32
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox 145 on Linux"),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
            "Edge 142 on Windows",
        ),
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Chrome/142.0.0.0 Safari/537.36",
            "Chrome 142 on macOS",
        ),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) {WEBKIT} Version/19.0 Mobile/15E1 Safari/604.1",
            "Safari 19 on iPhone",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 16; Pixel 9) {WEBKIT} Chrome/142.0.0.0 Mobile Safari/537.36",
            "Chrome 142 on Android",
        ),
        ("weir-cli/0.1.0", "weir"),
        ("curl/8.5.0", "curl 8"),
        ("<script>alert(1)</script>", "An unknown client"),
        ("", "An unknown client"),
        ("Something (Windows)", "A browser on Windows"),
    ],
)
def test_a_browser_in_words(agent: str, words: str) -> None:
    assert in_words(agent) == words


def test_a_device_is_known_to_the_accounts_that_signed_in_with_it() -> None:
    first = remembering(SECRET, None, "mara@acme.dev")
    assert known_device(SECRET, first, "mara@acme.dev") == first.split(".")[0]
    assert known_device(SECRET, first, "ann@acme.dev") is None
    assert known_device("t" * 32, first, "mara@acme.dev") is None
    both = remembering(SECRET, first, "ann@acme.dev")
    assert known_device(SECRET, both, "mara@acme.dev") == known_device(SECRET, both, "ann@acme.dev")
    assert remembering(SECRET, both, "ann@acme.dev") == both
    assert remembering(SECRET, None, "mara@acme.dev") != first
    assert "mara" not in first


def test_a_device_remembers_the_last_five_accounts() -> None:
    cookie = None
    for n in range(7):
        cookie = remembering(SECRET, cookie, f"{n}@acme.dev")
    known = [n for n in range(7) if known_device(SECRET, cookie, f"{n}@acme.dev")]
    assert known == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("cookie", ["", ".", "x" * 22, "x" * 400, "é" * 22 + ".x", "../../../etc/passwd.abc"])
def test_what_is_made_up_is_no_device(cookie: str) -> None:
    assert known_device(SECRET, cookie, "mara@acme.dev") is None
    assert known_device(SECRET, remembering(SECRET, cookie, "mara@acme.dev"), "mara@acme.dev")


CONSOLE = "https://console.acme.dev"


@pytest.mark.parametrize(
    ("origin", "public_url", "party"),
    [
        ("https://weir.acme.dev", "https://weir.acme.dev", Party("weir.acme.dev", "https://weir.acme.dev")),
        ("https://weir.acme.dev:8443", "https://weir.acme.dev", None),
        (CONSOLE, "https://api.acme.dev", Party("console.acme.dev", CONSOLE)),
        ("https://evil.dev", "https://weir.acme.dev", None),
        (None, "https://weir.acme.dev", None),
        ("http://127.0.0.1:8480", "http://127.0.0.1:8480", None),
        ("http://localhost:8480", "http://127.0.0.1:8480", Party("localhost", "http://localhost:8480")),
        ("http://localhost:1", "http://127.0.0.1:8480", None),
        ("http://localhost:8480", "https://weir.acme.dev", None),
        ("https://203.0.113.9", "https://203.0.113.9", None),
    ],
)
def test_whom_a_passkey_is_for(origin: str | None, public_url: str, party: Party | None) -> None:
    assert party_of(origin, public_url, (CONSOLE,)) == party
