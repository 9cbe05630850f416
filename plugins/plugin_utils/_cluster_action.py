# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions on one live cluster have in common: its name, its tenants, the way to it.

Private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Mapping

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.finding import Finding, told
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import unknown
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report.table import names
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._controller_action import display
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import FleetAction

#: Which cluster an action is for.
CLUSTER: dict[str, t.Any] = {"cluster": {"type": "str"}}
#: Options of actions on what tenants have there.
TENANTS: dict[str, t.Any] = {
    **access.ARGUMENTS,
    "tree": {"type": "path"},
    "tenants": {"type": "list", "elements": "str", "default": []},
    "parallel": {"type": "int", "default": 8},
    "report": {"type": "str", "choices": ["none", "summary"], "default": "none"},
}
MOST_PARALLEL = 64
_MOST_NAMED = 10


def check_parallel(parallel: int) -> None:
    """@raises AnsibleActionFail: not a number of requests under way at once."""
    if not 1 <= parallel <= MOST_PARALLEL:
        raise AnsibleActionFail(f"parallel: give a number from 1 to {MOST_PARALLEL}.")


def check_known(option: str, what: str, given: Iterable[str], known: Iterable[str]) -> None:
    """@raises AnsibleActionFail: names that nobody knows; all of them are told."""
    known = list(known)
    wrong = [f"{option}: {unknown(what, name, known)}" for name in given if name not in known]
    if wrong:
        raise AnsibleActionFail("\n".join(wrong))


class ClusterAction(FleetAction):
    """Runs on the controller, for one cluster of the fleet."""

    def prepared(
        self, spec: Mapping[str, t.Any], variables: Mapping[str, t.Any]
    ) -> tuple[dict[str, t.Any], Fleet, Cluster]:
        """The arguments, the fleet, and its cluster that they name, by default the host that the task runs for.

        @raises AnsibleActionFail: the inventory has errors, or knows no such cluster or tenant.
        """
        arguments = self.arguments({**CLUSTER, **spec})
        if "parallel" in arguments:
            check_parallel(arguments["parallel"])
        arguments["cluster"] = arguments["cluster"] or str(variables.get("inventory_hostname"))
        fleet = self.fleet(arguments, variables)
        check_known("cluster", "cluster", [arguments["cluster"]], fleet.clusters)
        check_known("tenants", "tenant", arguments.get("tenants") or (), fleet.tenants)
        return arguments, fleet, fleet.clusters[arguments["cluster"]]


def way(arguments: Mapping[str, t.Any], kubeconfig: t.Any) -> access.Access:
    """How to reach the cluster: as the arguments say, else by the kubeconfig of the inventory.

    @raises LiveError: nobody says.
    """
    found = access.Access.of(arguments, kubeconfig)
    if not found.is_given:
        raise LiveError(
            "cluster_kubeconfig",
            "it is not set, and no other way to this cluster is given.",
            "Set it in the host_vars of the cluster, or give a kubeconfig.",
        )
    return found


def check_confirmed(
    what: str, arguments: Mapping[str, t.Any], in_use: Callable[[], Iterable[str]] = lambda: ()
) -> None:
    """@raises LiveError: nobody has confirmed that something goes from the cluster.

    @param in_use: who would lose something.
    """
    if arguments["confirm"] == arguments["cluster"]:
        return
    used = named(in_use())
    losing = f" These would lose it: {used}." if used else ""
    raise LiveError(
        "confirm", f"{what} is only removed when it is confirmed.{losing}", f"Set confirm: {arguments['cluster']}."
    )


def named(users: Iterable[str]) -> str:
    """The first of those who use something, and how many more there are."""
    return names(users, _MOST_NAMED)


def stops(cluster: str, findings: Iterable[Finding]) -> str:
    """Warns of findings that only have to be known, and returns the text of those that stop; empty without any."""
    findings = list(findings)
    for each in findings:
        if not each.stops:
            display.warning(f"{cluster}: {each.text}", formatted=True)
    return told(findings)
