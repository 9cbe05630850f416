# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An environment as a whole."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster, Settings
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster_roles import cluster_role_objects
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.environment import environment_objects
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.policies import policy_objects

from ...tools.schemas import problems
from .conftest import Make, make_cluster

DOMAIN = "self-provisioning.internal"
PRUNE = "kustomize.toolkit.fluxcd.io/prune"

FULL: dict[str, Any] = {
    "quota": {"requests.cpu": "4", "limits.memory": "8Gi", "requests.storage": "1Ti"},
    "resource_quota": {"scoped": [{"name": "batch", "hard": {"pods": 5}, "scopes": ["Terminating"]}]},
    "limit_range": {"limits": [{"type": "Container", "default": {"cpu": "1"}}]},
    "allowed": {"registries": ["registry.example.edu"], "storage_classes": ["cephfs"], "cluster_roles": ["view"]},
    "role_bindings": [{"cluster_role": "view", "subjects": [{"kind": "Group", "name": "auditors"}]}],
    "network": {
        "allow_from": [{"tenant": "physics", "project": "portal"}],
        "egress": [{"cidr": "10.20.0.0/16", "ports": [5432], "reason": "database"}],
    },
    "pod_disruption_budget": {"maxUnavailable": 1},
    "gitops": {"url": "https://git.example.edu/physics/lab.git"},
    "contacts": {"owner": "head@physics.example.edu"},
}


@pytest.fixture
def full(make: Make, settings: Settings) -> list[dict[str, Any]]:
    return environment_objects(make(**FULL), make_cluster(storage_classes=["cephfs", "rbd"]), settings)


def test_walls_come_before_doors(full: list[dict[str, Any]]) -> None:
    kinds = [each["kind"] for each in full]
    assert list(dict.fromkeys(kinds)) == [
        "Namespace",
        "ConfigMap",
        "ResourceQuota",
        "LimitRange",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "ServiceAccount",
        "RoleBinding",
        "GitRepository",
        "Kustomization",
    ]
    assert kinds.count("LimitRange") == 1


def test_every_object_says_whose_it_is(full: list[dict[str, Any]]) -> None:
    expected = {
        "app.kubernetes.io/managed-by": "self-provisioning",
        f"{DOMAIN}/tenant": "physics",
        f"{DOMAIN}/project": "lab",
        f"{DOMAIN}/environment": "prod",
    }
    for each in full:
        metadata = each["metadata"]
        assert expected.items() <= metadata["labels"].items(), each["kind"]
        assert metadata["annotations"][f"{DOMAIN}/source"] == "tenant__physics", each["kind"]
        if each["kind"] != "Namespace":
            assert metadata["namespace"] == "physics-lab-prod"
    names = [(each["kind"], each["metadata"]["name"]) for each in full]
    assert len(set(names)) == len(names)


WALLS = {
    ("Namespace", "physics-lab-prod"),
    ("ConfigMap", "self-provisioning-policy"),
    ("ResourceQuota", "tenant-quota"),
    ("LimitRange", "tenant-limits"),
    *(
        ("NetworkPolicy", name)
        for name in (
            "default-deny",
            "allow-dns",
            "allow-same-namespace",
            "allow-platform",
            "declared-ingress",
            "declared-egress",
        )
    ),
}


@pytest.mark.parametrize(("policy", "kept"), [("retain", WALLS), ("archive", WALLS), ("delete", set())])
def test_a_namespace_that_stays_keeps_its_walls(
    make: Make, cluster: Cluster, settings: Settings, policy: str, kept: set[tuple[str, str]]
) -> None:
    """And nothing else stays: rights, Flux objects and further quotas go with the declaration."""
    objects = environment_objects(make(**FULL, deletion_policy=policy), cluster, settings)
    disabled = {
        (each["kind"], each["metadata"]["name"])
        for each in objects
        if each["metadata"]["annotations"].get(PRUNE) == "disabled"
    }
    assert disabled == kept


def test_walls_are_always_there(make: Make, cluster: Cluster, settings: Settings) -> None:
    """Flux never removes a wall, so one that could be withdrawn would stay. The LimitRange only gives defaults."""
    bare = {(e["kind"], e["metadata"]["name"]) for e in environment_objects(make(quota={}), cluster, settings)}
    assert WALLS - bare == {("LimitRange", "tenant-limits")}


def test_the_same_twice_and_nothing_shared(make: Make, settings: Settings) -> None:
    """Byte for byte the same, and without the aliases that YAML writes for shared parts."""
    environment, cluster = make(**copy.deepcopy(FULL)), make_cluster(storage_classes=["cephfs", "rbd"])
    before = copy.deepcopy(environment.values)
    first, second = (yaml.safe_dump_all(environment_objects(environment, cluster, settings)) for _unused in range(2))
    assert first == second
    assert "&id" not in first
    assert environment.values == before


def test_disruption_budget(make: Make, cluster: Cluster, settings: Settings) -> None:
    def found(spec: dict[str, Any] | None) -> list[dict[str, Any]]:
        objects = environment_objects(make(pod_disruption_budget=spec), cluster, settings)
        return [each["spec"] for each in objects if each["kind"] == "PodDisruptionBudget"]

    assert found(None) == []
    assert found({"minAvailable": "50%"}) == [{"selector": {}, "minAvailable": "50%"}]
    selector = {"matchLabels": {"app": "x"}}
    assert found({"minAvailable": 1, "selector": selector}) == [{"selector": selector, "minAvailable": 1}]


@pytest.mark.parametrize("line", ["1.30", "1.35"])
def test_kubernetes_knows_every_field(full: list[dict[str, Any]], settings: Settings, line: str) -> None:
    """Strict: unknown fields count. Kinds of Flux and MetalLB are checked in tests/integration."""
    objects = [*full, *cluster_role_objects(settings), *policy_objects(settings, line)]
    assert problems([each for each in objects if "fluxcd" not in each["apiVersion"]], line) == []


@pytest.mark.parametrize("values", [{}, {"state": "archived"}, {"quota": {}, "owners": [], "gitops": None}])
def test_kubernetes_knows_every_field_of_other_environments(
    make: Make, cluster: Cluster, settings: Settings, values: dict[str, Any]
) -> None:
    assert problems(environment_objects(make(**values), cluster, settings), "1.30") == []
