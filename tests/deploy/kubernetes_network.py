"""Who may connect to whom, as the NetworkPolicies of a rendering say: the rules of Kubernetes for ports of pods."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.deploy.kubernetes_resources import COMPONENT, Resource, of_kind, selects

NAMESPACE = "image-classifier"


class Peer(NamedTuple):
    """A pod by its labels and those of its namespace."""

    labels: Mapping[str, str]
    namespace: Mapping[str, str]


def own(component: str) -> Peer:
    """A pod of this project."""
    labels = {"app.kubernetes.io/name": "image-classifier", COMPONENT: component}
    return Peer(labels, {"kubernetes.io/metadata.name": NAMESPACE})


def foreign(**namespace: str) -> Peer:
    """A pod of another namespace with these labels; its own imitate those of an API pod."""
    return Peer(own("api").labels, namespace)


def may_connect(resources: list[Resource], source: Peer, target: Peer, port: int) -> bool:
    """Whether policies allow a TCP connection; those of foreign namespaces are not known and allow all."""
    return _allowed(resources, "Ingress", target, source, port) and _allowed(resources, "Egress", source, target, port)


def _allowed(resources: list[Resource], direction: str, pod: Peer, other: Peer, port: int) -> bool:
    if not _is_own(pod):
        return True
    policies = [
        policy["spec"]
        for policy in of_kind(resources, "NetworkPolicy")
        if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], pod.labels)
    ]
    side = "from" if direction == "Ingress" else "to"
    rules = [rule for policy in policies for rule in policy.get(direction.lower()) or []]
    return not policies or any(_has_port(rule, port) and _has_peer(rule.get(side), other) for rule in rules)


def _is_own(peer: Peer) -> bool:
    return peer.namespace.get("kubernetes.io/metadata.name") == NAMESPACE


def _has_port(rule: Mapping[str, Any], port: int) -> bool:
    return "ports" not in rule or any(entry["port"] == port and entry["protocol"] == "TCP" for entry in rule["ports"])


def _has_peer(peers: list[Mapping[str, Any]] | None, other: Peer) -> bool:
    return not peers or any(_matches(peer, other) for peer in peers)


def _matches(peer: Mapping[str, Any], other: Peer) -> bool:
    if "ipBlock" in peer:
        return False
    in_namespace = selects(peer["namespaceSelector"], other.namespace) if "namespaceSelector" in peer else _is_own(other)
    return in_namespace and selects(peer.get("podSelector", {}), other.labels)
