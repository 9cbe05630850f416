# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of clusters: inside their networks, and never the same twice where they would meet."""

from __future__ import annotations

import functools
import itertools
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from .._libraries import load as library
from . import bgp, values
from .entities import Cluster
from .errors import Problems, Where, show

if t.TYPE_CHECKING:
    import netaddr
else:
    netaddr = library("netaddr")


_RANGES = ("node_cidr", "pod_cidr", "service_cidr")


@dataclass(frozen=True)
class Range:
    """A set of addresses with its place.

    I(shared): other clusters of the same network can see it. I(routed): it is announced to routers, and so known in
    every network.
    """

    name: str
    where: Where
    addresses: netaddr.IPSet
    text: str
    shared: bool
    networks: frozenset[netaddr.IPNetwork] = frozenset()
    routed: bool = False

    @functools.cached_property
    def hull(self) -> list[tuple[int, int, int]]:
        """The lowest and the highest address of each family."""
        found: dict[int, tuple[int, int]] = {}
        for each in self.addresses.iter_cidrs():
            low, high = found.get(each.version, (each.first, each.last))
            found[each.version] = (min(low, each.first), max(high, each.last))
        return [(version, *ends) for version, ends in found.items()]

    @property
    def is_pool(self) -> bool:
        return self.name.startswith("the pool ")


