# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backup and restore of a real etcd under a real API server: lost objects are back after a restore."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..control_plane.cluster import ControlPlane
from ..control_plane.tools import tool
from .playbooks import ROOT

FILES = ROOT / "roles" / "etcd_backup" / "files"


@dataclass
class Member:
    """The one member of the rig's etcd, with the configuration that the role would write for it."""

    running: ControlPlane
    folder: Path
    config: Path
    identity: Path

    def configure(self, **values: str) -> None:
        """Writes the configuration anew, with some values changed."""
        layout = self.running.layout
        client, peer = f"https://127.0.0.1:{layout.ports.etcd}", f"https://127.0.0.1:{layout.ports.etcd_peer}"
        settings = {
            "CLUSTER": "east-prod",
            "DIRECTORY": str(self.folder / "backups"),
            "KEEP": "3",
            "RECIPIENTS": str(self.folder / "recipients"),
            "EXTRA_FILES": f"({self.folder / 'secrets_encryption.yaml'})",
            "COPY_TO": f"({self.folder / 'elsewhere'})",
            "SSH_OPTIONS": "",
            "AGE": str(tool("age")),
            "ETCDCTL": str(tool("etcdctl")),
            "ETCDUTL": str(tool("etcdutl")),
            "DATA_DIR": str(layout.folder / "etcd"),
            "ETCD_NAME": "default",
            "ETCD_INITIAL_CLUSTER": f"default={peer}",
            "ETCD_PEER_URLS": peer,
            "ETCDCTL_ENDPOINTS": client,
            "ETCDCTL_CACERT": str(layout.etcd_authority.pair.certificate),
            "ETCDCTL_CERT": str(layout.etcd_client.certificate),
            "ETCDCTL_KEY": str(layout.etcd_client.key),
            **values,
        }
        self.config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(FILES / script), *arguments, str(self.config)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def backup(self) -> Path:
        """Takes a backup; returns the newest one."""
        done = self.run("etcd-backup")
        assert done.returncode == 0, done.stdout + done.stderr
        return self.backups()[-1]

    def backups(self) -> list[Path]:
        return sorted((self.folder / "backups").glob("etcd-*"))

    def stop(self) -> None:
        self.running.stop_apiserver()
        self.running.component("etcd").stop()

    def start(self) -> None:
        etcd = self.running.component("etcd")
        etcd.start()
        etcd.wait_ready(time.monotonic() + 60)
        self.running.start_apiserver()


@pytest.fixture
def member(tmp_path: Path) -> Iterator[Member]:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "secrets_encryption.yaml").write_text("keys: first\n")
    identity = tmp_path / "identity"
    subprocess.run([str(tool("age-keygen")), "-o", str(identity)], check=True, capture_output=True)
    public = subprocess.run([str(tool("age-keygen")), "-y", str(identity)], check=True, capture_output=True, text=True)
    (tmp_path / "recipients").write_text(public.stdout)
    with ControlPlane() as running:
        found = Member(running, tmp_path, tmp_path / "etcd-backup.conf", identity)
        found.configure()
        yield found


def names(running: ControlPlane) -> set[str]:
    _status, listed = running.admin.request("GET", "/api/v1/namespaces/default/configmaps")
    return {item["metadata"]["name"] for item in listed["items"]}


def create(running: ControlPlane, name: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"marks": "secret"}}
    status, _object = running.admin.request("POST", "/api/v1/namespaces/default/configmaps", body)
    assert status == 201


