# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What MetalLB needs of a cluster, and who has which address of it."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping

from .._libraries import load
from .._model.addresses import parse_range
from .._model.fleet import Fleet
from .._objects import metallb
from .._objects.common import Object
from .discovery import Discovery
from .finding import Finding
from .kinds import Kind
from .listing import list_all
from .session import Session
from .snapshot import is_ours

if t.TYPE_CHECKING:
    import netaddr
    import yaml
else:
    netaddr, yaml = load("netaddr"), load("yaml")

SERVICE: Kind = ("v1", "Service")
_NODE: Kind = ("v1", "Node")
POOL: Kind = (metallb.API, "IPAddressPool")
#: MetalLB says here from which pool an address is.
FROM_POOL = "metallb.io/ip-allocated-from-pool"
_PROXY = "/api/v1/namespaces/kube-system/configmaps/kube-proxy"
_NATIVE = "native"
_MOST = 10


def findings(session: Session, fleet: Fleet, name: str, software: Iterable[Object]) -> list[Finding]:
    """What stands against MetalLB on a cluster, or is told to whom it concerns."""
    cluster, settings = fleet.clusters[name], fleet.settings
    pools = metallb.pools(cluster)
    bgp = (cluster.get("network") or {}).get("bgp") or {}
    found = [*_without_frr(bgp, software)]
    if any(each.get("advertise", "layer2") == "layer2" for each in pools):
        found += _proxy(session)
    found += _nodes(session, pools)
    found += _strangers(session, pools)
    found += _passwords(session, bgp, metallb.namespace(settings))
    return found + _moved(session, pools)


def _without_frr(bgp: Mapping[str, t.Any], software: Iterable[Object]) -> Iterator[Finding]:
    if _bgp_type(software) != _NATIVE:
        return
    for peer in bgp.get("peers", ()):
        keys = [key for key in ("bfd_profile", "graceful_restart") if peer.get(key)]
        if keys:
            yield Finding(
                f"cluster_network.bgp.peers[{peer['name']}].{keys[0]}",
                "MetalLB does this with FRR only, and the manifest is the native one.",
                "Use the manifest metallb-frr-k8s.yaml or metallb-frr.yaml of the same version, or take the key out.",
            )


def _bgp_type(software: Iterable[Object]) -> str:
    for each in software:
        if each["kind"] == "Deployment" and each["metadata"]["name"] == "controller":
            for variable in each["spec"]["template"]["spec"]["containers"][0].get("env", ()):
                if variable["name"] == "METALLB_BGP_TYPE":
                    return str(variable.get("value", _NATIVE))
            return _NATIVE
    return ""


def _proxy(session: Session) -> Iterator[Finding]:
    """In mode ipvs every node has every address of a Service, and would answer ARP for it."""
    found = session.get(_PROXY) or {}
    try:
        config = yaml.safe_load((found.get("data") or {}).get("config.conf", "")) or {}
    except yaml.YAMLError:
        config = {}
    if config.get("mode") == "ipvs" and not (config.get("ipvs") or {}).get("strictARP"):
        yield Finding(
            "ConfigMap kube-system/kube-proxy",
            "kube-proxy runs in mode ipvs without strictARP, so every node would answer for every address.",
            "Set ipvs.strictARP: true there and restart kube-proxy; the role kubespray does so with its next run.",
        )


def _nodes(session: Session, pools: Iterable[Mapping[str, t.Any]]) -> Iterator[Finding]:
    nodes = _all(session, _NODE)
    for pool in pools:
        addresses = address_set(pool["addresses"])
        for node in nodes:
            for each in (node.get("status") or {}).get("addresses") or ():
                if each["type"] == "InternalIP" and netaddr.IPAddress(each["address"]) in addresses:
                    yield Finding(
                        f"cluster_network.load_balancer_pools[{pool['name']}]",
                        f"{each['address']} is the address of the node {node['metadata']['name']}.",
                        "Leave it out of the pool.",
                    )


