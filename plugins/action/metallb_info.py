# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells how the addresses of a cluster are; see the module of the same name."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import suggest
from ansible_collections.k8s.self_provisioning.plugins.module_utils._observe.metallb import address_state
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import metallb as report
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import FleetAction

SPEC: dict[str, t.Any] = {
    **access.ARGUMENTS,
    "cluster": {"type": "str"},
    "report": {"type": "str", "choices": ["none", "summary"], "default": "none"},
}


class ActionModule(FleetAction):
    """Runs on the controller and only reads."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = self.arguments(SPEC)
        compile_with, folder = self.gather(arguments, variables)
        fleet = compile_with({})
        self.refuse(fleet.problems, folder, spoken=False)
        name = arguments["cluster"] or str(variables.get("inventory_hostname"))
        if name not in fleet.clusters:
            raise AnsibleActionFail(f"cluster: there is no cluster {name!r}. {suggest(name, fleet.clusters)}")
        try:
            way = access.Access.of(arguments, fleet.clusters[name].get("kubeconfig"))
            if not way.is_given:
                raise LiveError("kubeconfig", "no way to this cluster is given.", "Set it, or cluster_kubeconfig.")
            with Session.open(way) as session:
                state = address_state(session, fleet, name)
        except LiveError as error:
            raise AnsibleActionFail(f"{name}: {error}") from None
        if arguments["report"] == "summary":
            self.say(report.lines(state))
        return {"changed": False, **state, "headline": report.headline(state)}
