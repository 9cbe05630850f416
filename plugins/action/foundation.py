# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a platform service to a cluster that has no Flux; see the module of the same name."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import access, foundation, metallb
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.bootstrap import Applied
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.finding import Finding
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.identity import check_cluster
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import Object
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.foundation import (
    CONFIGURATIONS,
    version_of,
)
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._applied import enter
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._cluster_action import (
    ClusterAction,
    check_confirmed,
    check_known,
    stops,
    way,
)
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._released import installed

SPEC: dict[str, t.Any] = {
    **access.ARGUMENTS,
    "service": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "confirm": {"type": "str"},
    "manifest": {"type": "str", "required": True},
    "checksum": {"type": "str"},
    "wait_timeout": {"type": "int", "default": 300},
}
#: What stands against a service on a cluster; it is asked before anything is changed.
CHECKS: Mapping[str, Callable[[Session, Fleet, str, list[Object]], list[Finding]]] = {"metallb": metallb.findings}
#: Who loses something when a service goes, in words.
IN_USE: Mapping[str, Callable[[Session], list[str]]] = {"metallb": metallb.in_use}


class ActionModule(ClusterAction):
    """Runs on the controller, with the identity of an administrator."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        arguments, fleet, cluster = self.prepared(SPEC, task_vars or {})
        service = arguments["service"]
        check_known("service", "foundation", [service], CONFIGURATIONS)
        result: dict[str, t.Any] = {"changed": False, "objects": [], "version": "", "findings": []}
        try:
            _check(cluster, arguments)
            result["version"] = version_of(service, cluster, fleet.settings)
            objects = installed(service, arguments, cluster, fleet.settings, "manifest")
            with Session.open(way(arguments, cluster.get("kubeconfig"))) as session:
                check_cluster(session, cluster.name)
                done = self._deliver(session, fleet, cluster, objects, arguments, result)
        except LiveError as error:
            raise AnsibleActionFail(f"{cluster.name}: {error}") from None
        enter(result, done, diff=bool(self._task.diff))
        return result

    def _deliver(
        self,
        session: Session,
        fleet: Fleet,
        cluster: Cluster,
        objects: list[Object],
        arguments: Mapping[str, t.Any],
        result: dict[str, t.Any],
    ) -> list[Applied]:
        service, trial = arguments["service"], bool(self._task.check_mode)
        configuration = CONFIGURATIONS[service]
        if arguments["state"] == "absent":
            check_confirmed(service, arguments, lambda: IN_USE[service](session) if service in IN_USE else ())
            return foundation.take(session, objects, configuration.kinds, check=trial)
        found = CHECKS[service](session, fleet, cluster.name, objects) if service in CHECKS else []
        result["findings"] = [each._asdict() for each in found]
        stop = stops(cluster.name, found)
        if stop:
            raise LiveError(service, stop)
        return foundation.bring(
            session,
            objects,
            configuration.objects(fleet, cluster.name) if configuration.wanted(cluster) else (),
            configuration.kinds,
            check=trial,
            timeout=arguments["wait_timeout"],
        )


def _check(cluster: Cluster, arguments: Mapping[str, t.Any]) -> None:
    """@raises LiveError: the inventory has other plans for the service there."""
    name, service = cluster.name, arguments["service"]
    if cluster.delivery != "live":
        raise LiveError(
            "cluster_delivery",
            f"it is {cluster.delivery!r}: Flux brings the service, and two writers would fight.",
            "Use fleet_tree, or set cluster_delivery: live.",
        )
    is_declared = service in cluster.services
    if arguments["state"] == "present" and not is_declared:
        raise LiveError(
            "cluster_services", f"it does not name {service}.", f"Add {service}: {{}} to cluster_services of {name}."
        )
    if arguments["state"] == "absent" and is_declared:
        raise LiveError(
            "cluster_services",
            f"it still names {service}, so the next run would bring it again.",
            f"Take it out of cluster_services of {name}.",
        )
