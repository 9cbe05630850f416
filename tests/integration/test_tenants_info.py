# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tenants_info tells about a real cluster: use, drift and who did it, what is missing, what is left."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.kinds import MANAGED
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster_bundle import cluster_bundle
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import HOME_NAMESPACE, build
from ansible_collections.k8s.self_provisioning.plugins.module_utils._observe.state import observe

from ..control_plane.cluster import ControlPlane
from .live_cluster import CLUSTER, CLUSTERS, DOMAIN, SETTINGS, Live, Object, fleet_of, prepare, tenant, wait_for
from .playbooks import ansible

PROD, DEV = "physics-lab-prod", "physics-lab-dev"
PHYSICS = tenant("physics", {"name": "prod"}, {"name": "dev"})
CHEM = tenant("chem")
OLD = tenant("old", {"name": "prod", "deletion_policy": "archive"})
FINE = {"drift": [], "missing": [], "orphans": [], "extras": [], "namespaces": [], "unreadable": []}


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with ControlPlane() as plane:
        yield prepare(plane)


def fleet_with(*tenants: Object) -> Fleet:
    return fleet_of(*tenants, cluster_delivery="live")


def everything(*tenants: Object) -> list[Object]:
    return [build("v1", "Namespace", HOME_NAMESPACE), *cluster_bundle(fleet_with(*tenants), CLUSTER)]


@pytest.fixture
def delivered(live: Live) -> Fleet:
    """Everything as declared, whatever the test before did."""
    for each in (live.read("/api/v1/namespaces") or {})["items"]:
        meta = each["metadata"]
        if f"{DOMAIN}/tenant" in meta.get("labels", {}):
            for plural in ("resourcequotas", "limitranges"):
                for item in (live.read(f"/api/v1/namespaces/{meta['name']}/{plural}") or {})["items"]:
                    if "app.kubernetes.io/managed-by" not in item["metadata"].get("labels", {}):
                        live.send("DELETE", f"/api/v1/namespaces/{meta['name']}/{plural}/{item['metadata']['name']}")
    result = live.run(everything(PHYSICS, CHEM), force_conflicts=True)
    assert result["failed"] is False, result
    for name in (PROD, DEV, "chem-lab-prod"):
        wait_for(lambda name=name: _counted(live, name), f"{name} is counted")  # type: ignore[misc]
    return fleet_with(PHYSICS, CHEM)


def _counted(live: Live, name: str) -> bool:
    quota = live.read(f"/api/v1/namespaces/{name}/resourcequotas/tenant-quota") or {}
    return set(quota.get("status", {}).get("used", {})) == set(quota["spec"]["hard"])


def look(live: Live, fleet: Fleet, **how: Any) -> Object:
    with Session.open(live.access()) as session:
        return observe(session, fleet, CLUSTER, **how)


def found(state: Object) -> Object:
    return {part: state[part] for part in FINE}


def test_it_only_lists_each_kind_once(live: Live, delivered: Fleet) -> None:
    state, asked = live.counted(lambda: look(live, delivered))
    assert (state["in_sync"], found(state)) == (True, FINE)
    served = len(MANAGED) - 3  # there is no MetalLB
    assert asked.pop("list") == served == state["requests"]["list"]
    assert set(asked.values()) == {1}
    assert all(name.startswith("list ") for name in asked)


