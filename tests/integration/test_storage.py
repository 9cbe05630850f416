# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage classes, configuration and keys, brought to a real API server."""

from __future__ import annotations

import base64
import copy
import datetime
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects import storage

from ..control_plane.cluster import ControlPlane
from ..tools.schemas import LINES, crds, problems
from .playbooks import Run, play, tasks
from .storage_fleet import CHAP, CLASSES, CLUSTER, FLEET, KEYS, Object, hidden, inventory


@pytest.mark.parametrize("line", LINES)
def test_objects_are_valid_on_every_line(line: str) -> None:
    """Against the schemas of Kubernetes, of the snapshot controller and of the operator of Ceph CSI."""
    fleet = compile_fleet(
        Source(FLEET, {}, {"east": {**CLUSTER, "cluster_release_line": line}}), today=datetime.date(2026, 11, 1)
    )
    assert [problem.render() for problem in fleet.problems.items] == []
    objects = [*storage.ceph_objects(fleet, "east"), *storage.nas_objects(fleet, "east")]
    objects += storage.secrets(fleet.clusters["east"], storage.CEPH_SERVICE, KEYS, {}).made
    objects += storage.secrets(fleet.clusters["east"], storage.NAS_SERVICE, {}, CHAP).made
    assert problems(objects, line) == []
    kinds = {each["kind"] for each in objects}
    assert {"StorageClass", "VolumeSnapshotClass", "PersistentVolume", "Secret", "Namespace"} <= kinds
    only = {"1.30": {"ConfigMap"}, "1.35": {"Driver", "CephConnection", "ClientProfile"}}[line]
    assert only <= kinds


