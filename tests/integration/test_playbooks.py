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

from .playbooks import EXAMPLE, ROOT, Run, copy_example, edit, git, play, tasks, tree

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


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "tenants_tree is not set"),
        ({"tenants_tree": "/proc/nowhere/fleet"}, "/proc/nowhere"),
        ({"tenants_tree": "{tmp}/file"}, "file"),
        ({"tenants_tree": "fleet"}, "'fleet' is relative"),
        (
            {"tenants_tree": "{tmp}/fleet", "tenants_commit": "false", "tenants_push": "true"},
            "push: it needs commit=true",
        ),
        ({"tenants_tree": "{tmp}/fleet", "tenants_today": "tomorrow"}, "'tomorrow' is not a day"),
        ({"tenants_tree": "{tmp}/fleet", "tenants_report": "loud"}, "must be one of"),
        ({"tenants_tree": "{tmp}/fleet", "tenants_inventory": "{tmp}/none"}, "does not exist"),
    ],
)
def test_wrong_options_say_what_to_do(variables: dict[str, str], expected: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("somebody's")
    run = play("tenants", **{key: value.replace("{tmp}", str(tmp_path)) for key, value in variables.items()})
    assert run.code != 0
    assert expected in run.out, run.out
    assert (tmp_path / "file").read_text() == "somebody's"


WRONG = [
    ({"path": ""}, "path: it is empty."),
    ({"path": "  "}, "path: it is empty."),
    ({"path": {"a": 1}}, "path: it has to be text, the folder of the tree, and not "),
    ({"path": ["{tmp}/fleet"]}, "path: it has to be text"),
    ({"path": "fleet"}, "path: 'fleet' is relative, and a run may start in any folder."),
    ({"path": "{tmp}/file"}, "it is a file, and the tree needs a folder."),
    ({"path": "{tmp}/inventory/fleet"}, "/inventory/fleet lies in the inventory, and Ansible would read"),
    ({"path": "{tmp}/inventory"}, "/inventory lies in the inventory"),
    ({"path": "{tmp}/other/fleet", "inventory": "{tmp}/other"}, "/other/fleet lies in the inventory"),
    ({"lock_timeout": -1}, "lock_timeout: -1 is no time to wait. Give 0 or more seconds."),
    ({"init": True, "commit": False}, "init: it needs commit=true, a repository is made for the commit."),
    ({"push": True, "commit": False}, "push: it needs commit=true, only commits can be pushed."),
    ({"push": True, "remote": ""}, "remote: it is empty, and push needs one."),
    ({"remote": "--upload-pack=touch {tmp}/owned"}, "it is neither the name nor the address of a remote."),
    ({"remote": "ext::sh%20-c%20touch"}, "an address of this form runs a program here."),
    ({"push": True, "remote": "nowhere"}, "has no remote of this name (it has none)."),
    ({"branch": "--upload-pack=x"}, "branch '--upload-pack=x': it is not the name of a branch."),
    ({"branch": "a b"}, "branch 'a b': it is not the name of a branch."),
    ({"branch": "other", "path": "{tmp}/repository/fleet"}, "the branch main is checked out, and not other."),
    ({"author_email": "nobody"}, "author_email 'nobody': it is not an address."),
    ({"author_email": "a@example.org\n"}, "it is not an address."),
    ({"author_name": "a\nb"}, "it is not a name."),
    ({"prune_limit": "most"}, "prune_limit: 'most' is no limit."),
    ({"clusters": ["east-prd"]}, "clusters: there is no cluster 'east-prd'. Did you mean 'east-prod'?"),
]


def test_wrong_parameters_write_nothing(tmp_path: Path, inventory: Path) -> None:
    (tmp_path / "file").write_text("somebody's")
    (tmp_path / "other").mkdir()
    (tmp_path / "repository").mkdir()
    git(tmp_path / "repository", "init", "-q", "-b", "main")
    work = tmp_path / "work"
    work.mkdir()
    before = {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*") if work not in path.parents}
    usual = {"path": str(tmp_path / "fleet"), "commit": True, "init": True, "today": DAY}
    wanted: list[dict[str, object]] = [
        {"k8s.self_provisioning.fleet_tree": {**usual, **json.loads(json.dumps(wrong).replace("{tmp}", str(tmp_path)))}}
        for wrong, _message in WRONG
    ]
    for mode in ([], ["--check"]):
        results, _unused = tasks(work, wanted, *mode, inventory=inventory)
        for (wrong, message), result in zip(WRONG, results, strict=True):
            assert result["failed"], wrong
            assert message in result["msg"], wrong
        after = {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*") if work not in path.parents}
        assert {p: t for p, t in after.items() if p != work} == {p: t for p, t in before.items() if p != work}


def test_several_wrong_parameters_are_told_together(tmp_path: Path) -> None:
    task = {"path": str(tmp_path / "fleet"), "push": True, "lock_timeout": -5, "branch": "-x", "prune_limit": "x"}
    results, _unused = tasks(tmp_path, [{"k8s.self_provisioning.fleet_tree": task}])
    for message in ("push: it needs", "lock_timeout: -5", "branch '-x'", "prune_limit: 'x'"):
        assert message in results[0]["msg"]


#: What Ansible adds to any result.
COMMON = {"changed", "failed", "msg", "warnings", "deprecations", "exception", "skipped"}


@pytest.mark.parametrize("name", ["fleet_tree", "fleet_info"])
def test_what_is_documented_is_what_is_returned(name: str, tmp_path: Path) -> None:
    listed = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-doc")), "-t", "module", "--json", f"k8s.self_provisioning.{name}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections")},
    ).stdout
    documented = json.loads(listed)[f"k8s.self_provisioning.{name}"]["return"]
    options: dict[str, object] = {"today": DAY}
    if name == "fleet_tree":
        options.update(path=str(tmp_path / "fleet"), commit=True, init=True)
    results, _unused = tasks(tmp_path, [{f"k8s.self_provisioning.{name}": options}], "--diff")
    found = results[0]
    assert not found["failed"]
    keys = {key for key in found if not key.startswith("_")} - COMMON
    assert keys == documented.keys() - COMMON
    kinds = {"list": list, "dict": dict, "str": str, "bool": bool, "int": int}
    for key in keys:
        assert isinstance(found[key], kinds[documented[key]["type"]]), key
    assert set(found.get("timings", {})) == set(documented.get("timings", {}).get("sample", {}))


def listed(*arguments: str) -> list[str]:
    run = play("tenants", "--list-tasks", *arguments)
    assert run.code == 0, run.out
    return [line.split("TAGS:")[0].strip() for line in run.lines if "TAGS:" in line and "play #" not in line]


PREFLIGHT = ("the fleet tree is known", "tenants_only are known", "as a whole")
#: Included: what is in it is listed when it runs.
MEASURE = "Measure the clusters that declare no capacity"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("gitops", [MEASURE, *PREFLIGHT, "Write the fleet tree"]),
        ("tenants_tree", [MEASURE, "Write the fleet tree"]),
        ("tenants_preflight", [*PREFLIGHT]),
        ("tenants_capacity", [MEASURE]),
        ("live", [MEASURE, "Reconcile the cluster"]),
        ("tenants_live", [MEASURE, "Reconcile the cluster"]),
        ("tenants", [MEASURE, *PREFLIGHT, "Write the fleet tree", "Reconcile the cluster"]),
    ],
)
def test_tags_reach_into_the_role(tags: str, expected: list[str]) -> None:
    found = [line for line in listed("--tags", tags) if "Validating arguments" not in line]
    assert [line.endswith(name) for line, name in zip(found, expected, strict=True)] == [True] * len(expected)


