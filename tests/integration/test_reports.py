# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read: the texts of validate, plan, tenants and the demo, in real runs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .playbooks import ROOT, Run, copy_example, edit, git, play, tasks, tree

DAY = "2026-11-21"
BIOLOGY = "group_vars/all/tenants/biology.yml"
WIDTH = 120
NEW_PROJECT = """\
  projects:
    - id: genome
      environments:
        - {name: dev, size: small}
"""
FACTS = "clusters/east-prod/config/kustomization.yaml"


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rendered") / "fleet"
    run = play("tenants", tenants_tree=root, tenants_init=True, tenants_today=DAY)
    assert run.code == 0, run.out
    return root


@pytest.fixture
def fleet(rendered: Path, tmp_path: Path) -> Path:
    shutil.copytree(rendered, tmp_path / "fleet", symlinks=True)
    return tmp_path / "fleet"


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    return copy_example(tmp_path / "inventory")


def report(run: Run) -> list[str]:
    """What a task told, without Ansible's own lines."""
    lines = run.lines
    start = next(index for index, line in enumerate(lines) if line.startswith(("warning: ", "WHAT ", "Harbour ")))
    end = next(index for index in range(start, len(lines)) if re.match(r"(changed|ok): \[", lines[index]))
    return lines[start:end]


def last(run: Run) -> str:
    """The last paragraph of a report, as one line."""
    lines = report(run)
    return " ".join(lines[len(lines) - lines[::-1].index("") :])


def row(run: Run, name: str, heading: str) -> list[list[str]]:
    """A row of a table, and the one below it."""
    lines = run.lines
    start = next(index for index, line in enumerate(lines) if line.startswith(heading))
    at = next(index for index in range(start, len(lines)) if lines[index].split()[:1] == [name])
    return [lines[at].split(), lines[at + 1].split()]


def test_plan_of_a_small_change(fleet: Path, inventory: Path) -> None:
    edit(inventory / BIOLOGY, "  projects:\n", NEW_PROJECT)
    run = play("plan", inventory=inventory, tenants_tree=fleet, tenants_today=DAY)
    assert run.code == 0, run.out
    told = report(run)
    assert [line for line in told if len(line) > WIDTH and not line.startswith("warning: ")] == []
    for expected in (
        "  tenant biology: biology-genome-dev created on shared-dev",
        "  cluster shared-dev: 1 namespace created; delivery changed",
        "PLACEMENTS DECIDED NOW (1)",
        "A month costs 263,839.80 HKD now and 264,283.80 after: 444.00 more.",
    ):
        assert expected in told, run.out
    assert row(run, "biology", "TENANTS") == [
        ["biology", "8", "-", "32Gi", "-", "600Gi", "-", "2,132.00"],
        ["→", "after", "12", "48Gi", "700Gi", "2,576.00"],
    ]
    assert row(run, "shared-dev", "CLUSTERS") == [
        ["shared-dev", "19", "55/360", "305", "220Gi/1575Gi", "1355Gi", "1740Gi/15Ti", "13620Gi", "6,744.00"],
        ["→", "after", "20", "59/360", "301", "236Gi/1575Gi", "1339Gi", "1840Gi/15Ti", "13520Gi", "7,188.00"],
    ]
    assert row(run, "ai-lab", "TENANT              LOCAL-NVME")[0] == ["ai-lab", "-", "9/12", "3"]
    assert row(run, "research-gpu", "CLUSTER       LOCAL-NVME")[0] == ["research-gpu", "-", "10/16", "6"]
    marked = [line for line in told if line.lstrip().startswith("→")]
    assert len(marked) == 5, "biology, science, shared-dev and the two totals"
    assert last(run).startswith(f"Would be done in {fleet}: 2 files created, ")


@pytest.mark.parametrize("tag", ["plan", "tenants_tree"])
def test_plan_by_its_tags(fleet: Path, tag: str) -> None:
    run = play("plan", "--tags", tag, tenants_tree=fleet, tenants_today=DAY)
    assert run.code == 0, run.out
    assert last(run).startswith(f"Nothing would change in {fleet}: "), run.out


@pytest.mark.slow
def test_files_of_others_and_edited_files_are_named(fleet: Path) -> None:
    (fleet / FACTS).write_text("# by hand\n")
    theirs = [f"clusters/west-prod/config/theirs-{index:02}.yaml" for index in range(13)]
    for name in theirs:
        (fleet / name).write_text("theirs\n")
    foreseen = play("plan", tenants_tree=fleet, tenants_today=DAY)
    run = play("tenants", tenants_tree=fleet, tenants_today=DAY)
    for each, title in ((foreseen, "CHANGED BY HAND, WOULD BE PUT BACK (1)"), (run, "CHANGED BY HAND, PUT BACK (1)")):
        assert each.code == 0, each.out
        told = report(each)
        assert told[told.index(title) + 1] == f"  {FACTS}"
        at = told.index("FILES OF OTHERS, LEFT ALONE (13)")
        assert told[at + 1 : at + 12] == [*(f"  {name}" for name in theirs[:10]), "  and 3 more"]
        assert "1 file put back after a change by hand" in last(each)
        assert "Nothing changed" not in each.out
        assert "Nothing would change" not in each.out