class Cluster:
    """The control plane with the definitions that the classes need."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane

    def get(self, path: str) -> Object | None:
        status, answer = self.plane.admin.request("GET", path)
        return answer if status == 200 else None

    def storage_class(self, name: str) -> Object:
        found = self.get(f"/apis/storage.k8s.io/v1/storageclasses/{name}")
        assert found is not None, name
        return found

    def names(self) -> set[str]:
        found = self.get("/apis/storage.k8s.io/v1/storageclasses") or {}
        return {each["metadata"]["name"] for each in found["items"]}

    def secret(self, name: str, namespace: str = "ceph-csi") -> dict[str, str]:
        found = self.get(f"/api/v1/namespaces/{namespace}/secrets/{name}") or {}
        return {key: base64.b64decode(value).decode() for key, value in (found.get("data") or {}).items()}

    def versions(self) -> dict[str, str]:
        """Every version of what the roles have made: a write changes one."""
        paths = [
            "/apis/storage.k8s.io/v1/storageclasses",
            "/apis/snapshot.storage.k8s.io/v1/volumesnapshotclasses",
            "/apis/csi.ceph.io/v1/clientprofiles",
            "/apis/csi.ceph.io/v1/cephconnections",
            "/apis/csi.ceph.io/v1/drivers",
            "/api/v1/persistentvolumes",
            "/api/v1/namespaces/ceph-csi/secrets",
        ]
        lists = [(self.get(path) or {}).get("items", []) for path in paths]
        return {each["metadata"]["uid"]: each["metadata"]["resourceVersion"] for items in lists for each in items}


@pytest.fixture(scope="module")
def cluster(control_plane: ControlPlane) -> Cluster:
    made = Cluster(control_plane)
    wanted = [each for each in crds("1.35") if each["spec"]["group"] in ("csi.ceph.io", "snapshot.storage.k8s.io")]
    for each in wanted:
        status, answer = control_plane.admin.request(
            "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", each
        )
        assert status in (201, 409), answer
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ceph-csi-operator-system"}}
    control_plane.admin.request("POST", "/api/v1/namespaces", namespace)
    return made


@pytest.mark.slow
def test_live(cluster: Cluster, tmp_path: Path) -> None:
    """One story: tried, made, left alone, changed, and taken away, with volumes in the way."""
    where = {"cluster_delivery": "live", "cluster_kubeconfig": str(cluster.plane.kubeconfig)}
    folder = inventory(tmp_path / "inventory", **where)

    def ceph(*arguments: str, **more: Any) -> Run:
        return play("ceph_csi", *arguments, inventory=folder, ceph_csi_keys=KEYS, ceph_csi_reach=False, **more)

    tried = ceph("--check", "--diff", "-vvv")
    assert tried.code == 0, tried.out
    assert tried.changed == 1
    assert "reclaimPolicy: Retain" in tried.out
    assert not cluster.names() & set(CLASSES)
    assert cluster.get("/api/v1/namespaces/ceph-csi") is None

    made = ceph("--diff", "-vvv")
    assert made.code == 0, made.out
    hidden(tried, made)
    assert cluster.names() & set(CLASSES) == {"cephfs", "rbd"}
    assert cluster.storage_class("cephfs")["reclaimPolicy"] == "Retain"
    assert cluster.secret("rbd-ceph") == {"userID": "csi-rbd", "userKey": KEYS["csi-rbd"]}
    profile = cluster.get("/apis/csi.ceph.io/v1/namespaces/ceph-csi-operator-system/clientprofiles/hela")
    assert profile is not None
    assert profile["spec"]["cephConnectionRef"]["name"] == "hela"

    other = play("nfs_csi", inventory=folder, nfs_csi_chap=CHAP, nfs_csi_reach=False)
    assert other.code == 0, other.out
    hidden(other)
    assert cluster.names() >= {"cephfs", "rbd", "nfs", "block", "vendor"}
    assert "local" not in cluster.names()
    volume = cluster.get("/api/v1/persistentvolumes/san-a")
    assert volume is not None
    assert (volume["spec"]["iscsi"]["targetPortal"], volume["spec"]["iscsi"]["portals"]) == (
        "10.2.1.1:3260",
        ["10.2.1.2:3261"],
    )
    assert cluster.secret("block-chap", "kube-system")["node.session.auth.password"] == CHAP["san"]["password"]

    before = cluster.versions()
    again = ceph()
    assert (again.code, again.changed) == (0, 0), again.out
    nas = {"service": "nfs-csi", "cluster": "east", "inventory": str(folder), "chap": CHAP}
    results, _run = tasks(tmp_path, [{"k8s.self_provisioning.storage": nas}], inventory=folder)
    assert results[0]["changed"] is False, results
    assert cluster.versions() == before

    # Another reclaim policy, one class less, and a class of somebody else under a name of ours.
    fleet = copy.deepcopy(FLEET)
    fleet["fleet_storage"]["classes"]["rbd"]["reclaim_policy"] = "Retain"
    inventory(folder, fleet, **where, cluster_storage_classes=[each for each in CLASSES if each != "cephfs"])
    call = {"service": "ceph-csi", "cluster": "east", "inventory": str(folder), "keys": KEYS}
    uid = cluster.storage_class("rbd")["metadata"]["uid"]
    results, run = tasks(
        tmp_path,
        [
            {"k8s.self_provisioning.storage": call, "check_mode": True},
            {"k8s.self_provisioning.storage": call},
            {"k8s.self_provisioning.storage": call},
            {"k8s.self_provisioning.storage": {**call, "state": "absent"}},
        ],
        inventory=folder,
    )
    hidden(run)
    expected = [
        {"kind": "StorageClass", "namespace": "", "name": "cephfs", "action": "deleted"},
        {"kind": "VolumeSnapshotClass", "namespace": "", "name": "cephfs", "action": "deleted"},
    ]
    anew = {"kind": "StorageClass", "namespace": "", "name": "rbd", "action": "updated"}
    assert anew in results[0]["objects"]
    assert results[0]["objects"] == results[1]["objects"]
    assert all(each in results[0]["objects"] and each in results[1]["objects"] for each in expected)
    assert not results[2]["changed"], results[2]
    assert "it still names classes of it" in results[3]["msg"]
    assert cluster.storage_class("rbd")["reclaimPolicy"] == "Retain"
    assert cluster.storage_class("rbd")["metadata"]["uid"] != uid
    assert cluster.names() & set(CLASSES) == {"rbd", "nfs", "block", "vendor"}
    assert cluster.secret("cephfs-ceph"), "volumes of a class that is gone still need its key"

    claimed = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "pvc-1"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "csi": {"driver": "rbd.csi.ceph.com", "volumeHandle": "x"},
            "claimRef": {"namespace": "physics-lab-prod", "name": "data"},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "rbd",
        },
    }
    assert cluster.plane.admin.request("POST", "/api/v1/persistentvolumes", claimed)[0] == 201
    inventory(folder, fleet, **where, cluster_storage_classes=["nfs", "block", "vendor", "local"])
    gone = {**call, "state": "absent"}
    sure = {**gone, "confirm": "east"}
    results, _run = tasks(
        tmp_path,
        [{"k8s.self_provisioning.storage": gone}, {"k8s.self_provisioning.storage": sure}],
        inventory=folder,
    )
    assert "PersistentVolume pvc-1 of physics-lab-prod/data" in results[0]["msg"]
    assert "volumes still need it" in results[1]["msg"]
    assert "rbd" in cluster.names()
    cluster.plane.admin.request("DELETE", "/api/v1/persistentvolumes/pvc-1")
    results, _run = tasks(
        tmp_path,
        [{"k8s.self_provisioning.storage": sure}, {"k8s.self_provisioning.storage": sure}],
        inventory=folder,
    )
    assert results[0]["changed"], results[0]
    assert not results[1]["changed"], results[1]
    assert cluster.names() & set(CLASSES) == {"nfs", "block", "vendor"}
    assert cluster.secret("rbd-ceph") == {}
    assert cluster.get("/api/v1/namespaces/ceph-csi") is not None

    inventory(folder, fleet, **where, cluster_storage_classes=["local"])
    results, _run = tasks(
        tmp_path, [{"k8s.self_provisioning.storage": {**sure, "service": "nfs-csi"}}], inventory=folder
    )
    assert results[0]["changed"], results[0]
    assert not cluster.names() & set(CLASSES)
    assert cluster.secret("block-chap", "kube-system") == {}
    assert cluster.get("/api/v1/persistentvolumes/san-a") is not None, "no run removes a volume"


def test_what_stands_against_it_is_told_at_once(cluster: Cluster, tmp_path: Path) -> None:
    """Nothing is written before all of it is mended."""
    path = "/apis/storage.k8s.io/v1/storageclasses"
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    drivers = {"theirs": "example.com/theirs", "alike": "rbd.csi.ceph.com", "chosen": "example.com/theirs"}
    for name, driver in drivers.items():
        marks = default if name == "chosen" else {}
        foreign = {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name, "annotations": marks},
            "provisioner": driver,
            "parameters": {"pool": "mine"},
        }
        cluster.plane.admin.request("POST", path, foreign)
    fleet = copy.deepcopy(FLEET)
    fleet["fleet_storage"]["classes"] |= {
        "theirs": {"ceph": "hela", "pool": "theirs"},
        "alike": {"ceph": "hela", "pool": "alike"},
        "standard": {"ceph": "hela", "pool": "standard", "default": True},
    }
    where = {"cluster_delivery": "live", "cluster_kubeconfig": str(cluster.plane.kubeconfig)}
    folder = inventory(
        tmp_path / "inventory", fleet, **where, cluster_storage_classes=["theirs", "alike", "standard", "rbd"]
    )
    call = {"service": "ceph-csi", "cluster": "east", "inventory": str(folder)}
    results, _run = tasks(
        tmp_path,
        [{"k8s.self_provisioning.storage": call}, {"k8s.self_provisioning.storage_info": {**call, "timeout": 1}}],
        inventory=folder,
    )
    assert cluster.storage_class("alike")["parameters"] == {"pool": "mine"}
    for name in drivers:
        cluster.plane.admin.request("DELETE", f"{path}/{name}")
    for told in (
        "StorageClass theirs: it is there already, of example.com/theirs, and not ours.",
        "StorageClass alike: it is there already, of rbd.csi.ceph.com, and not ours.",
        "or hand it over: kubectl label storageclass alike app.kubernetes.io/managed-by=self-provisioning",
        "StorageClass chosen: it is the default class of the cluster, and standard is to be",
    ):
        assert told in results[0]["msg"]
    assert "standard" not in cluster.names()
    for told in (
        "the monitors of hela: 127.0.0.1:1: port 1 cannot be reached",
        "the key of client.csi-theirs, for the class theirs is not given. Set ceph_csi_keys",
        "the key of client.csi-rbd",
    ):
        assert told in results[1]["msg"]
