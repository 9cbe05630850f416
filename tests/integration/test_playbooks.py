# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs an operator types, run for real on the example inventory."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .playbooks import EXAMPLE, ROOT, Run, copy_example, edit, git, play, tree

BIOLOGY = "group_vars/all/tenants/biology.yml"


NEW_PROJECT = """\
  projects:
    - id: genome
      environments:
        - {name: dev, size: small}
"""


DAY = "2026-11-21"


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """The example's tree, and the run that made it."""
    root = tmp_path_factory.mktemp("rendered") / "fleet"
    run = play("tenants", tenants_tree=root, tenants_init=True, tenants_today=DAY)
    return root, run


@pytest.fixture
def fleet(rendered: tuple[Path, Run], tmp_path: Path) -> Path:
    """A tree of the example, to be changed."""
    shutil.copytree(rendered[0], tmp_path / "fleet", symlinks=True)
    return tmp_path / "fleet"


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    return copy_example(tmp_path / "inventory")


def test_validate_accepts_the_example() -> None:
    run = play("validate")
    assert run.code == 0, run.out
    assert "The inventory is sound" in run.out
    assert run.changed == 0


def test_first_run_writes_everything_in_one_commit(rendered: tuple[Path, Run]) -> None:
    root, run = rendered
    assert run.code == 0, run.out
    assert run.changed == 1
    assert git(root, "rev-list", "--count", "HEAD") == "1"
    assert git(root, "status", "--porcelain") == ""
    assert (root / "clusters/east-prod/config/kustomization.yaml").is_file()
    assert "TENANT" in run.out
    assert "CLUSTER" in run.out


def test_second_run_changes_nothing(fleet: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in fleet.rglob("*.yaml")}
    head = git(fleet, "rev-parse", "HEAD")
    run = play("tenants", tenants_tree=fleet, tenants_today=DAY)
    assert (run.code, run.changed) == (0, 0), run.out
    assert "nothing changed" in run.out.lower()
    assert {p: p.stat().st_mtime_ns for p in fleet.rglob("*.yaml")} == before
    assert git(fleet, "rev-parse", "HEAD") == head


def test_a_project_in_three_lines(fleet: Path, inventory: Path) -> None:
    before = tree(fleet)
    edit(inventory / BIOLOGY, "  projects:\n", NEW_PROJECT)

    plan = play("plan", inventory=inventory, tenants_tree=fleet, tenants_today=DAY)
    assert plan.code == 0, plan.out
    assert "biology" in plan.out
    assert "biology-genome-dev" in plan.out
    assert tree(fleet) == before

    run = play("tenants", inventory=inventory, tenants_tree=fleet, tenants_today=DAY)
    assert (run.code, run.changed) == (0, 1), run.out
    after = tree(fleet)
    differ = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    accounts = {name for name in differ if "/" not in name}
    assert accounts <= {"ledger.csv", "placements.yaml", ".fleet-manifest.json"}
    others = {name for name in differ - accounts if "/tenants/biology/" not in name}
    assert all(name.endswith("/config/kustomizations.yaml") for name in others), others
    assert any(name.endswith("/tenants/biology/biology-genome-dev.yaml") for name in differ)
    assert git(fleet, "log", "-1", "--format=%s").startswith("biology:")


def test_check_mode_predicts_and_writes_nothing(fleet: Path, inventory: Path) -> None:
    edit(inventory / BIOLOGY, "  projects:\n", NEW_PROJECT)
    before, head = tree(fleet), git(fleet, "rev-parse", "HEAD")
    run = play("tenants", "--check", "--diff", inventory=inventory, tenants_tree=fleet, tenants_today=DAY)
    assert (run.code, run.changed) == (0, 1), run.out
    assert "+++" in run.out
    assert "biology-genome-dev" in run.out
    assert (tree(fleet), git(fleet, "rev-parse", "HEAD")) == (before, head)