def test_lost_objects_are_back_after_a_restore(member: Member) -> None:
    create(member.running, "kept")
    archive = member.backup()
    assert archive.name.endswith(".tar.age")
    assert b"kept" not in archive.read_bytes(), "it is encrypted"
    assert (member.folder / "elsewhere" / archive.name).read_bytes() == archive.read_bytes()
    assert (member.folder / "backups" / "last-success").exists()

    member.running.admin.request("DELETE", "/api/v1/namespaces/default/configmaps/kept")
    create(member.running, "after")
    (member.folder / "secrets_encryption.yaml").write_text("keys: lost\n")
    assert names(member.running) >= {"after"}

    refused = member.run("etcd-restore", "--identity", str(member.identity), str(archive))
    assert refused.returncode != 0
    assert "etcd runs on this machine" in refused.stderr
    prepared = member.run("etcd-restore", "--identity", str(member.identity), "--prepare", str(archive))
    assert prepared.returncode == 0, prepared.stdout + prepared.stderr
    early = member.run("etcd-restore", "--switch")
    assert "etcd runs on this machine" in early.stderr
    assert names(member.running) >= {"after"}, "nothing happened to the cluster"

    member.stop()
    done = member.run("etcd-restore", "--switch")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing is prepared" in member.run("etcd-restore", "--switch").stderr
    assert "put back: " in done.stdout
    assert "restored revision " in done.stdout
    member.start()

    back = names(member.running)
    assert "kept" in back
    assert "after" not in back
    assert (member.folder / "secrets_encryption.yaml").read_text() == "keys: first\n"
    assert list(member.running.layout.folder.glob("etcd/member.before-*")), "what was there is kept"
    create(member.running, "later")
    assert "later" in names(member.running), "it works on"


def test_only_the_newest_stay(member: Member) -> None:
    seen = []
    for _unused in range(5):
        seen.append(member.backup().name)
        time.sleep(1.1)
    assert [path.name for path in member.backups()] == sorted(seen)[-3:]
    assert not list((member.folder / "backups").glob(".work*")), "nothing is left over"


def test_a_copy_that_fails_is_a_failure_and_the_backup_stays(member: Member) -> None:
    member.configure(COPY_TO=f"({member.folder / 'elsewhere'} {member.folder / 'unmounted'})")
    done = member.run("etcd-backup")
    assert done.returncode != 0
    assert f"could not be copied to: {member.folder / 'unmounted'}" in done.stderr
    assert len(member.backups()) == 1
    assert not (member.folder / "backups" / "last-success").exists()


def test_no_etcd_is_a_failure(member: Member) -> None:
    member.configure(ETCDCTL_ENDPOINTS="https://127.0.0.1:1")
    done = member.run("etcd-backup")
    assert done.returncode != 0
    assert "etcd does not answer" in done.stderr
    assert member.backups() == []


@pytest.mark.slow
def test_a_wrong_or_damaged_archive_changes_nothing(member: Member) -> None:
    create(member.running, "kept")
    archive = member.backup()
    member.stop()
    data = member.running.layout.folder / "etcd"
    before = sorted(str(p) for p in data.rglob("*"))

    no_key = member.run("etcd-restore", str(archive))
    assert "give --identity" in no_key.stderr
    member.configure(CLUSTER="west-prod")
    other = member.run("etcd-restore", "--identity", str(member.identity), str(archive))
    assert "it is a backup of east-prod, and this is west-prod" in other.stderr
    member.configure()
    damaged = archive.with_name("damaged.tar.age")
    damaged.write_bytes(archive.read_bytes()[:-2000])
    cut = member.run("etcd-restore", "--identity", str(member.identity), str(damaged))
    assert "cannot be decrypted" in cut.stderr
    strange = archive.with_name("strange.tar")
    subprocess.run(["tar", "-C", str(member.folder), "-cf", str(strange), "recipients"], check=True)
    assert "is not a backup of etcd-backup" in member.run("etcd-restore", str(strange)).stderr
    stranger = member.folder / "stranger"
    subprocess.run([str(tool("age-keygen")), "-o", str(stranger)], check=True, capture_output=True)
    wrong = member.run("etcd-restore", "--identity", str(stranger), "--prepare", str(archive))
    assert "cannot be decrypted" in wrong.stderr
    member.run("etcd-restore", "--identity", str(member.identity), "--prepare", str(archive))
    assert member.run("etcd-restore", "--discard").returncode == 0
    assert no_key.returncode
    assert other.returncode
    assert cut.returncode
    assert sorted(str(p) for p in data.rglob("*")) == before
    member.start()
    assert "kept" in names(member.running)
