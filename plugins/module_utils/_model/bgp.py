# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How pools are announced: what they name has to exist, and to fit the way."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from .entities import Cluster
from .errors import Problems, Where, show, suggest

#: C(64500:100), or a large community such as C(large:64500:1:2), as MetalLB reads them.
_COMMUNITY = re.compile(r"\d{1,5}:\d{1,5}|large:\d{1,10}:\d{1,10}:\d{1,10}")
_MOST = 65535
_LAYER2_ONLY = ("interfaces",)
_BGP_ONLY = ("peers", "communities", "local_preference", "aggregation_length", "aggregation_length_v6")


def is_community(text: str) -> bool:
    """Whether it is a community itself, and not the name of one."""
    if not _COMMUNITY.fullmatch(text):
        return False
    return text.startswith("large:") or all(int(part) <= _MOST for part in text.split(":"))


def check(cluster: Cluster, problems: Problems) -> None:
    """Reports what a pool names and C(bgp) does not have, and keys that do nothing."""
    network = cluster.get("network", {})
    base, bgp = Where("cluster_network", host=cluster.name), network.get("bgp") or {}
    _peers(bgp, base / "bgp", problems)
    _strict_arp(cluster, problems)
    peers = [each["name"] for each in bgp.get("peers", ())]
    communities = bgp.get("communities") or {}
    for name, value in communities.items():
        if not is_community(value):
            problems.error("bad-value", base / "bgp" / "communities" / name, *_no_community(value))
    for index, pool in enumerate(network.get("load_balancer_pools", ())):
        where = (base / "load_balancer_pools").item(index, pool["name"])
        routed = pool.get("advertise") == "bgp"
        for key in _LAYER2_ONLY if routed else _BGP_ONLY:
            if key in pool:
                way = "bgp" if routed else "layer2"
                other = "layer2" if routed else "bgp"
                what = f"it does nothing for a pool with advertise: {way}."
                problems.error("useless", where / key, what, f"Take it out, or set advertise: {other}.")
        if not routed:
            continue
        if not peers:
            what = "the pool is announced by BGP, and there is nobody to tell."
            problems.error("missing-peer", where, what, "Set cluster_network.bgp with asn and peers.")
        for number, name in enumerate(pool.get("peers", ())):
            if name not in peers:
                what = f"there is no peer {show(name)}."
                problems.error("unknown-name", where / "peers" / number, what, suggest(name, peers))
        for number, name in enumerate(pool.get("communities", ())):
            if name not in communities and not is_community(name):
                what = f"{show(name)} is neither a community nor the name of one."
                problems.error("unknown-name", where / "communities" / number, what, suggest(name, communities))


def _strict_arp(cluster: Cluster, problems: Problems) -> None:
    """In mode ipvs every node has every address of a Service, and would answer ARP for it."""
    variables = (cluster.get("kubernetes") or {}).get("variables") or {}
    pools = (cluster.get("network") or {}).get("load_balancer_pools", ())
    if variables.get("kube_proxy_strict_arp") is False and any(p.get("advertise") != "bgp" for p in pools):
        problems.error(
            "strict-arp",
            Where("cluster_kubernetes", host=cluster.name) / "variables" / "kube_proxy_strict_arp",
            "it is off, so every node would answer for every address of load_balancer_pools.",
            "Take it out; it is on by default.",
        )


def _peers(bgp: Mapping[str, t.Any], base: Where, problems: Problems) -> None:
    names: set[str] = set()
    profiles = bgp.get("bfd_profiles") or {}
    for index, peer in enumerate(bgp.get("peers", ())):
        where = (base / "peers").item(index, peer["name"])
        if peer["name"] in names:
            what = f"there is already a peer {peer['name']!r}."
            problems.error("duplicate-id", where, what, "Rename one of them.")
        names.add(peer["name"])
        wanted = peer.get("bfd_profile")
        if wanted is not None and wanted not in profiles:
            what = f"there is no profile {show(wanted)} in bfd_profiles."
            problems.error("unknown-name", where / "bfd_profile", what, suggest(wanted, profiles))
        if peer.get("multi_hop") and peer["asn"] == bgp["asn"]:
            what = "it is in the same autonomous system, where multi_hop does not exist."
            problems.error("bad-value", where / "multi_hop", what, "Take it out.")


def _no_community(value: str) -> tuple[str, str]:
    return f"{show(value)} is no community.", "Write it as 64500:100, or large:64500:1:2."
