"""The names and attributes of the cookies of sign-in (RFC 6265bis)."""

import pytest

from functions.identity.cookie import COOKIE, Cookies


def attributes(header: str) -> tuple[str, set[str]]:
    first, *rest = header.split("; ")
    return first, {part.lower() for part in rest}


def test_over_tls_it_has_a_name_that_nobody_without_can_set() -> None:
    cookies = Cookies("https://weir.example.com", "strict")
    first, said = attributes(cookies.holding("token", 60))
    assert first == "__Secure-weir_refresh=token"
    assert said == {"httponly", "max-age=60", "path=/v1/auth", "samesite=strict", "secure"}


def test_without_tls_it_has_no_such_name() -> None:
    first, said = attributes(Cookies("http://127.0.0.1:8480", "strict").holding("token", 60))
    assert first == "weir_refresh=token"
    assert "secure" not in said


def test_what_the_version_before_has_set_counts_until_it_is_replaced() -> None:
    cookies = Cookies("https://weir.example.com", "strict")
    assert cookies.found({COOKIE: "old"}) == "old"
    assert cookies.found({COOKIE: "old", "__Secure-weir_refresh": "new"}) == "new"
    former = cookies.former()
    assert former is not None
    first, said = attributes(former)
    assert first == 'weir_refresh=""'
    assert {"max-age=0", "path=/v1/auth", "secure"} <= said
    assert Cookies("http://127.0.0.1:8480", "strict").former() is None


@pytest.mark.parametrize("same_site", ["strict", "none"])
def test_the_end_of_it_is_said_by_its_name(same_site) -> None:
    first, said = attributes(Cookies("https://weir.example.com", same_site).ended())
    assert first == '__Secure-weir_refresh=""'
    assert "max-age=0" in said
