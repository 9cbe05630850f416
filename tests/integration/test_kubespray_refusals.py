# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions on a cluster that must not run: unconfirmed, in a frozen season, or to where no way leads."""

from __future__ import annotations

from pathlib import Path

import pytest

from .kubespray_place import Place, change
from .playbooks import tasks

ACTIONS = ("create", "scale", "upgrade", "remove_node", "reset", "recover_control_plane")


@pytest.mark.slow
def test_no_action_runs_unconfirmed_or_in_a_season_that_is_frozen(place: Place, tmp_path: Path) -> None:
    """With the modules, so that one run tries all of them; what is destructive wants the name of its own cluster."""
    change(place, "east", cluster_freeze_windows=[{"from": "2027-04-01", "to": "2027-05-31", "reason": "exams"}])
    module = "k8s.self_provisioning.kubespray"
    usual = {"path": str(place.directory), "cluster": "east-cluster", "source": place.source, "nodes": ["east-2"]}
    wanted: list[dict[str, object]] = []
    for action in ACTIONS:
        wanted.append({module: {**usual, "action": action, "confirm": "east-cluster", "today": "2027-04-15"}})
        wanted.append({module: {**usual, "action": action, "confirm": "west-cluster", "today": "2027-03-31"}})
    wanted.append({"k8s.self_provisioning.kubespray_inventory": {"path": str(place.directory)}})
    results, _run = tasks(tmp_path, wanted, "--check", inventory=place.inventory)
    assert not any("diff" in each for each in results), "nobody asked for it"
    for number, action in enumerate(ACTIONS):
        frozen, unconfirmed = results[2 * number], results[2 * number + 1]
        assert frozen["failed"]
        assert "east-cluster is frozen from 2027-04-01 to 2027-05-31: exams" in frozen["msg"]
        if action in ("remove_node", "reset", "recover_control_plane"):
            assert "typing the cluster's name, and 'west-cluster' was typed" in unconfirmed["msg"]
        else:
            assert "confirm" not in str(unconfirmed.get("msg", ""))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("current", "told"),
    [
        ("1.28.9", "leaving a minor version out is not possible"),
        ("1.31.4", "and 1.30.3 is older. Kubernetes cannot go back"),
        ("", "it is not known which version it runs"),
    ],
)
def test_an_upgrade_that_cannot_be_is_refused_before_anything_runs(place: Place, current: str, told: str) -> None:
    run = place.run("--limit", "east-cluster", verb="upgrade", kubespray_from_version=current)
    assert run.code != 0
    assert told in run.out, run.out
    assert not (place.home("east-cluster") / "logs").exists()
