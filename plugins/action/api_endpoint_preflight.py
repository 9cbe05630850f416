# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans and judges the addresses of APIs; see the module of the same name."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from ansible_collections.k8s.self_provisioning.plugins.module_utils._endpoint.check import check
from ansible_collections.k8s.self_provisioning.plugins.module_utils._endpoint.plan import Endpoint, endpoints
from ansible_collections.k8s.self_provisioning.plugins.module_utils._hosts.finding import ERROR, Finding
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import Folder
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray import machines
from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.machines import CONTROL_PLANE
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import Problems
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import FleetAction
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._gather import machines_of
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._look_action import judged

SPEC: dict[str, t.Any] = {
    "hosts": {"type": "dict", "default": {}},
    "report": {"type": "bool", "default": True},
}
#: What concerns the address of an API in the variables of a cluster.
_OURS = ("cluster_network", "cluster_kubernetes", "fleet_kubernetes")


class ActionModule(FleetAction):
    """Runs on the controller; opens no connection."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _result, arguments = self.validate_argument_spec(SPEC)
        looks = plain(arguments["hosts"])
        plans, without, problems, folder = self._plans(task_vars or {})
        findings = [*_of_inventory(problems, folder), *check(plans, looks, without)]
        return {
            **judged(findings, looks or plans, spoken=arguments["report"]),
            "clusters": {
                name: {
                    "addresses": list(plan.addresses),
                    "port": plan.port,
                    "router_id": plan.router_id,
                    "members": [member.name for member in plan.members],
                }
                for name, plan in plans.items()
            },
            "members": {member.name: plan.of_host(member.name) for plan in plans.values() for member in plan.members},
        }

    def _plans(self, task_vars: dict[str, t.Any]) -> tuple[dict[str, Endpoint], set[str], Problems, Folder]:
        compile_with, folder = self.gather({}, task_vars)
        fleet = compile_with({})
        inventory = machines_of(task_vars, folder)
        problems = Problems()
        for problem in (*folder.problems, *fleet.problems):
            if problem.severity == ERROR and problem.where.variable in _OURS:
                problems.add(problem)
        if not fleet.clusters:
            self.refuse((*folder.problems, *fleet.problems), folder, spoken=False)
        found = machines.gather(inventory, fleet.clusters.values(), problems)
        plans = endpoints(fleet.clusters, fleet.settings, found)
        without = {each.name for name in found.keys() - plans.keys() for each in found[name].having(CONTROL_PLANE)}
        return plans, without, problems, folder


def _of_inventory(problems: Problems, folder: Folder) -> Iterator[Finding]:
    for problem in problems:
        where, line = folder.locate(problem.where)
        place = f" ({where}:{line})" if where and line else ""
        host = problem.where.host or "the inventory"
        yield Finding(host, problem.code, problem.severity, f"{problem.where.text}: {problem.what}{place}", problem.fix)