def test_use_is_what_the_cluster_counts(live: Live, delivered: Fleet) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "eater", "namespace": DEV},
        "spec": {
            "containers": [
                {
                    "name": "eater",
                    "image": "registry.example.edu/x:1",
                    "resources": {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "2Gi"}},
                }
            ]
        },
    }
    path = f"/api/v1/namespaces/{DEV}/pods"
    params = {"labels": {"app.kubernetes.io/name": "eater"}}
    claim["metadata"].update(params)  # type: ignore[attr-defined]
    live.send("POST", path, claim)
    quota = f"/api/v1/namespaces/{DEV}/resourcequotas/tenant-quota"
    wait_for(lambda: (live.read(quota) or {})["status"]["used"]["pods"] == "1", "the pod is counted")
    use = look(live, delivered)["usage"]
    dev = use["environments"]["physics/lab/dev"]
    assert dev["quotas"]["tenant-quota"]["requests.cpu"] == {"hard": "4", "used": "1", "share": 0.25}
    assert (dev["counted"], dev["over"]) == (True, [])
    assert use["tenants"]["physics"]["environments"] == 2
    assert use["tenants"]["physics"]["resources"]["requests.memory"] == {"hard": "16Gi", "used": "2Gi", "share": 0.125}
    assert use["tenants"]["chem"]["resources"]["pods"] == {"hard": "20", "used": "0", "share": 0.0}
    live.edit(quota, {"spec": {"hard": {"requests.cpu": "500m"}}})
    wait_for(lambda: (live.read(quota) or {})["status"]["hard"]["requests.cpu"] == "500m", "the quota is lowered")
    assert look(live, delivered)["usage"]["environments"]["physics/lab/dev"]["over"] == ["requests.cpu"]
    live.send("DELETE", f"{path}/eater?gracePeriodSeconds=0")


@pytest.mark.parametrize(
    ("path", "edit", "field", "declared", "now"),
    [
        (f"/api/v1/namespaces/{PROD}/resourcequotas/tenant-quota", {"spec": {"hard": {"pods": "200"}}},
         ".spec.hard.pods", "20", "200"),
        (f"/api/v1/namespaces/{PROD}", {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}},
         ".metadata.labels.pod-security.kubernetes.io/enforce", "baseline", "privileged"),
        (f"/apis/networking.k8s.io/v1/namespaces/{PROD}/networkpolicies/default-deny",
         {"spec": {"podSelector": {"matchLabels": {"a": "b"}}}}, ".spec.podSelector", {}, {"matchLabels": {"a": "b"}}),
    ],
)  # fmt: skip
def test_drift_names_field_and_hand(
    live: Live, delivered: Fleet, path: str, edit: Object, field: str, declared: Any, now: Any
) -> None:
    live.edit(path, edit, who="somebody")
    state = look(live, delivered)
    assert state["in_sync"] is False
    (row,) = state["drift"]
    assert (row["name"], row["managed"]) == (path.rsplit("/", 1)[1], True)
    (told,) = row["fields"]
    assert (told["path"], told["declared"], told["live"]) == (field, declared, now)
    (hand,) = told["managers"]
    assert (hand["manager"], hand["operation"]) == ("somebody", "Update")
    assert hand["time"].endswith("Z")
    assert look(live, delivered, tenants=["chem"])["drift"] == []


def test_a_field_that_was_taken_away_names_the_last_hand(live: Live, delivered: Fleet) -> None:
    labels = {f"{DOMAIN}/state": None, "x": "y"}
    live.edit(f"/api/v1/namespaces/{PROD}", {"metadata": {"labels": labels}}, who="somebody")
    (row,) = look(live, delivered)["drift"]
    (told,) = row["fields"]
    assert (told["path"], told["live"], told["managers"]) == (f".metadata.labels.{DOMAIN}/state", None, [])
    assert told["last_writer"]["manager"] == "somebody"


