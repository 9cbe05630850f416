# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the addresses of all clusters and the hosts that are to hold them, before anything is changed."""

from __future__ import annotations

import itertools
import typing as t
from collections.abc import Collection, Iterator, Mapping

from .._hosts.finding import ERROR, Finding, unseen, weighed
from .._libraries import load as library
from .plan import MOST, Endpoint, is_address

if t.TYPE_CHECKING:
    import netaddr
else:
    netaddr = library("netaddr")

Seen = Mapping[str, t.Any]
_Said = tuple[str, str, str]

#: Every check and how much it matters by default.
CHECKS: dict[str, str] = {
    "reachable": ERROR,
    "root": ERROR,
    "member": ERROR,
    "members": ERROR,
    "node_address": ERROR,
    "family": ERROR,
    "port": ERROR,
    "router_id": ERROR,
    "interface": ERROR,
    "network": ERROR,
    "listening": ERROR,
    "foreign": ERROR,
    "in_use": ERROR,
}
#: What control plane nodes listen on.
_TAKEN = {
    22: "SSH",
    2379: "etcd",
    2380: "etcd",
    2381: "etcd",
    6443: "the API server itself",
    10250: "the kubelet",
    10256: "kube-proxy",
    10257: "the controller manager",
    10259: "the scheduler",
}
_NODE_PORTS = range(30000, 32768)


def check(plans: Mapping[str, Endpoint], looks: Mapping[str, Seen], without: Collection[str] = ()) -> list[Finding]:
    """Everything that is wrong: with the plan of any cluster, and with the hosts of this run.

    @param looks: what C(api_endpoint_info) returned for each host, with the host's C(settings), or why it did not.
    @param without: control plane nodes of clusters whose API has no address, which is fine.
    """
    severities: Mapping[str, str] = next(
        (look["settings"]["severity"] for look in looks.values() if "severity" in look.get("settings", {})), {}
    )
    said = [
        *((plan.cluster, each) for plan in plans.values() for each in _plan(plan)),
        *_routers(list(plans.values())),
        *((host, each) for host, look in looks.items() if host not in without for each in _host(host, look, plans)),
        *((plan.cluster, each) for plan in plans.values() for each in _held(plan, looks)),
    ]
    found = (weighed(host, each, severities, CHECKS) for host, each in said)
    return [each for each in found if each]


def _plan(plan: Endpoint) -> Iterator[_Said]:
    if len(plan.members) > MOST:
        yield (
            "members",
            f"has {len(plan.members)} control plane nodes; {MOST} can share an address.",
            "Take some out of kube_control_plane; etcd gains nothing from more than 7.",
        )
    names = [member for member in plan.members if not is_address(member.address)]
    for member in names:
        yield (
            "node_address",
            f"{member.name} is known as {member.address}, which is not an address.",
            "Set node_ip of the machine; VRRP knows no names.",
        )
    families = {":" in member.address for member in plan.members if member not in names}
    if len(families) > 1:
        yield (
            "family",
            "some control plane nodes have an IPv4 address and some an IPv6 address.",
            "Set node_ip of all to addresses of one family; the API's addresses may be of both.",
        )
    elif families and (":" in plan.addresses[0]) not in families:
        own = "IPv6" if families.pop() else "IPv4"
        yield (
            "family",
            f"api_vip {plan.addresses[0]} is not of the family of its nodes, which have {own} addresses.",
            f"Put an {own} address into api_vip and this one into api_extra_vips, or set node_ip of the machines.",
        )
    if plan.port in _TAKEN or plan.port in _NODE_PORTS:
        used = _TAKEN.get(plan.port, "Services of type NodePort")
        yield (
            "port",
            f"the API's port {plan.port} is that of {used} on the same hosts.",
            "Set cluster_kubernetes.api.port (or fleet_kubernetes, for all clusters) to another one, such as 8443.",
        )


def _routers(plans: list[Endpoint]) -> Iterator[tuple[str, _Said]]:
    """Where node_cidr is written down, the model tells; here are those for which nobody knows."""
    for one, other in itertools.combinations(plans, 2):
        if one.router_id == other.router_id and one.version == other.version and not (one.network and other.network):
            unknown = " and ".join(plan.cluster for plan in (one, other) if not plan.network)
            yield (
                other.cluster,
                (
                    "router_id",
                    f"has the VRRP router id {other.router_id}, like {one.cluster}; they may share a network, as "
                    f"{unknown} has no node_cidr.",
                    "Set cluster_network.node_cidr, or api_router_id of one of them to a number of its own.",
                ),
            )


