# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions on one live cluster have in common: its name, its tenants, the way to it.

Private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import suggest
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import FleetAction

#: Options that every action on one cluster has.
SPEC: dict[str, t.Any] = {
    **access.ARGUMENTS,
    "cluster": {"type": "str"},
    "tree": {"type": "path"},
    "tenants": {"type": "list", "elements": "str", "default": []},
    "parallel": {"type": "int", "default": 8},
    "report": {"type": "str", "choices": ["none", "summary"], "default": "none"},
}
MOST_PARALLEL = 64


def check_parallel(parallel: int) -> None:
    """@raises AnsibleActionFail: not a number of requests under way at once."""
    if not 1 <= parallel <= MOST_PARALLEL:
        raise AnsibleActionFail(f"parallel: give a number from 1 to {MOST_PARALLEL}.")


def check_known(option: str, what: str, names: Iterable[str], known: Iterable[str]) -> None:
    """@raises LiveError: a name that the inventory does not know."""
    known = list(known)
    for name in names:
        if name not in known:
            raise LiveError(option, f"there is no {what} {name!r}.", suggest(name, known))


class ClusterAction(FleetAction):
    """Runs on the controller, for one cluster of the fleet."""

    def cluster_arguments(self, spec: Mapping[str, t.Any], variables: Mapping[str, t.Any]) -> dict[str, t.Any]:
        """The arguments; C(cluster) is by default the host that the task runs for."""
        arguments = self.arguments({**SPEC, **spec})
        check_parallel(arguments["parallel"])
        arguments["cluster"] = arguments["cluster"] or str(variables.get("inventory_hostname"))
        return arguments


def find(fleet: Fleet, arguments: Mapping[str, t.Any]) -> Cluster:
    """The cluster that the arguments name.

    @raises LiveError: it, or a tenant of theirs, is not in the inventory.
    """
    check_known("cluster", "cluster", [arguments["cluster"]], fleet.clusters)
    check_known("tenants", "tenant", arguments["tenants"], fleet.tenants)
    return fleet.clusters[arguments["cluster"]]


def way(arguments: Mapping[str, t.Any], kubeconfig: t.Any) -> access.Access:
    """How to reach the cluster: as the arguments say, else by the kubeconfig of the inventory.

    @raises LiveError: nobody says.
    """
    found = access.Access.of(arguments, kubeconfig)
    if not found.is_given:
        raise LiveError(
            "cluster_kubeconfig",
            "it is not set, and no other way to this cluster is given.",
            "Set it in the host_vars of the cluster.",
        )
    return found
