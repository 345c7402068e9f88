"""Whose address counts when somebody tries passwords."""

from ipaddress import ip_network

import pytest
from pydantic import ValidationError
from starlette.requests import Request

from functions.identity.visitor import Visitor, client_of
from shared.auth.client import address_of
from shared.runtime.settings import Settings

CLUSTER = (ip_network("10.0.0.0/8"), ip_network("127.0.0.0/8"), ip_network("fd00::/8"))


def request(peer: str | None, *forwarded: str, agent: str = "Firefox") -> Request:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return Request(
        {
            "type": "http",
            "headers": [*headers, (b"user-agent", agent.encode())],
            "client": (peer, 1) if peer is not None else None,
        }
    )


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", (), "203.0.113.9"),
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),
        ("127.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", ("1.1.1.1, 198.51.100.1, 10.4.0.7",), "198.51.100.1"),
        ("127.0.0.1", ("1.1.1.1, 198.51.100.1", "10.4.0.7"), "198.51.100.1"),
        ("fd00::1", ("2001:db8::1",), "2001:db8::1"),
        ("127.0.0.1", ("made up, 10.4.0.7",), "10.4.0.7"),
        ("127.0.0.1", ("10.4.0.8, 10.4.0.7",), "10.4.0.8"),
        ("127.0.0.1", ("",), "127.0.0.1"),
        ("unix", ("198.51.100.1",), "unix"),
        (None, ("198.51.100.1",), ""),
    ],
)
def test_the_last_address_that_a_trusted_proxy_saw(
    peer: str | None, forwarded: tuple[str, ...], address: str
) -> None:
    assert address_of(request(peer, *forwarded), CLUSTER) == address


def test_nobody_is_trusted_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = {"database_url": "postgresql://x", "redis_url": "redis://x", "secret": "s" * 32}
    assert address_of(request("127.0.0.1", "198.51.100.1"), Settings(**needed).proxy_networks) == "127.0.0.1"
    monkeypatch.setenv("WEIR_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8")
    assert Settings(**needed).proxy_networks == CLUSTER[::2]
    monkeypatch.setenv("WEIR_TRUSTED_PROXIES", "somewhere")
    with pytest.raises(ValidationError):
        Settings(**needed)


def test_a_client_is_its_address_and_its_kind() -> None:
    first = client_of(request("a", agent="Firefox"), "a")
    assert first == client_of(request("a", agent="Firefox"), "a")
    assert len({first, client_of(request("a", agent="curl"), "a"), client_of(request("b"), "b")}) == 3
    assert "Firefox" not in first


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("made:up", "made:up"),
        ("", ""),
    ],
)
def test_a_line_of_ipv6_counts_as_one_address(address: str, network: str) -> None:
    assert Visitor(address, "", "").network == network
