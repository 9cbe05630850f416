# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Git commit: exactly our files, whatever else goes on in the repository."""

from __future__ import annotations

import os
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import commit, paths, writer
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

from .committing import A, B, git, in_head, noting, repository, save, status
from .support import document, files

pytestmark = pytest.mark.usefixtures("lonely_git")


def test_a_repository_is_made_and_everything_committed(root: Path) -> None:
    sha = save(root, files(A, B))
    assert sha == git(root, "rev-parse", "HEAD").strip()
    assert git(root, "branch", "--show-current") == "main\n"
    assert in_head(root) == [paths.MANIFEST, A, B]
    assert status(root) == []
    assert git(root, "log", "-1", "--format=%an <%ae>, %cn <%ce>").strip() == ", ".join(
        ["k8s.self_provisioning <self-provisioning@localhost>"] * 2
    )


def test_nothing_to_commit(root: Path) -> None:
    save(root, files(A, B))
    index = (root / ".git/index").stat().st_mtime_ns
    assert save(root, files(A, B)) == ""
    assert git(root, "rev-list", "--count", "HEAD") == "1\n"
    assert (root / ".git/index").stat().st_mtime_ns == index


def test_the_message_is_told_what_changed(root: Path) -> None:
    save(root, files(A, B))
    seen: list[commit.Difference] = []
    wanted = {A: [document("new")], "clusters/b.yaml": [document("b")]}
    writer.sync(root, wanted)
    repository(root).commit(wanted, noting(seen, "#1 subject\n\n# body\n"))
    assert seen == [commit.Difference(["clusters/b.yaml"], [paths.MANIFEST, A] if paths.MANIFEST < A else [], [B])]
    assert git(root, "log", "-1", "--format=%B") == "#1 subject\n\n# body\n\n"
    assert in_head(root) == [paths.MANIFEST, A, "clusters/b.yaml"]


@pytest.mark.parametrize("place", ["", "fleet/", "fleet/é ü/$(touch x)/"])
def test_other_changes_stay_where_they_are(root: Path, place: str) -> None:
    git(root, "init", "-q", "-b", "main")
    for name in ("kept", "staged", "both", "gone"):
        (root / name).write_text("1")
    git(root, "add", ".")
    git(root, "commit", "-qm", "theirs")
    tree = root / place
    tree.mkdir(parents=True, exist_ok=True)
    (root / "staged").write_text("2")
    (root / "new").write_text("2")
    (root / "both").write_text("2")
    git(root, "add", "staged", "new", "both")
    git(root, "rm", "-q", "--cached", "gone")
    (root / "both").write_text("3")
    (root / "kept").write_text("3")
    (tree / "clusters").mkdir()
    (tree / "clusters/foreign").write_text("x")
    before = set(status(root))

    assert save(tree, files(A, B))
    assert set(status(root)) == before
    assert git(root, "show", "HEAD:both") == "1"
    assert git(root, "show", ":both") == "2"
    names = git(root, "diff", "--name-only", "-z", "HEAD~", "HEAD").rstrip("\0").split("\0")
    assert sorted(names) == sorted(f"{place}{name}" for name in (A, B, paths.MANIFEST))
    assert save(tree, files(A)), "and a removal"
    assert set(status(root)) == before
    assert save(tree, files(A)) == ""
    assert not (root / "x").exists()


def test_only_the_tree_of_a_folder_is_looked_at(root: Path) -> None:
    """The same paths outside the tree's folder are not ours."""
    git(root, "init", "-q", "-b", "main")
    (root / A).parent.mkdir(parents=True)
    (root / A).write_text("theirs")
    git(root, "add", A)
    assert save(root / "fleet", files(A))
    assert status(root) == [f"A  {A}"]


def test_names_with_pathspec_magic_are_names(root: Path) -> None:
    names = [
        "clusters/*.yaml",
        "clusters/:(glob)**",
        "clusters/-x",
        "clusters/a b\nc",
        "clusters/[a]",
        "clusters/é",
        ":!x",
    ]
    (root / "clusters").mkdir()
    (root / "clusters/foreign.yaml").write_text("x")
    (root / "x").write_text("x")
    save(root, files(*names))
    committed = git(root, "ls-tree", "-r", "-z", "--name-only", "HEAD").rstrip("\0").split("\0")
    assert sorted(committed) == sorted([*names, paths.MANIFEST])
    git(root, "add", "x")
    assert save(root, files(*names[:3], **{"clusters__new": "new"}))
    assert status(root) == ["A  x", "?? clusters/foreign.yaml"]


