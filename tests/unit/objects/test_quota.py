# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ResourceQuotas and the LimitRange."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster, Settings
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.limits import build_limit_range
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.quota import build_quotas

from .conftest import Make, make_cluster

CLASS = "storageclass.storage.k8s.io"


def test_the_quota_says_what_the_model_says(make: Make, cluster: Cluster, settings: Settings) -> None:
    quota = {"requests.cpu": "0.5", "requests.memory": "2048Mi", "requests.nvidia.com/gpu": "2", "count/secrets": "100"}
    (found,) = build_quotas(make(quota=quota), cluster, settings)
    assert found["metadata"]["name"] == "tenant-quota"
    assert found["spec"] == {
        "hard": {
            "count/secrets": "100",
            "requests.cpu": "500m",
            "requests.memory": "2Gi",
            "requests.nvidia.com/gpu": "2",
        }
    }


@pytest.mark.parametrize(
    ("allowed", "zeros"),
    [
        (None, []),
        ([], ["cephfs", "nfs", "rbd"]),
        (["cephfs"], ["nfs", "rbd"]),
        (["cephfs", "elsewhere"], ["nfs", "rbd"]),
    ],
)
def test_storage_classes_that_are_not_allowed_get_zero(
    make: Make, settings: Settings, allowed: list[str] | None, zeros: list[str]
) -> None:
    """A class that a quota does not name is unlimited."""
    cluster = make_cluster(storage_classes=["rbd", "cephfs", "nfs"])
    key = f"rbd.{CLASS}/requests.storage"
    values = {"allowed": {} if allowed is None else {"storage_classes": allowed}}
    (found,) = build_quotas(make(quota={key: "5Gi"}, **values), cluster, settings)
    expected = {} if "rbd" in zeros else {key: "5Gi"}
    for name in zeros:
        expected.update({f"{name}.{CLASS}/requests.storage": "0", f"{name}.{CLASS}/persistentvolumeclaims": "0"})
    assert found["spec"]["hard"] == expected


def test_scoped_quotas(make: Make, cluster: Cluster, settings: Settings) -> None:
    selector = {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["low"]}]}
    scoped = [
        {"name": "batch", "hard": {"pods": 50, "cpu": "4"}, "scopeSelector": selector},
        {"name": "short", "hard": {"pods": "5"}, "scopes": ["Terminating"]},
    ]
    _unused, batch, short = build_quotas(make(resource_quota={"scoped": scoped}), cluster, settings)
    assert batch["metadata"]["name"] == "tenant-quota-batch"
    assert batch["spec"] == {"hard": {"pods": "50", "requests.cpu": "4"}, "scopeSelector": selector}
    assert short["spec"] == {"hard": {"pods": "5"}, "scopes": ["Terminating"]}


def item(**parts: dict[str, str]) -> dict[str, Any]:
    return {"type": "Container", **parts}


CLAIM = {"type": "PersistentVolumeClaim", "max": {"storage": "10Gi"}}


@pytest.mark.parametrize(
    ("quota", "declared", "expected"),
    [
        pytest.param({"pods": "5"}, [], None, id="nothing needs a default"),
        pytest.param({"pods": "5"}, [CLAIM], [CLAIM], id="only what is declared"),
        pytest.param({"requests.cpu": "4"}, [], [item(defaultRequest={"cpu": "100m"})], id="requests"),
        pytest.param(
            {"limits.memory": "4Gi"},
            [],
            [item(default={"memory": "512Mi"}, defaultRequest={"memory": "128Mi"})],
            id="limits",
        ),
        pytest.param(
            {"requests.ephemeral-storage": "4Gi"},
            [CLAIM],
            [item(defaultRequest={"ephemeral-storage": "256Mi"}), CLAIM],
            id="besides another type",
        ),
        pytest.param(
            {"requests.cpu": "4", "limits.cpu": "8"},
            [item(default={"cpu": "2"}, defaultRequest={"cpu": "1"})],
            [item(default={"cpu": "2"}, defaultRequest={"cpu": "1"})],
            id="declared defaults stay",
        ),
        pytest.param(
            {"requests.memory": "4Gi"},
            [item(default={"memory": "64Mi"})],
            [item(default={"memory": "64Mi"}, defaultRequest={"memory": "64Mi"})],
            id="a request is not above its limit",
        ),
        pytest.param(
            {"requests.memory": "4Gi"},
            [item(max={"memory": "32Mi"})],
            [item(max={"memory": "32Mi"}, defaultRequest={"memory": "32Mi"})],
            id="nor above the maximum",
        ),
        pytest.param(
            {"requests.memory": "4Gi"},
            [item(min={"memory": "1Gi"})],
            [item(min={"memory": "1Gi"}, defaultRequest={"memory": "1Gi"})],
            id="nor below the minimum",
        ),
        pytest.param(
            {"limits.memory": "8Gi"},
            [item(defaultRequest={"memory": "2Gi"})],
            [item(default={"memory": "2Gi"}, defaultRequest={"memory": "2Gi"})],
            id="a limit is not below its request",
        ),
        pytest.param(
            {"limits.memory": "8Gi"},
            [item(max={"memory": "4Gi"})],
            [item(max={"memory": "4Gi"}, defaultRequest={"memory": "128Mi"})],
            id="a maximum is already a default",
        ),
        pytest.param({"requests.nvidia.com/gpu": "1"}, [], None, id="devices are asked for by name"),
    ],
)
def test_limit_range(
    make: Make,
    cluster: Cluster,
    settings: Settings,
    quota: dict[str, str],
    declared: list[dict[str, Any]],
    expected: list[dict[str, Any]] | None,
) -> None:
    """Whatever the quota counts has a default; else every pod that does not say what it needs would be refused."""
    found = build_limit_range(make(quota=quota, limit_range={"limits": declared}), cluster, settings)
    assert [each["spec"]["limits"] for each in found] == ([expected] if expected else [])


def test_a_scoped_quota_needs_defaults_too(make: Make, cluster: Cluster, settings: Settings) -> None:
    scoped = {"scoped": [{"name": "batch", "hard": {"limits.cpu": "4"}, "scopes": ["Terminating"]}]}
    (found,) = build_limit_range(make(quota={}, resource_quota=scoped), cluster, settings)
    assert found["spec"]["limits"] == [item(default={"cpu": "500m"}, defaultRequest={"cpu": "100m"})]


def test_the_declaration_is_not_changed(make: Make, cluster: Cluster, settings: Settings) -> None:
    declared = {"limits": [item(min={"cpu": "1m"})]}
    build_limit_range(make(quota={"limits.cpu": "1"}, limit_range=declared), cluster, settings)
    assert declared == {"limits": [item(min={"cpu": "1m"})]}
