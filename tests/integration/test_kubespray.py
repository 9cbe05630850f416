# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs Kubespray, end to end: clone, pin, environment, run, progress, failure, resume, kubeconfig, and its end.

The repository is one of the shape of Kubespray, served by a local Git server; the machines are this one. Nothing of
Kubernetes is installed. Kubespray's own validation of our inventories is C(make kubespray-check).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from .kubespray_place import CLUSTERS, TAG, Place
from .playbooks import ROOT, play


def test_two_clusters_are_built_at_once_and_share_nothing(place: Place) -> None:
    first = place.run("--forks", "5")
    assert first.code == 0, first.out
    for cluster in CLUSTERS:
        assert f"{cluster}-cluster: 1 of 1: cluster 1.30.3 {TAG}" in first.out
        assert "play: Prepare the machines" in first.out
        assert "task " in first.out
        home = place.home(f"{cluster}-cluster")
        core, version, _begin = (home / "credentials" / f"{cluster}-1.begin").read_text().split()
        assert core.startswith("2.16."), "Kubespray's ansible-core, not ours"
        assert version == "1.30.3"
        assert sorted(p.name for p in (home / "facts").iterdir()) == [f"{cluster}-1", f"{cluster}-2"]
        for path in [home, *home.rglob("*")]:
            # Ansible opens the files of its fact cache for everybody; the folder around them does not
            assert path.parent.name == "facts" or not stat.S_IMODE(path.stat().st_mode) & 0o077, path
        assert list((home / "logs").glob("*-cluster.log"))
    begins = [
        float((place.home(f"{c}-cluster") / "credentials" / f"{c}-1.begin").read_text().split()[2]) for c in CLUSTERS
    ]
    ends = [float((place.home(f"{c}-cluster") / "credentials" / "end").read_text()) for c in CLUSTERS]
    assert max(begins) < min(ends), "they ran at the same time"
    tokens = {(place.home(f"{c}-cluster") / "credentials" / "kube_encrypt_token.creds").read_text() for c in CLUSTERS}
    assert len(tokens) == 2

    west = place.inventory.parent / "kube" / "west.conf"
    assert stat.S_IMODE(west.stat().st_mode) == 0o600
    fetched = yaml.safe_load(west.read_text())
    assert fetched["current-context"] == "west-cluster"
    assert fetched["clusters"][0]["name"] == "west-cluster"
    assert (place.home("east-cluster") / "kubeconfig").exists()

    second = place.run()
    assert second.code == 0, second.out
    assert second.changed == 0, second.out
    assert "nothing to do" in second.out


@pytest.mark.slow
def test_one_that_fails_stops_no_other_and_is_resumed(place: Place) -> None:
    broken = place.inventory.parent / "download"
    failed = place.run(kubespray_variables={"shaped_broken": str(broken), "shaped_broken_on": "west-2"})
    assert failed.code != 0
    assert place.state("east-cluster")["kubernetes"] == "1.30.3"
    assert "failed on west-2, task 'Download what is not there'" in failed.out
    assert "in the play 'Prepare the machines'" in failed.out
    assert "The whole log: " in failed.out
    assert "kubespray_resume=true" in failed.out
    state = place.state("west-cluster")
    assert "kubernetes" not in state
    assert state["pending"]["action"] == "create"  # type: ignore[index]
    assert state["pending"]["failed"][0]["host"] == "west-2"  # type: ignore[index]

    broken.write_text("here")
    resumed = place.run(
        "--limit",
        "west-cluster",
        kubespray_resume=True,
        kubespray_variables={"shaped_broken": str(broken), "shaped_broken_on": "west-2"},
    )
    assert resumed.code == 0, resumed.out
    assert place.state("west-cluster")["pending"] is None

    again = place.run("--limit", "west-cluster", kubespray_resume=True)
    assert again.code != 0
    assert "there is nothing to resume" in again.out


def test_a_moved_tag_is_refused_and_nothing_runs(place: Place) -> None:
    run = place.run("--limit", "east-cluster", kubespray_commits={TAG: "0" * 40})
    assert run.code != 0
    assert f"is the commit {place.commit}, not 000000" in run.out
    assert not list((place.home("east-cluster") / "logs").iterdir())


def test_check_mode_shows_the_difference_and_the_steps_and_writes_nothing(place: Place) -> None:
    run = place.run("--check", "--diff")
    assert run.code == 0, run.out
    assert '+kube_version: "1.30.3"' in run.out
    assert f"cluster 1.30.3 {TAG}" in run.out
    assert [p.name for p in place.directory.iterdir()] == [".kubespray"]


