# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools, file systems, users and their rights on a real Ceph, made by the role; and what each key opens."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..control_plane.process import free_ports
from ..integration.playbooks import Run, play, tasks
from .rig import SYSTEM_PYTHON, CephRig

Object = dict[str, Any]

#: What docs/capabilities.md of Ceph CSI says, with our names in it.
DOCUMENTED = {
    "client.csi-rbd": {"mgr": "profile rbd pool=k8s", "mon": "profile rbd", "osd": "profile rbd pool=k8s"},
    "client.csi-marks": {"mgr": "profile rbd pool=marks", "mon": "profile rbd", "osd": "profile rbd pool=marks"},
    "client.csi-cephfs": {
        "mds": "allow r fsname=hela path=/volumes, allow rws fsname=hela path=/volumes/csi",
        "mgr": "allow rw",
        "mon": "allow r fsname=hela",
        "osd": "allow rw tag cephfs metadata=hela, allow rw tag cephfs data=hela",
    },
}
CLASSES = {
    "rbd": {"ceph": "hela", "pool": "k8s"},
    "marks": {"ceph": "hela", "pool": "marks"},
    "cephfs": {"ceph": "hela", "filesystem": "hela"},
    "exams": {"ceph": "hela", "filesystem": "exams", "subvolume_group": "papers"},
}
#: Writes, reads or lists a folder of a file system as somebody.
_MOUNT = """
import cephfs, sys
conf, keyring, user, filesystem, root, action, path = sys.argv[1:]
fs = cephfs.LibCephFS(conffile=conf, auth_id=user, conf={"keyring": keyring, "client_mount_timeout": "8"})
fs.mount(mount_root=root.encode(), filesystem_name=filesystem.encode())
if action == "write":
    handle = fs.open(path.encode(), "w", 0o644)
    fs.write(handle, b"marks", 0)
    fs.close(handle)
else:
    fs.opendir(path.encode())
fs.unmount()
"""


