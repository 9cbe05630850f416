# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage classes, configuration and keys: to a real API server, and encrypted into the fleet tree."""

from __future__ import annotations

import base64
import copy
import datetime
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects import storage
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _age as age

from ..control_plane.cluster import ControlPlane
from ..flux.build import find
from ..tools.schemas import LINES, crds, problems
from .playbooks import Run, git, play, tasks

Object = dict[str, Any]

KEYS = {"csi-cephfs": "AQBjZWZzAAAAABAAkeyofcephfsAAA==", "csi-rbd": "AQByYmQAAAAAABAAkeyofrbdAAAAAA=="}
CHAP = {"san": {"username": "k8s", "password": "open-the-san-please"}}
FLEET: Object = {
    "fleet_name": "storage",
    "fleet_data_classes": {"exams": "examination act"},
    "fleet_storage": {
        "ceph": {"hela": {"monitors": ["127.0.0.1:1"]}},
        "nfs": {"nas": {"server": "nas.example.com", "heads": ["10.1.1.1", "10.1.1.2"], "share": "/exports/k8s"}},
        "iscsi": {
            "san": {
                "portals": ["10.2.1.1", "10.2.1.2:3261"],
                "iqn": "iqn.2026-01.com.example.san:k8s",
                "chap": True,
                "volumes": [{"name": "a", "lun": 0, "size": "100Gi"}],
            }
        },
        "reclaim_policies": {"exams": "Retain"},
        "classes": {
            "cephfs": {"ceph": "hela", "filesystem": "hela", "data": ["exams"], "snapshots": True},
            "rbd": {"ceph": "hela", "pool": "k8s-rbd"},
            "nfs": {"nfs": "nas"},
            "block": {"iscsi": "san"},
            "vendor": {"provisioner": "csi.example.com", "parameters": {"tier": "gold"}, "fs_type": "xfs"},
            "local": {"provided_by": "the machines themselves"},
        },
    },
}
CLASSES = list(FLEET["fleet_storage"]["classes"])
CLUSTER: Object = {
    "cluster_environment": "prod",
    "cluster_security_domain": "internal_only",
    "cluster_sla_tier": "tier_2_important",
    "cluster_capacity": {"cpu": "10", "memory": "10Gi", "storage": "1Ti"},
    "cluster_storage_classes": CLASSES,
    "cluster_release_line": "1.35",
}


def inventory(folder: Path, fleet: Object | None = None, **cluster: Any) -> Path:
    """An inventory of one cluster."""
    values = {**CLUSTER, **cluster}
    hosts = {"all": {"children": {"clusters": {"hosts": {"east": {"ansible_connection": "local", **values}}}}}}
    (folder / "group_vars").mkdir(parents=True, exist_ok=True)
    (folder / "hosts.yml").write_text(yaml.safe_dump(hosts), encoding="utf-8")
    (folder / "group_vars/all.yml").write_text(yaml.safe_dump(fleet or FLEET), encoding="utf-8")
    return folder


def hidden(*runs: Run) -> None:
    """No key of any kind was told."""
    secret = [*KEYS.values(), CHAP["san"]["password"]]
    secret += [base64.b64encode(each.encode()).decode() for each in secret]
    for run in runs:
        assert not [each for each in secret if each in run.out]


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


def test_keys_that_were_not_committed_or_pushed_are_so_by_the_next_run(tmp_path: Path) -> None:
    """After a run without a commit, a hook that refuses, and a remote that is away; check mode foretells each."""
    key, remote, tree = (
        age.generate(datetime.datetime.now(datetime.timezone.utc)),
        tmp_path / "remote",
        tmp_path / "tree",
    )
    where: Object = {"cluster_age_recipients": age.recipients(key)}
    folder = inventory(tmp_path / "inventory", **where)
    tree.mkdir()
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(tree))
    hook = tree / ".git/hooks/pre-commit"
    call = {
        "service": "ceph-csi",
        "cluster": "east",
        "inventory": str(folder),
        "path": str(tree),
        "keys": KEYS,
        "sops": str(find().sops),
    }
    pushing = {**call, "commit": True, "push": True, "remote": str(remote)}

    def run(*wanted: tuple[Object, bool]) -> list[Object]:
        named = [{"k8s.self_provisioning.storage_secrets": each, "check_mode": check} for each, check in wanted]
        return tasks(tmp_path, named, inventory=folder)[0]

    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\nrm "$0"\nexit 1\n')
    hook.chmod(0o755)
    gone = {**pushing, "remote": str(tmp_path / "away")}
    without, refused, foretold, away, done, again = run(
        (call, False), (pushing, False), (pushing, True), (gone, False), (pushing, False), (pushing, False)
    )
    assert (len(without["written"]), without["changed"], "git commit failed" in refused["msg"]) == (2, True, True)
    assert (foretold["changed"], foretold["written"], foretold["pushed"]) == (True, [], True)
    assert "it is pushed then" in away["msg"]
    assert (done["changed"], done["written"], done["commit"], done["pushed"]) == (True, [], "", True)
    assert (again["changed"], again["pushed"]) == (False, False)
    names = ["clusters/east/secrets/ceph-csi-cephfs-ceph.yaml", "clusters/east/secrets/ceph-csi-rbd-ceph.yaml"]
    assert git(remote, "ls-tree", "-r", "--name-only", "main").split() == names

    # what was removed without a commit, while somebody has opened a file for which no key is given
    inventory(folder, **where, cluster_storage_classes=["rbd"])
    (tree / names[1]).write_text("in clear text", encoding="utf-8")
    removed, foretold, done, again = run(
        ({**call, "keys": {}}, False),
        ({**pushing, "keys": {}}, True),
        ({**pushing, "keys": {}}, False),
        (pushing, False),
    )
    assert removed["removed"] == names[:1]
    assert (foretold["changed"], done["changed"], again["written"]) == (True, True, names[1:])
    assert git(remote, "ls-tree", "-r", "--name-only", "main").split() == names[1:]
    assert "clear" not in git(remote, "log", "-p", "main")


