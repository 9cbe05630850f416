# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of every kind against the schemas of the release lines: Kubernetes, Flux and MetalLB."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster, Settings
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster import cluster_objects
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster_roles import cluster_role_objects
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.environment import environment_objects
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.flux_cluster import (
    app_kustomizations,
    cluster_kustomizations,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.platform import platform_objects
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.policies import policy_objects

from ..tools.schemas import LINES, problems
from .governed import CLUSTER, SETTINGS, compiled

SERVICES: dict[str, Any] = {
    "vault": {"repository": "https://charts.example.com", "versions": {"1.30": "0.30.0"}, "depends_on": ["metallb"]},
    "metallb": {"repository": "oci://registry.example.com/charts/metallb", "pod_security": "privileged"},
}
POOLS = [
    {"name": "everybody", "addresses": ["10.1.2.0/28"]},
    {"name": "exams", "addresses": ["10.1.3.10-10.1.3.20"], "tenants": ["physics"], "auto_assign": False},
    {"name": "nobody", "addresses": ["10.1.4.0/28"], "tenants": []},
]


@pytest.mark.parametrize("line", LINES)
def test_every_field_is_known(line: str) -> None:
    """Strict: a field that the kind does not have is an error."""
    fleet = compiled()
    settings = Settings.of({**SETTINGS, "fleet_services": SERVICES})
    values = {
        **fleet.clusters[CLUSTER].values,
        "cluster_release_line": line,
        "cluster_services": {"vault": {"values": {"ui": {"enabled": True}}}, "metallb": {}},
        "cluster_network": {"load_balancer_pools": POOLS},
    }
    cluster = Cluster.of(CLUSTER, values, settings)
    objects = [
        *(each for environment in fleet.environments for each in environment_objects(environment, cluster, settings)),
        *cluster_objects(cluster, fleet.environments, settings),
        *cluster_kustomizations(cluster, fleet.tenants, settings, True, ["portal"]),
        *app_kustomizations(cluster, ["portal"], settings),
        *(each for objects in platform_objects(cluster, settings).values() for each in objects),
        *policy_objects(settings, line),
        *cluster_role_objects(settings),
    ]
    assert problems(objects, line) == []
    kinds = {each["kind"] for each in objects}
    assert kinds >= {
        "HelmRelease",
        "HelmRepository",
        "OCIRepository",
        "GitRepository",
        "Kustomization",
        "IPAddressPool",
    }
