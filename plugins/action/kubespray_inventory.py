# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes Kubespray's inventories; see the module of the same name."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import Folder
from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.plan import Plan, plan
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import suggest
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import fleet as report
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import COMMON, FleetAction
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._gather import find_machines, machines_of
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._kubespray_home import Home, write

SPEC: dict[str, t.Any] = {
    "path": {"type": "path"},
    "clusters": {"type": "list", "elements": "str", "default": []},
    "report": {"type": "str", "choices": ["none", "problems"], "default": "problems"},
}


class KubesprayAction(FleetAction):
    """What the actions on the machines of clusters have in common."""

    def plan(
        self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any], clusters: list[str]
    ) -> tuple[Plan, Fleet, Folder]:
        """The checked inventories of I(clusters); fails when the fleet itself has errors that touch clusters."""
        compile_with, folder = self.gather(arguments, task_vars)
        fleet = compile_with({})
        inventory = machines_of(task_vars)
        find_machines(folder, inventory)
        for name in clusters:
            if name not in fleet.clusters and name not in (task_vars.get("groups") or {}).get("clusters", ()):
                raise AnsibleActionFail(f"There is no cluster {name!r}. {suggest(name, fleet.clusters)}")
        wanted = plan(fleet, inventory, [name for name in clusters if name in fleet.clusters])
        # what is wrong with a tenant does not keep a machine from being built
        about_clusters = [
            p for p in fleet.problems if p.where.variable.startswith(("cluster_", "fleet_")) or p.where.host
        ]
        wanted.problems.items[:0] = [p for p in [*folder.problems, *about_clusters] if p.severity == "error"]
        return wanted, fleet, folder


class ActionModule(KubesprayAction):
    """Runs on the controller; opens no connection."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        spec = {key: value for key, value in COMMON.items() if key != "inventory"}
        _result, given = self.validate_argument_spec({**spec, **SPEC})
        arguments = dict(given)
        wanted, fleet, folder = self.plan(arguments, task_vars or {}, list(arguments["clusters"]))
        if arguments["report"] == "problems":
            self.say(report.problems(wanted.problems, folder.locate))
        self.refuse(wanted.problems, folder, spoken=arguments["report"] == "problems")
        result: dict[str, t.Any] = {
            "changed": False,
            "diff": [],
            "problems": [p.as_dict(folder.locate) for p in wanted.problems],
            "clusters": {},
        }
        for name, rendered in wanted.clusters.items():
            result["clusters"][name] = {
                "kubernetes": rendered.wishes.kubernetes,
                "kubespray": rendered.wishes.release.tag,
                "release_line": fleet.clusters[name].release_line,
                "machines": {m.name: sorted(m.roles) for m in rendered.machines.all},
                "changed": False,
            }
            if arguments["path"]:
                home = Home(Path(arguments["path"]).absolute() / name)
                diffs = write(home, rendered, check=bool(self._task.check_mode))
                result["clusters"][name]["changed"] = bool(diffs)
                result["clusters"][name]["inventory"] = str(home.inventory)
                result["diff"] += diffs
        result["changed"] = any(each["changed"] for each in result["clusters"].values())
        return result