def test_limit_touches_only_the_named_cluster(fleet: Path, inventory: Path) -> None:
    for name in ("east-prod", "west-prod"):
        path = inventory / f"host_vars/{name}.yml"
        path.write_text(
            re.sub("(?m)^cluster_description:.*$", "cluster_description: Described anew.", path.read_text())
        )
    before = tree(fleet)
    run = play("tenants", "--limit", "west-prod", inventory=inventory, tenants_tree=fleet, tenants_today=DAY)
    assert run.code == 0, run.out
    after = tree(fleet)
    differ = {name.split("/")[1] for name in after if "/" in name and before.get(name) != after[name]}
    assert differ == {"west-prod"}


def test_every_problem_of_a_broken_inventory_at_once(inventory: Path, tmp_path: Path) -> None:
    tenants = inventory / "group_vars/all/tenants"
    edit(inventory / BIOLOGY, "size: medium", "size: mediun")
    (tenants / "typo.yml").write_text("---\ntenent__typo:\n  id: typo\n")
    (tenants / "odd.yml").write_text("---\ntenant__odd:\n  id: odd\n  budgett: {hard: {requests.cpu: 4 cores}}\n")
    with (inventory / "host_vars/east-prod.yml").open("a") as file:
        file.write("\ncluster_failure_domian: rack-z\n")
    run = play("validate", inventory=inventory)
    assert run.code != 0
    for expected in (
        "biology.yml:",
        "Did you mean 'medium'?",
        "typo.yml:2: tenent__typo",
        "Did you mean 'tenant__typo'?",
        "odd.yml:4: tenant__odd.budgett: unknown key. Did you mean 'budget'?",
        "east-prod.yml:",
        "Did you mean 'cluster_failure_domain'?",
    ):
        assert expected in run.out, run.out
    refused = play("tenants", inventory=inventory, tenants_tree=tmp_path / "fleet", tenants_init=True)
    assert refused.code != 0
    assert not (tmp_path / "fleet").exists()


def test_invalid_yaml_is_reported_with_everything_else(inventory: Path) -> None:
    tenants = inventory / "group_vars/all/tenants"
    (tenants / "torn.yml").write_text("---\ntenant__torn:\n  id: torn\n  owners: [{kind: Group\n")
    (tenants / "twice.yml").write_text("---\ntenant__twice:\n  id: twice\n  id: again\n")
    edit(inventory / BIOLOGY, "size: medium", "size: mediun")
    run = play("validate", inventory=None, validate_inventory=inventory)
    assert run.code != 0
    for expected in (
        "torn.yml:",
        "it is not valid YAML",
        "twice.yml:4:",
        "stands here twice",
        "Did you mean 'medium'?",
    ):
        assert expected in run.out, run.out
    direct = play("validate", inventory=inventory)
    assert direct.code != 0
    assert "torn.yml" in direct.out


HOSTILE = "{{ lookup('ansible.builtin.pipe', 'touch %s') }}"


SHELL = "$(touch %s); `touch %s` ${HOME} | cat"


