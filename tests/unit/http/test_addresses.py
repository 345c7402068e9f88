import pytest

from shared.http.addresses import AddressGuard, AddressRefused


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert AddressGuard().allows(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "168.63.129.16",
        "100.64.0.1",
        "192.0.0.8",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "::ffff:0:7f00:1",
        "::ffff:0:a00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "not an address",
        "",
        "1.2.3",
        "0177.0.0.1",
    ],
)
def test_all_others_are_refused(address: str) -> None:
    assert not AddressGuard().allows(address)
    with pytest.raises(AddressRefused):
        AddressGuard().check(address)


def test_a_deployment_may_allow_networks() -> None:
    guard = AddressGuard(["127.0.0.0/8", "10.1.0.0/16", "fd00::/8"])
    assert guard.allows("127.0.0.2")
    assert guard.allows("10.1.255.1")
    assert guard.allows("::ffff:10.1.0.1")
    assert guard.allows("fd00::5")
    assert not guard.allows("10.2.0.1")
    assert not guard.allows("fc00::5")
    guard.check("127.0.0.1")


def test_a_network_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        AddressGuard(["nonsense"])


def test_without_public_addresses_only_what_is_allowed_is() -> None:
    guard = AddressGuard(("10.0.0.0/8",), public=False)
    assert guard.allows("10.1.2.3")
    assert not guard.allows("93.184.216.34")
    assert not guard.allows("127.0.0.1")
