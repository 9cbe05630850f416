# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machines of a real cluster offer to tenants, measured and used for placement."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.access import Access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.quantity import parse
from ansible_collections.k8s.self_provisioning.plugins.module_utils._observe.capacity import measure, requested

from ..control_plane.cluster import ControlPlane
from .playbooks import play

DOMAIN = "self-provisioning.internal"
NODES = {
    "cp": ({"cpu": "8", "memory": "16Gi"}, [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]),
    "w1": ({"cpu": "63500m", "memory": "500Gi", "pods": "110"}, []),
    "w2": (
        {"cpu": "64", "memory": "500Gi", "nvidia.com/gpu": "8"},
        [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}],
    ),
}


def send(plane: ControlPlane, method: str, path: str, body: Any) -> None:
    status, answer = plane.admin.request(method, path, body)
    assert status in (200, 201, 409), answer


@pytest.fixture(scope="module")
def measured(control_plane: ControlPlane) -> ControlPlane:
    """Machines without a kubelet, and pods that the platform and a tenant run on them."""
    for name, (allocatable, taints) in NODES.items():
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {"taints": taints}}
        send(control_plane, "POST", "/api/v1/nodes", node)
        node["status"] = {"allocatable": allocatable, "capacity": allocatable}
        _status, live = control_plane.admin.request("GET", f"/api/v1/nodes/{name}")
        live["status"] = node["status"]
        live["metadata"].pop("resourceVersion")  # the controllers write to it as well
        send(control_plane, "PUT", f"/api/v1/nodes/{name}/status", live)
    for namespace, labels in (("platform-x", {}), ("tenant-x", {f"{DOMAIN}/tenant": "x"})):
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}
        send(control_plane, "POST", "/api/v1/namespaces", body)
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        send(control_plane, "POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", account)
        for node in ("w1", "cp"):
            pod = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": f"on-{node}"},
                "spec": {
                    "nodeName": node,
                    "automountServiceAccountToken": False,
                    "containers": [
                        {"name": "c", "image": "i", "resources": {"requests": {"cpu": "1500m", "memory": "2Gi"}}}
                    ],
                },
            }
            send(control_plane, "POST", f"/api/v1/namespaces/{namespace}/pods", pod)
    return control_plane


def test_the_platforms_share_is_taken_off_and_the_tenants_is_not(measured: ControlPlane) -> None:
    access = Access(kubeconfig=str(measured.kubeconfig_for("reader", ["system:masters"])))
    with Session.open(access) as session:
        found, machines = measure(session, f"{DOMAIN}/tenant")
    assert machines == 2, "the control plane takes no pods"
    assert found == {"cpu": "126", "memory": "998Gi", "requests.nvidia.com/gpu": "8"}


def inventory(root: Path, kubeconfig: Path) -> Path:
    cluster = {
        "cluster_environment": "dev",
        "cluster_security_domain": "internal_only",
        "cluster_sla_tier": "tier_3_standard",
        "cluster_delivery": "live",
        "cluster_kubeconfig": str(kubeconfig),
    }
    tenant = {
        "id": "big",
        "owners": [{"kind": "Group", "name": "big"}],
        "projects": [
            {"id": "lab", "environments": [{"name": "dev", "resource_quota": {"hard": {"requests.cpu": "200"}}}]}
        ],
    }
    (root / "group_vars" / "all" / "tenants").mkdir(parents=True)
    (root / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": {"clusters": {"hosts": {"one": cluster}}}}}))
    (root / "group_vars" / "all" / "tenants" / "big.yml").write_text(json.dumps({"tenant__big": tenant}))
    return root


def test_a_cluster_that_declares_nothing_is_placed_by_what_it_has(measured: ControlPlane, tmp_path: Path) -> None:
    root = inventory(tmp_path / "inventory", measured.kubeconfig_for("reader", ["system:masters"]))
    run = play("plan", inventory=root, tenants_tree=str(tmp_path / "tree"))
    assert run.code != 0
    assert "requests.cpu: 200 asked, 126 of 126 free" in run.out


def test_one_that_cannot_be_reached_is_a_warning(tmp_path: Path) -> None:
    root = inventory(tmp_path / "inventory", tmp_path / "missing.conf")
    run = play("plan", inventory=root, tenants_tree=str(tmp_path / "tree"))
    assert "The capacity of one is not known" in run.out
    assert run.code == 0, run.out


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        ({"containers": []}, "0"),
        (
            {"containers": [{"resources": {"requests": {"cpu": "1"}}}, {"resources": {"requests": {"cpu": "500m"}}}]},
            "1500m",
        ),
        (
            {
                "containers": [{"resources": {"requests": {"cpu": "1"}}}],
                "initContainers": [{"resources": {"requests": {"cpu": "3"}}}],
            },
            "3",
        ),
        (
            {
                "containers": [{"resources": {"requests": {"cpu": "1"}}}],
                "initContainers": [{"restartPolicy": "Always", "resources": {"requests": {"cpu": "2"}}}],
                "overhead": {"cpu": "250m"},
            },
            "3250m",
        ),
    ],
)
def test_a_pod_asks_for_what_the_scheduler_counts(spec: dict[str, Any], cpu: str) -> None:
    assert requested(spec).get("cpu", parse(0)) == parse(cpu)
