# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Organisations of any size, delivered to a folder, and what is reported about that."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import account, changes
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import deliver, paths

TODAY = datetime.date(2026, 11, 21)
SIZES = {
    "small": {"resource_quota": {"hard": {"requests.cpu": "2", "requests.memory": "4Gi", "pods": "20"}}},
    "large": {"resource_quota": {"hard": {"requests.cpu": "8", "requests.memory": "16Gi", "pods": "80"}}},
}
PRICES = {"currency": "HKD", "month": {"cpu": 10, "memory": 1}}
CAPACITY = {"cpu": "4500", "memory": "9000Gi"}


def cluster(**more: Any) -> dict[str, Any]:
    return {
        "cluster_environment": "prod",
        "cluster_security_domain": "internal_only",
        "cluster_sla_tier": "tier_2_important",
        "cluster_capacity": CAPACITY,
        **more,
    }


def tenant(name: str, *environments: dict[str, Any], **more: Any) -> dict[str, Any]:
    listed = [{"size": "small", "stage": "prod", **each} for each in environments or ({"name": "prod"},)]
    owners = [{"kind": "Group", "name": f"{name}-leads"}]
    return {"id": name, "owners": owners, "projects": [{"id": "lab", "environments": listed}], **more}


def on(*clusters: str) -> dict[str, Any]:
    return {"placement": {"clusters": list(clusters)}}


def fleet(tenants: list[dict[str, Any]], clusters: dict[str, Any] | None = None, recorded: Any = None) -> Fleet:
    settings = {"fleet_sizes": SIZES, "fleet_prices": PRICES}
    given = {f"tenant__{each['id'].replace('-', '_')}": each for each in tenants}
    source = Source(settings, given, clusters or {"east": cluster()})
    compiled = compile_fleet(source, today=TODAY, recorded=recorded or {})
    assert not compiled.problems.errors, [problem.render() for problem in compiled.problems.errors]
    return compiled


def deliver_to(root: Path, *given: Any, **how: Any) -> deliver.Outcome:
    return deliver.deliver(root, lambda recorded: fleet(*given, recorded=recorded), **how)


def plan(root: Path, *given: Any) -> list[str]:
    """What C(plan) prints about an inventory and a tree."""
    before = account.read(root / paths.LEDGER)
    outcome = deliver_to(root, *given, check=True)
    return changes.plan(outcome, before, root, changes.Run(check=True))


def section(lines: list[str], title: str) -> list[str]:
    """The lines below a heading, up to the next one."""
    start = next(index for index, line in enumerate(lines) if line.startswith(title))
    for end in range(start + 1, len(lines)):
        if not lines[end] and not lines[end + 1].startswith(("TENANT ", "CLUSTER ")):
            return lines[start + 1 : end]
    return lines[start + 1 :]
