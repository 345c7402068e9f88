"""Who may speak to whom."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.addresses import AddressGuard
from shared.runtime import registry
from shared.runtime.knative.policies import NEVER, PRIVATE
from tests.manifests.network import Peer, allowed

HOME = "weir"
FUNCTIONS = registry.functions()
NAMES = [f.name for f in FUNCTIONS]
CALLERS = [f.name for f in FUNCTIONS if f.calls_out]
MIGRATION = Peer(HOME, {"app.kubernetes.io/component": "migration"})
INTERNET = Peer(address="198.51.100.7")
INSIDE = Peer(address="10.1.2.3")
METADATA = [
    Peer(address=address)
    for address in ("169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254", "fe80::a9fe:a9fe")
]


def pod(name):
    return Peer(HOME, {"serving.knative.dev/service": name})


def _policies(documents):
    return [d for d in documents if d["kind"] == "NetworkPolicy"]


@pytest.fixture(scope="module")
def closed(kustomize):
    return _policies(kustomize.overlay("production"))


@pytest.fixture(scope="module")
def opened(kustomize):
    return _policies(kustomize.overlay("dev"))


def test_what_is_no_part_of_weir_s_neither_hears_nor_speaks(closed):
    stranger = Peer(HOME, {"app": "stranger"})
    assert not allowed(closed, stranger, "Ingress", Peer("kourier-system"), 8080)
    assert not allowed(closed, stranger, "Egress", INTERNET, 443)


@pytest.mark.parametrize("name", NAMES)
def test_requests_come_by_knative_alone(closed, name):
    for port in (8012, 8013):
        assert allowed(closed, pod(name), "Ingress", Peer("kourier-system"), port)
        assert allowed(closed, pod(name), "Ingress", Peer("knative-serving"), port)
        for other in (pod("receive"), Peer("default"), Peer("knative-eventing"), INTERNET):
            assert not allowed(closed, pod(name), "Ingress", other, port)
    assert allowed(closed, pod(name), "Ingress", Peer("knative-serving"), 9090)
    assert not allowed(closed, pod(name), "Ingress", Peer("kourier-system"), 9090)


@pytest.mark.parametrize("name", NAMES)
def test_past_the_queue_proxy_comes_only_who_measures(closed, name):
    assert allowed(closed, pod(name), "Ingress", Peer("monitoring"), 8080)
    for other in (Peer("kourier-system"), Peer("knative-serving"), Peer("default"), INTERNET):
        assert not allowed(closed, pod(name), "Ingress", other, 8080)


@pytest.mark.parametrize("name", NAMES)
def test_every_function_reaches_names_and_stores(closed, name):
    for protocol in ("UDP", "TCP"):
        assert allowed(closed, pod(name), "Egress", Peer("kube-system"), 53, protocol)
    for port in (5432, 6379):
        assert allowed(closed, pod(name), "Egress", INSIDE, port)
        assert allowed(closed, pod(name), "Egress", Peer(HOME, {"app": "store"}), port)


def test_the_migration_reaches_the_database_alone(closed):
    assert allowed(closed, MIGRATION, "Egress", INSIDE, 5432)
    assert allowed(closed, MIGRATION, "Egress", Peer("kube-system"), 53, "UDP")
    assert not allowed(closed, MIGRATION, "Egress", INSIDE, 6379)
    assert not allowed(closed, MIGRATION, "Egress", INTERNET, 443)
    assert not allowed(closed, MIGRATION, "Ingress", Peer("kourier-system"), 8012)


def test_a_smoke_test_asks_by_the_gateway_alone(closed):
    smoke = Peer(HOME, {"app.kubernetes.io/component": "smoke"})
    assert allowed(closed, smoke, "Egress", Peer("kube-system"), 53, "UDP")
    assert allowed(closed, smoke, "Egress", Peer("kourier-system"), 8081)
    for other in (pod("ingest"), INSIDE, INTERNET, Peer("knative-eventing")):
        assert not allowed(closed, smoke, "Egress", other, 8080)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.name)
def test_only_who_wakes_reaches_brokers(closed, function):
    assert allowed(closed, pod(function.name), "Egress", Peer("knative-eventing"), 8080) == function.wakes


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.name)
def test_only_who_calls_out_or_archives_reaches_the_internet(closed, opened, function):
    for port in (80, 443, 9443):
        reaches = function.calls_out or (function.archives and port == 443)
        assert allowed(closed, pod(function.name), "Egress", INTERNET, port) == reaches
        assert allowed(closed, pod(function.name), "Egress", Peer(address="2001:db8::1"), port) == reaches
        assert not allowed(closed, pod(function.name), "Egress", INSIDE, port)
        assert allowed(opened, pod(function.name), "Egress", INSIDE, port) == function.calls_out


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", METADATA, ids=lambda peer: peer.address)
def test_nobody_reaches_what_gives_credentials_away(closed, opened, name, address):
    assert not allowed(closed, pod(name), "Egress", address, 80)
    assert not allowed(opened, pod(name), "Egress", address, 80)


@given(st.ip_addresses(), st.integers(1, 65535).filter(lambda port: port not in {53, 5432, 6379}))
def test_a_caller_reaches_what_is_public_and_nothing_else(closed, address, port):
    """For any address and port beside those of names and stores."""
    shut = any(address in ip_network(network) for network in (*PRIVATE, *NEVER))
    for name in CALLERS:
        assert allowed(closed, pod(name), "Egress", Peer(address=str(address)), port) == (not shut)


def test_sinks_that_policies_open_are_those_that_the_guard_allows(kustomize):
    (settings,) = (d for d in kustomize.overlay("dev") if d["kind"] == "ConfigMap")
    assert settings["data"]["WEIR_SINK_ALLOW"].split(",") == list(PRIVATE)
    guard = AddressGuard(PRIVATE)
    assert guard.allows(INSIDE.address)
    assert not any(guard.allows(peer.address) for peer in METADATA)