def as_list(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(t.cast("list[str]", value or []))


def check(clusters: Mapping[str, Cluster], problems: Problems) -> None:
    """Checks every cluster for itself, then clusters that share a node network against each other."""
    ranges = {name: _ranges(cluster, problems) for name, cluster in clusters.items()}
    for own in ranges.values():
        _check_cluster(own, problems)
    for cluster in clusters.values():
        bgp.check(cluster, problems)
    for one, other in itertools.combinations([name for name, own in ranges.items() if _nodes(own)], 2):
        _check_pair(one, ranges[one], ranges[other], problems)
        _check_routers(clusters[one], clusters[other], ranges[one], ranges[other], problems)
    for one, other in itertools.combinations(ranges, 2):
        _check_apart(one, ranges[one], other, ranges[other], problems)


def _check_apart(one: str, own: list[Range], other: str, others: list[Range], problems: Problems) -> None:
    """Clusters on different networks: what one of them announces belongs to nobody else, and a pool is not in the
    nodes' network of another."""
    first, second = _nodes(own), _nodes(others)
    if first and second and not first.addresses.isdisjoint(second.addresses):
        return
    for a, b in itertools.product(filter(_is_known, own), filter(_is_known, others)):
        if not (a.is_pool or b.is_pool) or not _may_meet(a, b) or a.addresses.isdisjoint(b.addresses):
            continue
        if a.routed or b.routed:
            which = "both are" if a.routed and b.routed else "one of them is"
            told = f"{b.text} overlaps {a.name} {a.text} of the cluster {one}, and {which} announced to routers."
            problems.error("overlap", b.where, told, "Give one of them other addresses.")
        elif a.is_pool and b is second and a.addresses.issubset(b.addresses):
            _foreign(a, b, other, problems)
        elif b.is_pool and a is first and b.addresses.issubset(a.addresses):
            _foreign(b, a, one, problems)


def _is_known(item: Range) -> bool:
    """Whether others can see it; pods and Services stay in their cluster."""
    return item.shared or item.name == "node_cidr"


def _may_meet(a: Range, b: Range) -> bool:
    """A cheap look, as a large fleet has many pairs."""
    return any(v == w and low <= top and bottom <= high for v, low, high in a.hull for w, bottom, top in b.hull)


def _foreign(pool: Range, nodes: Range, cluster: str, problems: Problems) -> None:
    problems.error(
        "foreign-network",
        pool.where,
        f"{pool.text} is in the node network {nodes.text} of the cluster {cluster}, and this cluster is not on it.",
        "Give the pool addresses of the own network, or advertise it with bgp.",
    )


def router_id(network: Mapping[str, t.Any]) -> int:
    """The VRRP router id of a cluster's API address: the declared one, else the last byte of the address."""
    declared = network.get("api_router_id")
    return int(declared) if declared else int(netaddr.IPAddress(network["api_vip"])) % 256 or 255


def _check_routers(one: Cluster, other: Cluster, own: list[Range], others: list[Range], problems: Problems) -> None:
    """Clusters whose nodes hear each other need different router ids, or they fight over their addresses."""
    mine, theirs = one.get("network", {}), other.get("network", {})
    first, second = _nodes(own), _nodes(others)
    if "api_vip" not in mine or "api_vip" not in theirs or not first or not second:
        return
    if first.addresses.isdisjoint(second.addresses) or (":" in mine["api_vip"]) != (":" in theirs["api_vip"]):
        return
    number = router_id(theirs)
    if router_id(mine) == number and mine["api_vip"] != theirs["api_vip"]:
        problems.error(
            "router-id",
            Where("cluster_network", host=other.name) / ("api_router_id" if "api_router_id" in theirs else "api_vip"),
            f"{theirs['api_vip']} has the VRRP router id {number}, like {mine['api_vip']} of the cluster {one.name}, "
            "and their nodes share a network.",
            "Set api_router_id of one of them to a number from 1 to 255 that no other has.",
        )


def _nodes(own: list[Range]) -> Range | None:
    return next((r for r in own if r.name == "node_cidr"), None)


def _check_pair(one: str, own: list[Range], others: list[Range], problems: Problems) -> None:
    """Clusters whose nodes share a network see each other's addresses."""
    first, second = _nodes(own), _nodes(others)
    if not first or not second or first.addresses.isdisjoint(second.addresses):
        return
    common = first.addresses & second.addresses
    if any(a != b and (a in b or b in a) for a, b in itertools.product(first.networks, second.networks)):
        problems.error(
            "overlap",
            second.where,
            f"the node network {second.text} overlaps {first.text} of the cluster {one}, and is not the same.",
            "Write the same network for clusters that share it, else give one of them other addresses.",
        )
    for a, b in itertools.product(own, others):
        if a is not first and b is not second and not a.addresses.isdisjoint(b.addresses):
            shared = ", ".join(str(net) for net in common.iter_cidrs())
            problems.error(
                "overlap",
                b.where,
                f"{b.text} overlaps {a.name} {a.text} of the cluster {one}, and both are on {shared}.",
                "Give one of them other addresses.",
            )


def _ranges(cluster: Cluster, problems: Problems) -> list[Range]:
    network = cluster.get("network", {})
    base = Where("cluster_network", host=cluster.name)
    found = []
    for key in _RANGES:
        if key in network:
            networks = frozenset(netaddr.IPNetwork(item).cidr for item in as_list(network[key]))
            found.append(Range(key, base / key, netaddr.IPSet(networks), _text(network[key]), False, networks))
    if "api_vip" in network:
        found.append(Range("api_vip", base / "api_vip", netaddr.IPSet([network["api_vip"]]), network["api_vip"], True))
    for index, vip in enumerate(network.get("api_extra_vips", ())):
        where = base / "api_extra_vips" / index
        found.append(Range(f"api_extra_vips[{index}]", where, netaddr.IPSet([vip]), vip, True))
    names: set[str] = set()
    for index, pool in enumerate(network.get("load_balancer_pools", ())):
        where = (base / "load_balancer_pools").item(index, pool["name"])
        if pool["name"] in names:
            problems.error("duplicate-id", where, f"there is already a pool {pool['name']!r}.", "Rename one of them.")
        names.add(pool["name"])
        addresses = netaddr.IPSet()
        for number, item in enumerate(pool["addresses"]):
            try:
                addresses |= parse_range(item)
            except (netaddr.AddrFormatError, ValueError):
                problems.error(
                    "bad-value",
                    where / "addresses" / number,
                    f"{show(item)} is not a range of addresses.",
                    "Write it as 10.1.2.0/28 or 10.1.2.10-10.1.2.20.",
                )
        is_routed = pool.get("advertise") == "bgp"
        text = _text(pool["addresses"])
        found.append(Range(f"the pool {pool['name']}", where, addresses, text, True, routed=is_routed))
    return found


def parse_range(text: str) -> netaddr.IPSet:
    """A network in CIDR form, a single address, or the two ends of a range joined by a dash."""
    if "-" in text:
        first, last = (values.address(end.strip()) for end in text.split("-", 1))
        return netaddr.IPSet(netaddr.IPRange(first, last))
    return netaddr.IPSet([values.network(text).cidr if "/" in text else values.address(text)])


def _check_cluster(own: list[Range], problems: Problems) -> None:
    nodes = _nodes(own)
    for vip in (r for r in own if r.name.startswith("api_")):
        if nodes and not _other_family(vip, nodes) and not vip.addresses.issubset(nodes.addresses):
            problems.error(
                "outside",
                vip.where,
                f"the address {vip.text} is outside the node network {nodes.text}.",
                "Choose an unused address of that network.",
            )
    for a, b in itertools.combinations(own, 2):
        inside = a is nodes and b.shared
        if not inside and not a.addresses.isdisjoint(b.addresses):
            problems.error(
                "overlap",
                b.where,
                f"{b.text} overlaps {a.name} {a.text} of the same cluster.",
                "Give one of them other addresses.",
            )


def _other_family(vip: Range, nodes: Range) -> bool:
    """Nodes may have addresses of a family that their network is not written down for."""
    version = vip.addresses.iter_cidrs()[0].version
    return vip.name != "api_vip" and all(network.version != version for network in nodes.networks)


def _text(written: str | list[str]) -> str:
    items = as_list(written)
    return ", ".join(items[:3]) + (" …" if len(items) > 3 else "")
