# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of clusters: inside their networks, and never the same twice where they would meet."""

from __future__ import annotations

import itertools
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

import netaddr

from .entities import Cluster
from .errors import Problems, Where

_RANGES = ("node_cidr", "pod_cidr", "service_cidr")


@dataclass(frozen=True)
class Range:
    """A set of addresses with its place. I(shared): other clusters of the same network can see it."""

    name: str
    where: Where
    addresses: netaddr.IPSet
    shared: bool


def as_list(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(t.cast("list[str]", value or []))


def check(clusters: Mapping[str, Cluster], problems: Problems) -> None:
    """Checks every cluster for itself, then clusters that share a node network against each other."""
    ranges = {name: _ranges(cluster, problems) for name, cluster in clusters.items()}
    for own in ranges.values():
        _check_cluster(own, problems)
    by_network: dict[str, list[str]] = {}
    for name, cluster in clusters.items():
        for network in as_list(cluster.get("network", {}).get("node_cidr")):
            by_network.setdefault(str(netaddr.IPNetwork(network).cidr), []).append(name)
    for network, names in by_network.items():
        for one, other in itertools.combinations(names, 2):
            for a, b in itertools.product(ranges[one], ranges[other]):
                if a.name != "node_cidr" and b.name != "node_cidr" and not a.addresses.isdisjoint(b.addresses):
                    problems.error(
                        "overlap",
                        b.where,
                        f"{_text(b)} overlaps {_text(a)} of the cluster {one}, and both are on {network}.",
                        "Give one of them other addresses.",
                    )


def _ranges(cluster: Cluster, problems: Problems) -> list[Range]:
    network = cluster.get("network", {})
    base = Where("cluster_network", host=cluster.name)
    found = [
        Range(key, base / key, netaddr.IPSet(netaddr.IPNetwork(item).cidr for item in as_list(network[key])), False)
        for key in _RANGES
        if key in network
    ]
    if "api_vip" in network:
        found.append(Range("api_vip", base / "api_vip", netaddr.IPSet([network["api_vip"]]), True))
    for index, pool in enumerate(network.get("load_balancer_pools", ())):
        where = (base / "load_balancer_pools").item(index, pool["name"])
        addresses = netaddr.IPSet()
        for number, text in enumerate(pool["addresses"]):
            try:
                addresses |= parse_range(text)
            except (netaddr.AddrFormatError, ValueError) as error:
                problems.error(
                    "bad-value",
                    where / "addresses" / number,
                    f"{text!r} is not a range of addresses ({error}).",
                    "Write it as 10.1.2.0/28 or 10.1.2.10-10.1.2.20.",
                )
        found.append(Range(f"the pool {pool['name']}", where, addresses, True))
    return found


def parse_range(text: str) -> netaddr.IPSet:
    """A network in CIDR form, a single address, or the two ends of a range joined by a dash."""
    if "-" in text:
        first, last = (end.strip() for end in text.split("-", 1))
        return netaddr.IPSet(netaddr.IPRange(first, last))
    return netaddr.IPSet([netaddr.IPNetwork(text).cidr])


def _check_cluster(own: list[Range], problems: Problems) -> None:
    nodes = next((r for r in own if r.name == "node_cidr"), None)
    for vip in (r for r in own if r.name == "api_vip"):
        if nodes and not vip.addresses.issubset(nodes.addresses):
            problems.error(
                "outside",
                vip.where,
                f"the address {_text(vip)} is outside the node network {_text(nodes)}.",
                "Choose an unused address of that network.",
            )
    for a, b in itertools.combinations(own, 2):
        inside = a is nodes and b.shared
        if not inside and not a.addresses.isdisjoint(b.addresses):
            problems.error(
                "overlap",
                b.where,
                f"{_text(b)} overlaps {a.name} {_text(a)} of the same cluster.",
                "Give one of them other addresses.",
            )


def _text(r: Range) -> str:
    return ", ".join(str(item) for item in itertools.islice(r.addresses.iter_cidrs(), 3))
