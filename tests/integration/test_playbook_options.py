# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options: wrong ones are told together, tags reach what they name, results are as documented."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .playbooks import ansible, copy_example, git, play, tasks

DAY = "2026-11-21"


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    return copy_example(tmp_path / "inventory")


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fleet_tree", "fleet_info"])
def test_what_is_documented_is_what_is_returned(name: str, tmp_path: Path) -> None:
    listed = ansible("doc", "-t", "module", "--json", f"k8s.self_provisioning.{name}")
    documented = json.loads(listed.stdout)[f"k8s.self_provisioning.{name}"]["return"]
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


@pytest.mark.slow
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
