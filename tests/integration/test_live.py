# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live delivery against a real API server: what a run does, and that check mode says just that."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.kinds import MANAGED
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.reconcile import Options, reconcile
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster_bundle import cluster_bundle
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import HOME_NAMESPACE, build

from ..control_plane.cluster import ControlPlane
from .live_cases import CASES, ENV, INSIDE, NS, labels, made_by_hand, ns, quota
from .live_cluster import (
    CLUSTER,
    DOMAIN,
    PROVISIONER,
    Live,
    Object,
    fleet_of,
    objects_of,
    prepare,
    rows,
    tenant,
    wait_for,
)


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with ControlPlane() as plane:
        yield prepare(plane)


RICH: Object = {
    "name": "rich",
    "gitops": {"url": "https://git.example.edu/lab.git"},
    "labels": {"team": "lab"},
    "resource_quota": {
        "hard": {"requests.storage": "51200Mi", "requests.cpu": "0.5", "count/services": "7"},
        "scoped": [{"name": "best-effort", "hard": {"pods": "4"}, "scopes": ["BestEffort"]}],
    },
    "limit_range": {"limits": [{"type": "Container", "max": {"memory": "2048Mi"}, "min": {"cpu": "10m"}}]},
    "pod_disruption_budget": {"maxUnavailable": 1},
    "network": {
        "allow_from": [{"tenant": "first", "project": "lab"}],
        "egress": [{"cidr": "10.20.0.0/16", "ports": [5432, "web"]}],
    },
    "role_bindings": [{"cluster_role": "tenant-viewer", "subjects": [{"kind": "Group", "name": "auditors"}]}],
    "allowed": {"registries": ["registry.example.edu"], "cluster_roles": ["tenant-viewer"]},
}


def everything(*tenants: Object) -> list[Object]:
    fleet = fleet_of(*tenants)
    return [build("v1", "Namespace", HOME_NAMESPACE), *cluster_bundle(fleet, CLUSTER)]


def test_a_second_run_writes_nothing_and_lists_each_kind_once(live: Live) -> None:
    objects = everything(tenant("first", RICH, {"name": "plain"}))
    first = live.run(objects, prune=True, tenants=["first"])
    # an administrator has brought the roles, and the provisioner's own namespace
    there = sum(each["kind"] == "ClusterRole" or each["metadata"]["name"] == HOME_NAMESPACE for each in objects)
    assert (first["summary"]["created"], first["summary"]["unchanged"]) == (len(objects) - there, there)
    again, asked = live.counted(lambda: live.run(objects, prune=True, tenants=["first"]))
    assert again["summary"]["unchanged"] == len(objects)
    assert (again["changed"], again["failed"], again["objects"]) == (False, False, [])
    served = len(MANAGED) - 3  # there is no MetalLB
    assert asked.pop("list") == served == again["requests"]["list"]
    assert set(asked) == {name for name in asked if name.startswith("list ")}, "something else than reading was asked"
    assert set(asked.values()) == {1}