def test_a_limited_run_speaks_of_what_it_looked_at(fleet: Path) -> None:
    (fleet / FACTS).write_text("# by hand\n")
    limited = ("--limit", "west-prod", "--check")
    for run in (play("plan", *limited, tenants_tree=fleet, tenants_today=DAY),
                play("tenants", *limited, tenants_tree=fleet, tenants_today=DAY, tenants_commit=False)):  # fmt: skip
        assert run.code == 0, run.out
        assert last(run).startswith(f"Nothing would change in {fleet}: ")
        assert "of west-prod and of the fleet as a whole were as declared already; " in last(run)
        assert re.search(r"; [78] other clusters \(east-prod, .*\) were not looked at\.$", last(run)), run.out
        assert "CHANGED BY HAND" not in run.out


@pytest.mark.slow
def test_commit_push_and_record_are_told(fleet: Path, inventory: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)
    git(fleet, "remote", "add", "origin", str(remote))
    options = {"tenants_tree": fleet, "tenants_today": DAY, "inventory": inventory}

    run = play("tenants", tenants_push=True, **options)  # type: ignore[arg-type]
    assert "Done in" in last(run), run.out
    assert "earlier commits are pushed" in last(run)

    edit(inventory / BIOLOGY, "  projects:\n", NEW_PROJECT)
    run = play("tenants", tenants_commit=False, tenants_record_placements=True, **options)  # type: ignore[arg-type]
    assert "committed" not in last(run), run.out
    assert re.search(r"[0-9]+ tenant files given placements", last(run)), run.out

    run = play("tenants", tenants_push=True, **options)  # type: ignore[arg-type]
    head = git(fleet, "rev-parse", "HEAD")[:12]
    assert f"committed as {head}" in last(run), run.out
    assert "; pushed" in last(run)

    run = play("tenants", tenants_push=True, **options)  # type: ignore[arg-type]
    assert last(run).startswith(f"Nothing changed in {fleet}: "), run.out


def test_validate_counts_and_returns_problems_only(inventory: Path) -> None:
    run = play("validate", "-v")
    assert run.code == 0, run.out
    assert len(run.out) < 6000, "the result of the whole fleet is in the output"
    edit(inventory / BIOLOGY, "size: medium", "size: mediun")
    run = play("validate", "-v", inventory=inventory)
    assert run.code != 0
    assert "The inventory has 1 error, 2 warnings, listed above." in run.out, run.out
    assert len(run.out) < 6000
    assert not re.search(r"\b1 (errors|warnings|files|clusters|tenants|environments)\b", run.out)


@pytest.mark.slow
def test_fleet_info_returns_what_is_asked_for(tmp_path: Path) -> None:
    parts = {"problems", "clusters", "environments", "ledger"}
    asked: list[list[str]] = [[], ["problems"], ["ledger", "clusters"], sorted(parts)]
    options: list[dict[str, object]] = [*({"gather": each} for each in asked), {}]
    results, _unused = tasks(tmp_path, [{"k8s.self_provisioning.fleet_info": each} for each in options])
    for wanted, found in zip([*asked, sorted(parts)], results, strict=True):
        assert parts & {*found} == {*wanted}
        assert {"valid", "summary"} <= {*found}


@pytest.mark.slow
def test_where_the_demo_says_to_look_next(tmp_path: Path) -> None:
    for name in (".cache", "inventories", "ansible.cfg"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/ansible-playbook").symlink_to(Path(sys.executable).with_name("ansible-playbook"))
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/demo", tmp_path / ".ci/demo")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")}
    environment["PATH"] = f"{tmp_path}/.venv/bin:{environment['PATH']}"

    def shell(line: str) -> str:
        done = subprocess.run(
            line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    shell(".ci/demo -e tenants_today=2026-11-21")
    lines = shell(".ci/demo -e tenants_today=2026-11-21").splitlines()
    assert any(line.startswith(f"Nothing changed in {tmp_path}/.demo/fleet: ") for line in lines)
    look, run = lines.index(f"Where to look next, from {tmp_path}"), lines.index("What to run next")
    looks = [line.split() for line in lines[look + 1 : run]]
    assert len(looks) == 4
    for path, *words in looks:
        assert (tmp_path / path).exists(), path
        assert words, path
    runs = [line.strip() for line in lines[run + 1 :] if line.startswith("  ") and not line.startswith("   ")]
    assert [shlex.split(line)[0] for line in runs] == ["git", ".venv/bin/ansible-playbook"]
    assert [bool(shell(line)) for line in runs] == [True, True]


def test_the_tree_of_a_plan_is_not_touched(fleet: Path, inventory: Path) -> None:
    before = tree(fleet)
    edit(inventory / BIOLOGY, "  projects:\n", NEW_PROJECT)
    run = play("plan", "--diff", inventory=inventory, tenants_tree=fleet, tenants_today=DAY)
    assert run.code == 0
    assert tree(fleet) == before
    # what sums it up is the last thing on the screen
    assert run.out.count("+++ b/placements.yaml") == 1, run.out
    assert run.out.index("+++ b/placements.yaml") < run.out.index("WHAT WOULD CHANGE")
    assert last(run).startswith(f"Would be done in {fleet}: "), run.out
