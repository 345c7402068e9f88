"""What NetworkPolicies let through, worked out as Kubernetes documents it: the cluster of the tests does not enforce any."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any


@dataclass(frozen=True)
class Peer:
    """A pod by its labels in a namespace, or an address."""

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = ""


def _selected(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    for expression in selector.get("matchExpressions", []):
        value = labels.get(expression["key"])
        within = {"Exists": value is not None, "In": value in expression.get("values", ())}
        if not within[expression["operator"]]:
            return False
    return True


def _matches(wanted: Mapping[str, Any], peer: Peer, home: str) -> bool:
    if block := wanted.get("ipBlock"):
        if not peer.address:
            return False
        address = ip_address(peer.address)
        inside = [address in ip_network(network) for network in (block["cidr"], *block.get("except", ()))]
        return inside[0] and not any(inside[1:])
    if peer.address:
        return False
    namespace = wanted.get("namespaceSelector")
    at_home = peer.namespace == home if namespace is None else True
    labelled = namespace is None or _selected(namespace, {"kubernetes.io/metadata.name": peer.namespace})
    return at_home and labelled and _selected(wanted.get("podSelector", {}), peer.labels)


def allowed(
    policies: Iterable[Mapping[str, Any]],
    pod: Peer,
    direction: str,
    other: Peer,
    port: int,
    protocol: str = "TCP",
) -> bool:
    """Whether `pod` may be reached by (`Ingress`) or reach (`Egress`) the other at its port."""
    about = [
        p["spec"]
        for p in policies
        if direction in p["spec"]["policyTypes"] and _selected(p["spec"]["podSelector"], pod.labels)
    ]
    if not about:
        return True
    side = {"Ingress": "from", "Egress": "to"}[direction]
    for spec in about:
        for rule in spec.get(direction.lower(), []):
            ports = rule.get("ports")
            at_port = ports is None or any((p["port"], p["protocol"]) == (port, protocol) for p in ports)
            if at_port and (side not in rule or any(_matches(w, other, pod.namespace) for w in rule[side])):
                return True
    return False
