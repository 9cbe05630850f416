# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each action on a cluster through the playbooks: how it fails, how it goes on, and what it runs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import yaml

from .kubespray_place import TAG, Place, change, write_inventory
from .playbooks import tasks

pytestmark = pytest.mark.slow

EAST = ("--limit", "east-cluster")


def breaking(place: Place, host: str) -> dict[str, object]:
    """What makes Kubespray fail on a host until the file is there."""
    return {"kubespray_variables": {"shaped_broken": str(place.directory / "download"), "shaped_broken_on": host}}


def mend(place: Place) -> None:
    (place.directory / "download").write_text("here")


def note(place: Place, name: str) -> str:
    return (place.home("east-cluster") / "credentials" / name).read_text()


def test_scaling_fails_is_resumed_and_touches_only_what_is_new(place: Place) -> None:
    assert place.run(*EAST).code == 0
    hosts = place.inventory / "hosts.yml"
    known = yaml.safe_load(hosts.read_text())
    groups = known["all"]["children"]
    groups["machines"]["hosts"]["east-3"] = {"ansible_host": "192.0.2.13"}
    for group in ("kube_node", "east_cluster"):
        groups[group]["hosts"]["east-3"] = None
    hosts.write_text(yaml.safe_dump(known))

    wanted = {"kubespray_action": "scale", "kubespray_nodes": ["east-3"]}
    refused = place.run(*EAST, **{**wanted, "kubespray_nodes": ["east-1"]})
    assert "east-1 would join the control plane, which scaling does not do" in refused.out
    failed = place.run(*EAST, **wanted, **breaking(place, "east-3"))
    assert failed.code != 0
    assert f"scale 1.30.3 {TAG} on east-3 failed in the play 'Join workers'" in failed.out
    assert place.state("east-cluster")["pending"]["done"] == [f"facts 1.30.3 {TAG}"]  # type: ignore[index]

    mend(place)
    other = place.run(*EAST, kubespray_action="create", kubespray_resume=True)
    assert "its unfinished run is scale. Resume that, or start create anew" in other.out
    resumed = place.run(*EAST, kubespray_action="scale", kubespray_resume=True, **breaking(place, "east-3"))
    assert resumed.code == 0, resumed.out
    assert f"1 of 1: scale 1.30.3 {TAG} on east-3" in resumed.out, "facts are not gathered again"
    assert note(place, "east-3.joined") == "1.30.3"
    assert not (place.home("east-cluster") / "credentials" / "east-2.joined").exists()
    assert place.state("east-cluster")["pending"] is None


def test_a_lost_machine_of_the_control_plane_is_recovered(place: Place) -> None:
    write_inventory(place.inventory, place.inventory.parent / "kube" / "west.conf", managers=3)
    assert place.run(*EAST).code == 0
    wanted = {"kubespray_action": "recover_control_plane", "kubespray_nodes": ["east-1"]}
    unconfirmed = place.run(*EAST, **wanted)
    assert "recover_control_plane takes something away from east-cluster" in unconfirmed.out
    wanted |= {"kubespray_confirm": "east-cluster", "kubespray_snapshot": "/var/backups/etcd/snapshot.db"}
    failed = place.run(*EAST, **wanted, **breaking(place, "east-2"))
    assert "failed on east-2, task 'Download what is not there'" in failed.out
    mend(place)
    done = place.run(
        *EAST,
        kubespray_action="recover_control_plane",
        kubespray_confirm="east-cluster",
        kubespray_snapshot="/var/backups/etcd/snapshot.db",
        kubespray_resume=True,
        **breaking(place, "east-2"),
    )
    assert done.code == 0, done.out
    assert "1 of 1: recover_control_plane" in done.out
    assert note(place, "recovered") == "east-1 /var/backups/etcd/snapshot.db"
    hosts = place.home("east-cluster") / "inventory" / "hosts.yaml"
    assert "broken_etcd" in hosts.read_text()
    again = place.run(*EAST, kubespray_force=True)
    assert again.code == 0, again.out
    assert "broken_etcd" not in hosts.read_text(), "it is forgotten by the next action"


