# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells how the tenants of a live cluster are; see the module of the same name."""

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._observe.state import observe
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import observed as report
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._cluster_action import TENANTS, ClusterAction, way


class ActionModule(ClusterAction):
    """Runs on the controller and only reads."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        start = time.monotonic()
        arguments, fleet, cluster = self.prepared(TENANTS, task_vars or {})
        name = cluster.name
        try:
            login = way(arguments, cluster.get("kubeconfig"))
            compiled = time.monotonic()
            with Session.open(login, parallel=arguments["parallel"], progress=self.progress(name)) as session:
                result = observe(session, fleet, name, tenants=arguments["tenants"], parallel=arguments["parallel"])
        except LiveError as error:
            raise AnsibleActionFail(f"{name}: {error}") from None
        if arguments["report"] == "summary":
            self.say(report.summary(result))
        seconds = {"compile": round(compiled - start, 3), "look": round(time.monotonic() - compiled, 3)}
        return {"changed": False, "headline": report.headline(result), **result, "timings": seconds}
