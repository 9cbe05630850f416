# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory says about the address of each cluster's API: who can hold it, and in which order."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from .._kubespray.machines import CONTROL_PLANE, Machines
from .._kubespray.settings import wishes
from .._libraries import load as library
from .._model import addresses
from .._model.entities import Cluster, Settings

if t.TYPE_CHECKING:
    import netaddr
else:
    netaddr = library("netaddr")

#: Priorities, so that the one that holds the address keeps it while it is well, and loses it to anybody who is better
#: off. All hosts well: 90 to 150, and 70 more for the holder, so a host that comes back takes nothing away. No API
#: server within reach: 140 less, which is below every host that has one, holder or not, and in the same order.
FIRST, RANGE, MOST = 150, 60, 7
HOLDER = 70
NOT_READY = -140


@dataclass(frozen=True)
class Member:
    """A control plane node. The one with the higher I(priority) goes first."""

    name: str
    address: str
    priority: int


@dataclass(frozen=True)
class Endpoint:
    """The address of one cluster's API. I(network): the node network, empty when it is not written down."""

    cluster: str
    addresses: tuple[str, ...]
    port: int
    domain_name: str
    router_id: int
    members: tuple[Member, ...]
    machines: tuple[str, ...]
    network: tuple[str, ...]

    @property
    def version(self) -> int:
        """The IP version that members speak to each other, which is that of their own addresses."""
        return 6 if any(":" in member.address for member in self.members) else 4

    def of_host(self, host: str) -> dict[str, t.Any]:
        """Everything that the configuration of I(host) needs."""
        own = next(member for member in self.members if member.name == host)
        others = [member for member in self.members if member.name != host]
        return {
            "cluster": self.cluster,
            "name": self.cluster.replace(".", "_"),
            "port": self.port,
            "router_id": self.router_id,
            "version": self.version,
            "vips": [vip for vip in self.addresses if (":" in vip) == (self.version == 6)],
            "excluded_vips": [vip for vip in self.addresses if (":" in vip) != (self.version == 6)],
            "listen": sorted({6 if ":" in text else 4 for text in (*self.addresses, own.address)}),
            "address": own.address,
            "priority": own.priority,
            "holder": HOLDER,
            "not_ready": NOT_READY,
            "members": [{"name": each.name, "address": each.address} for each in self.members],
            "peers": [{"name": each.name, "address": each.address} for each in others],
            # of two that do not hear each other, the one that goes second gives way
            "ahead": [each.name for each in self.members if each.priority > own.priority],
            "machines": [address for address in self.machines if is_address(address)],
        }


def endpoints(
    clusters: Mapping[str, Cluster], settings: Settings, machines: Mapping[str, Machines]
) -> dict[str, Endpoint]:
    """The address of every cluster that has one and has control plane nodes in the inventory."""
    found = {}
    for name, all_of_it in machines.items():
        network = clusters[name].get("network", {})
        control_plane = all_of_it.having(CONTROL_PLANE)
        if "api_vip" not in network or not control_plane:
            continue
        wish = wishes(clusters[name], settings)
        found[name] = Endpoint(
            name,
            (network["api_vip"], *network.get("api_extra_vips", ())),
            wish.get("api.port"),
            wish.get("api.domain_name", ""),
            addresses.router_id(network),
            tuple(
                Member(each.name, str(each.get("ip") or each.address), priority(index, len(control_plane)))
                for index, each in enumerate(control_plane)
            ),
            tuple(str(each.get("ip") or each.address) for each in all_of_it.all),
            tuple(addresses.as_list(network.get("node_cidr"))),
        )
    return found


def priority(index: int, number: int) -> int:
    """As far apart as can be: the higher it is the less a host waits, so that two do not take over at the same time."""
    return max(FIRST - RANGE // max(number - 1, 1) * index, 1)


def is_address(text: str) -> bool:
    try:
        netaddr.IPAddress(text)
    except (netaddr.AddrFormatError, ValueError):
        return False
    return True
