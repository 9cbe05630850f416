# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells the versions of release lines; see the module of the same name."""

from __future__ import annotations

import datetime
import typing as t

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import suggest
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.release_lines import (
    RELEASE_LINES,
    ended_lines,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.schema import FLEET
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._controller_action import display
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import FleetAction

SPEC = {"clusters": {"type": "list", "elements": "str", "default": []}}


class ActionModule(FleetAction):
    """Looks only at the release lines of the clusters."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        arguments = self.arguments(SPEC)
        try:
            source, _folder = self._source(arguments, task_vars or {})
            today = datetime.date.fromisoformat(arguments["today"]) if arguments["today"] else _today()
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from None
        usual = source.settings.get("fleet_release_line", FLEET["fleet_release_line"]["default"])
        chosen = {}
        for name in arguments["clusters"] or sorted(source.clusters):
            if name not in source.clusters:
                raise AnsibleActionFail(f"There is no cluster {name!r}. {suggest(name, source.clusters)}")
            chosen[name] = str(source.clusters[name].get("cluster_release_line", usual))
            if chosen[name] not in RELEASE_LINES:
                raise AnsibleActionFail(
                    f"{name}: cluster_release_line: {chosen[name]!r} is not a release line. "
                    f"{suggest(chosen[name], RELEASE_LINES)}"
                )
        used: dict[str, list[str]] = {}
        for name, line in chosen.items():
            used.setdefault(line, []).append(name)
        ended = ended_lines(used, today)
        for sentence in ended:
            display.warning(sentence)
        return {
            "changed": False,
            "lines": {name: line.as_dict() for name, line in RELEASE_LINES.items()},
            "clusters": chosen,
            "ended": ended,
        }


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.timezone.utc).date()
