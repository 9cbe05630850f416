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
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.finding import Finding, told
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import suggest
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import Object
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.foundation import (
    CONFIGURATIONS,
    software,
    version_of,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.released import (
    ManifestError,
    check,
    objects_of,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.emit import render
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import FleetAction, display
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._released import read

SPEC: dict[str, t.Any] = {
    **access.ARGUMENTS,
    "cluster": {"type": "str"},
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
_MOST_NAMED = 10


class ActionModule(FleetAction):
    """Runs on the controller, with the identity of an administrator."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = self.arguments(SPEC)
        compile_with, folder = self.gather(arguments, variables)
        fleet = compile_with({})
        self.refuse(fleet.problems, folder, spoken=False)
        name = arguments["cluster"] or str(variables.get("inventory_hostname"))
        result: dict[str, t.Any] = {"changed": False, "objects": [], "version": "", "findings": []}
        try:
            cluster = _cluster(fleet, name, arguments)
            result["version"] = version_of(arguments["service"], cluster, fleet.settings)
            objects = _software(fleet, arguments, result["version"])
            way = access.Access.of(arguments, cluster.get("kubeconfig"))
            if not way.is_given:
                raise LiveError("kubeconfig", "no way to this cluster is given.", "Set it, or cluster_kubeconfig.")
            with Session.open(way) as session:
                done = self._deliver(session, fleet, name, objects, arguments, result)
        except LiveError as error:
            raise AnsibleActionFail(f"{name}: {error}") from None
        fresh = [each for each in done if each.action != "unchanged"]
        result["changed"] = bool(fresh)
        result["objects"] = [
            {"kind": each.kind, "namespace": each.namespace, "name": each.name, "action": each.action} for each in fresh
        ]
        if self._task.diff:
            result["diff"] = [_diff(each) for each in fresh]
        return result

    def _deliver(
        self,
        session: Session,
        fleet: Fleet,
        name: str,
        objects: list[Object],
        arguments: Mapping[str, t.Any],
        result: dict[str, t.Any],
    ) -> list[Applied]:
        service, trial = arguments["service"], bool(self._task.check_mode)
        configuration = CONFIGURATIONS[service]
        if arguments["state"] == "absent":
            _confirmed(session, name, arguments)
            return foundation.take(session, objects, configuration.kinds, check=trial)
        found = CHECKS[service](session, fleet, name, objects) if service in CHECKS else []
        result["findings"] = [each._asdict() for each in found]
        for each in found:
            if not each.stops:
                display.warning(f"{name}: {each.text}", formatted=True)
        stop = told(found)
        if stop:
            raise LiveError(service, stop)
        return foundation.bring(
            session,
            objects,
            configuration.objects(fleet, name) if configuration.wanted(fleet.clusters[name]) else (),
            configuration.kinds,
            check=trial,
            timeout=arguments["wait_timeout"],
        )


def _cluster(fleet: Fleet, name: str, arguments: Mapping[str, t.Any]) -> Cluster:
    cluster, service = fleet.clusters.get(name), arguments["service"]
    if cluster is None:
        raise LiveError("cluster", f"there is no cluster {name!r}.", suggest(name, fleet.clusters))
    if service not in CONFIGURATIONS:
        raise LiveError("service", f"there is no foundation {service!r}.", suggest(service, CONFIGURATIONS))
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
    return cluster


def _software(fleet: Fleet, arguments: Mapping[str, t.Any], version: str) -> list[Object]:
    service = arguments["service"]
    values = fleet.settings.services.get(service, {})
    text = read(arguments["manifest"], arguments["checksum"])
    try:
        objects = objects_of(text)
        check(objects, service, version, str(values.get("namespace", service)))
    except ManifestError as error:
        raise LiveError("manifest", error.what, error.fix) from None
    return software(objects, values)


def _confirmed(session: Session, name: str, arguments: Mapping[str, t.Any]) -> None:
    if arguments["confirm"] == name:
        return
    service = arguments["service"]
    named = IN_USE[service](session) if service in IN_USE else []
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    losing = f" These would lose it: {', '.join(named[:_MOST_NAMED])}{more}." if named else ""
    raise LiveError("confirm", f"{service} is only removed when it is confirmed.{losing}", f"Set confirm: {name}.")


def _diff(each: Applied) -> dict[str, str]:
    title = f"{each.kind} {each.name}"
    if each.kind == "Secret":
        return {"before_header": title, "after_header": title, "before": "(secret)\n", "after": "(another secret)\n"}
    before = render([each.before], title).decode() if each.before else ""
    after = render([each.after], title).decode() if each.after else ""
    return {"before_header": title, "after_header": title, "before": before, "after": after}
