"""From which pages a request may use the session's cookie."""

import pytest
from starlette.requests import Request

from functions.identity.origin import check_origin
from shared.core.problems import Problem

PUBLIC = "https://weir.example.com"
CONSOLE = "https://console.example.org"


def asked(**headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/v1/auth/refresh", "headers": named})


@pytest.mark.parametrize(
    "headers",
    [
        {},  # no browser: those send `Origin` with every POST
        {"origin": PUBLIC},
        {"origin": PUBLIC, "sec_fetch_site": "same-origin"},
        {"origin": CONSOLE, "sec_fetch_site": "cross-site"},
        {"origin": "https://inside.example", "host": "inside.example"},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
    ],
)
def test_own_pages_and_no_pages_are_let_in(headers: dict[str, str]) -> None:
    check_origin(asked(**headers), PUBLIC, (CONSOLE,))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "null", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "cross-site"},
        {"origin": PUBLIC, "sec_fetch_site": "cross-site"},
        {"origin": "http://weir.example.com"},
        {"origin": "https://weir.example.com.evil.example"},
        {"origin": "https://weir.example.com:8443"},
        {"origin": "https://other.weir.example.com"},
        {"origin": f"{CONSOLE}.evil.example"},
        {"origin": "http://console.example.org"},
        {"origin": CONSOLE.upper()},
        {"origin": "chrome-extension://abcdef"},
    ],
)
def test_pages_of_others_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Problem) as refused:
        check_origin(asked(**headers), PUBLIC, (CONSOLE,))
    assert refused.value.kind.status == 403


def test_without_tls_there_is_one_scheme() -> None:
    check_origin(asked(origin="http://127.0.0.1:8480"), "http://127.0.0.1:8480", ())
