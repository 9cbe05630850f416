# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the network of one host."""

from __future__ import annotations

import ipaddress
import typing as t
from collections.abc import Iterator, Mapping

from .finding import Said, number

Seen = Mapping[str, t.Any]

_PEERS_SHOWN = 3


def network(seen: Seen, expect: Seen) -> Iterator[Said]:
    """What is wrong with a host's addresses, names and ways to others."""
    yield from _addresses(seen, expect)
    yield from _names(seen, expect)
    yield from _reach(seen)


def _addresses(seen: Seen, expect: Seen) -> Iterator[Said]:
    own = {address.split("/")[0] for each in seen["interfaces"] for address in each["addresses"]}
    wanted = expect.get("address", "")
    if wanted and not _is_address(wanted):
        yield (
            "address",
            f"the inventory gives {wanted!r} as its address, which other hosts cannot be told to use.",
            "Set ip, or ansible_host, to the address of the host.",
        )
    elif wanted and wanted not in own:
        yield (
            "address",
            f"has no address {wanted}, although the inventory says so; it has {', '.join(sorted(own)) or 'none'}.",
            "Mend ip or ansible_host in the inventory, or the host's network settings.",
        )
    least = expect.get("mtu_minimum", 0)
    for each in seen["interfaces"]:
        if each["name"] == seen["default"]["interface"] and each["mtu"] and each["mtu"] < number(least):
            yield (
                "mtu",
                f"{each['name']} has an MTU of {each['mtu']}; at least {least} is needed for the overlay of pods.",
                "Raise it on the host and on every switch and tunnel on the way.",
            )
    for bond, down in seen["bonds"].items():
        if down:
            yield (
                "links",
                f"{bond} has members that are down: {', '.join(down)}.",
                "Check cables, transceivers and the switch.",
            )
    for name, texts in expect.get("networks", {}).items():
        for text in texts:
            yield from _overlap(seen, name, text)


def _overlap(seen: Seen, name: str, text: str) -> Iterator[Said]:
    """A network of the cluster that the host already reaches otherwise."""
    try:
        ours = ipaddress.ip_network(text, strict=False)
    except ValueError:
        yield "networks", f"{name} of its cluster is {text!r}, which is no network.", f"Mend {name} in the inventory."
        return
    virtual = {each["name"] for each in seen["interfaces"] if each["virtual"]}
    for route in seen["routes"]:
        theirs = ipaddress.ip_network(route["network"], strict=False)
        if route["interface"] in virtual or route["protocol"] == "bird" or ours.version != theirs.version:
            continue
        if ours.overlaps(theirs):
            yield (
                "networks",
                f"reaches {theirs} over {route['interface']}, inside {name} ({ours}) of its cluster.",
                f"Choose another {name} for the cluster, or remove that network from the host.",
            )


def _names(seen: Seen, expect: Seen) -> Iterator[Said]:
    if not seen["nameservers"] and not expect.get("dns_servers"):
        yield (
            "dns",
            "has no name server.",
            "Give host_baseline_dns_servers, or nameserver lines in /etc/resolv.conf.",
        )
        return
    for name, addresses in seen["names"].items():
        if not addresses:
            servers = ", ".join(seen["nameservers"])
            yield (
                "names",
                f"cannot resolve {name} (asked {servers or 'nobody'}).",
                f"Check with resolvectl query {name}; mend the zone, or host_baseline_dns_servers.",
            )


def _reach(seen: Seen) -> Iterator[Said]:
    lost = {name: peer for name, peer in seen["peers"].items() if peer["error"]}
    if lost:
        shown = [f"{name} ({peer['address']}: {peer['error']})" for name, peer in lost.items()][:_PEERS_SHOWN]
        more = f" and {len(lost) - _PEERS_SHOWN} more" if len(lost) > _PEERS_SHOWN else ""
        yield (
            "peers",
            f"does not reach {', '.join(shown)}{more}.",
            "Check addresses, routes, VLANs and firewalls between them.",
        )
    for url, error in seen["urls"].items():
        if error:
            yield (
                "urls",
                f"does not reach {url}: {error}.",
                "Check routes and host_baseline_proxy, or give a mirror: host_baseline_mirror.",
            )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
