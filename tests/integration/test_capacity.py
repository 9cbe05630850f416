# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machines of a real cluster offer to tenants, measured and used for placement."""

from __future__ import annotations

import json
import re
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.access import Access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.quantity import parse
from ansible_collections.k8s.self_provisioning.plugins.module_utils._observe.capacity import measure, requested

from ..control_plane.cluster import ControlPlane
from .playbooks import play, tasks

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


def inventory(root: Path, **clusters: dict[str, Any]) -> Path:
    """An inventory with one tenant who asks for 200 CPUs."""
    common = {
        "cluster_environment": "dev",
        "cluster_security_domain": "internal_only",
        "cluster_sla_tier": "tier_3_standard",
    }
    hosts = {name: {**common, **values} for name, values in clusters.items()}
    tenant = {
        "id": "big",
        "owners": [{"kind": "Group", "name": "big"}],
        "projects": [
            {"id": "lab", "environments": [{"name": "dev", "resource_quota": {"hard": {"requests.cpu": "200"}}}]}
        ],
    }
    (root / "group_vars" / "all" / "tenants").mkdir(parents=True)
    (root / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": {"clusters": {"hosts": hosts}}}}))
    (root / "group_vars" / "all" / "tenants" / "big.yml").write_text(json.dumps({"tenant__big": tenant}))
    return root


@pytest.fixture
def reader(measured: ControlPlane) -> dict[str, Any]:
    """A cluster that can be measured."""
    return {"cluster_kubeconfig": str(measured.kubeconfig_for("reader", ["system:masters"]))}


@pytest.mark.parametrize(("verb", "limit"), [("plan", []), ("tenants", ["--limit", "two"])])
def test_clusters_that_declare_nothing_are_placed_by_what_they_have(
    reader: dict[str, Any], verb: str, limit: list[str], tmp_path: Path
) -> None:
    """Those outside the limit too: a placement looks at all clusters."""
    root = inventory(tmp_path / "inventory", one=reader, two=reader, three={"cluster_capacity": {"cpu": "10"}})
    run = play(verb, *limit, inventory=root, tenants_tree=str(tmp_path / "tree"))
    assert run.code != 0
    for name, free in (("one", 126), ("two", 126), ("three", 10)):
        assert re.search(rf"{name}.*requests\.cpu: 200 asked, {free} of {free} free", run.out), run.out
    assert run.out.count("TASK [k8s.self_provisioning.tenants : Measure clusters") == 1


@pytest.mark.slow
def test_those_that_cannot_be_reached_are_a_warning_each_and_cost_one_wait(
    reader: dict[str, Any], tmp_path: Path
) -> None:
    with socket.socket() as silent:
        # it takes connections, and says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        away = {"server": f"https://127.0.0.1:{silent.getsockname()[1]}", "insecure-skip-tls-verify": True}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": away}],
            "users": [{"name": "u", "user": {"token": "t"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
        }
        (tmp_path / "silent.conf").write_text(yaml.safe_dump(config))
        gone = {f"gone-{n}": {"cluster_kubeconfig": str(tmp_path / "silent.conf")} for n in range(20)}
        gone["missing"] = {"cluster_kubeconfig": str(tmp_path / "missing.conf")}
        root = inventory(tmp_path / "inventory", one=reader, **gone)
        start = time.monotonic()
        run = play("plan", inventory=root, tenants_tree=str(tmp_path / "tree"))
    assert time.monotonic() - start < 60, "they are waited for at the same time"
    assert run.code == 0, run.out
    for name in gone:
        assert run.out.count(f"The capacity of {name} is not known") == 1, run.out
    assert "The capacity of one" not in run.out


@pytest.mark.slow
def test_all_that_is_declared_is_not_measured(tmp_path: Path) -> None:
    declared = {"cluster_capacity": {"cpu": "300"}, "cluster_kubeconfig": str(tmp_path / "missing.conf")}
    root = inventory(tmp_path / "inventory", one=declared, two={})
    run = play("plan", inventory=root, tenants_tree=str(tmp_path / "tree"))
    assert run.code == 0, run.out
    assert "skipping: [localhost]" in run.out
    assert "Measure clusters" not in run.out
    assert "is not known" not in run.out


@pytest.mark.slow
def test_one_that_has_to_be_measured_and_cannot_be_is_a_failure(
    measured: ControlPlane, reader: dict[str, Any], tmp_path: Path
) -> None:
    gone = {"cluster_kubeconfig": str(tmp_path / "missing.conf")}
    weak = {"cluster_kubeconfig": str(measured.kubeconfig_for("weak", [])), "cluster_capacity": {}}
    root = inventory(
        tmp_path / "inventory", one=reader, gone=gone, weak=weak, declared={**reader, "cluster_capacity": {}}
    )
    task = "k8s.self_provisioning.capacity_info"
    wanted: list[dict[str, object]] = [
        {task: {"cluster": "one"}},
        {task: {"cluster": "declared"}},
        {task: {}},
        {task: {"fail": False}},
        {task: {"cluster": "on"}},
        {task: {"cluster": "weak"}},
    ]
    results, _run = tasks(tmp_path, wanted, inventory=root)
    found = {"capacity": {"cpu": "126", "memory": "998Gi", "requests.nvidia.com/gpu": "8"}, "machines": 2}
    assert results[0]["clusters"] == {"one": found}
    assert results[1]["clusters"] == {"declared": found}, "asked for by name"
    assert "gone: kubeconfig " in results[2]["msg"]
    assert results[3]["clusters"] == {"one": found}
    assert "there is no cluster 'on'. Did you mean 'one'?" in results[4]["msg"]
    assert 'User "weak" cannot list resource "nodes"' in results[5]["msg"]
    assert "Declare cluster_capacity, or use an identity that may list nodes" in results[5]["msg"]


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