def test_an_earlier_run_that_was_killed_before_its_commit_is_committed(root: Path) -> None:
    save(root, files(A, B))
    writer.sync(root, {A: [document("second")], "clusters/c.yaml": [document("c")]})
    git(root, "add", "clusters/c.yaml")
    seen: list[commit.Difference] = []
    assert not writer.sync(root, {A: [document("second")], "clusters/c.yaml": [document("c")]}).changed
    repository(root).commit([A, "clusters/c.yaml"], noting(seen, "late"))
    assert (seen[0].created, A in seen[0].updated, seen[0].removed) == (["clusters/c.yaml"], True, [B])
    assert status(root) == []


def test_a_file_that_was_staged_and_is_no_longer_wanted(root: Path) -> None:
    save(root, files(A))
    writer.sync(root, files(A, B))
    git(root, "add", "-A")
    save(root, files(A))
    assert (status(root), in_head(root)) == ([], [paths.MANIFEST, A])


def dying(number: int) -> t.Any:
    """A subprocess.run that kills this process before its call I(number)."""
    calls = 0
    real = subprocess.run

    def run(*arguments: t.Any, check: bool = False, **options: t.Any) -> t.Any:
        nonlocal calls
        calls += 1
        if calls > number:
            os.kill(os.getpid(), 9)
        return real(*arguments, check=check, **options)

    return run


@pytest.mark.parametrize("first", [True, False])
def test_killed_between_any_two_git_commands(tmp_path: Path, first: bool) -> None:
    for number in range(20):
        root = tmp_path / str(number)
        root.mkdir()
        repository(root)
        if not first:
            save(root, files(A, B))
        (root / "theirs").write_text("x")
        git(root, "add", "theirs")
        wanted = {A: [document("new")], "clusters/new.yaml": [document("new")]}
        writer.sync(root, wanted)
        found = repository(root)
        child = os.fork()
        if not child:
            subprocess.run = dying(number)
            try:
                found.commit(wanted, lambda _unused: "killed")
            finally:
                os._exit(0)
        _unused, ended = os.waitpid(child, 0)
        save(root, wanted)
        assert in_head(root) == [paths.MANIFEST, A, "clusters/new.yaml"]
        assert status(root) == ["A  theirs"]
        assert git(root, "rev-list", "--count", "HEAD").strip() == ("1" if first else "2")
        if not os.WIFSIGNALED(ended):
            break
    else:
        pytest.fail("the commit never ended")
    assert number > 5


# --- who commits ------------------------------------------------------------------------------------------------------


def test_the_configured_identity_is_used(root: Path) -> None:
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "user.name", "Ops")
    git(root, "config", "user.email", "ops@example.org")
    save(root, files(A))
    assert git(root, "log", "-1", "--format=%an <%ae>").strip() == "Ops <ops@example.org>"
    save(root, files(B), name="Bot --amend", email="bot@example.org")
    assert git(root, "log", "-1", "--format=%an <%ae>, %cn").strip() == "Bot --amend <bot@example.org>, Bot --amend"


def test_hooks_are_run_and_a_refusal_is_told(root: Path) -> None:
    save(root, files(A))
    hook = root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'not on a friday, https://user:secret@host/x' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(TreeError) as caught:
        save(root, files(A, B))
    assert "git commit failed.\nnot on a friday, https://***@host/x\n" in str(caught.value)
    assert "The files are written and staged. Mend that, then run again" in str(caught.value)
    hook.unlink()
    assert save(root, files(A, B))
    assert status(root) == []


def test_a_hook_says_much(root: Path) -> None:
    save(root, files(A))
    hook = root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nseq 1 500 >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(TreeError, match=r"git commit failed\.\n489\n(\d+\n)+500\n"):
        save(root, files(A, B))


def test_commits_are_signed_when_git_is_told_to(root: Path, tmp_path: Path) -> None:
    save(root, files(A))
    git(root, "config", "commit.gpgsign", "true")
    git(root, "config", "gpg.format", "ssh")
    git(root, "config", "user.signingkey", str(tmp_path / "key"))
    with pytest.raises(TreeError, match=r"git commit failed\.\n(.*\n)+.*The files are written and staged\."):
        save(root, files(A, B))
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    assert save(root, files(A, B))
    assert "-----BEGIN SSH SIGNATURE-----" in git(root, "cat-file", "commit", "HEAD")


def test_a_machine_without_any_identity(root: Path, tmp_path: Path) -> None:
    (tmp_path / "home/.gitconfig").write_text("[user]\n  useConfigOnly = true\n")
    assert save(root, files(A))
    assert git(root, "log", "-1", "--format=%cn").strip() == "k8s.self_provisioning"
