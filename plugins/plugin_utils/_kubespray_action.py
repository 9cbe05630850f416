# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions on the machines of clusters have in common.

Private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import Folder
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.plan import Plan, plan
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import suggest
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import COMMON, FleetAction
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._gather import machines_of


class KubesprayAction(FleetAction):
    """What the actions on the machines of clusters have in common."""

    def arguments(self, spec: Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Machines are those of the run; a folder that nobody loaded has none."""
        common = {key: value for key, value in COMMON.items() if key != "inventory"}
        _result, given = self.validate_argument_spec({**common, **spec})
        return t.cast("dict[str, t.Any]", plain(given))

    def plan(
        self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any], clusters: list[str], *, machines: bool = False
    ) -> tuple[Plan, Fleet, Folder]:
        """The checked inventories of I(clusters), and every error that touches clusters.

        @param machines: leave errors out that C(fleet_info) reports as well.
        """
        compile_with, folder = self.gather(arguments, task_vars)
        fleet = compile_with({})
        before = len(folder.problems.items)
        inventory = machines_of(task_vars, folder)
        found = folder.problems.items[before:]
        for name in clusters:
            if name not in fleet.clusters and name not in (task_vars.get("groups") or {}).get("clusters", ()):
                raise AnsibleActionFail(f"There is no cluster {name!r}. {suggest(name, fleet.clusters)}")
        wanted = plan(fleet, inventory, [name for name in clusters if name in fleet.clusters])
        wanted.problems.items[:0] = found
        if machines:
            return wanted, fleet, folder
        # what is wrong with a tenant does not keep a machine from being built
        about_clusters = [
            p for p in fleet.problems if p.where.variable.startswith(("cluster_", "fleet_")) or p.where.host
        ]
        wanted.problems.items[:0] = [p for p in about_clusters if p.severity == "error"]
        return wanted, fleet, folder
