# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live delivery when parts of the cluster behind the API server are away or stuck: the message names which."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ..control_plane.cluster import ControlPlane
from .live_cluster import Live, Object, assert_converged, failed, many, objects_of, prepare, rows, tenant, wait_for


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with ControlPlane() as plane:
        yield prepare(plane)


def _made(live: Live, accounts: str) -> str:
    body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "x"}}
    return str(live.plane.admin.request("POST", f"{accounts}?dryRun=All", body)[1].get("message"))


COUNTED = {"name": "e0", "resource_quota": {"hard": {"count/serviceaccounts": "9"}}}


@pytest.mark.slow
def test_a_dead_controller_manager_is_named(live: Live) -> None:
    """Nobody counts quotas: what a quota counts cannot be made, and wait does not end."""
    manager = live.plane.component("kube-controller-manager")
    objects = objects_of(tenant("uncounted", COUNTED, {"name": "e1"}))
    accounts = "/api/v1/namespaces/uncounted-lab-e0/serviceaccounts"
    manager.kill()
    try:
        (uncounted,) = {row["reason"] for row in failed(live.run(objects, wait=True, wait_timeout=2))}
        for each in ("ci-deployer", "flux-reconciler"):
            live.send("DELETE", f"{accounts}/{each}")
        # it died half-way
        half = {"status": {"hard": {"count/serviceaccounts": "9"}}}
        live.edit("/api/v1/namespaces/uncounted-lab-e0/resourcequotas/tenant-quota/status", half)
        wait_for(lambda: "status unknown" in _made(live, accounts), "the API server knows it")
        start = time.monotonic()
        refused = failed(live.run(objects, patience=6, parallel=1))
        assert time.monotonic() - start < 12, "it waited for each of them"
    finally:
        manager.start()
    assert "not counted yet" in uncounted
    assert [row["kind"] for row in refused] == ["ServiceAccount", "ServiceAccount"]
    reasons = [row["reason"] for row in refused]
    assert all("status unknown for quota" in reason for reason in reasons)
    assert all("Check that kube-controller-manager runs" in reason for reason in (uncounted, *reasons))
    assert not live.run(objects, wait=True)["failed"]
    assert_converged(live, objects)


@pytest.fixture
def dead_api(live: Live) -> Iterator[None]:
    """An aggregated API whose server is away, as with metrics-server on a bad day."""
    live.make(
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.example.com"},
            "spec": {
                "group": "metrics.example.com", "version": "v1beta1",
                "groupPriorityMinimum": 100, "versionPriority": 100,
                "insecureSkipTLSVerify": True, "service": {"name": "nobody", "namespace": "default"},
            },
        }
    )  # fmt: skip
    yield
    path = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.example.com"
    if live.read(path):
        live.send("DELETE", path)


@pytest.mark.usefixtures("dead_api")
def test_a_dead_aggregated_api_disturbs_nobody(live: Live) -> None:
    _as_if_nothing_were(live, many("aggregated", 2))


@pytest.mark.slow
@pytest.mark.usefixtures("dead_api")
def test_a_dead_aggregated_api_that_holds_up_a_deletion_is_named(live: Live) -> None:
    leaving = objects_of(tenant("leaving", {"name": "e0", "deletion_policy": "delete"}))
    live.run(leaving)
    how = {"prune": True, "tenants": ["leaving"], "confirm_deletion": ["leaving-lab-e0"], "wait": True}
    wait_for(
        lambda: "metrics.example.com" in str(live.read("/apis/metrics.example.com/v1beta1") or "") or _dead(live),
        "the API is known to be dead",
    )
    result = live.run([], **how, wait_timeout=15)
    (row,) = [row for row in result["objects"] if row["action"] == "failed"]
    assert "not done after 15 s: the namespace is still there" in row["reason"]
    assert "metrics.example.com/v1beta1" in row["reason"]
    live.send("DELETE", "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.example.com")
    wait_for(lambda: live.read("/api/v1/namespaces/leaving-lab-e0") is None, "the namespace is gone")
    assert not live.run([], **how)["failed"]


def _dead(live: Live) -> bool:
    found = live.read("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.example.com") or {}
    return any(c["type"] == "Available" and c["status"] == "False" for c in found["status"].get("conditions", ()))


def _as_if_nothing_were(live: Live, objects: list[Object]) -> None:
    assert live.run(objects)["summary"] == {
        "created": len(objects),
        "updated": 0,
        "unchanged": 0,
        "deleted": 0,
        "failed": 0,
    }
    assert_converged(live, objects)


def test_a_namespace_stuck_while_terminating(live: Live) -> None:
    objects = many("stuck", 2)
    live.run(objects)
    path = "/api/v1/namespaces/stuck-lab-e0"
    held = {"name": "held", "namespace": "stuck-lab-e0", "finalizers": ["example.com/hold"]}
    live.make({"apiVersion": "v1", "kind": "ConfigMap", "metadata": held})
    live.send("DELETE", path)
    wait_for(lambda: "example.com/hold" in str(live.read(path)["status"].get("conditions")), "it is stuck")
    live.edit("/api/v1/namespaces/stuck-lab-e1/resourcequotas/tenant-quota", {"spec": {"hard": {"pods": "3"}}})
    result = live.run(objects)
    assert ("Namespace", "stuck-lab-e0", "failed") in rows(result)
    reason = next(row["reason"] for row in result["objects"] if row["kind"] == "Namespace")
    assert "it is being deleted since" in reason
    assert "example.com/hold" in reason
    assert ("ResourceQuota", "tenant-quota", "updated") in rows(result), "the other namespace was not repaired"
    live.edit("/api/v1/namespaces/stuck-lab-e0/configmaps/held", {"metadata": {"finalizers": None}})
    wait_for(lambda: live.read(path) is None, "the namespace is gone")
    assert not live.run(objects)["failed"]
    assert_converged(live, objects)
