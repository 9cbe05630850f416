# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster as Kubespray's inventory: what its two files hold."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .machines import CONTROL_PLANE, ETCD, ROLES, WORKERS, Machines
from .settings import Wishes
from .variables import Setting, machine_variables, variables

HOSTS, VARIABLES = "hosts.yaml", "group_vars/all.yaml"


@dataclass(frozen=True)
class Rendered:
    """The inventory of one cluster. I(files) are documents by their path; I(settings) remember their origin."""

    wishes: Wishes
    machines: Machines
    settings: dict[str, Setting]
    files: dict[str, dict[str, t.Any]]


def render(wishes: Wishes, machines: Machines) -> Rendered:
    settings = variables(wishes, machines)
    files = {HOSTS: _hosts(wishes, machines), VARIABLES: {name: settings[name].value for name in sorted(settings)}}
    return Rendered(wishes, machines, settings, files)


def _hosts(wishes: Wishes, machines: Machines) -> dict[str, t.Any]:
    members = {machine.name: f"etcd{n}" for n, machine in enumerate(machines.having(ETCD), 1)}
    children: dict[str, t.Any] = {
        role: {"hosts": {machine.name: {} for machine in machines.having(role)}} for role in ROLES
    }
    # written out although newer Kubesprays make it themselves, because group_vars of users may name it
    children["k8s_cluster"] = {"children": {CONTROL_PLANE: {}, WORKERS: {}}}
    hosts = {m.name: machine_variables(m, wishes, members.get(m.name, "")) for m in machines.all}
    return {"all": {"hosts": hosts, "children": children}}
