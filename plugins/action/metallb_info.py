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
from ansible_collections.k8s.self_provisioning.plugins.module_utils._observe.metallb import address_state
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import metallb as report
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._cluster_action import ClusterAction, way

SPEC: dict[str, t.Any] = {
    **access.ARGUMENTS,
    "fail": {"type": "bool", "default": True},
    "report": {"type": "str", "choices": ["none", "summary"], "default": "none"},
}


class ActionModule(ClusterAction):
    """Runs on the controller and only reads."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        arguments, fleet, cluster = self.prepared(SPEC, task_vars or {})
        try:
            with Session.open(way(arguments, cluster.get("kubeconfig"))) as session:
                state = address_state(session, fleet, cluster.name)
        except LiveError as error:
            if arguments["fail"]:
                raise AnsibleActionFail(f"{cluster.name}: {error}") from None
            return {"changed": False, "unseen": str(error)}
        if arguments["report"] == "summary":
            self.say(report.lines(state))
        return {"changed": False, **state, "headline": report.headline(state)}
