# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges database hosts; see the module of the same name."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.k8s.self_provisioning.plugins.module_utils._hosts.finding import ERROR, lines
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql.check import preflight

display = Display()

SPEC: dict[str, t.Any] = {
    "hosts": {"type": "dict", "required": True},
    "group": {"type": "list", "elements": "str", "required": True},
    "settings": {"type": "dict", "required": True},
    "report": {"type": "bool", "default": True},
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs on the controller; opens no connection."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _result, arguments = self.validate_argument_spec(SPEC)
        hosts, group, settings = (plain(arguments[key]) for key in ("hosts", "group", "settings"))
        findings = preflight(hosts, group, settings)
        if arguments["report"]:
            display.display("\n".join(lines(findings, len(hosts))))
        errors = sum(each.severity == ERROR for each in findings)
        result = {"changed": False, "findings": [each.row() for each in findings], "errors": errors}
        if errors:
            told = "listed above" if arguments["report"] else "see findings"
            result["failed"] = True
            result["msg"] = f"Nothing was changed: {errors} errors on database hosts, {told}."
        return result
