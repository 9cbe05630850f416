# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All clusters of a fleet for Kubespray at once: the machines, the inventories, and every problem of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .._model.entities import Cluster
from .._model.errors import Problems
from .._model.fleet import Fleet
from . import preflight
from .inventory import Rendered, render
from .machines import Inventory, Machines, gather
from .settings import wishes


@dataclass
class Plan:
    """The inventories of all clusters that have machines, and what is wrong with them."""

    clusters: dict[str, Rendered] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)


def plan(fleet: Fleet, inventory: Inventory, only: Iterable[str] = ()) -> Plan:
    """@param only: look at these clusters only; machines are checked for all of them, as clusters share them."""
    result = Plan()
    machines = gather(inventory, fleet.clusters.values(), result.problems)
    chosen = tuple(only) or tuple(machines)
    for name in chosen:
        if name in machines:
            result.clusters[name] = one(fleet.clusters[name], fleet, machines[name])
            preflight.check(result.clusters[name], result.problems)
    return result


def one(cluster: Cluster, fleet: Fleet, machines: Machines, *, kubernetes: str = "", kubespray: str = "") -> Rendered:
    """The inventory of one cluster, for its line or for a step of an upgrade."""
    return render(wishes(cluster, fleet.settings, kubernetes=kubernetes, kubespray=kubespray), machines)