class Site:
    """The organisation on the cluster."""

    def __init__(self, ceph: CephRig, folder: Path) -> None:
        self.ceph, self.folder = ceph, folder

    def inventory(self, rights: str, **more: Any) -> Path:
        values = {
            "cluster_environment": "prod",
            "cluster_security_domain": "internal_only",
            "cluster_sla_tier": "tier_2_important",
            "cluster_delivery": "live",
            "cluster_storage_classes": list(CLASSES),
        }
        backend = {"monitors": [self.ceph.monitor], "mgr_rights": rights}
        fleet = {"fleet_storage": {"ceph": {"hela": backend}, "classes": CLASSES}}
        here = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        hosts = {"clusters": {"hosts": {"east": {**here, **values, **more}}}, "ceph": {"hosts": {"mon1": here}}}
        (self.folder / "group_vars").mkdir(parents=True, exist_ok=True)
        (self.folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": hosts}}), encoding="utf-8")
        (self.folder / "group_vars/all.yml").write_text(yaml.safe_dump(fleet), encoding="utf-8")
        return self.folder

    def role(self, *arguments: str, rights: str = "documented") -> Run:
        """The role up to the keys: what comes after them needs a cluster of Kubernetes."""
        play_file = self.folder.parent / "ceph-role.json"
        inventory = self.inventory(rights)
        variables = {
            "ceph_csi_admin_hosts": {"hela": "mon1"},
            "ceph_csi_manage": True,
            "ceph_csi_conf": str(self.ceph.conf),
            "ceph_csi_become": False,
            "ceph_csi_pool_size": 1,
            "ceph_csi_pg_num": 8,
        }
        # imported, so that the last task of the role can be left out by its tag
        task = {"ansible.builtin.include_role": {"name": "k8s.self_provisioning.ceph_csi"}, "vars": variables}
        whole = {"hosts": "clusters", "gather_facts": False, "tasks": [task]}
        play_file.write_text(json.dumps([whole]), encoding="utf-8")
        return play(play_file, *arguments, inventory=inventory, cluster_kubeconfig=str(self.folder / "none"))


@pytest.fixture(scope="module")
def site(ceph: CephRig, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(ceph, tmp_path_factory.mktemp("site"))


def secrets(ceph: CephRig) -> list[str]:
    return [each["key"] for each in ceph.ask("auth", "ls")["auth_dump"]]


def made(run: Run) -> bool:
    """The role got to the cluster of Kubernetes, which is not there."""
    return "none" in run.out and "kubeconfig" in run.out


def test_made_once_and_with_exactly_the_documented_rights(site: Site) -> None:
    ceph, empty = site.ceph, site.ceph.state()
    tried = site.role("--check", "--diff", "-vvv")
    assert made(tried), tried.out
    assert "user client.csi-rbd created" in tried.out
    assert "file system exams created" in tried.out
    assert ceph.state() == empty
    run = site.role("--diff", "-vvv")
    assert made(run), run.out
    for name, caps in DOCUMENTED.items():
        assert ceph.ask("auth", "get", name)[0]["caps"] == caps
    assert {each["name"] for each in ceph.ask("fs", "ls")} == {"hela", "exams"}
    assert [each["name"] for each in ceph.ask("fs", "subvolumegroup", "ls", "exams")] == ["papers"]
    assert ceph.state()[1]["k8s"] == (["rbd"], 1)
    assert not [each for each in secrets(ceph) if each in tried.out + run.out]

    after = ceph.state()
    again = site.role()
    assert made(again), again.out
    assert again.changed == 0, again.out
    assert ceph.state() == after

    # somebody has given a user more than it should have
    ceph.run("ceph", "auth", "caps", "client.csi-rbd", "mon", "allow *", "osd", "allow *")
    mended = site.role("--diff")
    assert mended.changed == 1, mended.out
    assert "client.csi-rbd: osd 'allow *'" in mended.out
    assert ceph.state() == after


def test_a_pool_of_somebody_else_is_left_alone(site: Site, tmp_path: Path) -> None:
    ceph = site.ceph
    ceph.run("ceph", "osd", "pool", "create", "gateway")
    ceph.run("ceph", "osd", "pool", "application", "enable", "gateway", "rgw")
    before = ceph.state()
    call = {
        "conf": str(ceph.conf),
        "pools": [{"name": "gateway"}, {"name": "never"}],
        "filesystems": [{"name": "stray", "metadata_pool": "gateway", "data_pool": "never.data"}],
    }
    wrong = {**call, "name": "client.csi-rbd", "keyring": str(ceph.keyring("client.csi-rbd"))}
    nobody = tmp_path / "nobody.conf"
    nobody.write_text(f"[global]\nmon host = 127.0.0.1:{free_ports(1)[0]}\nkeyring = {ceph.folder}/$name.keyring\n")
    results, _run = tasks(
        tmp_path,
        [
            {"k8s.self_provisioning.ceph_storage": call},
            {"k8s.self_provisioning.ceph_storage": wrong},
            {"k8s.self_provisioning.ceph_storage": {**call, "conf": str(nobody), "timeout": 2}},
            {"k8s.self_provisioning.ceph_keys": {"conf": str(ceph.conf), "users": ["client.never"]}},
        ],
        inventory=None,
    )
    assert "the pool gateway belongs to rgw, not to rbd" in results[0]["msg"]
    assert "Name another one for stray" in results[0]["msg"]
    assert results[1]["failed"]
    assert "No monitor answered" in results[2]["msg"], results[2]
    assert "Ceph has no user client.never" in results[3]["msg"]
    assert ceph.state() == before


def test_the_key_of_a_pool_opens_no_other(site: Site, tmp_path: Path) -> None:
    """Images, objects, and Ceph itself."""
    ceph = site.ceph
    key, user = ceph.keyring("client.csi-rbd"), "client.csi-rbd"
    data = tmp_path / "data"
    data.write_text("marks", encoding="utf-8")
    assert ceph.run("rbd", "create", "--size", "8M", "marks/theirs").returncode == 0
    own = [
        ["rbd", "create", "--size", "8M", "k8s/volume"],
        ["rbd", "snap", "create", "k8s/volume@one"],
        ["rbd", "ls", "k8s"],
        ["rados", "-p", "k8s", "put", "object", str(data)],
    ]
    for line in own:
        done = ceph.run(*line, key=key, user=user)
        assert done.returncode == 0, (line, done.stderr)
    foreign = [
        ["rbd", "create", "--size", "8M", "marks/volume"],
        ["rbd", "ls", "marks"],
        ["rbd", "info", "marks/theirs"],
        ["rbd", "rm", "marks/theirs"],
        ["rados", "-p", "marks", "ls"],
        ["rados", "-p", "marks", "put", "object", str(data)],
        ["rados", "-p", "cephfs.exams.data", "ls"],
        ["rados", "-p", "cephfs.exams.meta", "ls"],
        ["ceph", "fs", "subvolume", "ls", "exams", "--group_name", "papers"],
        ["ceph", "auth", "ls"],
        ["ceph", "auth", "get", "client.csi-marks"],
        ["ceph", "auth", "caps", "client.csi-rbd", "osd", "allow *"],
        ["ceph", "osd", "pool", "create", "mine"],
        ["ceph", "osd", "pool", "delete", "marks", "marks", "--yes-i-really-really-mean-it"],
    ]
    for line in foreign:
        done = ceph.run(*line, key=key, user=user)
        assert done.returncode != 0, (line, done.stdout)
    assert ceph.run("rbd", "info", "marks/theirs").returncode == 0


def volumes(ceph: CephRig, filesystem: str, group: str) -> list[str]:
    return [each["name"] for each in ceph.ask("fs", "subvolume", "ls", filesystem, "--group_name", group)]


def mount(ceph: CephRig, user: str, filesystem: str, root: str, action: str, path: str) -> int:
    key = ceph.keyring(f"client.{user}")
    line = [SYSTEM_PYTHON, "-c", _MOUNT, str(ceph.conf), str(key), user, filesystem, root, action, path]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False).returncode


def test_the_key_of_a_file_system_opens_no_other(site: Site, tmp_path: Path) -> None:
    """Folders and objects; but with the documented rights the manager still removes volumes of others on its behalf,
    which the confined rights end."""
    ceph = site.ceph
    user, key = "client.csi-cephfs", ceph.keyring("client.csi-cephfs")
    for volume in ("theirs", "lost"):
        made_volume = ceph.run("ceph", "fs", "subvolume", "create", "exams", volume, "--group_name", "papers")
        assert made_volume.returncode == 0, made_volume.stderr
    assert ceph.run("ceph", "fs", "subvolume", "create", "hela", "own", "--group_name", "csi").returncode == 0
    assert mount(ceph, "csi-cephfs", "hela", "/volumes/csi", "write", "/note") == 0
    assert mount(ceph, "csi-cephfs", "hela", "/", "write", "/note") != 0
    assert mount(ceph, "csi-cephfs", "exams", "/volumes/papers", "list", "/") != 0
    data = tmp_path / "data"
    data.write_text("marks", encoding="utf-8")
    for line in (
        ["rados", "-p", "cephfs.exams.data", "ls"],
        ["rados", "-p", "cephfs.exams.data", "put", "object", str(data)],
        ["rados", "-p", "cephfs.exams.meta", "ls"],
        ["rbd", "ls", "marks"],
        ["ceph", "auth", "ls"],
    ):
        assert ceph.run(*line, key=key, user=user).returncode != 0, line

    # This is what the documented mgr right means, and why docs/guides/storage.md tells of it.
    removal = ["ceph", "fs", "subvolume", "rm", "exams", "lost", "--group_name", "papers"]
    assert ceph.run(*removal, key=key, user=user).returncode == 0
    assert volumes(ceph, "exams", "papers") == ["theirs"]

    run = site.role(rights="confined")
    assert made(run), run.out
    group = ["--group_name", "csi"]
    for words in (
        ["subvolume", "create", "hela", "new", *group],
        ["subvolume", "getpath", "hela", "new", *group],
        ["subvolume", "info", "hela", "new", *group],
        ["subvolume", "resize", "hela", "new", "1048576", *group],
        ["subvolume", "metadata", "set", "hela", "new", "owner", "physics", *group],
        ["subvolume", "snapshot", "create", "hela", "new", "one", *group],
        ["subvolume", "snapshot", "info", "hela", "new", "one", *group],
        ["subvolume", "snapshot", "clone", "hela", "new", "one", "copy", *group, "--target_group_name", "csi"],
        ["clone", "status", "hela", "copy", *group],
    ):
        done = ceph.run("ceph", "fs", *words, key=key, user=user)
        assert done.returncode == 0, (words, done.stderr)
    for words in (
        ["subvolume", "create", "exams", "mine", "--group_name", "papers"],
        ["subvolume", "rm", "exams", "theirs", "--group_name", "papers"],
        ["subvolume", "ls", "exams", "--group_name", "papers"],
        ["volume", "rm", "exams", "--yes-i-really-mean-it"],
        ["volume", "create", "mine"],
    ):
        assert ceph.run("ceph", "fs", *words, key=key, user=user).returncode != 0, words
    assert volumes(ceph, "exams", "papers") == ["theirs"]
    assert site.role(rights="confined").changed == 0
