"""Who may speak to whom: NetworkPolicies that open what the declarations need and close the rest."""

from collections.abc import Iterable, Sequence

from shared.runtime.function import Function
from shared.runtime.knative.edge import LABELS
from shared.runtime.knative.manifest import COMPONENT, SERVICE, Manifest, metadata
from shared.runtime.nginx import PORT

SERVING, GATEWAY, EVENTING, NAMES, SCRAPER = (
    "knative-serving",
    "kourier-system",
    "knative-eventing",
    "kube-system",
    "monitoring",
)
"""The namespaces of Knative's activator and autoscaler, its gateway, its brokers, the cluster's DNS, and of Prometheus."""

QUEUE_PORTS = (8012, 8013, 8112)
"""Where Knative's queue-proxy takes requests: HTTP/1, HTTP/2, TLS."""
AUTOSCALER_PORT = 9090
FUNCTION_PORT = 8080
"""Of the container itself. Kubelet's probes pass all the same; requests have to go by the queue-proxy."""
GATEWAY_PORTS = (8081, 8444)
"""Of Kourier's gateway, for requests from inside the cluster: HTTP, TLS."""
BROKER_PORTS = (8080, 8443)
DATABASE_PORT, REDIS_PORT = 5432, 6379
NODE_LOCAL_NAMES = "169.254.20.10/32"
"""Where NodeLocal DNSCache listens, in clusters that have it."""

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
"""Networks inside (RFC 1918): a deployment may open them to deliveries by the component `private-sinks`."""

NEVER = (
    "0.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
)
"""No sinks, with that component either: among these are the addresses where clouds give credentials to whoever asks."""

ARCHIVE_PORT = 443
POD_IDENTITY = "169.254.170.23/32"
POD_IDENTITY_PORT = 80


def policies(functions: Iterable[Function]) -> list[Manifest]:
    """Deny by default, then what is needed."""
    functions = list(functions)
    every = {"matchExpressions": [{"key": SERVICE, "operator": "Exists"}]}
    migration = {"matchLabels": {COMPONENT: "migration"}}
    return [
        _policy("deny", {}, policyTypes=["Ingress", "Egress"]),
        _policy(
            "requests",
            every,
            ingress=[
                {"from": [_namespace(SERVING), _namespace(GATEWAY)], "ports": _ports(*QUEUE_PORTS)},
                {"from": [_namespace(SERVING)], "ports": _ports(AUTOSCALER_PORT)},
            ],
        ),
        _policy("metrics", every, ingress=[{"from": [_namespace(SCRAPER)], "ports": _ports(FUNCTION_PORT)}]),
        _policy(
            "names",
            {},
            egress=[
                {
                    "to": [_namespace(NAMES), {"ipBlock": {"cidr": NODE_LOCAL_NAMES}}],
                    "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
                }
            ],
        ),
        _policy("stores", every, egress=[{"ports": _ports(DATABASE_PORT, REDIS_PORT)}]),
        _policy("migration", migration, egress=[{"ports": _ports(DATABASE_PORT)}]),
        _policy(
            "smoke",  # `weir deploy` asks new revisions by the gateway, as others would
            {"matchLabels": {COMPONENT: "smoke"}},
            egress=[{"to": [_namespace(GATEWAY)], "ports": _ports(*GATEWAY_PORTS)}],
        ),
        _policy(
            "edge",  # of the component of that name: open to whoever stands before it, and to everybody where nobody does
            {"matchLabels": LABELS},
            ingress=[{"ports": _ports(PORT)}],
            egress=[{"to": [_namespace(GATEWAY)], "ports": _ports(*GATEWAY_PORTS)}],
        ),
        _policy(
            "wakes",
            _named(f.name for f in functions if f.wakes),
            egress=[{"to": [_namespace(EVENTING)], "ports": _ports(*BROKER_PORTS)}],
        ),
        _policy(
            "archive",
            _named(f.name for f in functions if f.archives),
            egress=[
                {
                    "to": [
                        _all_but("0.0.0.0/0", ".", (*PRIVATE, *NEVER)),
                        _all_but("::/0", ":", (*PRIVATE, *NEVER)),
                    ],
                    "ports": _ports(ARCHIVE_PORT),
                },
                # What gives its pods their rights at AWS (EKS Pod Identity), and to nobody else.
                {"to": [{"ipBlock": {"cidr": POD_IDENTITY}}], "ports": _ports(POD_IDENTITY_PORT)},
            ],
        ),
        _policy(
            "sinks",
            _named(f.name for f in functions if f.calls_out),
            egress=[
                {
                    "to": [
                        _all_but("0.0.0.0/0", ".", (*PRIVATE, *NEVER)),
                        _all_but("::/0", ":", (*PRIVATE, *NEVER)),
                    ]
                }
            ],
        ),
    ]


def opened() -> list[Manifest]:
    """What the component `private-sinks` adds to the policy `sinks`."""
    return [
        {"op": "add", "path": "/spec/egress/0/to/-", "value": {"ipBlock": {"cidr": cidr}}} for cidr in PRIVATE
    ]


def _policy(name: str, pods: Manifest, **spec: Sequence[object]) -> Manifest:
    types = {"policyTypes": [kind.capitalize() for kind in spec]} if "policyTypes" not in spec else {}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(name),
        "spec": {"podSelector": pods, **types, **spec},
    }


def _named(names: Iterable[str]) -> Manifest:
    return {"matchExpressions": [{"key": SERVICE, "operator": "In", "values": sorted(names)}]}


def _namespace(name: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _ports(*ports: int) -> list[Manifest]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def _all_but(cidr: str, family: str, networks: Iterable[str]) -> Manifest:
    return {"ipBlock": {"cidr": cidr, "except": [network for network in networks if family in network]}}