def test_pages_are_read_to_the_end(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = objects_of(tenant("pages", *({"name": f"e{n}"} for n in range(4))))
    live.run(objects)
    monkeypatch.setattr(
        "ansible_collections.k8s.self_provisioning.plugins.module_utils._live.listing.pages.__kwdefaults__",
        {"selector": "app.kubernetes.io/managed-by=self-provisioning", "limit": 3},
    )
    again, asked = live.counted(lambda: live.run(objects))
    assert again["summary"]["unchanged"] == len(objects)
    assert asked["list networking.k8s.io/networkpolicies"] >= 8
    assert asked["patch"] == 0


def filled(value: Any, namespace: str) -> Any:
    if isinstance(value, str):
        return value.replace(NS, namespace)
    return [filled(each, namespace) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", CASES)
def test_check_mode_says_what_then_happens(live: Live, name: str) -> None:
    case = CASES[name]
    owner = f"t{list(CASES).index(name)}"
    namespace = f"{owner}-lab-prod"
    how: Object = {"prune": True, "tenants": [owner], "diff": True, "parallel": 4}
    how.update({key: filled(value, namespace) for key, value in case.how.items()})

    def declared(environment: Object | None) -> list[Object]:
        return objects_of(tenant(owner, environment)) if environment else []

    if case.before:
        assert not live.run(declared(case.before))["failed"]
    case.meddle(live, namespace)
    foretold, asked = live.counted(lambda: live.run(declared(case.after), check=True, **how))
    really = live.run(declared(case.after), **how)
    for key in ("summary", "objects", "diff", "notes", "changed", "failed"):
        assert foretold[key] == really[key], key
    expected = {tuple(filled(part, namespace) for part in row) for row in case.expect}
    assert rows(really) == expected
    assert (
        len(really["diff"])
        == really["summary"]["created"] + really["summary"]["updated"] + really["summary"]["deleted"]
    )
    assert case.reason in "\n".join(row["reason"] for row in really["objects"])
    assert case.finally_(live, namespace)
    again, asked = live.counted(lambda: live.run(declared(case.after), **how))
    if case.settles:
        assert not again["changed"]
        assert not asked["patch"] + asked["delete"] + asked["create"] + asked["update"]


def test_what_returns_is_as_before(live: Live) -> None:
    """A namespace that was left without declaration, archived even, is declared again."""
    objects = objects_of(tenant("returns", {**ENV, "deletion_policy": "archive"}))
    live.run(objects)
    live.run([], prune=True, tenants=["returns"])
    back = live.run(objects, prune=True, tenants=["returns"])
    assert not back["failed"]
    marks = labels(live, "returns-lab-prod")
    assert f"{DOMAIN}/orphaned" not in marks
    assert marks[f"{DOMAIN}/state"] == "active"
    assert not live.run(objects, prune=True, tenants=["returns"])["changed"]


def test_a_namespace_does_not_change_hands(live: Live) -> None:
    live.run(objects_of({**tenant("a"), "projects": [{"id": "b-c", "environments": [{"name": "x", "stage": "prod"}]}]}))
    other = {**tenant("a-b"), "projects": [{"id": "c", "environments": [{"name": "x", "stage": "prod"}]}]}
    result = live.run(objects_of(other))
    assert ("Namespace", "a-b-c-x", "failed") in rows(result)
    assert "belongs to the tenant 'a'" in str(result["objects"])
    assert result["summary"]["created"] == 0


def test_a_failure_stops_nobody_else(live: Live) -> None:
    """One namespace cannot be used, one object is refused: the rest is done, and each is named with the reason."""
    made_by_hand()(live, "bad-lab-taken")
    objects = objects_of(tenant("bad", {"name": "taken"}, {"name": "fine"}, {"name": "half"}))
    wrong = next(o for o in objects if o["kind"] == "LimitRange" and o["metadata"]["namespace"] == "bad-lab-half")
    wrong["spec"]["limits"][0]["tpye"] = "Container"
    result = live.run(objects)
    reasons = {
        (row["kind"], row["namespace"] or row["name"]): row["reason"]
        for row in result["objects"]
        if row["action"] == "failed"
    }
    assert set(reasons) == {("Namespace", "bad-lab-taken"), ("LimitRange", "bad-lab-half")}
    assert "tpye" in reasons["LimitRange", "bad-lab-half"]
    per = Counter(row["action"] for row in result["objects"] if row["namespace"] == "bad-lab-taken")
    assert per == {"skipped": len(INSIDE)}
    assert result["summary"]["created"] == 2 * len(INSIDE) + 1
    assert result["failed"] is True


def test_quotas_are_counted_and_hold(live: Live) -> None:
    small = {"name": "small", "resource_quota": {"hard": {"pods": "1"}}}
    assert not live.run(objects_of(tenant("quota", small)), wait=True)["failed"]
    namespace = "quota-lab-small"
    found = live.read(quota(namespace))
    assert found is not None
    assert found["status"]["hard"] == found["spec"]["hard"]
    wait_for(lambda: live.read(f"{ns(namespace)}/serviceaccounts/default"), "the namespace takes pods")
    container = {"name": "c", "image": "registry.example.edu/x:1"}
    pods = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{n}"}, "spec": {"containers": [container]}}
        for n in (1, 2)
    ]
    path = f"{ns(namespace)}/pods"
    assert live.plane.admin.request("POST", path, pods[0])[0] == 201
    status, answer = live.plane.admin.request("POST", path, pods[1])
    assert (status, "exceeded quota" in answer["message"]) == (403, True)


def test_two_runs_at_once(live: Live) -> None:
    objects = objects_of(tenant("twice", *({"name": f"e{n}"} for n in range(6))))
    results: list[Object] = []
    access = live.access()
    threads = [
        threading.Thread(target=lambda: results.append(live.run(objects, access=access))) for _unused in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result["failed"] for result in results] == [False, False]
    assert results[0]["summary"]["created"] + results[1]["summary"]["created"] == len(objects)
    again, asked = live.counted(lambda: live.run(objects))
    assert (again["changed"], asked["patch"]) == (False, 0)


def test_the_wrong_cluster_is_left_alone(live: Live) -> None:
    """Its own facts say who it is."""
    live.run(everything(tenant("first")), tenants=["nobody"])
    mark = live.plane.audit.mark()
    with pytest.raises(LiveError, match=r"it is the cluster 'east', not 'west'.*cluster_kubeconfig"):
        _run_as(live, "west")
    assert not [e for e in live.plane.audit_events(mark, user=PROVISIONER) if e["verb"] == "patch"]


def _run_as(live: Live, name: str) -> None:
    with Session.open(live.access()) as session:
        reconcile(session, objects_of(tenant("stray")), Options(), expect_cluster=name)


def test_what_the_cluster_does_not_serve_is_named(live: Live) -> None:
    pool = {"name": "research", "addresses": ["10.0.0.0/28"]}
    fleet = fleet_of(tenant("pool"), cluster_network={"load_balancer_pools": [pool]})
    result = live.run([build("v1", "Namespace", HOME_NAMESPACE), *cluster_bundle(fleet, CLUSTER)], tenants=["pool"])
    failed = [row for row in result["objects"] if row["action"] == "failed"]
    assert {row["kind"] for row in failed} == {"IPAddressPool", "L2Advertisement"}
    assert "does not serve IPAddressPool of metallb.io/v1beta1" in failed[0]["reason"]