def test_other_extra_variables_or_arguments_are_applied(place: Place) -> None:
    assert place.run(*EAST, kubespray_variables={"shaped_token": "HIDE"}, kubespray_arguments=["-v"]).code == 0
    text = (place.home("east-cluster") / "state.json").read_text()
    assert "HIDE" not in text
    state = json.loads(text)
    usual = {key.removeprefix("kubespray_"): value for key, value in place.variables().items()}
    usual |= {"path": usual.pop("directory"), "action": "create", "cluster": "east-cluster"}
    same = {"variables": {"shaped_token": "HIDE"}, "arguments": ["-v"]}
    given = [same, {**same, "variables": {"shaped_token": "other"}}, {**same, "arguments": []}, {}]
    wanted: list[dict[str, object]] = [{"k8s.self_provisioning.kubespray": {**usual, **each}} for each in given]
    results, _run = tasks(place.inventory, wanted, "--check", inventory=place.inventory)
    assert [each["changed"] for each in results] == [False, True, True, True], results

    # built before they counted: without any of them, nothing is to do
    plain = place.home("east-cluster") / "inventory"
    old = {str(path.relative_to(plain)): path.read_text() for path in sorted(plain.rglob("*.yaml"))}
    state["digest"] = hashlib.sha256(json.dumps(old, sort_keys=True).encode()).hexdigest()
    (place.home("east-cluster") / "state.json").write_text(json.dumps(state))
    results, _run = tasks(place.inventory, wanted[-1:], "--check", inventory=place.inventory)
    assert [each["changed"] for each in results] == [False], results


def test_another_environment_is_made_when_it_is_asked_for_otherwise(place: Place, tmp_path: Path) -> None:
    module = "k8s.self_provisioning.kubespray"
    usual = {key.removeprefix("kubespray_"): value for key, value in place.variables().items()}
    usual |= {"path": usual.pop("directory"), "action": "create", "cluster": "east-cluster", "force": True}
    pinned = tmp_path / "requirements.txt"
    pinned.write_text("nowhere-to-be-had==1.0\n")
    none = str(tmp_path / "none.txt")
    wanted: list[dict[str, object]] = [
        {module: usual},
        {module: {**usual, "pip_arguments": ["--no-index"]}},
        {module: {**usual, "requirements": {TAG: str(pinned)}, "pip_arguments": ["--no-index"]}},
        {module: {**usual, "requirements": {TAG: none}}},
        {module: usual},
    ]
    (built, no_index, other, missing, again), _run = tasks(tmp_path, wanted, inventory=place.inventory)
    assert built["changed"]
    assert "installing the requirements failed" in no_index["msg"]
    assert "nowhere-to-be-had" in other["msg"]
    assert f"kubespray_requirements: {none} cannot be read: No such file or directory" in missing["msg"]
    assert again["changed"], again


def test_two_clusters_are_upgraded_at_once_and_one_fails(place: Place) -> None:
    assert place.run().code == 0
    for cluster in ("east", "west"):
        change(place, cluster, cluster_kubernetes={"version": "1.30.14"})
    failed = place.run(verb="upgrade", upgrade_clusters_at_once=2, **breaking(place, "west-1"))
    assert failed.code != 0
    assert f"west-cluster: upgrade_cluster 1.30.14 {TAG} failed" in failed.out
    assert place.state("east-cluster")["kubernetes"] == "1.30.14"
    assert place.state("west-cluster")["kubernetes"] == "1.30.3"
    ends = float(note(place, "end"))
    begins = float((place.home("west-cluster") / "credentials" / "west-1.begin").read_text().split()[2])
    assert begins < ends, "they ran at the same time"

    frozen = place.run("--limit", "west-cluster", verb="upgrade", kubespray_today="2027-04-15")
    assert "west-cluster is frozen" in frozen.out
    mend(place)
    resumed = place.run("--limit", "west-cluster", verb="upgrade", kubespray_resume=True, **breaking(place, "west-1"))
    assert resumed.code == 0, resumed.out
    assert place.state("west-cluster")["kubernetes"] == "1.30.14"
    assert place.state("west-cluster")["pending"] is None


def test_removals_go_on_after_a_failure_and_stay_with_the_cluster_that_was_typed(place: Place) -> None:
    assert place.run().code == 0
    removal = {"kubespray_action": "remove_node", "kubespray_confirm": "east-cluster"}
    failed = place.run(*EAST, **removal, kubespray_nodes=["east-2"], **breaking(place, "east-2"))
    assert "failed on east-2" in failed.out
    mend(place)
    done = place.run(*EAST, **removal, kubespray_resume=True, **breaking(place, "east-2"))
    assert done.code == 0, done.out
    assert note(place, "east-2.removed") == "True"

    (place.directory / "download").unlink()
    reset = {"kubespray_action": "reset", "kubespray_confirm": "east-cluster"}
    failed = place.run(**reset, **breaking(place, "east-1"))
    assert "reset takes something away from west-cluster" in failed.out
    assert "failed on east-1" in failed.out
    assert (place.home("east-cluster") / "kubeconfig").exists(), "it may still be there"
    mend(place)
    gone = place.run(*EAST, **reset, kubespray_resume=True, **breaking(place, "east-1"))
    assert gone.code == 0, gone.out
    left = {path.name for path in place.home("east-cluster").iterdir()}
    assert not left & {"state.json", "kubeconfig", "credentials", "artifacts", "facts"}
    assert json.loads((place.home("west-cluster") / "state.json").read_text())["kubernetes"] == "1.30.3"
