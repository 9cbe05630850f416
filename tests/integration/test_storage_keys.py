# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of storage, encrypted into the fleet tree."""

from __future__ import annotations

import base64
import datetime
import os
import subprocess
from pathlib import Path

import yaml

from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _age as age

from ..flux.build import find
from .playbooks import Run, git, play, tasks
from .storage_fleet import CLASSES, FLEET, KEYS, Object, hidden, inventory


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
