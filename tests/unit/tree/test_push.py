# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pushing: to remotes that are there, that refuse, and that are none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import commit
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.commit import Options
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

from .committing import A, B, git, repository, save
from .support import files

pytestmark = pytest.mark.usefixtures("lonely_git")


def test_push(root: Path, remote: Path) -> None:
    sha = save(root, files(A))
    found = repository(root, remote=str(remote))
    assert (found.push(), found.push()) == (True, False)
    assert git(remote, "rev-parse", "main").strip() == sha
    git(root, "switch", "-q", "-c", "other")
    assert found.push(), "what is checked out goes to the branch of the same name"
    assert git(remote, "rev-parse", "other").strip() == sha


def test_a_push_that_is_only_asked_about(root: Path, remote: Path, tmp_path: Path) -> None:
    git(root, "init", "-q", "-b", "main")
    hook = root / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    found = repository(root, remote=str(remote))
    assert found.push(check=True), "before the first commit"
    save(root, files(A))
    assert found.push(check=True)
    assert not (tmp_path / "ran").exists()
    assert git(remote, "for-each-ref") == ""
    assert found.push()
    assert (tmp_path / "ran").exists()
    assert not found.push(check=True)
    shutil.rmtree(root / ".git")
    with pytest.raises(TreeError, match=r"the remote has commits on this branch, and this repository has none\."):
        repository(root, remote=str(remote)).push(check=True)


def test_a_remote_that_the_repository_does_not_know(root: Path, remote: Path) -> None:
    git(root, "init", "-q", "-b", "main")
    git(root, "remote", "add", "upstream", str(remote))
    with pytest.raises(TreeError, match=r"has no remote of this name \(it has upstream\)\. Run git remote add origin"):
        repository(root, remote="origin").check()
    repository(root, remote="upstream").check()
    shutil.rmtree(root / ".git")
    with pytest.raises(TreeError, match=r"has no remote of this name \(it has none\)"):
        commit.find(root, Options(init=True, remote="origin"))


def test_a_rejected_push_says_what_to_do(root: Path, remote: Path, tmp_path: Path) -> None:
    save(root, files(A))
    repository(root, remote=str(remote)).push()
    git(tmp_path, "clone", "-q", str(remote), "other")
    (tmp_path / "other/x").write_text("x")
    git(tmp_path / "other", "add", "x")
    git(tmp_path / "other", "commit", "-qm", "x")
    git(tmp_path / "other", "push", "-q")
    save(root, files(A, B))
    with pytest.raises(TreeError, match=r"the remote has commits.*Run git -C .* pull --rebase .* main, then run again"):
        repository(root, remote=str(remote)).push()
    git(root, "pull", "-q", "--rebase", str(remote), "main")
    assert save(root, files(A, B)) == ""
    assert repository(root, remote=str(remote)).push(), "the commit of the earlier run is pushed now"


def test_a_failed_push_hides_passwords(root: Path) -> None:
    save(root, files(A))
    found = repository(root, remote="http://user:secret@127.0.0.1:9/x.git")
    with pytest.raises(TreeError, match="it failed; the commits stay here") as caught:
        found.push()
    assert "secret" not in str(caught.value)


def test_a_remote_that_is_an_option_or_a_command(root: Path, tmp_path: Path) -> None:
    for option in (f"--receive-pack=touch {tmp_path}/owned", "--upload-pack=x", "-x", "", "ext::sh -c x"):
        with pytest.raises(TreeError, match="neither the name nor the address of a remote"):
            Options(remote=option or " ")
    with pytest.raises(TreeError, match="an address of this form runs a program here"):
        Options(remote=f"ext::touch%20{tmp_path}/owned")
    save(root, files(A))
    # one that the repository knows by a name, and whose configuration lets it
    git(root, "remote", "add", "origin", f"ext::touch {tmp_path}/owned")
    git(root, "config", "protocol.ext.allow", "always")
    for check in (True, False):
        with pytest.raises(TreeError, match="transport 'ext' not allowed"):
            repository(root, remote="origin").push(check=check)
    assert not (tmp_path / "owned").exists()
