# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small organisation for the filters."""

from __future__ import annotations

import copy
import typing as t
from pathlib import Path

from ansible_collections.k8s.self_provisioning.plugins.filter.fleet import FilterModule

FILTERS = FilterModule().filters()
DAY = "2026-12-01"
COLLECTIONS = Path(__file__).resolve().parents[3] / ".cache" / "collections"
SETTINGS: dict[str, t.Any] = {
    "fleet_label_domain": "platform.example.edu",
    "fleet_defaults": {"size": "small", "pod_security": {"enforce": "baseline"}},
    "fleet_sizes": {"small": {"resource_quota": {"hard": {"requests.cpu": "4", "requests.memory": "16Gi"}}}},
    "fleet_prices": {"month": {"requests.cpu": 10}},
}
TENANT: dict[str, t.Any] = {
    "id": "physics",
    "owners": [{"kind": "Group", "name": "physics-leads"}],
    "budget": {"hard": {"requests.cpu": "16", "requests.memory": "64Gi"}},
    "projects": [
        {
            "id": "lab-sim",
            "environments": [
                {"name": "dev"},
                {"name": "prod", "resource_quota": {"hard": {"cpu": "8"}}, "pod_security": {"enforce": "restricted"}},
            ],
        }
    ],
}


def cluster(stage: str, **more: t.Any) -> dict[str, t.Any]:
    required = {"cluster_security_domain": "internal_only", "cluster_sla_tier": "tier_2_important"}
    return {"cluster_environment": stage, "cluster_capacity": {"cpu": "40", "memory": "100Gi"}, **required, **more}


CLUSTERS = {"east-dev": cluster("dev"), "east-prod": cluster("prod"), "west-prod": cluster("prod", cluster_region="w")}


def source() -> dict[str, t.Any]:
    return copy.deepcopy({"settings": SETTINGS, "tenants": {"tenant__physics": TENANT}, "clusters": CLUSTERS})


def hostvars() -> dict[str, dict[str, t.Any]]:
    groups = {"group_names": ["clusters"]}
    machines = {name: {**SETTINGS, "tenant__physics": TENANT, **own, **groups} for name, own in CLUSTERS.items()}
    return {**machines, "localhost": {"group_names": [], "fleet_name": "elsewhere"}}


def broken(**tenant: t.Any) -> dict[str, t.Any]:
    inventory = source()
    inventory["tenants"]["tenant__physics"].update(tenant)
    return inventory


RECORDED = {"physics/lab-sim/prod": {"clusters": ["west-prod"], "decided_at": "2026-01-02", "reason": "{{ 7 * 7 }}"}}
