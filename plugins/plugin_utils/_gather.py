# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what Ansible knows to the model's source.

Tenant text is never templated: project teams write it, and a template would run on the controller. Settings and cluster
variables belong to operators and may be templates.

Private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import (
    CLUSTERS,
    Folder,
    fill,
    read_machines,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.machines import (
    ROLES,
    Inventory,
    group_of,
    is_of_machine,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.names import TENANT_PREFIX

_MARKS = ("{{", "{%")


def is_template(value: t.Any) -> bool:
    """Whether any text in I(value) would be templated."""
    if isinstance(value, str):
        return any(mark in value for mark in _MARKS)
    if isinstance(value, Mapping):
        return any(is_template(item) for pair in value.items() for item in pair)
    if isinstance(value, (list, tuple)):
        return any(is_template(item) for item in value)
    return False


def _finished(name: str, raw: t.Any, variables: Mapping[str, t.Any]) -> t.Any:
    return plain(variables[name] if is_template(raw) else raw)


def source_of(
    hostvars: t.Any, clusters: Iterable[str], base: Mapping[str, t.Any], templated: Mapping[str, t.Any]
) -> Source:
    """The model's source.

    @param hostvars: Ansible's C(hostvars).
    @param clusters: the members of the group C(clusters).
    @param base: untemplated variables that hold the settings and the tenants.
    @param templated: the same variables, templated on access.
    """
    machines = {}
    for host in clusters:
        raw = hostvars.raw_get(host) if hasattr(hostvars, "raw_get") else hostvars[host]
        machines[host] = {
            key: _finished(key, value, _Templated(hostvars, host))
            for key, value in raw.items()
            if key.startswith("cluster_")
        }
    settings = {key: _finished(key, value, templated) for key, value in base.items() if key.startswith("fleet_")}
    tenants = {key: plain(value) for key, value in base.items() if key.startswith(TENANT_PREFIX)}
    return Source(settings, tenants, machines)


def machines_of(task_vars: Mapping[str, t.Any]) -> Inventory:
    """The machines of all clusters: the groups, and those variables of the machines that concern us."""
    groups = {str(name): [str(h) for h in hosts] for name, hosts in (task_vars.get("groups") or {}).items()}
    hostvars = task_vars["hostvars"]
    clusters = [group_of(host) for host in groups.get(CLUSTERS, ())]
    hosts = dict.fromkeys(h for name in (*ROLES, *clusters) for h in groups.get(name, ()))
    variables = {}
    for host in hosts:
        raw = hostvars.raw_get(host) if hasattr(hostvars, "raw_get") else hostvars[host]
        variables[host] = {
            str(key): _finished(key, value, _Templated(hostvars, host))
            for key, value in raw.items()
            if is_of_machine(str(key))
        }
    return Inventory(groups, variables)


class _Templated(Mapping[str, t.Any]):
    """Variables of a host, templated on access."""

    def __init__(self, hostvars: t.Any, host: str) -> None:
        self._hostvars, self._host = hostvars, host

    def __getitem__(self, key: str) -> t.Any:
        return self._hostvars[self._host][key]

    def __iter__(self) -> t.Iterator[str]:
        return iter(self._hostvars[self._host])

    def __len__(self) -> int:
        return len(self._hostvars[self._host])


def folder_of(variables: Mapping[str, t.Any]) -> Folder:
    """The inventory folders of the run, read strictly, to find lines and what Ansible overlooks. Empty under AWX.

    Read once: the lookup C(fleet_hosts) runs in the main process, from which the workers inherit the result.
    """
    roots = []
    for name in variables.get("ansible_inventory_sources") or ():
        path = Path(str(name))
        root = path if path.is_dir() else path.parent
        if path.exists() and root not in roots:
            roots.append(root)
    groups = variables.get("groups") or {}
    clusters = [str(host) for host in groups.get(CLUSTERS, ())]
    own = {host: [str(g) for g in groups if g != "all" and host in groups[g]] for host in clusters}
    return _read(tuple(roots), tuple((host, tuple(own[host])) for host in clusters))


@lru_cache(maxsize=1)
def _read(roots: tuple[Path, ...], groups_of: tuple[tuple[str, tuple[str, ...]], ...]) -> Folder:
    folder = Folder(roots)
    fill(folder, [host for host, _groups in groups_of], dict(groups_of))
    return folder


def find_machines(folder: Folder, inventory: Inventory) -> None:
    """Lets I(folder) tell the files of the variables of machines."""
    of_host = {
        host: [g for g in inventory.groups if g not in ("all", "ungrouped") and host in inventory.groups[g]]
        for host in inventory.variables
    }
    read_machines(folder, of_host)
