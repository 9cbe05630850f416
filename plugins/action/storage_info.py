# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what storage a cluster is to have, and what stands against it; see the module of the same name."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.finding import Finding
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model import ceph_access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model import storage as model
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects import storage
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.flux_cluster import recipients
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _reach as reach
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._cluster_action import stops
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._storage_action import StorageAction, secrets

SPEC: dict[str, t.Any] = {
    "reach": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 3},
    "expect_keys": {"type": "bool", "default": True},
    "pool_size": {"type": "int"},
    "pg_num": {"type": "int"},
}


class ActionModule(StorageAction):
    """Contacts nothing but the storage itself, to see whether it answers."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        arguments, fleet, cluster = self.prepared(SPEC, task_vars or {})
        service = arguments["service"]
        found = model.classes(cluster, *(storage.CEPH if service == storage.CEPH_SERVICE else storage.NAS))
        findings = [*_software(fleet, cluster, service)]
        if arguments["reach"]:
            findings += reach.findings(found, arguments["timeout"])
        given = secrets(cluster, arguments)
        if arguments["expect_keys"]:
            findings += [
                Finding(f"the storage of {cluster.name}", f"{each} is not given.", _KEYS[service])
                for each in given.missing
            ]
        needs = bool(given.made or given.missing)
        if needs and cluster.delivery == "gitops" and not recipients(cluster, fleet.settings):
            findings.append(
                Finding(
                    "cluster_age_recipients",
                    f"{cluster.name} has none, so its keys cannot be encrypted for Git.",
                    "Run flux_bootstrap with flux_bootstrap_age_key_file, and set the public key that it tells.",
                )
            )
        stop = stops(cluster.name, findings)
        if stop:
            raise AnsibleActionFail(f"{cluster.name}: {stop}")
        wanted = ceph_access.wanted(each for each in found if each.base in storage.CEPH)
        for backend in wanted.values():
            for pool in (*backend["pools"], *backend["filesystems"]):
                for key, option in (("size", "pool_size"), ("pg_num", "pg_num")):
                    if arguments[option]:
                        pool[key] = arguments[option]
        return {
            "changed": False,
            "declared": bool(found),
            "classes": [each.name for each in found],
            "ceph": wanted,
            "findings": [each._asdict() for each in findings],
        }


_KEYS = {
    storage.CEPH_SERVICE: "Set ceph_csi_keys, or ceph_csi_admin_hosts to have it read from Ceph.",
    storage.NAS_SERVICE: "Set nfs_csi_chap.",
}


def _software(fleet: Fleet, cluster: Cluster, service: str) -> list[Finding]:
    """With Git, whether the platform services of the cluster bring the drivers, configured as the classes want it."""
    if cluster.delivery != "gitops":
        return []
    bases = storage.CEPH if service == storage.CEPH_SERVICE else (model.NFS_KIND,)
    found = []
    needed = set()
    for each in model.classes(cluster, *bases):
        if each.base == model.NFS_KIND:
            needed.add("csi-driver-nfs")
        else:
            needed.add(storage.OPERATOR if storage.uses_operator(cluster) else storage.CHARTS[each.base])
    for name in sorted(needed):
        if name not in cluster.services:
            found.append(
                Finding(
                    "cluster_services",
                    f"{cluster.name} has classes that {name} serves, and does not name it.",
                    f"Add {name}: {{}} there, and declare it in fleet_services; docs/guides/storage.md has both.",
                )
            )
        elif name in storage.CHARTS.values():
            found += _chart(fleet, cluster, name)
    return found


def _chart(fleet: Fleet, cluster: Cluster, name: str) -> list[Finding]:
    values = fleet.settings.services.get(name, {})
    where = f"fleet_services.{name}"
    found = []
    if values.get("namespace", name) != storage.CEPH_NAMESPACE:
        found.append(
            Finding(
                f"{where}.namespace",
                f"it is {values.get('namespace', name)}, and keys and configuration lie in {storage.CEPH_NAMESPACE}.",
                f"Set it to {storage.CEPH_NAMESPACE}. On a cluster with volumes, first read docs/guides/storage.md.",
            )
        )
    merged = {**(values.get("values") or {}), **((cluster.services.get(name) or {}).get("values") or {})}
    if values.get("repository") and not merged.get("externallyManagedConfigmap"):
        found.append(
            Finding(
                f"{where}.values",
                "the chart would make the ConfigMap with the monitors, which is ours.",
                "Set externallyManagedConfigmap: true, and take csiConfig and storageClass out.",
            )
        )
    return found
