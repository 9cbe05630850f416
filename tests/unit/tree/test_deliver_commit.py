# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivery into a repository: what is committed and pushed, and what a check run foretells."""

from __future__ import annotations

import shutil
import typing as t
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import deliver, journal, paths
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.commit import Options
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.disk import Disk
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

from .delivering import GIT, ME, compiler, git, inventory, run
from .support import killed_at, stamps, steps


def test_a_repository_in_trouble_is_told_before_anything_is_written(tmp_path: Path) -> None:
    run(tmp_path, inventory(), git=GIT)
    git(tmp_path, "checkout", "-q", "--detach")
    before = stamps(tmp_path)
    data = inventory()
    del data["tenants"]["tenant__physics"]
    for check in (True, False):
        with pytest.raises(TreeError, match="detached HEAD"):
            deliver.deliver(tmp_path, compiler(data), git=GIT, check=check)
    assert {k: v for k, v in stamps(tmp_path).items() if ".git" not in k} == {
        k: v for k, v in before.items() if ".git" not in k
    }


def test_a_push_that_failed_is_made_up_for(tmp_path: Path) -> None:
    root, remote = tmp_path / "tree", tmp_path / "remote.git"
    there = Options(init=True, name="Bot", email="bot@example.org", remote=str(remote))
    with pytest.raises(TreeError, match="it failed; the commits stay here"):
        deliver.deliver(root, compiler(inventory()), git=there)
    git(tmp_path, "init", "-q", "--bare", str(remote))
    outcome = run(root, inventory(), git=there)
    assert (outcome.commit, outcome.pushed, outcome.changed) == ("", True, True)
    assert git(remote, "rev-parse", "main") == git(root, "rev-parse", "HEAD")
    assert not run(root, inventory(), git=there).changed
    data = inventory()
    del data["tenants"]["tenant__bio_lab"]
    outcome = run(root, data, git=there)
    assert (outcome.committed, outcome.pushed) == (True, True)


