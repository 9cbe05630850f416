# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes Kubespray's inventories; see the module of the same name."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import fleet as report
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._kubespray_action import KubesprayAction
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._kubespray_home import Home, write

PARTS = ("problems", "clusters")
SPEC: dict[str, t.Any] = {
    "path": {"type": "path"},
    "clusters": {"type": "list", "elements": "str", "default": []},
    "fail": {"type": "bool", "default": True},
    "report": {"type": "str", "choices": ["none", "problems"], "default": "problems"},
    "gather": {"type": "list", "elements": "str", "choices": list(PARTS), "default": list(PARTS)},
}


class ActionModule(KubesprayAction):
    """Runs on the controller; opens no connection."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        arguments = self.arguments(SPEC)
        if arguments["path"] and not arguments["fail"]:
            raise AnsibleActionFail("fail: without it nothing is written; leave path out.")
        clusters = list(arguments["clusters"])
        wanted, fleet, folder = self.plan(arguments, task_vars or {}, clusters, machines=not arguments["fail"])
        if arguments["report"] == "problems":
            self.say(report.problems(wanted.problems, folder.locate))
        if arguments["fail"]:
            self.refuse(wanted.problems, folder, spoken=arguments["report"] == "problems")
        result: dict[str, t.Any] = {"changed": False, "valid": not wanted.problems.errors}
        differences: list[dict[str, t.Any]] = []
        described: dict[str, dict[str, t.Any]] = {}
        for name, rendered in wanted.clusters.items():
            found = described[name] = {
                "kubernetes": rendered.wishes.kubernetes,
                "kubespray": rendered.wishes.release.tag,
                "release_line": fleet.clusters[name].release_line,
                "machines": {m.name: sorted(m.roles) for m in rendered.machines.all},
                "changed": False,
            }
            if arguments["path"]:
                home = Home(Path(arguments["path"]).absolute() / name)
                diffs = write(home, rendered, check=bool(self._task.check_mode))
                found["changed"] = bool(diffs)
                found["inventory"] = str(home.inventory)
                differences += diffs
        result["changed"] = any(each["changed"] for each in described.values())
        if self._task.diff:
            result["diff"] = differences
        if "problems" in arguments["gather"]:
            result["problems"] = [p.as_dict(folder.locate) for p in wanted.problems]
        if "clusters" in arguments["gather"]:
            result["clusters"] = described
        return result
