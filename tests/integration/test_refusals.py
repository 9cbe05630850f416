# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a playbook refuses before it touches anything, and what it says then. No cluster is needed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from .live_cluster import CLUSTER, CLUSTERS, HERE, SETTINGS, tenant
from .playbooks import Run, play, tree

DAY = "2026-11-21"
LIVE = ("--tags", "live")
RECORDED_NOWHERE = "is decided now and recorded nowhere"


def told(run: Run) -> str:
    """As one line, however the text was folded."""
    return " ".join(run.out.replace("\\n", " ").split())


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rendered") / "fleet"
    run = play("tenants", tenants_tree=root, tenants_init=True, tenants_today=DAY)
    assert run.code == 0, run.out
    return root


@pytest.mark.slow
def test_a_placement_that_nobody_remembers_is_refused(rendered: Path, tmp_path: Path) -> None:
    """Another day another cluster could be chosen, and a second copy would come into being."""
    refused = play("tenants", *LIVE, tenants_today=DAY)
    assert refused.code != 0
    assert re.search(rf"Nothing was sent. The placement on research-gpu {RECORDED_NOWHERE}", told(refused)), refused.out
    assert ", for ai-lab/speech/train. Run the playbook" in told(refused)
    for remedy in ("without --tags live", "tenants_tree", "placement: {clusters: [research-gpu]}", "record_placements"):
        assert remedy in told(refused)
    assert "kubeconfig" not in refused.out, "it did not even look for the cluster"

    empty = tmp_path / "empty"
    empty.mkdir()
    assert RECORDED_NOWHERE in told(play("tenants", *LIVE, tenants_tree=empty, tenants_today=DAY))

    trial = play("tenants", *LIVE, "--check", tenants_today=DAY)
    assert "[WARNING]: A real run would stop here" in told(trial)
    assert "kubeconfig " in trial.out, "it went on"

    remembered = play("tenants", *LIVE, tenants_tree=rendered, tenants_today=DAY)
    assert RECORDED_NOWHERE not in remembered.out
    assert "research-gpu: kubeconfig " in remembered.out, "it got as far as the cluster, which is not there"


def test_placements_that_nobody_remembers_are_named_together(tmp_path: Path) -> None:
    """Up to a bound; those that are declared are none of them, nor those of tenants that the run leaves out."""
    names = [{"name": f"e{number:02}", "stage": "prod"} for number in range(23)]
    tenants = {f"tenant__{name}": tenant(name, *names, {"name": "known", **HERE}) for name in ("big", "other")}
    login = {"cluster_delivery": "live", "cluster_kubeconfig": "/nowhere/kubeconfig"}
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text(yaml.safe_dump({**SETTINGS, **tenants}))
    hosts = {CLUSTER: {**CLUSTERS[CLUSTER], **login}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"clusters": {"hosts": hosts}}))
    run = play("tenants", *LIVE, inventory=tmp_path / "hosts.yml", tenants_only=["big"], tenants_today="2026-11-01")
    listed = ", ".join(f"big/lab/e{number:02}" for number in range(20))
    assert f", for {listed} and 3 more. Run the playbook" in told(run), run.out


def test_a_tree_that_does_not_exist_is_a_slip(tmp_path: Path) -> None:
    missing = tmp_path / "flet"
    run = play("tenants", *LIVE, tenants_tree=missing, tenants_today=DAY)
    assert run.code != 0
    assert f"Nothing was sent. tree: {missing}, from tenants_tree, does not exist" in told(run)
    assert "tenants_init=true" in run.out
    trial = play("tenants", *LIVE, "--check", tenants_tree=missing, tenants_today=DAY)
    assert f"[WARNING]: A real run would stop here, unless the fleet tree is written before. tree: {missing}" in told(
        trial
    )
    assert not missing.exists()


@pytest.mark.slow
def test_the_first_commands_of_the_guide(tmp_path: Path) -> None:
    """Both halves in one run, first as a trial; only the cluster is not there."""
    options = {"tenants_tree": tmp_path / "fleet", "tenants_init": True, "tenants_today": DAY}
    both = ("--tags", "tenants")
    trial = play("tenants", *both, "--check", "--diff", **options)  # type: ignore[arg-type]
    assert "research-gpu: kubeconfig " in trial.out, trial.out
    run = play("tenants", *both, **options)  # type: ignore[arg-type]
    assert "research-gpu: kubeconfig " in run.out, run.out
    assert RECORDED_NOWHERE not in run.out
    assert (tmp_path / "fleet/placements.yaml").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["tenants", "plan"])
@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["physcs"], "tenants: there is no tenant 'physcs'. Did you mean 'physics'?"),
        (["physics"], "the fleet tree is always whole. Use --tags live to bring only physics up to date there"),
    ],
)
def test_the_tree_is_always_whole(rendered: Path, verb: str, names: list[str], expected: str) -> None:
    before = tree(rendered)
    run = play(verb, tenants_tree=rendered, tenants_today=DAY, tenants_only=names)
    assert run.code != 0
    assert expected in told(run)
    assert tree(rendered) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("nosuch", "nobody of the name 'nosuch' a right, on any cluster. No name is like it."),
        ("Group/physics-lead", "The nearest are physics-leads"),
        ("system:serviceaccount:nowhere:ci", "nobody of the name"),
    ],
)
def test_nobody_of_that_name(subject: str, expected: str, tmp_path: Path) -> None:
    run = play("access", access_subject=subject, access_csv=tmp_path / "out.csv", tenants_today=DAY)
    assert run.code != 0
    assert expected in told(run)
    assert not (tmp_path / "out.csv").exists()


def test_somebody_without_a_right_there() -> None:
    run = play("access", access_subject="library-leads", access_cluster="research-gpu", tenants_today=DAY)
    assert run.code == 0, run.out
    assert "library-leads has no right on research-gpu." in run.out


@pytest.mark.slow
def test_a_login_where_flux_applies(tmp_path: Path) -> None:
    login = str(tmp_path / "{cluster}.json")
    run = play("provisioner_access", "--limit", "east-prod", provisioner_login=login, tenants_today=DAY)
    assert run.code != 0
    assert "login: east-prod has cluster_delivery: gitops" in told(run)
    for remedy in (
        "Leave out login (provisioner_login",
        "--limit",
        "cluster_delivery: live in the host_vars of east-prod",
    ):
        assert remedy in told(run)
