# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A misspelt extra variable stops a run before anything is written, and is told with everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from .playbooks import copy_example, edit, play

BIOLOGY = "group_vars/all/tenants/biology.yml"


def test_it_is_told_with_every_other_problem_and_nothing_is_written(tmp_path: Path) -> None:
    inventory = copy_example(tmp_path / "inventory")
    edit(inventory / BIOLOGY, "size: medium", "size: mediun")
    options = {"tenants_init": True, "tenants_delivry": "live", "plan_tenant": "x", "fleet_nmae": "x", "my_tenant": "x"}
    run = play("tenants", inventory=inventory, tenants_tree=tmp_path / "tree", **options)
    assert run.code != 0
    errors = [line for line in run.lines if line.startswith("error: ")]
    assert [line.split(": ")[1] for line in errors[:3]] == ["fleet_nmae", "plan_tenant", "tenants_delivry"], run.out
    assert "Did you mean 'cluster_delivery'?" in errors[2]
    assert "biology.yml" in errors[3]
    assert "Did you mean 'medium'?" in errors[3]
    assert len(errors) == 4, run.out
    assert not (tmp_path / "tree").exists()


@pytest.mark.parametrize(
    ("verb", "wrong"),
    [("hosts", "host_baseline_profil"), ("databases", "databases_version"), ("plan", "plan_tenant")],
)
def test_plays_that_look_at_hosts_only_stop_too(verb: str, wrong: str) -> None:
    run = play(verb, "--list-hosts", **{wrong: "x"})
    assert run.code != 0
    assert f"error: {wrong}: it is set for this run, and nothing reads it." in run.out
