# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a commit would hold is known before it is made."""

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import commit, writer
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.emit import Content

from .committing import A, B, git, noting, repository, save, status
from .support import document, files

pytestmark = pytest.mark.usefixtures("lonely_git")


def change_nothing(_root: Path) -> None:
    pass


def stage_an_edit(root: Path) -> None:
    """The index differs from the commit, the file on disk does not."""
    good = (root / A).read_bytes()
    (root / A).write_text("edited")
    git(root, "add", A)
    (root / A).write_bytes(good)


def commit_an_edit(root: Path) -> None:
    (root / A).write_text("edited")
    git(root, "commit", "-qam", "edit")


def write_and_die(root: Path) -> None:
    writer.sync(root, files("clusters/late.yaml", **{A.replace("/", "__").removesuffix(".yaml"): "late"}))


def with_a_filter(root: Path) -> None:
    """What Git stores is not what stands on disk."""
    (root / ".gitattributes").write_text("*.yaml filter=upper\n")
    git(root, "config", "filter.upper.clean", "tr a-z A-Z")
    git(root, "config", "filter.upper.smudge", "tr A-Z a-z")
    git(root, "add", ".")
    git(root, "commit", "-qm", "filtered")


SPOILS = [
    change_nothing,
    lambda root: (root / A).write_text("edited"),
    stage_an_edit,
    commit_an_edit,
    lambda root: (root / A).unlink(),
    lambda root: (root / A).chmod(0o755),
    write_and_die,
    with_a_filter,
    lambda root: git(root, "rm", "-q", "--cached", A),
    lambda root: git(root, "reset", "-q", "--soft", "HEAD~"),
    lambda root: shutil.rmtree(root / "clusters"),
]


@pytest.mark.parametrize("place", ["", "fleet/é ü/"])
@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("wanted", [files(A, B), files(B), {**files(A), "clusters/c.yaml": [document("c")]}])
def test_the_foretold_commit_is_the_one_that_comes(
    root: Path, place: str, spoil: t.Callable[[Path], object], wanted: dict[str, Content]
) -> None:
    git(root, "init", "-q", "-b", "main")
    git(root, "commit", "-q", "--allow-empty", "-m", "theirs")
    tree = root / place
    tree.mkdir(parents=True, exist_ok=True)
    save(tree, files(A, B))
    spoil(tree)
    (root / "theirs").write_text("x")
    git(root, "add", "theirs")
    before, objects = status(root), git(root, "count-objects")
    plan = writer.sync(tree, wanted, check=True)
    gone = {path for path, data in plan.pending.items() if data is None}

    def content(path: str) -> bytes | None:
        if path in plan.pending:
            return plan.pending[path]
        return (tree / path).read_bytes() if (tree / path).exists() else None

    foretold = repository(tree).foresee({*plan.ours, *gone}, plan.pending, content)
    assert (status(root), git(root, "count-objects")) == (before, objects)
    seen: list[commit.Difference] = []
    ours = {*wanted, *writer.sync(tree, wanted).removed}
    sha = repository(tree).commit(ours, noting(seen, "real"))
    assert (foretold, bool(foretold)) == (seen[0] if seen else commit.Difference(), bool(sha))