def _strangers(session: Session, pools: Iterable[Mapping[str, t.Any]]) -> Iterator[Finding]:
    """Pools that somebody else made; MetalLB takes no two that overlap."""
    others = [each for each in _all(session, POOL) if not is_ours(each)]
    for pool in pools:
        addresses = address_set(pool["addresses"])
        for other in others:
            meta = other["metadata"]
            if not addresses.isdisjoint(address_set(other["spec"]["addresses"])):
                yield Finding(
                    f"cluster_network.load_balancer_pools[{pool['name']}]",
                    f"it overlaps the IPAddressPool {meta['namespace']}/{meta['name']}, which is not ours.",
                    "Remove that one, or give the pool other addresses.",
                )


def _passwords(session: Session, bgp: Mapping[str, t.Any], namespace: str) -> Iterator[Finding]:
    for peer in bgp.get("peers", ()):
        name = peer.get("password_secret")
        if name and session.get(f"/api/v1/namespaces/{namespace}/secrets/{name}") is None:
            yield Finding(
                f"cluster_network.bgp.peers[{peer['name']}].password_secret",
                f"there is no Secret {namespace}/{name}, so there will be no session with this router.",
                f"Create it: kubectl -n {namespace} create secret generic {name} --type=kubernetes.io/basic-auth "
                "--from-literal=password=…",
                stops=False,
            )


def _moved(session: Session, pools: Iterable[Mapping[str, t.Any]]) -> list[Finding]:
    """Services whose address no declared pool has any more: MetalLB gives them another one at once."""
    declared = address_set(text for pool in pools for text in pool["addresses"])
    losing = [
        (each, address)
        for each in balanced(session)
        for address in addresses_of(each)
        if pool_of(each) and netaddr.IPAddress(address) not in declared
    ]
    found = [
        Finding(
            f"Service {each['metadata']['namespace']}/{each['metadata']['name']}",
            f"its address {address} is in no declared pool any more.",
            "It gets another one, or none; tell whom it concerns, and change DNS.",
            stops=False,
        )
        for each, address in losing[:_MOST]
    ]
    if len(losing) > _MOST:
        found.append(Finding("Services", f"{len(losing) - _MOST} more lose their address.", "", stops=False))
    return found


def in_use(session: Session) -> list[str]:
    """The Services that have an address of MetalLB."""
    return sorted(
        f"{each['metadata']['namespace']}/{each['metadata']['name']} ({', '.join(addresses_of(each))})"
        for each in balanced(session)
        if pool_of(each)
    )


def balanced(session: Session) -> list[Object]:
    """The Services of type LoadBalancer that are MetalLB's business."""
    return [
        each
        for each in _all(session, SERVICE)
        if each["spec"].get("type") == "LoadBalancer" and not each["spec"].get("loadBalancerClass")
    ]


def addresses_of(service: Object) -> list[str]:
    """The addresses that a Service has got."""
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [each["ip"] for each in ingress if each.get("ip")]


def pool_of(service: Object) -> str:
    """From which pool a Service has its address, as MetalLB says; empty when it has none of MetalLB."""
    return str((service["metadata"].get("annotations") or {}).get(FROM_POOL, ""))


def address_set(ranges: Iterable[str]) -> netaddr.IPSet:
    """All addresses of some ranges."""
    result = netaddr.IPSet()
    for text in ranges:
        result |= parse_range(text)
    return result


def confusing(addresses: netaddr.IPSet) -> int:
    """How many of I(addresses) old devices take for the address of a network, or for everybody's: x.0 and x.255."""
    return sum(
        2 << (24 - each.prefixlen) if each.prefixlen <= 24 else (each.first % 256 == 0) + (each.last % 256 == 255)
        for each in addresses.iter_cidrs()
        if each.version == 4
    )


def _all(session: Session, kind: Kind) -> list[Object]:
    resource = Discovery(session).find(*kind)
    return list_all(session, resource, selector="") if resource else []