def test_the_tags_of_the_role_do_their_work(tmp_path: Path) -> None:
    run = play("tenants", "--tags", "tenants_tree", tenants_tree=tmp_path / "fleet", tenants_init=True)
    assert (run.code, run.changed) == (0, 1), run.out
    assert git(tmp_path / "fleet", "rev-list", "--count", "HEAD") == "1"
    run = play("tenants", "--tags", "tenants_live", tenants_tree=tmp_path / "fleet")
    assert "research-gpu: kubeconfig " in run.out, "it got as far as the cluster, which is not there"
    assert "Write the fleet tree" not in run.out


def test_v_does_not_print_every_file(tmp_path: Path) -> None:
    run = play("tenants", "-v", tenants_tree=tmp_path / "fleet", tenants_init=True, tenants_report="none")
    assert (run.code, run.changed) == (0, 1), run.out
    assert len(run.out) < 4000, run.out
    assert "kustomization.yaml" not in run.out


def shrink(inventory: Path) -> None:
    """As when a sync brought only some of the files."""
    folder = inventory / "group_vars/all/tenants"
    for path in folder.glob("*.yml"):
        if path.name != "science.yml":
            path.unlink()
    for path in (inventory / "host_vars").glob("*.yml"):
        text = re.sub("(?m)^cluster_dedicated_to:.*$", "cluster_dedicated_to: []", path.read_text())
        path.write_text(re.sub(r"tenants: \[[^\]]*\]", "tenants: []", text))


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
