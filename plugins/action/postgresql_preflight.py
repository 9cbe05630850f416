# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges database hosts; see the module of the same name."""

from __future__ import annotations

import typing as t

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql.check import preflight
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._controller_action import ControllerAction
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._look_action import judged

SPEC: dict[str, t.Any] = {
    "hosts": {"type": "dict", "required": True},
    "group": {"type": "list", "elements": "str", "required": True},
    "settings": {"type": "dict", "required": True},
    "report": {"type": "bool", "default": True},
}


class ActionModule(ControllerAction):
    """Runs on the controller; opens no connection."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _result, arguments = self.validate_argument_spec(SPEC)
        hosts, group, settings = (plain(arguments[key]) for key in ("hosts", "group", "settings"))
        return judged(preflight(hosts, group, settings), hosts, spoken=arguments["report"])