def test_missing_and_orphaned_objects(live: Live, delivered: Fleet) -> None:
    live.run(everything(PHYSICS, CHEM, OLD))
    live.send("DELETE", f"/api/v1/namespaces/{DEV}/limitranges/tenant-limits")
    copied = build("v1", "ConfigMap", "copied", namespace=DEV, labels={f"{DOMAIN}/tenant": "physics"})
    live.make(copied)
    state = look(live, delivered)
    assert [(row["kind"], row["namespace"], row["why"]) for row in state["missing"]] == [("LimitRange", DEV, "")]
    mine = {(row["kind"], row["name"]) for row in state["orphans"] if row["tenant"] == "old" and row["applied_by_us"]}
    assert {("Namespace", "old-lab-prod"), ("ResourceQuota", "tenant-quota")} <= mine
    (home,) = [row for row in state["orphans"] if row["kind"] == "Namespace"]
    assert (home["deletion_policy"], home["marked"]) == ("archive", False)
    (strange,) = [row for row in state["orphans"] if row["tenant"] == "physics"]
    assert (strange["name"], strange["applied_by_us"]) == ("copied", False)
    assert [row["tenant"] for row in look(live, delivered, tenants=["physics"])["orphans"]] == ["physics"]
    live.send("DELETE", f"/api/v1/namespaces/{DEV}/configmaps/copied")
    live.run(everything(PHYSICS, CHEM), prune=True)
    (home,) = [row for row in look(live, delivered)["orphans"] if row["kind"] == "Namespace"]
    assert home["marked"] is True
    live.send("DELETE", "/api/v1/namespaces/old-lab-prod")
    wait_for(lambda: live.read("/api/v1/namespaces/old-lab-prod") is None, "the old namespace is gone")


