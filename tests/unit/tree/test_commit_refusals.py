# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""States in which nothing can be committed, and what is said of them."""

from __future__ import annotations

import os
import re
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import commit, paths
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.commit import Options
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

from .committing import DIRTY, A, B, git, in_head, repository, save
from .support import files

pytestmark = pytest.mark.usefixtures("lonely_git")


def conflict(root: Path) -> None:
    for branch in ("one", "two"):
        git(root, "checkout", "-q", "-B", branch, "main")
        (root / "file").write_text(branch)
        git(root, "add", "file")
        git(root, "commit", "-qm", branch)


def merge(root: Path) -> None:
    conflict(root)
    subprocess.run(["git", "merge", "one"], cwd=root, env=clean_environment(), capture_output=True, check=False)


def rebase(root: Path) -> None:
    conflict(root)
    subprocess.run(["git", "rebase", "one"], cwd=root, env=clean_environment(), capture_output=True, check=False)


def pick(root: Path) -> None:
    conflict(root)
    subprocess.run(["git", "cherry-pick", "one"], cwd=root, env=clean_environment(), capture_output=True, check=False)


def stash(root: Path) -> None:
    conflict(root)
    (root / "file").write_text("three")
    git(root, "stash")
    git(root, "checkout", "-q", "one")
    subprocess.run(["git", "stash", "pop"], cwd=root, env=clean_environment(), capture_output=True, check=False)


def clean_environment() -> dict[str, str]:
    identity = {f"GIT_{who}_{what}": "me" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return {**{key: value for key, value in os.environ.items() if key not in DIRTY}, **identity}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (merge, "a merge is not finished there. Finish or abort it, then run again."),
        (rebase, "a rebase is not finished there."),
        (pick, "a cherry-pick is not finished there."),
        (stash, "it has unmerged files: file. Resolve the conflict, then run again."),
        (lambda root: git(root, "checkout", "-q", "--detach"), "no branch is checked out (detached HEAD)"),
        (
            lambda root: (root / ".git/index.lock").touch(),
            ".git/index.lock: another Git command is at work in this repository, or was killed there. Wait for its "
            "end. If none is at work, remove the lock: rm ",
        ),
    ],
)
def test_unfinished_work_is_refused(root: Path, spoil: t.Callable[[Path], object], message: str) -> None:
    save(root, files(A))
    spoil(root)
    before = git(root, "rev-parse", "HEAD")
    with pytest.raises(TreeError, match=re.escape(message)):
        save(root, files(A, B))
    assert git(root, "rev-parse", "HEAD") == before


def test_no_repository(root: Path) -> None:
    with pytest.raises(TreeError, match=r"it is not in a Git repository\. .*give init=true"):
        commit.find(root, Options())


def test_a_folder_that_the_repository_around_it_ignores(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("build/\n")
    root = tmp_path / "build" / "fleet"
    root.mkdir(parents=True)
    with pytest.raises(TreeError, match=r"ignores this folder\. .*give init=true"):
        commit.find(root, Options())
    save(root, files(A))
    assert repository(root).top == str(root)
    assert git(tmp_path, "status", "--porcelain", "--untracked-files=all", ".gitignore", "build") == "?? .gitignore\n"


def test_files_that_the_repository_ignores_are_committed(root: Path) -> None:
    git(root, "init", "-q", "-b", "main")
    (root / ".gitignore").write_text("*.yaml\nclusters/\n")
    save(root, files(A, B))
    assert in_head(root) == [paths.MANIFEST, A, B]


def test_a_bare_repository(root: Path) -> None:
    git(root, "init", "-q", "--bare")
    with pytest.raises(TreeError, match=r"Git cannot use it\.\nfatal: this operation must be run in a work tree"):
        commit.find(root, Options(init=True))


def test_without_the_git_program(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(
        TreeError, match=r"the program git is not installed here\. Install git, or turn the commit off\."
    ):
        commit.find(root, Options(init=True))


@pytest.mark.parametrize(
    "name", ["-x", "--exec=x", "a b", "a..b", "a\nb", "a~1", "a:b", "a^", "a.lock", "/a", "a/", "@{u}", "@", "a/.b"]
)
def test_branches_that_are_none(name: str) -> None:
    with pytest.raises(TreeError, match="it is not the name of a branch"):
        Options(init=True, branch=name)


def test_another_branch_than_the_one_that_is_checked_out(root: Path) -> None:
    git(root, "init", "-q", "-b", "live")
    assert save(root, files(A), branch="live")
    with pytest.raises(
        TreeError, match=r"the branch live is checked out, and not main\. Run git -C .* switch main, or"
    ):
        save(root, files(A, B), branch="main")


@pytest.mark.parametrize(
    ("name", "email", "message"),
    [
        ("a\nb", "", "author_name"),
        ("<x>", "", "author_name"),
        ("..", "", "author_name"),
        ("", "nobody", "author_email"),
        ("", "a@b\nc", "author_email"),
        ("", "a b@c", "author_email"),
        ("", "<a@b>", "author_email"),
    ],
)
def test_authors_that_are_none(name: str, email: str, message: str) -> None:
    with pytest.raises(TreeError, match=message):
        Options(name=name, email=email)
