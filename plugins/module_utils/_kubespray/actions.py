# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of Kubespray's playbooks an action runs, with what, and what it must not do. Pure."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass, field

from .._model.entities import Cluster
from .._model.errors import ModelError, suggest
from .._model.release_lines import Step
from .machines import CONTROL_PLANE, ETCD, Machines

#: Runs nothing of Kubespray: renews the administrator's login.
KUBECONFIG = "kubeconfig"
ACTIONS = ("create", "scale", "upgrade", "remove_node", "reset", "recover_control_plane", KUBECONFIG)
#: They take something away, so that nobody may run them by accident.
DESTRUCTIVE = ("remove_node", "reset", "recover_control_plane")


@dataclass(frozen=True)
class Task:
    """One run of a playbook of Kubespray."""

    playbook: str
    kubernetes: str
    kubespray: str
    limit: str = ""
    variables: dict[str, t.Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.playbook} {self.kubernetes} {self.kubespray}{f' on {self.limit}' if self.limit else ''}"


def tasks(
    action: str, machines: Machines, steps: Sequence[Step], nodes: Sequence[str], snapshot: str = ""
) -> list[Task]:
    """What I(action) runs, in order.

    @param steps: the versions to build; only an upgrade has more than one.
    @param nodes: the machines that the action is about.
    @raises ModelError: the action would break the cluster.
    """
    here = steps[-1] if steps else Step("", "")
    known = {machine.name: machine for machine in machines.all}
    for node in nodes:
        if node not in known:
            raise ModelError(f"{node!r} is no machine of {machines.cluster}. {suggest(node, known)}")
    if action == "create":
        return [Task("cluster", here.kubernetes, here.kubespray)]
    if action == "upgrade":
        return [Task("upgrade_cluster", step.kubernetes, step.kubespray) for step in steps]
    if action == "reset":
        return [Task("reset", here.kubernetes, here.kubespray, variables={"reset_confirmation": True})]
    if action == "scale":
        return _scale(machines, here, nodes)
    if not nodes:
        raise ModelError(f"{action} needs the machines that it is about. Name them in kubespray_nodes.")
    if action == "remove_node":
        return [_remove(machines, here, nodes)]
    return _recover(machines, here, nodes, snapshot)


def _scale(machines: Machines, here: Step, nodes: Sequence[str]) -> list[Task]:
    managers = [m.name for m in machines.all if m.name in nodes and m.roles & {CONTROL_PLANE, ETCD}]
    if managers:
        raise ModelError(
            f"{', '.join(managers)} would join the control plane, which scaling does not do. Put new machines last in "
            "kube_control_plane, and run the action create."
        )
    if not nodes:
        return [Task("scale", here.kubernetes, here.kubespray)]
    # Kubespray needs the facts of the machines outside the limit
    return [
        Task("facts", here.kubernetes, here.kubespray),
        Task("scale", here.kubernetes, here.kubespray, limit=",".join(nodes)),
    ]


def _remove(machines: Machines, here: Step, nodes: Sequence[str]) -> Task:
    for role in (CONTROL_PLANE, ETCD):
        members = [m.name for m in machines.having(role)]
        leaving = [name for name in members if name in nodes]
        if members and members[0] in nodes:
            raise ModelError(
                f"{members[0]} is the first machine of {role}; Kubespray cannot remove it. Put another one first, run "
                "the action create, then remove it."
            )
        rest = len(members) - len(leaving)
        if leaving and role == ETCD and rest % 2 == 0:
            raise ModelError(
                f"without {', '.join(leaving)}, {rest} machines run etcd, and an even number survives no more losses "
                "than one less. Add a machine first, or remove two."
            )
    variables = {"node": ",".join(nodes), "skip_confirmation": True}
    return Task("remove_node", here.kubernetes, here.kubespray, variables=variables)


def _recover(machines: Machines, here: Step, nodes: Sequence[str], snapshot: str) -> list[Task]:
    sound = [m.name for m in machines.having(CONTROL_PLANE) if m.name not in nodes]
    if not sound:
        raise ModelError("no machine of the control plane is left to recover from. Restore a backup instead.")
    variables: dict[str, t.Any] = {"etcd_retries": 10}
    if snapshot:
        variables["etcd_snapshot"] = snapshot
    limit = f"{ETCD},{CONTROL_PLANE}"
    # Kubespray needs the facts of the workers, and the lost machines have none
    return [
        Task("facts", here.kubernetes, here.kubespray, limit=",".join(["all", *(f"!{node}" for node in nodes)])),
        Task("recover_control_plane", here.kubernetes, here.kubespray, limit=limit, variables=variables),
    ]


def broken_first_out(hosts: dict[str, t.Any], nodes: Sequence[str]) -> dict[str, t.Any]:
    """The hosts of an inventory with I(nodes) marked as broken, and after the sound ones, as recovery wants it."""
    children = dict(hosts["all"]["children"])
    for role, group in ((ETCD, "broken_etcd"), (CONTROL_PLANE, "broken_kube_control_plane")):
        members = children[role]["hosts"]
        children[role] = {"hosts": {n: members[n] for n in sorted(members, key=lambda name: name in nodes)}}
        children[group] = {"hosts": {n: {} for n in members if n in nodes}}
    return {"all": {**hosts["all"], "children": children}}


def may_run(action: str, cluster: Cluster, confirm: str, today: datetime.date, override: str) -> None:
    """@raises ModelError: the action is not confirmed, or its time is frozen."""
    if action in DESTRUCTIVE and confirm != cluster.name:
        given = f"{confirm!r} was typed" if confirm else "nothing was typed"
        raise ModelError(
            f"{action} takes something away from {cluster.name}; it has to be confirmed by typing the cluster's name, "
            f"and {given}. Run it again with -e kubespray_confirm={cluster.name}."
        )
    for window in cluster.get("freeze_windows", ()) if action != KUBECONFIG else ():
        if window["from"] <= today.isoformat() <= window["to"] and not override:
            raise ModelError(
                f"{cluster.name} is frozen from {window['from']} to {window['to']}: {window['reason']}. Wait, or give "
                "the reason for doing it all the same in kubespray_override_freeze."
            )