def test_tenant_text_is_never_run(inventory: Path, fleet: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    path = inventory / BIOLOGY
    original = path.read_text()
    edit(path, "display_name: Biology department", f"display_name: {json.dumps(HOSTILE % marker)}")
    for verb, extra in (("validate", {}), ("tenants", {"tenants_tree": fleet})):
        run = play(verb, inventory=inventory, **extra)
        assert run.code != 0, run.out
        assert "looks like a template" in run.out
        assert not marker.exists()
    path.write_text(original)
    edit(path, "display_name: Biology department", f"display_name: {json.dumps(SHELL % (marker, marker))}")
    run = play("tenants", inventory=inventory, tenants_tree=fleet)
    assert run.code == 0, run.out
    assert not marker.exists()


@pytest.mark.slow
def test_an_inventory_without_files_works(tmp_path: Path, rendered: tuple[Path, Run]) -> None:
    """As under AWX, which hands the variables over without the folder they came from."""
    listed = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(EXAMPLE), "--list", "--export"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout
    script = tmp_path / "inventory.py"
    (tmp_path / "data.json").write_text(listed)
    script.write_text(f"#!/bin/sh\ncat {tmp_path}/data.json\n")
    os.chmod(script, 0o755)
    run = play(
        "tenants", inventory=script, tenants_tree=tmp_path / "fleet", tenants_init=True, tenants_today=DAY, cwd=tmp_path
    )
    assert run.code == 0, run.out
    assert tree(tmp_path / "fleet") == tree(rendered[0])


def shrink(inventory: Path) -> None:
    """As when a sync brought only some of the files."""
    folder = inventory / "group_vars/all/tenants"
    for path in folder.glob("*.yml"):
        if path.name != "science.yml":
            path.unlink()
    for path in (inventory / "host_vars").glob("*.yml"):
        text = re.sub("(?m)^cluster_dedicated_to:.*$", "cluster_dedicated_to: []", path.read_text())
        path.write_text(re.sub(r"tenants: \[[^\]]*\]", "tenants: []", text))
    edit(inventory / "group_vars/all/fleet.yml", "tenants: [examinations, exam-centres]", "tenants: [science]")


@pytest.mark.slow
def test_tenants_that_vanish_from_the_inventory_stop_the_run(fleet: Path, inventory: Path) -> None:
    shrink(inventory)
    before, head = tree(fleet), git(fleet, "rev-parse", "HEAD")
    told = ("prune_limit=30%", " tenants (at most ", "First look whether the inventory is whole", "confirm_deletion: [")
    refused = play("tenants", inventory=inventory, tenants_tree=fleet, tenants_today=DAY)
    assert refused.code != 0
    for verb, mode in (("tenants", ["--check"]), ("plan", [])):
        foretold = play(verb, *mode, inventory=inventory, tenants_tree=fleet, tenants_today=DAY)
        assert foretold.code == 0, foretold.out
        assert "[WARNING]: A real run would stop here." in foretold.out
        for part in told:
            assert part in foretold.out
            assert part in refused.out
    assert (tree(fleet), git(fleet, "rev-parse", "HEAD")) == (before, head)
    run = play("tenants", inventory=inventory, tenants_tree=fleet, tenants_today=DAY, tenants_prune_limit="100%")
    assert (run.code, run.changed) == (0, 1), run.out
    assert {path.name for path in fleet.glob("clusters/*/tenants/*")} == {"science"}


@pytest.mark.slow
def test_check_mode_foretells_a_push_of_earlier_commits(fleet: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "remote.git")
    git(fleet, "remote", "add", "origin", str(tmp_path / "remote.git"))
    for mode, pushed in ((["--check"], False), ([], True)):
        run = play("tenants", *mode, tenants_tree=fleet, tenants_today=DAY, tenants_push=True)
        assert (run.code, run.changed) == (0, 1), run.out
        assert "earlier commits are pushed" in " ".join(run.out.split())
        assert bool(git(tmp_path / "remote.git", "for-each-ref")) == pushed
    for mode in (["--check"], []):
        run = play("tenants", *mode, tenants_tree=fleet, tenants_today=DAY, tenants_push=True)
        assert (run.code, run.changed) == (0, 0), run.out


def test_a_file_that_was_edited_by_hand_is_put_back_and_named(fleet: Path) -> None:
    edited = fleet / "clusters/east-prod/config/cluster-facts.yaml"
    good = edited.read_bytes()
    edited.write_text("edited")
    for mode in (["--check"], []):
        run = play("tenants", *mode, tenants_tree=fleet, tenants_today=DAY)
        assert (run.code, run.changed) == (0, 1), run.out
        assert "clusters/east-prod/config/cluster-facts.yaml" in run.out
    assert edited.read_bytes() == good
    assert git(fleet, "status", "--porcelain") == ""
    assert git(fleet, "rev-list", "--count", "HEAD") == "1"


def test_a_limited_run_names_the_clusters_that_it_left_out(fleet: Path) -> None:
    run = play("tenants", "--limit", "west-prod", tenants_tree=fleet, tenants_today=DAY)
    assert run.code == 0, run.out
    assert "east-prod" in run.out[run.out.rindex("Nothing changed") :]
