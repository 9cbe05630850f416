# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkPolicies: everything is denied both ways, then what is needed is allowed.

All of them are always emitted, empty when they allow nothing. So the set of names never changes, and a withdrawn rule
cannot live on in an object that nobody deletes.
"""

from __future__ import annotations

import ipaddress
import typing as t
from collections.abc import Mapping

from .._model.entities import Cluster, Environment, Settings
from .common import Object, in_namespace

Rule = dict[str, t.Any]
_DNS_LABELS = {"k8s-app": "kube-dns"}


def build_network_policies(environment: Environment, cluster: Cluster, settings: Settings) -> list[Object]:
    """The NetworkPolicies of the namespace."""
    network = environment.values.get("network") or {}
    inbound, outbound = network.get("allow_from", ()), network.get("egress", ())
    here: Rule = {"podSelector": {}}

    def policy(name: str, peers: t.Any = (), /, **rules: list[Rule]) -> Object:
        spec: Rule = {"podSelector": {}, "policyTypes": [side.capitalize() for side in rules]}
        spec.update({side: items for side, items in rules.items() if items})
        reasons = "; ".join(f"{_name(peer)}: {peer['reason']}" for peer in peers if peer.get("reason"))
        notes = {f"{settings.label_domain}/reason": reasons} if reasons else {}
        api = "networking.k8s.io/v1"
        return in_namespace(environment, settings, api, "NetworkPolicy", name, wall=True, annotations=notes, spec=spec)

    return [
        policy("default-deny", ingress=[], egress=[]),
        policy("allow-dns", egress=_dns(cluster)),
        policy("allow-same-namespace", ingress=[{"from": [here]}], egress=[{"to": [here]}]),
        policy("allow-platform", ingress=_platform(network, settings)),
        policy("declared-ingress", inbound, ingress=[_rule("from", peer, settings) for peer in inbound]),
        policy("declared-egress", outbound, egress=[_rule("to", peer, settings) for peer in outbound]),
    ]


def _dns(cluster: Cluster) -> list[Rule]:
    """UDP and TCP: answers that do not fit into a datagram come over TCP."""
    dns = cluster.get("dns") or {}
    pods = {
        "namespaceSelector": _called(dns.get("namespace", "kube-system")),
        "podSelector": {"matchLabels": dns.get("labels") or _DNS_LABELS},
    }
    rules = [{"to": [pods], "ports": _both(dns.get("ports") or [53])}]
    if dns.get("node_local"):
        rules.append({"to": [{"ipBlock": {"cidr": _host(dns["node_local"])}}], "ports": _both([53])})
    return rules


def _both(ports: list[int]) -> list[Rule]:
    return [{"port": port, "protocol": protocol} for port in ports for protocol in ("UDP", "TCP")]


def _platform(network: Mapping[str, t.Any], settings: Settings) -> list[Rule]:
    platform = settings.platform
    wanted = (
        (network.get("ingress_controller", True), platform.get("ingress_namespace")),
        (network.get("monitoring", True), platform.get("monitoring_namespace")),
    )
    return [{"from": [{"namespaceSelector": _called(name)}]} for allowed, name in wanted if allowed and name]


def _called(namespace: str) -> Rule:
    return {"matchLabels": {"kubernetes.io/metadata.name": namespace}}


def _rule(side: str, peer: Mapping[str, t.Any], settings: Settings) -> Rule:
    """One declared peer. One rule each: peers of the same rule would share their ports."""
    if "cidr" in peer:
        block: Rule = {"cidr": str(ipaddress.ip_network(peer["cidr"], strict=False))}
        if peer.get("except"):
            block["except"] = [str(ipaddress.ip_network(each, strict=False)) for each in peer["except"]]
        rule: Rule = {side: [{"ipBlock": block}]}
    else:
        domain = settings.label_domain
        labels = {f"{domain}/{key}": peer[key] for key in ("tenant", "project", "environment") if peer.get(key)}
        rule = {side: [{"namespaceSelector": {"matchLabels": labels}}]}
    if peer.get("ports"):
        rule["ports"] = [_port(port, peer.get("protocol", "TCP")) for port in peer["ports"]]
    return rule


def _port(port: int | str, protocol: str) -> Rule:
    """A number, a range C(8000-8100), or the name of a container port."""
    text = str(port)
    first, dash, last = text.partition("-")
    if dash and first.isdigit() and last.isdigit():
        return {"port": int(first), "endPort": int(last), "protocol": protocol}
    return {"port": int(text) if text.isdigit() else text, "protocol": protocol}


def _host(address: str) -> str:
    return str(ipaddress.ip_network(address))


def _name(peer: Mapping[str, t.Any]) -> str:
    if "cidr" in peer:
        return str(peer["cidr"])
    return "/".join(str(peer[key]) for key in ("tenant", "project", "environment") if peer.get(key))
