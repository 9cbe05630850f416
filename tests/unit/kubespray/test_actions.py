# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Walks from version to version, and what the actions run and refuse."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray import actions
from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.machines import Machines
from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.walk import described, walk
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster, Settings
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import ModelError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.release_lines import Step
from ansible_collections.k8s.self_provisioning.tests.tools.machines import planned

HERE = (Step("1.30.3", "v2.28.1"),)


@pytest.mark.parametrize(
    ("current", "wanted", "line", "steps"),
    [
        ("1.30.3", "1.30.3", "1.30", []),
        ("1.30.3", "1.30.14", "1.30", ["1.30.14 v2.28.1"]),
        ("1.29.5", "1.30.3", "1.30", ["1.30.3 v2.28.1"]),
        (
            "1.30.3",
            "1.35.4",
            "1.35",
            ["1.31.12 v2.28.1", "1.32.8 v2.28.1", "1.33.7 v2.29.1", "1.34.3 v2.30.0", "1.35.4 v2.31.0"],
        ),
        ("1.32.8", "1.35.4", "1.35", ["1.33.7 v2.29.1", "1.34.3 v2.30.0", "1.35.4 v2.31.0"]),
        ("1.34.7", "1.35.2", "1.35", ["1.35.2 v2.31.0"]),
        ("1.35.2", "1.35.4", "1.35", ["1.35.4 v2.31.0"]),
    ],
)
def test_walk(current: str, wanted: str, line: str, steps: list[str]) -> None:
    found = walk(current, wanted, line)
    assert [f"{step.kubernetes} {step.kubespray}" for step in found] == steps
    assert len(described(current, found)) == max(len(steps), 1)


@pytest.mark.parametrize(
    ("current", "wanted", "line", "said"),
    [
        ("1.30.14", "1.30.3", "1.30", "1.30.3 is older. Kubernetes cannot go back"),
        ("1.35.4", "1.30.3", "1.30", "is older"),
        ("1.28.0", "1.30.3", "1.30", "leads from Kubernetes 1.28 to 1.30"),
        ("1.34.3", "1.36.0", "1.35", "Kubespray v2.31.0 does not install Kubernetes 1.36.0"),
        ("1.35.4", "1.35.9", "1.35", "Kubespray v2.31.0 does not install Kubernetes 1.35.9"),
    ],
)
def test_no_walk(current: str, wanted: str, line: str, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        walk(current, wanted, line)
    assert said in str(caught.value)


def machines(cluster: str = "east-prod") -> Machines:
    return planned("1.30").clusters[cluster].machines


REFUSED: list[tuple[str, list[str], str]] = [
    ("scale", ["hela-a02"], "would join the control plane"),
    ("scale", ["hela-a99"], "is no machine of east-prod"),
    ("remove_node", [], "Name them in kubespray_nodes"),
    ("remove_node", ["hela-a01"], "is the first machine of kube_control_plane"),
    ("remove_node", ["hela-a02"], "an even number survives no more losses"),
    ("recover_control_plane", [], "Name them in kubespray_nodes"),
    ("recover_control_plane", ["hela-a01", "hela-a02", "hela-a03"], "no machine of the control plane is left"),
]


@pytest.mark.parametrize(("action", "nodes", "said"), REFUSED)
def test_an_action_that_would_break_the_cluster_is_refused(action: str, nodes: list[str], said: str) -> None:
    with pytest.raises(ModelError) as caught:
        actions.tasks(action, machines(), HERE, nodes)
    assert said in str(caught.value)


RUNS: list[tuple[str, list[str], list[str], dict[str, t.Any]]] = [
    ("create", [], ["cluster 1.30.3 v2.28.1"], {}),
    ("scale", [], ["scale 1.30.3 v2.28.1"], {}),
    ("scale", ["hela-a07"], ["facts 1.30.3 v2.28.1", "scale 1.30.3 v2.28.1 on hela-a07"], {}),
    ("remove_node", ["hela-a07"], ["remove_node 1.30.3 v2.28.1"], {"node": "hela-a07", "skip_confirmation": True}),
    ("remove_node", ["hela-a02", "hela-a03"], ["remove_node 1.30.3 v2.28.1"], {}),
    ("reset", [], ["reset 1.30.3 v2.28.1"], {"reset_confirmation": True}),
    (
        "recover_control_plane",
        ["hela-a01"],
        [
            "facts 1.30.3 v2.28.1 on all,!hela-a01",
            "recover_control_plane 1.30.3 v2.28.1 on etcd,kube_control_plane",
        ],
        {"etcd_retries": 10, "etcd_snapshot": "/var/backups/etcd.db"},
    ),
]


@pytest.mark.parametrize(("action", "nodes", "names", "variables"), RUNS)
def test_an_action_runs(action: str, nodes: list[str], names: list[str], variables: dict[str, t.Any]) -> None:
    found = actions.tasks(action, machines(), HERE, nodes, "/var/backups/etcd.db")
    assert [task.name for task in found] == names
    assert variables.items() <= found[-1].variables.items()


def test_recovery_puts_the_sound_first() -> None:
    rendered = planned("1.30").clusters["east-prod"]
    children = actions.broken_first_out(rendered.files["hosts.yaml"], ["hela-a01"])["all"]["children"]
    assert list(children["etcd"]["hosts"]) == ["hela-a02", "hela-a03", "hela-a01"]
    assert list(children["broken_kube_control_plane"]["hosts"]) == ["hela-a01"]


def cluster(**values: t.Any) -> Cluster:
    return Cluster.of("exam", {f"cluster_{k}": v for k, v in values.items()}, Settings.of({}))


WINDOW = [{"from": "2027-04-01", "to": "2027-05-31", "reason": "exams"}]


@pytest.mark.parametrize(
    ("action", "confirm", "day", "override", "allowed"),
    [
        ("create", "", "2027-03-31", "", True),
        ("create", "", "2027-04-01", "", False),
        ("create", "", "2027-05-31", "", False),
        ("create", "", "2027-05-31", "the disk is full", True),
        ("reset", "", "2027-01-01", "", False),
        ("reset", "exam", "2027-01-01", "", True),
        ("reset", "Exam", "2027-01-01", "", False),
        ("reset", "exam", "2027-04-01", "", False),
        ("remove_node", "yes", "2027-01-01", "", False),
        ("recover_control_plane", "true", "2027-01-01", "", False),
    ],
)
def test_what_may_run(action: str, confirm: str, day: str, override: str, allowed: bool) -> None:
    def ask() -> None:
        actions.may_run(action, cluster(freeze_windows=WINDOW), confirm, datetime.date.fromisoformat(day), override)

    if allowed:
        ask()
    else:
        with pytest.raises(ModelError):
            ask()