def test_keys_in_git_are_encrypted(tmp_path: Path) -> None:
    """Written once, readable by the cluster's key alone, written anew for another one, removed with the class."""
    tree, key, other = tmp_path / "tree", tmp_path / "east.agekey", tmp_path / "other.agekey"
    for path in (key, other):
        path.write_text(age.generate(datetime.datetime.now(datetime.timezone.utc)), encoding="utf-8")
    sops = find().sops
    services = {
        name: {"repository": "https://charts.example.com", "namespace": "ceph-csi"}
        for name in ("ceph-csi-operator", "csi-driver-nfs")
    }

    def write(key_file: Path, classes: list[str]) -> Path:
        return inventory(
            tmp_path / "inventory",
            {**FLEET, "fleet_services": services},
            cluster_age_recipients=age.recipients(key_file.read_text(encoding="utf-8")),
            cluster_services={name: {} for name in services},
            cluster_storage_classes=classes,
        )

    def ceph(*arguments: str) -> Run:
        done = play(
            "ceph_csi",
            *arguments,
            inventory=tmp_path / "inventory",
            ceph_csi_tree=str(tree),
            ceph_csi_keys=KEYS,
            ceph_csi_commit=True,
            ceph_csi_reach=False,
            ceph_csi_sops=str(sops),
        )
        assert done.code == 0, done.out
        hidden(done)
        return done

    def opened(key_file: Path) -> Object:
        path = tree / "clusters/east/secrets/ceph-csi-rbd-ceph.yaml"
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SOPS_AGE_KEY_FILE": str(key_file)}
        done = subprocess.run([sops, "decrypt", str(path)], env=env, capture_output=True, text=True, check=False)
        return yaml.safe_load(done.stdout) if done.returncode == 0 else {}

    write(key, CLASSES)
    first = play("tenants", inventory=tmp_path / "inventory", tenants_tree=str(tree), tenants_init=True)
    assert first.code == 0, first.out
    assert ceph("--check", "--diff").changed >= 1
    assert not (tree / "clusters/east/secrets/ceph-csi-rbd-ceph.yaml").exists()
    ceph("--diff", "-vvv")
    assert base64.b64decode(opened(key)["data"]["userKey"]).decode() == KEYS["csi-rbd"]
    assert opened(other) == {}
    text = subprocess.run(["git", "-C", str(tree), "log", "-p"], capture_output=True, text=True, check=True).stdout
    assert not [each for each in KEYS.values() if each in text or base64.b64encode(each.encode()).decode() in text]
    status = subprocess.run(["git", "-C", str(tree), "status", "--short"], capture_output=True, text=True, check=True)
    assert status.stdout == ""
    layers = yaml.safe_load_all((tree / "clusters/east/config/kustomizations.yaml").read_text(encoding="utf-8"))
    found = {each["metadata"]["name"]: each["spec"] for each in layers}
    assert found["storage"]["dependsOn"] == [{"name": "platform"}]

    assert ceph().changed == 0
    write(other, [each for each in CLASSES if each != "cephfs"])
    ceph()
    assert opened(key) == {}
    assert base64.b64decode(opened(other)["data"]["userKey"]).decode() == KEYS["csi-rbd"]
    assert not (tree / "clusters/east/secrets/ceph-csi-cephfs-ceph.yaml").exists()