def test_a_check_run_tells_that_the_push_would_fail(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    run(root, inventory(), git=GIT)
    for there, said in ((tmp_path / "none.git", "it failed"), (tmp_path / "ahead.git", "the remote has commits")):
        if there.name == "ahead.git":
            git(tmp_path, "init", "-q", "--bare", "-b", "main", str(there))
            git(tmp_path, "clone", "-q", str(there), "clone")
            git(tmp_path / "clone", *ME, "commit", "-q", "--allow-empty", "-m", "x")
            git(tmp_path / "clone", "push", "-q", "origin", "HEAD:main")
        options = replace(GIT, remote=str(there))
        plan = deliver.deliver(root, compiler(inventory()), git=options, check=True)
        assert (len(plan.refusals), said in plan.refusals[0], plan.pushed) == (1, True, False)
        with pytest.raises(TreeError, match=said):
            deliver.deliver(root, compiler(inventory()), git=options)


def edit_by_hand(root: Path) -> None:
    (root / "ledger.csv").write_text("edited")


def edit_and_commit(root: Path) -> None:
    edit_by_hand(root)
    git(root, *ME, "commit", "-qam", "edit")


def write_without_commit(root: Path) -> None:
    data = inventory()
    del data["tenants"]["tenant__bio_lab"]
    deliver.deliver(root, compiler(data))


@pytest.mark.parametrize(
    ("spoil", "repaired", "committed"),
    [
        (edit_by_hand, ["ledger.csv"], False),
        (edit_and_commit, ["ledger.csv"], True),
        (write_without_commit, [], False),
        (lambda root: shutil.rmtree(root / "clusters"), None, False),
        (lambda root: (root / paths.MANIFEST).unlink(), [], False),
        (lambda root: git(root, "reset", "-q", "--hard", "HEAD~"), None, True),
        (lambda root: shutil.rmtree(root / ".git"), [], True),
    ],
)
def test_a_check_run_foretells_the_commit(
    tmp_path: Path, spoil: t.Callable[[Path], object], repaired: list[str] | None, committed: bool
) -> None:
    data = inventory()
    del data["tenants"]["tenant__bio_lab"]
    run(tmp_path, data, git=GIT)
    run(tmp_path, inventory(), git=GIT)
    spoil(tmp_path)
    outcome = run(tmp_path, inventory(), git=GIT)
    assert outcome.tree
    assert repaired is None or outcome.tree.repaired == repaired
    assert (outcome.changed, outcome.committed) == (True, committed)
    assert git(tmp_path, "status", "--porcelain") == ""
    assert not run(tmp_path, inventory(), git=GIT).changed


@pytest.mark.parametrize("place", ["new", "new/deeper"])
def test_a_tree_that_is_not_there_yet(tmp_path: Path, place: str) -> None:
    """What is wrong with its repository is told before its folder is made; check mode tells the same."""
    root = tmp_path / place
    for check in (True, False):
        with pytest.raises(TreeError, match=r"it is not in a Git repository\."):
            deliver.deliver(root, compiler(inventory()), git=Options(), check=check)
    git(tmp_path, "init", "-q", "-b", "main")
    for check in (True, False):
        with pytest.raises(TreeError, match="the branch main is checked out, and not other"):
            deliver.deliver(root, compiler(inventory()), git=Options(branch="other"), check=check)
    (tmp_path / ".gitignore").write_text("/new/\n")
    for check in (True, False):
        with pytest.raises(TreeError, match=r"ignores this folder"):
            deliver.deliver(root, compiler(inventory()), git=Options(), check=check)
    assert not (tmp_path / "new").exists()
    (tmp_path / ".gitignore").unlink()
    assert run(root, inventory(), git=Options()).committed
    shutil.rmtree(tmp_path / "new")
    outcome = run(root, inventory(), git=Options())
    assert (outcome.changed, outcome.committed) == (True, False), "the commit has it all already"


def test_an_interrupted_run_is_completed_even_when_git_was_killed_as_well(tmp_path: Path) -> None:
    """The tree comes first; the lock that a killed Git left is told then."""
    run(tmp_path, inventory(), git=GIT)
    data = inventory()
    del data["tenants"]["tenant__bio_lab"]
    plan = deliver.deliver(tmp_path, compiler(data), check=True)
    assert plan.tree
    pending = plan.tree.pending
    writes = {path: text for path, text in pending.items() if text is not None}
    journal.stage(Disk(tmp_path), writes, sorted(pending.keys() - writes.keys()))
    (tmp_path / ".git/index.lock").touch()
    with pytest.raises(TreeError, match=r"remove the lock: rm .*index\.lock\. Then run again"):
        deliver.deliver(tmp_path, compiler(data), git=GIT)
    assert not (tmp_path / paths.STAGING).exists()
    (tmp_path / ".git/index.lock").unlink()
    assert deliver.deliver(tmp_path, compiler(data), git=GIT).committed


def test_commits_hold_whole_trees_only(tmp_path: Path) -> None:
    """Killed at any step, the last commit is the old tree; the next run commits what the killed one wrote."""
    data = inventory()
    del data["tenants"]["tenant__physics"]
    data["tenants"]["tenant__bio_lab"]["projects"][0]["environments"].append({"name": "demo", "stage": "dev"})
    new = tmp_path / "new"
    run(new, inventory(), git=GIT)
    old_tree = git(new, "rev-parse", "HEAD^{tree}")
    count = steps(lambda: deliver.deliver(new, compiler(data), git=GIT))
    new_tree = git(new, "rev-parse", "HEAD^{tree}")
    assert old_tree != new_tree
    assert count > 20
    for number in range(0, count, 4):
        root = tmp_path / str(number)
        deliver.deliver(root, compiler(inventory()), git=GIT)
        assert killed_at(number, partial(deliver.deliver, root, compiler(data), git=GIT))
        assert git(root, "rev-parse", "HEAD^{tree}") == old_tree
        outcome = deliver.deliver(root, compiler(data), git=GIT)
        assert git(root, "rev-parse", "HEAD^{tree}") == new_tree
        assert outcome.message.splitlines()[0] == "2 tenants: bio-lab, physics"
        assert git(root, "status", "--porcelain") == ""
