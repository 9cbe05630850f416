# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A synthetic organisation of any size, always the same for the same numbers."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

Variables = dict[str, t.Any]

_STAGES = ("dev", "staging", "prod")
_DOMAINS = ("internal_only", "internet_facing")


def settings() -> Variables:
    quota = {
        "requests.cpu": "2",
        "requests.memory": "8Gi",
        "limits.memory": "16Gi",
        "requests.storage": "50Gi",
        "pods": "40",
    }
    limits = [
        {"type": "Container", "defaultRequest": {"cpu": "100m", "memory": "128Mi"}, "default": {"memory": "256Mi"}}
    ]
    return {
        "fleet_name": "synthetic",
        "fleet_defaults": {
            "size": "small",
            "allowed": {
                "registries": ["registry.example.com"],
                "storage_classes": ["cephfs", "nfs"],
                "cluster_roles": ["tenant-admin", "tenant-editor", "tenant-viewer"],
            },
        },
        "fleet_sizes": {
            "small": {"resource_quota": {"hard": quota}, "limit_range": {"limits": limits}},
            "medium": {"resource_quota": {"hard": {**quota, "requests.cpu": "8"}}, "limit_range": {"limits": limits}},
        },
        "fleet_prices": {
            "currency": "EUR",
            "month": {"requests.cpu": 12, "requests.memory": 3, "requests.storage": 0.3},
        },
    }


def cluster(index: int) -> Variables:
    return {
        "cluster_environment": _STAGES[index % 3],
        "cluster_region": f"region-{index % 4}",
        "cluster_failure_domain": f"rack-{index % 5}",
        "cluster_security_domain": _DOMAINS[index % 2],
        "cluster_sla_tier": "tier_1_critical",
        "cluster_capacity": {"cpu": "4000", "memory": "16Ti", "storage": "400Ti"},
        "cluster_storage_classes": ["cephfs", "nfs", "local"],
    }


def live_cluster(kubeconfig: str) -> Variables:
    """A cluster of production that takes everything, and whose objects come through its API server."""
    capacity = {"cpu": "1M", "memory": "4Pi", "storage": "100Pi"}
    return {**cluster(2), "cluster_capacity": capacity, "cluster_delivery": "live", "cluster_kubeconfig": kubeconfig}


def name_of(index: int) -> str:
    """A cluster."""
    return f"cluster-{index:03d}"


def tenant(index: int, environments: int, live: bool = False) -> Variables:
    """@param live: only production in one security domain, without repositories, all on the first cluster."""
    name = f"tenant-{index:05d}"
    stages = ("prod",) if live else _STAGES
    gitops = {"gitops": {"url": f"https://git.example.com/{name}/app.git", "path": "./deploy/{environment}"}}
    return {
        "id": name,
        "display_name": f"Tenant {index}",
        "contacts": {"owner": f"head@{name}.example", "technical": [f"ops@{name}.example"]},
        "owners": [{"kind": "Group", "name": f"{name}-leads"}],
        "billing": {"cost_center": f"CC-{index:05d}", "budget_month": 100000},
        "budget": {"hard": {"requests.cpu": "64", "requests.memory": "256Gi"}},
        "projects": [
            {
                "id": "app",
                "owners": [{"kind": "Group", "name": f"{name}-app"}],
                "role_bindings": [
                    {"cluster_role": "tenant-viewer", "subjects": [{"kind": "Group", "name": "auditors"}]}
                ],
                "classification": {"security_domain": _DOMAINS[0 if live else index % 2]},
                **({} if live else gitops),
                "environments": [
                    {
                        "name": stage if turn == 0 else f"{stage}-{turn}",
                        "stage": stage,
                        "size": ("small", "medium")[(index + turn) % 2],
                        "network": {"egress": [{"cidr": "10.20.0.0/16", "ports": [5432]}]},
                        **({"placement": {"clusters": [name_of(0)]}} if live else {}),
                    }
                    for turn, stage in ((n // len(stages), stages[n % len(stages)]) for n in range(environments))
                ],
            }
        ],
    }


def organisation(
    clusters: int, tenants: int, environments: int, kubeconfig: str = ""
) -> tuple[Variables, dict[str, Variables], dict[str, Variables]]:
    """Settings, tenants by variable, and clusters by name.

    @param environments: in all; they are spread evenly over the tenants.
    @param kubeconfig: when it is given, there is one cluster, with live delivery.
    """
    each, live = environments // tenants, bool(kubeconfig)
    return (
        settings(),
        {f"tenant__tenant_{i:05d}": tenant(i, each, live) for i in range(tenants)},
        {name_of(i): live_cluster(kubeconfig) if live else cluster(i) for i in range(1 if live else clusters)},
    )


def write(root: Path, clusters: int, tenants: int, environments: int, kubeconfig: str = "") -> None:
    """The same as an inventory folder."""
    fleet, people, machines = organisation(clusters, tenants, environments, kubeconfig)
    files = {"group_vars/all/fleet.yml": fleet}
    files["hosts.yml"] = {
        "all": {"children": {"clusters": {"hosts": {name: {"ansible_connection": "local"} for name in machines}}}}
    }
    files |= {f"group_vars/all/tenants/{value['id']}.yml": {key: value} for key, value in people.items()}
    files |= {f"host_vars/{name}.yml": value for name, value in machines.items()}
    for name, value in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.dump(value, sort_keys=False, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))
