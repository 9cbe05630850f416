# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures what a live cluster offers to tenants; see the module of the same name."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import ModelError, suggest
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.schema import FLEET
from ansible_collections.k8s.self_provisioning.plugins.module_utils._observe.capacity import measure
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import FleetAction, display

SPEC: dict[str, t.Any] = {
    **access.ARGUMENTS,
    "cluster": {"type": "str"},
    "fail": {"type": "bool", "default": True},
}


class ActionModule(FleetAction):
    """Runs on the controller and only reads."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = self.arguments(SPEC)
        name = arguments["cluster"] or str(variables.get("inventory_hostname"))
        try:
            source, _folder = self._source(arguments, variables)
            if name not in source.clusters:
                raise LiveError("cluster", f"there is no cluster {name!r}.", suggest(name, source.clusters))
            way = access.Access.of(arguments, source.clusters[name].get("cluster_kubeconfig"))
            if not way.is_given:
                raise LiveError(
                    "kubeconfig", "no way to this cluster is given.", "Set it, or cluster_kubeconfig of the cluster."
                )
            domain = source.settings.get("fleet_label_domain", FLEET["fleet_label_domain"]["default"])
            with Session.open(way, patience=60.0 if arguments["fail"] else 5.0) as session:
                found, machines = measure(session, f"{domain}/tenant")
        except (LiveError, ModelError) as error:
            if arguments["fail"]:
                raise AnsibleActionFail(f"{name}: {error}") from None
            display.warning(f"The capacity of {name} is not known: {error}")
            return {"changed": False, "capacity": {}, "machines": 0}
        return {"changed": False, "capacity": found, "machines": machines}
