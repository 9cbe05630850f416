# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings storage classes and keys to a cluster that has no Flux; see the module of the same name."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import access, foundation
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import storage as live
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.bootstrap import Applied
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.discovery import Discovery
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.identity import check_cluster
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects import storage
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import Object
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.foundation import CONFIGURATIONS
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._applied import enter
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._cluster_action import (
    check_confirmed,
    named,
    stops,
    way,
)
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._released import MANIFESTS, installed
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._storage_action import StorageAction, secrets

SPEC: dict[str, t.Any] = {
    **access.ARGUMENTS,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "confirm": {"type": "str"},
    "manifests": MANIFESTS,
    "wait_timeout": {"type": "int", "default": 300},
}
_SECRET = ("v1", "Secret")


class ActionModule(StorageAction):
    """Talks to the API server with the identity of an administrator."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        arguments, fleet, cluster = self.prepared(SPEC, task_vars or {})
        result: dict[str, t.Any] = {"changed": False, "objects": [], "findings": []}
        try:
            if cluster.delivery != "live":
                raise LiveError(
                    "cluster_delivery",
                    f"it is {cluster.delivery!r}: Flux brings the storage, and two writers would fight.",
                    "Use fleet_tree and storage_secrets, or set cluster_delivery: live.",
                )
            objects = _software(fleet, cluster, arguments)
            with Session.open(way(arguments, cluster.get("kubeconfig"))) as session:
                check_cluster(session, cluster.name)
                if arguments["state"] == "absent":
                    done = self._take(session, cluster, objects, arguments)
                else:
                    done = self._bring(session, fleet, cluster, objects, arguments, result)
        except LiveError as error:
            raise AnsibleActionFail(f"{cluster.name}: {error}") from None
        enter(result, done, diff=bool(self._task.diff))
        return result

    def _bring(
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
        discovery = Discovery(session)
        found = live.findings(session, discovery, fleet, cluster.name, service, objects)
        result["findings"] = [each._asdict() for each in found]
        stop = stops(cluster.name, found)
        if stop:
            raise LiveError(service, stop)
        wanted = configuration.objects(fleet, cluster.name)
        given = secrets(cluster, arguments).made
        # the namespace first, then keys before the classes that name them
        early = [each for each in wanted if each["kind"] == "Namespace"]
        late = [each for each in wanted if each["kind"] != "Namespace"]
        return foundation.bring(
            session,
            objects,
            [*early, *given, *late],
            configuration.kinds,
            check=trial,
            timeout=arguments["wait_timeout"],
            mine=_mine(service),
            discovery=discovery,
            fixed=live.FIXED,
        )

    def _take(
        self, session: Session, cluster: Cluster, objects: list[Object], arguments: Mapping[str, t.Any]
    ) -> list[Applied]:
        service = arguments["service"]
        if CONFIGURATIONS[service].wanted(cluster):
            raise LiveError(
                "cluster_storage_classes",
                "it still names classes of it, so the next run would bring them again.",
                f"Take them out of cluster_storage_classes of {cluster.name}.",
            )
        used = live.in_use(session, service)
        check_confirmed(service, arguments, lambda: used)
        if used:
            raise LiveError(
                service,
                f"volumes still need it: {named(used)}.",
                "Without the driver and its keys nobody can mount, grow or delete them. Delete the claims first.",
            )
        kinds = (*CONFIGURATIONS[service].kinds, _SECRET)
        if service == storage.CEPH_SERVICE:
            objects = [*objects, storage.config_map([])]
        return foundation.take(session, objects, kinds, check=bool(self._task.check_mode), mine=_mine(service))


def _mine(service: str) -> t.Callable[[Object], bool]:
    """Which objects of the shared kinds are of this service."""

    def of_ceph(each: Object) -> bool:
        if each["kind"] == "Secret":
            return bool(each["metadata"]["namespace"] == storage.CEPH_NAMESPACE)
        return storage.is_ceph(each)

    def of_others(each: Object) -> bool:
        if each["kind"] == "Secret":
            return bool(each.get("type") == storage.CHAP_TYPE)
        return not storage.is_ceph(each)

    return of_ceph if service == storage.CEPH_SERVICE else of_others


def _software(fleet: Fleet, cluster: Cluster, arguments: Mapping[str, t.Any]) -> list[Object]:
    """What the released manifests hold; nothing when somebody else installs the drivers."""
    return [
        each
        for given in arguments["manifests"]
        for each in installed(given["service"], given, cluster, fleet.settings, f"the manifest of {given['service']}")
    ]
