# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the tenants of one cluster to what the inventory declares; see the module of the same name."""

from __future__ import annotations

import copy
import time
import typing as t
from collections.abc import Collection, Mapping
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.callback import CallbackBase

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.reconcile import Options, reconcile
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster, Environment
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster_bundle import cluster_bundle
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import HOME_NAMESPACE, build
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.environment import environment_objects
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import live as live_report
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report.table import names
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import placements
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._cluster_action import TENANTS, ClusterAction, way
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._controller_action import display

SPEC: dict[str, t.Any] = {
    **TENANTS,
    "prune": {"type": "bool", "default": False},
    "prune_limit": {"type": "str", "default": "30%"},
    "confirm_deletion": {"type": "list", "elements": "str", "default": []},
    "force_conflicts": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 120},
}


class ActionModule(ClusterAction):
    """Runs on the controller and talks to the API server of the cluster that it runs for."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        start = time.monotonic()
        arguments, fleet, cluster = self.prepared(SPEC, task_vars or {})
        name, check = cluster.name, bool(self._task.check_mode)
        try:
            result = self._reconcile(fleet, cluster, arguments, time.monotonic() - start)
        except LiveError as error:
            raise AnsibleActionFail(f"{name}: {error}") from None
        if arguments["report"] == "summary":
            self.say(live_report.summary(name, result, check=check))
        if result["failed"]:
            result["msg"] = live_report.failure(name, result, check=check)
            result["objects"] = live_report.failed_rows(result["objects"])
            if result["diff"] and not self._task.no_log:
                # Ansible itself prints the diff of no task that fails
                self.say([CallbackBase()._get_diff(copy.deepcopy(result["diff"]))])
        return result

    def recorded(self, tree: str | None) -> Mapping[str, t.Any]:
        """The placements that the fleet tree has on record; without it nothing is sent."""
        if tree and not Path(tree).is_dir():
            self._stop_unless_check(
                f"tree: {tree}, from tenants_tree, does not exist, so no placement is recorded there. Correct the "
                f"path, or let a run without --tags live make it, with tenants_init=true the first time."
            )
        return placements.read(tree) if tree else {}

    def _stop_unless_check(self, text: str) -> None:
        """The play that would mend it writes nothing in check mode either."""
        if not self._task.check_mode:
            raise AnsibleActionFail(f"Nothing was sent. {text}")
        display.warning(f"A real run would stop here, unless the fleet tree is written before. {text}", formatted=True)

    def _reconcile(
        self, fleet: Fleet, cluster: Cluster, arguments: Mapping[str, t.Any], before: float
    ) -> dict[str, t.Any]:
        name = cluster.name
        if cluster.delivery != "live":
            raise LiveError(
                "cluster_delivery",
                f"it is {cluster.delivery!r}: Flux applies its objects, and two writers would fight.",
                "Set cluster_delivery: live, or use fleet_tree.",
            )
        unrecorded = _unrecorded(fleet, name, arguments["tenants"])
        if unrecorded:
            self._stop_unless_check(_not_recorded(name, unrecorded))
        login = way(arguments, cluster.get("kubeconfig"))
        start = time.monotonic()
        objects = _objects(fleet, name, arguments["tenants"])
        built = time.monotonic() - start
        options = Options(
            check=bool(self._task.check_mode),
            diff=bool(self._task.diff),
            label_domain=fleet.settings.label_domain,
            **{key: arguments[key] for key in _PASSED},
        )
        with Session.open(login, parallel=arguments["parallel"], progress=self.progress(name)) as session:
            result = reconcile(session, objects, options, progress=self.progress(name), expect_cluster=name)
        result["timings"] = {"compile": round(before, 3), "objects": round(built, 3), **result["timings"]}
        return result


_PASSED = (
    "tenants",
    "prune",
    "prune_limit",
    "confirm_deletion",
    "force_conflicts",
    "wait",
    "wait_timeout",
    "parallel",
)


_MOST_NAMED = 20


def _here(fleet: Fleet, name: str, tenants: Collection[str]) -> list[Environment]:
    return [each for each in fleet.on_cluster(name) if not tenants or each.tenant.id in tenants]


def _unrecorded(fleet: Fleet, name: str, tenants: Collection[str]) -> list[str]:
    """Environments that a later run could place elsewhere, which would make a second copy of them."""
    here = _here(fleet, name, tenants)
    return [each.key for each in here if each.placement and each.placement.origin == "decided"]


def _not_recorded(name: str, keys: list[str]) -> str:
    return (
        f"The placement on {name} is decided now and recorded nowhere, so another day another cluster could be chosen, "
        f"for {names(keys, _MOST_NAMED)}. Run the playbook tenants without --tags live, whose first play "
        f"records placements in tenants_tree, and give tenants_tree here, too; or declare placement: {{clusters: "
        f"[{name}]}} in the tenant file, where that play writes it with tenants_record_placements=true."
    )


def _objects(fleet: Fleet, name: str, tenants: Collection[str]) -> list[dict[str, t.Any]]:
    """Everything, or what belongs to some tenants."""
    if not tenants:
        return [build("v1", "Namespace", HOME_NAMESPACE), *cluster_bundle(fleet, name)]
    cluster = fleet.clusters[name]
    here = _here(fleet, name, tenants)
    return [each for environment in here for each in environment_objects(environment, cluster, fleet.settings)]