def test_quotas_and_limits_of_others(live: Live, delivered: Fleet) -> None:
    for kind, name, spec in (
        ("ResourceQuota", "theirs", {"hard": {"pods": "3", "requests.cpu": "8", "count/jobs.batch": "1"}}),
        ("ResourceQuota", "scoped", {"hard": {"pods": "3"}, "scopes": ["BestEffort"]}),
        ("LimitRange", "theirs", {"limits": [{"type": "Container", "default": {"memory": "1Gi"}}]}),
        ("LimitRange", "harmless", {"limits": [{"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}]}),
    ):
        live.make({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": PROD}, "spec": spec})
    state = look(live, delivered)
    told = {(row["kind"], row["name"]): row["what"] for row in state["extras"]}
    assert told["ResourceQuota", "theirs"] == (
        "both hold, so in force is count/jobs.batch 1 instead of no limit, pods 3 instead of 20."
    )
    assert "counts some pods" in told["ResourceQuota", "scoped"]
    assert "arbitrary, for default.memory (1Gi or 512Mi)" in told["LimitRange", "theirs"]
    assert told["LimitRange", "harmless"] == "its bounds hold besides those of the inventory."
    assert state["in_sync"] is True, "others may add what they like"


@pytest.mark.usefixtures("delivered")
def test_a_namespace_that_is_stuck_says_why(live: Live) -> None:
    live.run(everything(PHYSICS, CHEM, OLD))
    holder = {"apiVersion": "v1", "kind": "ConfigMap"}
    live.make({**holder, "metadata": {"name": "held", "namespace": "old-lab-prod", "finalizers": ["example.com/hold"]}})
    live.send("DELETE", "/api/v1/namespaces/old-lab-prod")

    def stuck() -> list[Object]:
        rows = look(live, fleet_with(PHYSICS, CHEM, OLD))["namespaces"]
        return [row for row in rows if any(c["type"] == "NamespaceFinalizersRemaining" for c in row["conditions"])]

    wait_for(stuck, "the conditions say what holds it")
    (row,) = stuck()
    assert (row["namespace"], row["environment"], row["phase"]) == ("old-lab-prod", "old/lab/prod", "Terminating")
    assert row["terminating_since"]
    assert "example.com/hold" in row["what"]
    live.edit("/api/v1/namespaces/old-lab-prod/configmaps/held", {"metadata": {"finalizers": None}})
    wait_for(lambda: live.read("/api/v1/namespaces/old-lab-prod") is None, "it is gone")


@pytest.mark.usefixtures("delivered")
def test_a_namespace_of_others_is_not_taken_for_ours(live: Live) -> None:
    fleet = fleet_with(PHYSICS, CHEM, tenant("strange"))
    live.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "strange-lab-prod"}})
    state = look(live, fleet, tenants=["strange"])
    (row,) = state["drift"]
    assert (row["name"], row["managed"], [f["path"] for f in row["fields"]]) == ("strange-lab-prod", False, ["."])
    assert state["usage"]["environments"]["strange/lab/prod"]["counted"] is False
    live.send("DELETE", "/api/v1/namespaces/strange-lab-prod")


def test_what_may_not_be_read_is_told(live: Live, delivered: Fleet) -> None:
    rule = {"apiGroups": [""], "resources": ["namespaces", "resourcequotas"], "verbs": ["list"]}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "some"}}
    live.make({**role, "rules": [rule]})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "some"}
    who = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "half"}]
    live.make({**role, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": who})
    access = live.access().__class__(kubeconfig=str(live.plane.kubeconfig_for("half", [])))
    with Session.open(access) as session:
        path = "/api/v1/namespaces"
        wait_for(lambda: session.request("list", "GET", path, ok=(403,)).status == 200, "the right holds")
        state = observe(session, delivered, CLUSTER)
    assert state["in_sync"] is False
    kinds = {row["kind"] for row in state["unreadable"]}
    assert "LimitRange" in kinds
    assert not kinds & {"Namespace", "ResourceQuota"}
    assert state["missing"] == [], "what cannot be read is not called missing"


def test_what_flux_applied_is_as_declared(live: Live) -> None:
    """Flux applies with its own field manager and adds labels of its own."""
    fleet = fleet_of(tenant("geo"))
    marks = {"kustomize.toolkit.fluxcd.io/name": "tenants-geo", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
    for target in cluster_bundle(fleet, CLUSTER):
        labels = {**target["metadata"]["labels"], **marks}
        live.claim({**target, "metadata": {**target["metadata"], "labels": labels}}, "kustomize-controller")
    state = look(live, fleet, tenants=["geo"])
    assert (state["in_sync"], found(state)) == (True, FINE)
    live.edit(
        "/api/v1/namespaces/geo-lab-prod/resourcequotas/tenant-quota", {"spec": {"hard": {"pods": "7"}}}, who="me"
    )
    (row,) = look(live, fleet, tenants=["geo"])["drift"]
    assert [(f["path"], f["managers"][0]["manager"]) for f in row["fields"]] == [(".spec.hard.pods", "me")]
    gone = look(live, fleet_of(tenant("other")), tenants=())["orphans"]
    assert ("Namespace", "geo-lab-prod", True) in {(r["kind"], r["name"], r["applied_by_us"]) for r in gone}
    assert {r["tenant"] for r in gone} >= {"geo"}
    assert "" not in {r["tenant"] for r in gone}, "what Flux brings besides tenants is its own business"


@pytest.mark.usefixtures("delivered")
def test_the_task(live: Live, tmp_path: Path) -> None:
    live.edit(
        f"/api/v1/namespaces/{PROD}/resourcequotas/tenant-quota", {"spec": {"hard": {"pods": "7"}}}, who="somebody"
    )
    host = {**CLUSTERS[CLUSTER], "cluster_delivery": "live"}
    host["cluster_kubeconfig"] = str(live.kubeconfig())
    variables = {**SETTINGS, "tenant__physics": PHYSICS, "tenant__chem": CHEM}
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text(yaml.safe_dump(variables))
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"clusters": {"hosts": {CLUSTER: host}}}))
    out = tmp_path / "out.json"
    tasks = [
        {"k8s.self_provisioning.tenants_info": {"today": "2026-11-01", "report": "summary"}, "register": "state"},
        {"ansible.builtin.copy": {"content": "{{ state | to_json }}", "dest": str(out)}},
    ]
    play = {"hosts": "clusters", "connection": "local", "gather_facts": False, "tasks": tasks}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    interpreter = f"ansible_python_interpreter={sys.executable}"
    run = ansible("playbook", "-i", "hosts.yml", "play.yml", "-e", interpreter, cwd=tmp_path)
    assert run.code == 0, run.out
    state = json.loads(out.read_text())
    assert (state["changed"], state["in_sync"], state["summary"]["drift"]) == (False, False, 1)
    assert "ResourceQuota physics-lab-prod/tenant-quota: .spec.hard.pods is 7, declared 20 (somebody at " in run.stdout
    assert "physics" in run.stdout