def _host(host: str, look: Seen, plans: Mapping[str, Endpoint]) -> Iterator[_Said]:
    if "seen" not in look:
        yield unseen(look)
        return
    seen, settings = look["seen"], look.get("settings") or {}
    plan = next((each for each in plans.values() if any(member.name == host for member in each.members)), None)
    if plan is None:
        yield (
            "member",
            "is no control plane node of any cluster.",
            "Put it into kube_control_plane and into the group of its cluster, or take it out of the play.",
        )
        return
    if not seen["root"]:
        yield "root", "is not reached as root.", "Set become: true, or ansible_become of the host."
    (own,) = (member for member in plan.members if member.name == host)
    yield from _interface(seen, settings, own.address, plan)
    health = settings.get("health_port")
    for port, what in ((plan.port, "the API"), (health, "the state of HAProxy")):
        taken = {each["process"] for each in seen["listening"] if each["port"] == port} - {"haproxy"}
        if taken:
            yield (
                "listening",
                f"{', '.join(sorted(filter(None, taken))) or 'something'} listens on port {port}, which is for {what}.",
                f"Stop it, or choose another port: ss -ltnp 'sport = :{port}'.",
            )
    if health and (health == plan.port or health in {*_TAKEN, settings.get("backend_port")}):
        yield (
            "port",
            f"api_endpoint_health_port {health} is taken by something else of the control plane.",
            "Set it to a free one, such as 8444.",
        )
    for path in seen["foreign"]:
        yield (
            "foreign",
            f"{path} is in use, and was not written by this role.",
            "Move what it does elsewhere and the file away; the role owns HAProxy and Keepalived of these hosts.",
        )


def _interface(seen: Seen, settings: Seen, address: str, plan: Endpoint) -> Iterator[_Said]:
    by_name = {each["name"]: each for each in seen["interfaces"]}
    holders = [each for each in seen["interfaces"] if any(a.split("/")[0] == address for a in each["addresses"])]
    wanted = settings.get("interface")
    if wanted and wanted not in by_name:
        known = ", ".join(name for name, each in by_name.items() if not each["virtual"])
        yield "interface", f"has no interface {wanted}.", f"Correct api_endpoint_interface; it has {known}."
        return
    if not holders:
        yield (
            "interface",
            f"does not have its own address {address}.",
            "Set node_ip (or ansible_host) to an address of the host; behind NAT these differ.",
        )
        return
    interface = by_name[wanted] if wanted else holders[0]
    if not interface["up"]:
        yield "interface", f"its interface {interface['name']} is down.", f"ip link set {interface['name']} up."
    networks = [netaddr.IPNetwork(each) for each in interface["addresses"]]
    networks = [network for network in networks if network.size > 1]
    for vip in plan.addresses:
        same = [network for network in networks if network.version == netaddr.IPAddress(vip).version]
        if not any(netaddr.IPAddress(vip) in network for network in same):
            has = ", ".join(str(network.cidr) for network in same) or "no network of that family"
            yield (
                "network",
                f"{vip} is in no network of {interface['name']}, which has {has}; nobody would find it there.",
                "Choose an address of that network, or name another interface in api_endpoint_interface.",
            )


def _held(plan: Endpoint, looks: Mapping[str, Seen]) -> Iterator[_Said]:
    """An address that answers although none of the cluster's hosts has it."""
    members = [looks[member.name] for member in plan.members if "seen" in looks.get(member.name, {})]
    if len(members) < len(plan.members):
        return
    for vip in plan.addresses:
        interfaces = [each for look in members for each in look["seen"]["interfaces"]]
        held = any(vip == address.split("/")[0] for each in interfaces for address in each["addresses"])
        answers = {look["seen"]["answers"].get(vip) for look in members} - {None, ""}
        if answers and not held:
            yield (
                "in_use",
                f"{vip} answers already ({', '.join(sorted(answers))}), and none of its hosts has it.",
                "Another machine has this address: give one of them another.",
            )
