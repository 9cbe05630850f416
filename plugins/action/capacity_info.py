# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures what live clusters offer to tenants; see the module of the same name."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import ModelError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.schema import FLEET
from ansible_collections.k8s.self_provisioning.plugins.module_utils._observe.capacity import measure
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._cluster_action import CLUSTER, check_known, way
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._controller_action import display
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import FleetAction
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._gather import is_unmeasured, unmeasured

SPEC: dict[str, t.Any] = {
    **access.ARGUMENTS,
    **CLUSTER,
    "fail": {"type": "bool", "default": True},
}
_AT_ONCE = 32
_FORBIDDEN = 403
#: What the provisioner lacks on purpose.
_RIGHTS = "Declare cluster_capacity, or use an identity that may list nodes, pods and namespaces."


class ActionModule(FleetAction):
    """Runs on the controller and only reads."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = self.arguments(SPEC)
        only = arguments["cluster"]
        if not only and not arguments["inventory"] and not unmeasured(variables):
            return {"changed": False, "clusters": {}}
        try:
            source, _folder = self._source(arguments, variables)
        except ModelError as error:
            raise AnsibleActionFail(str(error)) from None
        check_known("cluster", "cluster", [only] if only else (), source.clusters)
        domain = source.settings.get("fleet_label_domain", FLEET["fleet_label_domain"]["default"])
        wanted = [only] if only else [name for name, values in source.clusters.items() if is_unmeasured(values)]
        # nobody waits long for what would only be good to know
        patience, timeout = (60.0, 30.0) if arguments["fail"] else (5.0, 10.0)

        def look(name: str) -> dict[str, t.Any] | LiveError:
            try:
                login = way(arguments, source.clusters[name].get("cluster_kubeconfig"))
                with Session.open(login, patience=patience, timeout=timeout) as session:
                    found, machines = measure(session, f"{domain}/tenant")
            except LiveError as error:
                return LiveError(error.where, error.what, _RIGHTS) if error.status == _FORBIDDEN else error
            return {"capacity": found, "machines": machines}

        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            looked = dict(zip(wanted, pool.map(look, wanted), strict=True))
        self._tell({name: each for name, each in looked.items() if isinstance(each, LiveError)}, arguments["fail"])
        return {
            "changed": False,
            "clusters": {name: each for name, each in looked.items() if not isinstance(each, LiveError)},
        }

    def _tell(self, failed: Mapping[str, LiveError], fail: bool) -> None:
        if failed and fail:
            raise AnsibleActionFail("\n".join(f"{name}: {error}" for name, error in failed.items()))
        for name, error in failed.items():
            display.warning(f"The capacity of {name} is not known: {error}")
