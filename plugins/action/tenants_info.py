# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells how the tenants of a live cluster are; see the module of the same name."""

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import suggest
from ansible_collections.k8s.self_provisioning.plugins.module_utils._observe.state import observe
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import observed as report
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import placements
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import FleetAction

SPEC: dict[str, t.Any] = {
    **access.ARGUMENTS,
    "cluster": {"type": "str"},
    "tree": {"type": "path"},
    "tenants": {"type": "list", "elements": "str", "default": []},
    "parallel": {"type": "int", "default": 8},
    "report": {"type": "str", "choices": ["none", "summary"], "default": "none"},
}
_MOST_PARALLEL = 64


class ActionModule(FleetAction):
    """Runs on the controller and only reads."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = self.arguments(SPEC)
        if not 1 <= arguments["parallel"] <= _MOST_PARALLEL:
            raise AnsibleActionFail(f"parallel: give a number from 1 to {_MOST_PARALLEL}.")
        start = time.monotonic()
        compile_with, folder = self.gather(arguments, variables)
        name = arguments["cluster"] or str(variables.get("inventory_hostname"))
        try:
            fleet = compile_with(placements.read(arguments["tree"]) if arguments["tree"] else {})
            self.refuse(fleet.problems, folder, spoken=False)
            cluster = fleet.clusters.get(name)
            if cluster is None:
                raise LiveError("cluster", f"there is no cluster {name!r}.", suggest(name, fleet.clusters))
            for tenant in arguments["tenants"]:
                if tenant not in fleet.tenants:
                    raise LiveError("tenants", f"there is no tenant {tenant!r}.", suggest(tenant, fleet.tenants))
            way = access.Access.of(arguments, cluster.get("kubeconfig"))
            if not way.is_given:
                raise LiveError(
                    "kubeconfig", "no way to this cluster is given.", "Set it, or cluster_kubeconfig of the cluster."
                )
            compiled = time.monotonic()
            with Session.open(way, parallel=arguments["parallel"]) as session:
                result = observe(session, fleet, name, tenants=arguments["tenants"], parallel=arguments["parallel"])
        except (LiveError, TreeError) as error:
            raise AnsibleActionFail(f"{name}: {error}") from None
        if arguments["report"] == "summary":
            self.say(report.summary(result))
        seconds = {"compile": round(compiled - start, 3), "look": round(time.monotonic() - compiled, 3)}
        return {"changed": False, "headline": report.headline(result), **result, "timings": seconds}
