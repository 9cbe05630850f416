# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MetalLB: the addresses that Services may have, and how the network learns where they are."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from .._model.entities import Cluster, Environment, Settings
from .._model.fleet import Fleet
from .common import Object, build

METALLB = "metallb"
_NAMESPACE = "metallb-system"
API = "metallb.io/v1beta1"
PEER_API = "metallb.io/v1beta2"
#: The ClusterRole of a tenant's provisioner may write these; who speaks with the routers is the platform's business.
POOL_KINDS = ((API, "IPAddressPool"), (API, "L2Advertisement"), (API, "BGPAdvertisement"))
PEERING_KINDS = ((API, "BFDProfile"), (API, "Community"), (PEER_API, "BGPPeer"))
COMMUNITIES = "communities"


def namespace(settings: Settings) -> str:
    """Where MetalLB lives."""
    return t.cast(str, settings.services.get(METALLB, {}).get("namespace", _NAMESPACE))


def pools(cluster: Cluster) -> list[dict[str, t.Any]]:
    """The declared ranges of load-balancer addresses."""
    return list((cluster.get("network") or {}).get("load_balancer_pools", ()))


def configuration(fleet: Fleet, name: str) -> list[Object]:
    """Everything that MetalLB reads on a cluster: peers first, then what is announced to them."""
    cluster, settings = fleet.clusters[name], fleet.settings
    return [*peering_objects(cluster, settings), *pool_objects(cluster, fleet.on_cluster(name), settings)]


def pool_objects(cluster: Cluster, environments: Iterable[Environment], settings: Settings) -> list[Object]:
    """An IPAddressPool and its advertisement for each pool."""
    home = namespace(settings)
    lines = {each.tenant.id: {level.id for level in each.tenant.line} for each in environments}
    objects = []
    for pool in sorted(pools(cluster), key=lambda each: str(each["name"])):
        spec: Object = {"addresses": pool["addresses"], "autoAssign": pool.get("auto_assign", True)}
        if "avoid_buggy_addresses" in pool:
            spec["avoidBuggyIPs"] = pool["avoid_buggy_addresses"]
        allocation: Object = {"priority": pool["priority"]} if "priority" in pool else {}
        if "tenants" in pool:
            # The tenants below a named one may use it as well.
            wanted = set(pool["tenants"])
            names = sorted(wanted | {tenant for tenant, line in lines.items() if line & wanted})
            allocation["namespaceSelectors"] = [_selector(names, settings)]
        if allocation:
            spec["serviceAllocation"] = allocation
        objects += [
            build(API, "IPAddressPool", pool["name"], namespace=home, spec=spec),
            _advertisement(pool, home),
        ]
    return objects


def _advertisement(pool: Mapping[str, t.Any], home: str) -> Object:
    spec: Object = {"ipAddressPools": [pool["name"]]}
    if pool.get("node_labels"):
        spec["nodeSelectors"] = [{"matchLabels": pool["node_labels"]}]
    if pool.get("advertise", "layer2") == "layer2":
        if "interfaces" in pool:
            spec["interfaces"] = pool["interfaces"]
        return build(API, "L2Advertisement", pool["name"], namespace=home, spec=spec)
    for ours, theirs in (
        ("peers", "peers"),
        ("communities", "communities"),
        ("local_preference", "localPref"),
        ("aggregation_length", "aggregationLength"),
        ("aggregation_length_v6", "aggregationLengthV6"),
    ):
        if ours in pool:
            spec[theirs] = pool[ours]
    return build(API, "BGPAdvertisement", pool["name"], namespace=home, spec=spec)


def peering_objects(cluster: Cluster, settings: Settings) -> list[Object]:
    """The routers, the names of communities, and the profiles that find dead paths."""
    bgp = (cluster.get("network") or {}).get("bgp")
    if not bgp:
        return []
    home = namespace(settings)
    objects = [
        build(API, "BFDProfile", name, namespace=home, spec=spec)
        for name, spec in sorted((bgp.get("bfd_profiles") or {}).items())
    ]
    names = [{"name": name, "value": value} for name, value in sorted((bgp.get("communities") or {}).items())]
    if names:
        objects.append(build(API, "Community", COMMUNITIES, namespace=home, spec={"communities": names}))
    for peer in sorted(bgp["peers"], key=lambda each: str(each["name"])):
        objects.append(build(PEER_API, "BGPPeer", peer["name"], namespace=home, spec=_peer(peer, bgp["asn"], home)))
    return objects


def _peer(peer: Mapping[str, t.Any], asn: int, home: str) -> Object:
    spec: Object = {"myASN": asn, "peerASN": peer["asn"], "peerAddress": peer["address"]}
    for ours, theirs in (
        ("port", "peerPort"),
        ("hold_time", "holdTime"),
        ("source_address", "sourceAddress"),
        ("multi_hop", "ebgpMultiHop"),
        ("graceful_restart", "enableGracefulRestart"),
        ("bfd_profile", "bfdProfile"),
    ):
        if ours in peer:
            spec[theirs] = peer[ours]
    if "password_secret" in peer:
        spec["passwordSecret"] = {"name": peer["password_secret"], "namespace": home}
    if peer.get("node_labels"):
        spec["nodeSelectors"] = [{"matchLabels": peer["node_labels"]}]
    return spec


def _selector(tenants: list[str], settings: Settings) -> Object:
    key = f"{settings.label_domain}/tenant"
    if not tenants:
        # An empty list of values is not valid; nobody has this label without a value.
        return {"matchLabels": {key: ""}}
    return {"matchExpressions": [{"key": key, "operator": "In", "values": tenants}]}
