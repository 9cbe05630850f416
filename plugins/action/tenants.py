# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the tenants of one cluster to what the inventory declares; see the module of the same name."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Collection, Mapping

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.reconcile import Options, reconcile
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import suggest
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster_bundle import cluster_bundle
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import HOME_NAMESPACE, build
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.environment import environment_objects
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import live as live_report
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import placements
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import FleetAction, display

SPEC: dict[str, t.Any] = {
    **access.ARGUMENTS,
    "cluster": {"type": "str"},
    "tree": {"type": "path"},
    "tenants": {"type": "list", "elements": "str", "default": []},
    "prune": {"type": "bool", "default": False},
    "prune_limit": {"type": "str", "default": "30%"},
    "confirm_deletion": {"type": "list", "elements": "str", "default": []},
    "force_conflicts": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 120},
    "parallel": {"type": "int", "default": 8},
    "report": {"type": "str", "choices": ["none", "summary"], "default": "none"},
}
_MOST_PARALLEL = 64


class ActionModule(FleetAction):
    """Runs on the controller and talks to the API server of the cluster that it runs for."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = self.arguments(SPEC)
        if not 1 <= arguments["parallel"] <= _MOST_PARALLEL:
            raise AnsibleActionFail(f"parallel: give a number from 1 to {_MOST_PARALLEL}.")
        start = time.monotonic()
        fleet = self._fleet(arguments, variables)
        name = arguments["cluster"] or str(variables.get("inventory_hostname"))
        try:
            result = self._reconcile(fleet, name, arguments, time.monotonic() - start)
        except LiveError as error:
            raise AnsibleActionFail(f"{name}: {error}") from None
        if arguments["report"] == "summary":
            self.say(live_report.summary(name, result, check=bool(self._task.check_mode)))
        if result["failed"]:
            result["msg"] = live_report.failure(name, result)
            # Ansible prints a failed result whole, and a first run may have made thousands before one failed
            result["objects"] = [row for row in result["objects"] if row["action"] not in _DONE_IN_SILENCE]
        return result

    def _fleet(self, arguments: Mapping[str, t.Any], variables: Mapping[str, t.Any]) -> Fleet:
        compile_with, folder = self.gather(arguments, variables)
        try:
            fleet = compile_with(placements.read(arguments["tree"]) if arguments["tree"] else {})
        except TreeError as error:
            raise AnsibleActionFail(str(error)) from None
        self.refuse(fleet.problems, folder, spoken=False)
        return fleet

    def _reconcile(self, fleet: Fleet, name: str, arguments: Mapping[str, t.Any], before: float) -> dict[str, t.Any]:
        cluster = fleet.clusters.get(name)
        if cluster is None:
            raise LiveError("cluster", "there is no such cluster in the inventory.", suggest(name, fleet.clusters))
        if cluster.delivery != "live":
            raise LiveError(
                "cluster_delivery",
                f"it is {cluster.delivery!r}: Flux applies its objects, and two writers would fight.",
                "Set cluster_delivery: live, or use fleet_tree.",
            )
        for tenant in arguments["tenants"]:
            if tenant not in fleet.tenants:
                raise LiveError("tenants", f"there is no tenant {tenant!r}.", suggest(tenant, fleet.tenants))
        way = access.Access.of(arguments, cluster.get("kubeconfig"))
        if not way.is_given:
            raise LiveError(
                "cluster_kubeconfig",
                "it is not set, and no other way to this cluster is given.",
                "Set it in the host_vars of the cluster.",
            )
        start = time.monotonic()
        objects = _objects(fleet, name, arguments["tenants"])
        built = time.monotonic() - start
        options = Options(
            check=bool(self._task.check_mode),
            diff=bool(self._task.diff),
            label_domain=fleet.settings.label_domain,
            **{key: arguments[key] for key in _PASSED},
        )
        with Session.open(way, parallel=arguments["parallel"]) as session:
            result = reconcile(
                session,
                objects,
                options,
                progress=lambda text: display.display(f"{name}: {text}"),
                expect_cluster=name,
            )
        result["timings"] = {"compile": round(before, 3), "objects": round(built, 3), **result["timings"]}
        return result


_DONE_IN_SILENCE = ("created", "updated")
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


def _objects(fleet: Fleet, name: str, tenants: Collection[str]) -> list[dict[str, t.Any]]:
    """Everything, or what belongs to some tenants."""
    if not tenants:
        return [build("v1", "Namespace", HOME_NAMESPACE), *cluster_bundle(fleet, name)]
    cluster = fleet.clusters[name]
    here = [each for each in fleet.on_cluster(name) if each.tenant.id in tenants]
    return [each for environment in here for each in environment_objects(environment, cluster, fleet.settings)]
