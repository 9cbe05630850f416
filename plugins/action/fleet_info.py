# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports on a fleet; see the module of the same name."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import fleet as report
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report.ledger import state
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report.table import count
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import placements
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import FleetAction, describe

PARTS = ("problems", "clusters", "environments", "retained", "ledger")
SPEC: dict[str, t.Any] = {
    "tree": {"type": "path"},
    "report": {"type": "str", "choices": ["none", "problems", "summary"], "default": "none"},
    "gather": {"type": "list", "elements": "str", "choices": list(PARTS), "default": list(PARTS)},
}


class ActionModule(FleetAction):
    """Compiles the inventory and tells what it found. Never fails because of the inventory."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        arguments = self.arguments(SPEC)
        compile_with, folder = self.gather(arguments, task_vars or {})
        try:
            fleet = compile_with(placements.read(arguments["tree"]) if arguments["tree"] else {})
        except TreeError as error:
            raise AnsibleActionFail(str(error)) from None
        problems = fleet.problems
        if arguments["report"] != "none":
            self.say(report.problems(problems, folder.locate))
            if arguments["report"] == "summary" and not problems.errors:
                self.say([*report.clusters(fleet), *state(fleet), *report.placements(fleet, details=True)])
            if not problems.errors:
                self.say(["", f"The inventory is sound: {report.totals(fleet)}."])
        found = ((len(problems.errors), "error"), (len(problems.warnings), "warning"))
        result = {
            "changed": False,
            "valid": not problems.errors,
            "summary": ", ".join(count(number, noun) for number, noun in found),
        }
        wanted = arguments["gather"]
        if "problems" in wanted:
            result["problems"] = [p.as_dict(folder.locate) for p in problems]
        if wanted != ["problems"]:
            result.update((part, value) for part, value in describe(fleet).items() if part in wanted)
        return result
