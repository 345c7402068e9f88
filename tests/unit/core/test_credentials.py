"""What may stand in `auth`, what of it is shown, and what it becomes."""

from typing import Any

import pytest

from shared.core.credentials import Grant, auth_faults, grant_for, headers_for, same_holder, secret_of, shown

OAUTH = {"type": "oauth2", "tokenUrl": "https://id.example/token", "clientId": "a", "clientSecret": "b"}


@pytest.mark.parametrize(
    "auth",
    [
        {"type": "bearer", "token": "a.b-c_d~e+f/="},
        {"type": "bearer", "token": "x" * 8000},
        {"type": "bearer"},
        {"type": "basic", "username": "ü", "password": "ä:b c"},
        {"type": "header", "name": "X-Key", "value": "a b"},
        OAUTH,
        {**OAUTH, "scope": None, "audience": "x", "clientAuthentication": "post"},
    ],
)
def test_what_can_be(auth: dict[str, Any]) -> None:
    assert auth_faults(auth) == []
    assert auth_faults(shown(auth)) == []
    assert secret_of(shown(auth)) is None
    assert same_holder(shown(auth), shown(auth))


@pytest.mark.parametrize(
    ("auth", "pointers"),
    [
        ("bearer", {""}),
        ({}, {"/type"}),
        ({"type": "digest"}, {"/type"}),
        ({"type": ["bearer"]}, {"/type"}),
        ({"type": "bearer", "token": "a b"}, {"/token"}),
        ({"type": "bearer", "token": "a\r\nx: y"}, {"/token"}),
        ({"type": "bearer", "token": ""}, {"/token"}),
        ({"type": "bearer", "token": "x" * 8001}, {"/token"}),
        ({"type": "bearer", "user": "x"}, {"/user"}),
        ({"type": "basic", "password": "x"}, {"/username"}),
        ({"type": "basic", "username": "a:b", "password": "x\n"}, {"/username", "/password"}),
        ({"type": "header", "name": "Host", "value": "x"}, {"/name"}),
        ({"type": "header", "name": "x-a", "value": "x\r\ny: z"}, {"/value"}),
        ({"type": "oauth2", "clientSecret": "x"}, {"/tokenUrl", "/clientId"}),
        ({**OAUTH, "tokenUrl": "file:///etc/passwd"}, {"/tokenUrl"}),
        ({**OAUTH, "clientAuthentication": "jwt", "scope": 5}, {"/clientAuthentication", "/scope"}),
    ],
)
def test_what_cannot_be_is_pointed_at(auth: Any, pointers: set[str]) -> None:
    faults = auth_faults(auth)
    assert {fault.pointer for fault in faults} == pointers
    assert not any("passwd" in fault.detail for fault in faults)


def test_another_holder_has_another_secret() -> None:
    assert not same_holder(shown(OAUTH), shown({**OAUTH, "tokenUrl": "https://evil.example/"}))
    assert not same_holder(shown(OAUTH), shown({**OAUTH, "clientId": "b"}))
    assert same_holder(shown(OAUTH), shown({**OAUTH, "scope": "more"}))
    assert not same_holder({"type": "bearer"}, {"type": "basic", "username": "a"})
    assert not same_holder({"type": "basic", "username": "a"}, {"type": "basic", "username": "b"})


def test_only_a_client_needs_a_token_first() -> None:
    assert grant_for({"type": "bearer"}, "x") is None
    assert headers_for(shown(OAUTH), "b") == []
    assert grant_for(shown(OAUTH), "b") == Grant("https://id.example/token", "a", "b")