@pytest.mark.slow
def test_what_takes_away_needs_the_name_and_the_season(place: Place) -> None:
    assert place.run().code == 0
    for typed in ("", "west-cluster"):
        run = place.run("--limit", "east-cluster", kubespray_action="reset", kubespray_confirm=typed)
        assert run.code != 0
        assert "confirmed by typing the cluster's name" in run.out
    frozen = place.run("--limit", "west-cluster", kubespray_today="2027-04-15", kubespray_force=True)
    assert "is frozen from 2027-04-01 to 2027-05-31: exams" in frozen.out
    assert frozen.code != 0
    first = {"kubespray_action": "remove_node", "kubespray_confirm": "east-cluster"}
    refused = place.run("--limit", "east-cluster", **first, kubespray_nodes=["east-1"])
    assert "is the first machine of kube_control_plane" in refused.out
    removed = place.run("--limit", "east-cluster", **first, kubespray_nodes=["east-2"])
    assert removed.code == 0, removed.out
    gone = place.run("--limit", "east-cluster", kubespray_action="reset", kubespray_confirm="east-cluster")
    assert gone.code == 0, gone.out
    assert not (place.home("east-cluster") / "state.json").exists()
    assert not (place.home("east-cluster") / "kubeconfig").exists()


@pytest.mark.slow
def test_an_upgrade_is_planned_then_walked(place: Place) -> None:
    assert place.run("--limit", "east-cluster").code == 0
    variables = place.inventory / "host_vars" / "east-cluster.yml"
    values = yaml.safe_load(variables.read_text())
    values["cluster_kubernetes"] = {"version": "1.30.14"}
    variables.write_text(yaml.safe_dump(values))

    anew = place.run("--limit", "east-cluster")
    assert "would upgrade it without draining; use the playbook upgrade" in anew.out
    plan = place.run("--limit", "east-cluster", "--tags", "plan", verb="upgrade")
    assert plan.code == 0, plan.out
    assert f"step 1 of 1: 1.30.3 → 1.30.14 with Kubespray {TAG}" in plan.out
    assert place.state("east-cluster")["kubernetes"] == "1.30.3"
    done = place.run("--limit", "east-cluster", verb="upgrade")
    assert done.code == 0, done.out
    assert place.state("east-cluster")["kubernetes"] == "1.30.14"
    assert (place.home("east-cluster") / "credentials" / "east-1.begin").read_text().split()[1] == "1.30.14"


@pytest.mark.slow
def test_under_awx_the_place_has_to_be_chosen(place: Place) -> None:
    run = play("clusters", "--check", inventory=place.inventory, awx_job_id=7)
    assert run.code != 0
    assert "AWX throws the home folder of a job away" in run.out
    assert place.run("--check", awx_job_id=7).code == 0


@pytest.mark.slow
def test_two_runs_on_one_cluster_do_not_meet(place: Place) -> None:
    place.home("east-cluster").mkdir()
    with open(place.home("east-cluster") / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = place.run("--limit", "east-cluster")
    assert run.code != 0
    assert "another run is at work on this cluster" in run.out
    assert place.run("--limit", "east-cluster").code == 0
    with open(place.home("east-cluster") / "lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = place.run("--limit", "east-cluster")
    assert run.code != 0, "the other run may change what this one would judge by"
    assert "another run is at work on this cluster" in run.out


@pytest.mark.slow
def test_the_guide_is_true(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "guides" / "clusters.md").read_text()
    for text in re.findall(r"```yaml\n---\n# (.*?)```", guide, re.DOTALL):
        name, _newline, content = text.partition("\n")
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    run = play("clusters", "--check", "--diff", inventory=tmp_path, kubespray_directory=str(tmp_path / "clusters"))
    assert run.code == 0, run.out
    assert "east-prod: cluster 1.30.3 v2.28.1" in run.out
    assert "+kube_pods_subnet: 10.128.0.0/16" in run.out
    assert "warning: " not in run.out

    variables = tmp_path / "host_vars" / "east-prod.yml"
    variables.write_text(variables.read_text().replace("10.128.0.0/16", "10.129.16.0/20"))
    for verb in ("clusters", "validate"):
        bad = play(verb, inventory=tmp_path)
        assert bad.code != 0
        said = f"{variables.name}:7: cluster_network.pod_cidr: 10.129.16.0/20 lies inside the Services' 10.129.0.0/18"
        assert said in bad.out, bad.out


def sleeping(seconds: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "cmdline").read_bytes().split(b"\0")[:2] == [
                b"sleep",
                b"%d" % seconds,
            ]:
                found.append(int(entry.name))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("number", "seconds"), [(signal.SIGINT, 3333), (signal.SIGKILL, 3334)])
def test_nothing_outlives_an_interrupted_run(place: Place, number: int, seconds: int) -> None:
    variables = place.variables(kubespray_variables={"shaped_seconds": seconds})
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "k8s.self_provisioning.clusters"]
    command += ["-i", str(place.inventory), "-e", json.dumps(variables), "--limit", "east-cluster"]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections")}
    with open(place.inventory / "out", "w") as out:
        run = subprocess.Popen(command, env=environment, stdout=out, stderr=out, start_new_session=True)
    until = time.monotonic() + 120
    while not sleeping(seconds) and time.monotonic() < until:
        time.sleep(0.2)
    assert sleeping(seconds), (place.inventory / "out").read_text()
    os.kill(run.pid, number)
    run.wait(60)
    until = time.monotonic() + 30
    while sleeping(seconds) and time.monotonic() < until:
        time.sleep(0.2)
    left = sleeping(seconds)
    for process in left:
        os.kill(process, signal.SIGKILL)
    assert not left
