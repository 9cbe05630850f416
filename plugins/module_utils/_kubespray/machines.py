# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines of the clusters, as the inventory's groups declare them.

A machine belongs to the cluster whose group it is in (the cluster's name with _ for -), and does what Kubespray's
groups C(kube_control_plane), C(kube_node) and C(etcd) say.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .._model import addresses, validation
from .._model.entities import Cluster
from .._model.errors import Problems, Where, show, suggest
from .._model.schema_kubernetes import NODE

if t.TYPE_CHECKING:
    import netaddr
else:
    from .._libraries import load as library

    netaddr = library("netaddr")

CONTROL_PLANE, WORKERS, ETCD = "kube_control_plane", "kube_node", "etcd"
ROLES = (CONTROL_PLANE, WORKERS, ETCD)
DATABASE = "database"

#: How Ansible reaches a machine; handed on to Kubespray's inventory.
CONNECTION = re.compile(
    r"ansible_(host|port|user|password|connection|become\w*|python_interpreter|private_key_file|ssh_\w+|host_key_checking)"
)
#: Variables that look as if they were meant for Kubespray.
_FOREIGN = re.compile(
    r"(?!etcd_backup_)(kube|kubelet|kubeadm|kubernetes|etcd|containerd|calico|cilium|coredns|nodelocaldns|audit|upgrade_node|drain)_\w+"
    r"|(ipv4|ipv6)_stack|kube_version|system_reserved|container_manager|dns_mode|node_labels_\w+"
)


def is_connection(variable: str) -> bool:
    """Whether a variable tells how a machine is reached."""
    return bool(CONNECTION.fullmatch(variable))


def is_of_machine(variable: str) -> bool:
    """Whether a variable of a machine concerns us."""
    return bool(variable.startswith("node_") or CONNECTION.fullmatch(variable) or _FOREIGN.fullmatch(variable))


_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")


@dataclass(frozen=True)
class Inventory:
    """What Ansible knows about machines: the members of every group in order, and the variables of every host."""

    groups: Mapping[str, t.Sequence[str]]
    variables: Mapping[str, Mapping[str, t.Any]]

    @property
    def machines(self) -> list[str]:
        """Every host of one of Kubespray's groups."""
        return list(dict.fromkeys(host for role in ROLES for host in self.groups.get(role, ())))


@dataclass(frozen=True)
class Machine:
    """One machine of a cluster. I(values) are its sound C(node_*) variables."""

    name: str
    roles: frozenset[str]
    values: Mapping[str, t.Any]
    connection: Mapping[str, t.Any]

    def get(self, key: str, default: t.Any = None) -> t.Any:
        """The variable C(node_<key>)."""
        return self.values.get(f"node_{key}", default)

    @property
    def address(self) -> str:
        return str(self.connection.get("ansible_host", self.name))


@dataclass(frozen=True)
class Machines:
    """The machines of one cluster, by what they do, each list in the order of the inventory."""

    cluster: str
    all: tuple[Machine, ...] = field(default=())

    def having(self, role: str) -> list[Machine]:
        return [machine for machine in self.all if role in machine.roles]

    def where(self, role: str) -> Where:
        """Where the inventory says who does I(role)."""
        return Where(f"{group_of(self.cluster)}:&{role}")


def group_of(cluster: str) -> str:
    """The inventory group of the cluster's machines."""
    return cluster.replace("-", "_")


def gather(inventory: Inventory, clusters: Iterable[Cluster], problems: Problems) -> dict[str, Machines]:
    """The machines of every cluster that has any; everything that is wrong with them is reported."""
    known = {group_of(cluster.name): cluster for cluster in clusters}
    found: dict[str, Machines] = {}
    homes: dict[str, list[str]] = {}
    for group in known:
        for host in inventory.groups.get(group, ()):
            homes.setdefault(host, []).append(group)
    _strays(inventory, known, homes, problems)
    for group, cluster in sorted(known.items()):
        members = set(inventory.groups.get(group, ()))
        if not members:
            continue
        order = [*inventory.machines, *(h for h in inventory.groups[group] if h not in inventory.machines)]
        machines = [_machine(host, inventory, problems) for host in order if host in members]
        found[cluster.name] = Machines(cluster.name, tuple(machines))
        for machine in machines:
            if not machine.roles:
                problems.error(
                    "no-role",
                    Where(group, host=machine.name),
                    "the machine is in none of kube_control_plane, kube_node and etcd.",
                    "Put it into one of these groups.",
                )
        _addresses(cluster, found[cluster.name], problems)
    _twice(found, problems)
    _unread(inventory, found, problems)
    return found


def _unread(inventory: Inventory, found: Mapping[str, Machines], problems: Problems) -> None:
    """Variables that Kubespray would have read from its own inventory, told once for all machines that have them."""
    having: dict[str, list[str]] = {}
    for machine in (machine for machines in found.values() for machine in machines.all):
        for key in inventory.variables.get(machine.name, {}):
            if _FOREIGN.fullmatch(key) and key not in NODE:
                having.setdefault(key, []).append(machine.name)
    for key, hosts in sorted(having.items()):
        more = f" (and {len(hosts) - 1} more machines)" if len(hosts) > 1 else ""
        problems.warn(
            "not-read",
            Where(key, host=hosts[0]),
            f"variables of Kubespray are not read from machines{more}.",
            "Use cluster_kubernetes, its key variables, or node_variables.",
        )


def _strays(
    inventory: Inventory, known: Mapping[str, Cluster], homes: Mapping[str, list[str]], problems: Problems
) -> None:
    databases = set(inventory.groups.get(DATABASE, ()))
    for host in inventory.machines:
        role = next(role for role in ROLES if host in inventory.groups.get(role, ()))
        if host not in homes:
            near = [
                g for g in inventory.groups if host in inventory.groups[g] and g not in (*ROLES, "all", "k8s_cluster")
            ]
            hint = next((suggest(g, known, limit=0) for g in near if suggest(g, known, limit=0)), "")
            problems.error(
                "no-cluster",
                Where(role, host=host),
                "the machine is in no group of a cluster.",
                hint or f"Put it into the group of its cluster, such as {next(iter(known), 'east_prod')}.",
            )
        if host in databases:
            problems.error(
                "database",
                Where(role, host=host),
                f"a machine of the group {DATABASE} would be taken over by Kubernetes.",
                "Take it out of one of the groups.",
            )
    for host, groups in homes.items():
        if len(groups) > 1:
            problems.error(
                "two-clusters", Where(groups[0], host=host), f"it is in {' and '.join(groups)}.", "Keep one of them."
            )


def _machine(host: str, inventory: Inventory, problems: Problems) -> Machine:
    variables = inventory.variables.get(host, {})
    own = {key: value for key, value in variables.items() if key.startswith("node_")}
    before = len(problems.items)
    validation.check("node", own, Where("", host=host), problems)
    broken = {problem.where.variable for problem in problems.items[before:] if problem.severity == "error"}
    if not _NAME.match(host):
        problems.error(
            "bad-name",
            Where("hosts", host=host),
            f"{show(host)} cannot be the name of a node.",
            "Use lower-case letters, digits, dashes and dots; start and end with a letter or digit.",
        )
    return Machine(
        host,
        frozenset(role for role in ROLES if host in inventory.groups.get(role, ())),
        {key: value for key, value in own.items() if key in NODE and key not in broken},
        {key: value for key, value in variables.items() if CONNECTION.fullmatch(key)},
    )


def _ip(text: object) -> netaddr.IPAddress | None:
    try:
        return netaddr.IPAddress(str(text))
    except (netaddr.AddrFormatError, ValueError):
        return None


def _addresses(cluster: Cluster, machines: Machines, problems: Problems) -> None:
    network = cluster.get("network", {})
    nodes = netaddr.IPSet(addresses.as_list(network.get("node_cidr")))
    for machine in machines.all:
        for variable, text in (
            ("ansible_host", machine.connection.get("ansible_host")),
            ("node_ip", machine.get("ip")),
            ("node_access_ip", machine.get("access_ip")),
        ):
            address = _ip(text)
            if address is None:
                continue
            where = Where(variable, host=machine.name)
            if nodes and variable != "ansible_host" and address not in nodes:
                problems.error(
                    "outside",
                    where,
                    f"{text} is outside the node network {', '.join(addresses.as_list(network['node_cidr']))} of "
                    f"{cluster.name}.",
                    "Correct one of them.",
                )
            if str(address) in (network.get("api_vip"), *network.get("api_extra_vips", ())):
                problems.error(
                    "overlap",
                    where,
                    f"{text} is a virtual address of the API of {cluster.name}.",
                    "Give one of them another address.",
                )


def _twice(found: Mapping[str, Machines], problems: Problems) -> None:
    """Machines of two clusters may have the same address in networks that never meet, but hardly of one."""
    for machines in found.values():
        seen: dict[str, str] = {}
        for machine in machines.all:
            address = str(machine.get("ip") or machine.address)
            if address in seen:
                variable = "node_ip" if machine.get("ip") else "ansible_host"
                problems.error(
                    "duplicate",
                    Where(variable, host=machine.name),
                    f"{address} is the address of {seen[address]} too.",
                    "Correct one of them.",
                )
            seen[address] = machine.name
