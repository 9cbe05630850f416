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
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.metallb import peering_objects
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
    {"name": "nobody", "addresses": ["10.1.4.0/28"], "tenants": [], "priority": 3, "avoid_buggy_addresses": True},
    {"name": "near", "addresses": ["10.1.5.0/28"], "interfaces": ["eth1"], "node_labels": {"rack": "a"}},
    {
        "name": "far", "addresses": ["198.51.100.0/28"], "advertise": "bgp", "peers": ["tor"], "local_preference": 90,
        "communities": ["no-export", "64500:7"], "aggregation_length": 28, "aggregation_length_v6": 64,
    },
]  # fmt: skip
BGP = {
    "asn": 64512,
    "peers": [
        {
            "name": "tor", "address": "10.1.0.1", "asn": 64500, "port": 1179, "hold_time": "90s", "multi_hop": True,
            "source_address": "10.1.0.9", "graceful_restart": True, "password_secret": "tor", "bfd_profile": "fast",
            "node_labels": {"rack": "a"},
        },
    ],
    "communities": {"no-export": "65535:65281"},
    "bfd_profiles": {"fast": {"receiveInterval": 300, "transmitInterval": 300, "detectMultiplier": 3}},
}  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_every_field_is_known(line: str) -> None:
    """Strict: a field that the kind does not have is an error."""
    fleet = compiled()
    settings = Settings.of({**SETTINGS, "fleet_services": SERVICES})
    values = {
        **fleet.clusters[CLUSTER].values,
        "cluster_release_line": line,
        "cluster_services": {"vault": {"values": {"ui": {"enabled": True}}}, "metallb": {}},
        "cluster_network": {"load_balancer_pools": POOLS, "bgp": BGP},
    }
    cluster = Cluster.of(CLUSTER, values, settings)
    objects = [
        *(each for environment in fleet.environments for each in environment_objects(environment, cluster, settings)),
        *cluster_objects(cluster, fleet.environments, settings),
        *peering_objects(cluster, settings),
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
        "L2Advertisement",
        "BGPAdvertisement",
        "BGPPeer",
        "BFDProfile",
        "Community",
    }
