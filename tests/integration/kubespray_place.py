# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two clusters that are built from a repository of Kubespray's shape, which a local Git server has, on this machine."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from .playbooks import Run, git, play

SHAPED = Path(__file__).parent / "kubespray_shaped"
TAG = "v2.28.1"
CLUSTERS = ("east", "west")


@dataclass
class Place:
    """An inventory of two clusters, a Git server with something like Kubespray, and where clusters are kept."""

    inventory: Path
    repository: Path
    source: str
    commit: str
    directory: Path

    def run(self, *arguments: str, verb: str = "clusters", **variables: object) -> Run:
        """Runs a playbook with the local source."""
        return play(verb, *arguments, inventory=self.inventory, cwd=self.inventory, **self.variables(**variables))

    def variables(self, **more: object) -> dict[str, object]:
        return {
            "kubespray_directory": str(self.directory),
            "kubespray_source": self.source,
            "kubespray_commits": {TAG: self.commit},
            "kubespray_become": False,
            "kubespray_progress": 0,
            **more,
        }

    def state(self, cluster: str) -> dict[str, object]:
        return dict(json.loads((self.directory / cluster / "state.json").read_text()))

    def home(self, cluster: str) -> Path:
        return self.directory / cluster


def write_inventory(root: Path, kubeconfig: Path, managers: int = 1) -> None:
    """@param managers: how many machines of each cluster are its control plane; one more is a worker."""
    numbers = range(1, managers + 2)
    hosts = {f"{c}-{n}": {"ansible_host": f"192.0.2.{i}{n}"} for i, c in enumerate(CLUSTERS, 1) for n in numbers}
    children = {
        "machines": {
            "hosts": hosts,
            "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
        },
        "kube_control_plane": {"hosts": {f"{c}-{n}": None for c in CLUSTERS for n in numbers[:-1]}},
        "kube_node": {"hosts": {f"{c}-{numbers[-1]}": None for c in CLUSTERS}},
        "etcd": {"children": {"kube_control_plane": None}},
    }
    for cluster in CLUSTERS:
        children[f"{cluster}_cluster"] = {"hosts": {f"{cluster}-{n}": None for n in numbers}}
    children["clusters"] = {"hosts": {f"{c}-cluster": None for c in CLUSTERS}, "vars": {"ansible_connection": "local"}}
    (root / "group_vars" / "all").mkdir(parents=True, exist_ok=True)
    (root / "host_vars").mkdir(exist_ok=True)
    (root / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": children}}))
    for number, cluster in enumerate(CLUSTERS, 1):
        values = {
            "cluster_environment": "dev",
            "cluster_security_domain": "internal_only",
            "cluster_sla_tier": "tier_3_standard",
            "cluster_release_line": "1.30",
            "cluster_network": {"pod_cidr": f"10.{number}.0.0/16", "service_cidr": f"10.10{number}.0.0/18"},
        }
        if cluster == "west":
            values["cluster_kubeconfig"] = str(kubeconfig)
            values["cluster_freeze_windows"] = [{"from": "2027-04-01", "to": "2027-05-31", "reason": "exams"}]
        (root / "host_vars" / f"{cluster}-cluster.yml").write_text(yaml.safe_dump(values))


def change(place: Place, cluster: str, **values: Any) -> None:
    path = place.inventory / "host_vars" / f"{cluster}-cluster.yml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **values}))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, str]]:
    """The repository, its address and its commit."""
    base = tmp_path_factory.mktemp("git")
    work = base / "kubespray"
    shutil.copytree(SHAPED, work)
    git(base, "init", "-q", "-b", "main", str(work))
    git(work, "add", "-A")
    git(work, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "A release")
    git(work, "tag", TAG)
    port = free_port()
    command = [
        "git",
        "daemon",
        "--export-all",
        f"--base-path={base}",
        "--listen=127.0.0.1",
        f"--port={port}",
        str(base),
    ]
    daemon = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield work, f"git://127.0.0.1:{port}/kubespray", git(work, "rev-parse", "HEAD")
    finally:
        daemon.terminate()
        daemon.wait()


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Kubespray and its environment are kept between tests, because pip takes its time."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def place(tmp_path: Path, served: tuple[Path, str, str], installed: Path) -> Place:
    inventory = tmp_path / "inventory"
    inventory.mkdir()
    write_inventory(inventory, tmp_path / "kube" / "west.conf")
    directory = tmp_path / "clusters"
    directory.mkdir()
    (directory / ".kubespray").symlink_to(installed)
    repository, source, commit = served
    return Place(inventory, repository, source, commit, directory)
