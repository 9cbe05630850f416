# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed at any moment, a run leaves the old tree or the new one, and the next run knows which."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import paths, placements, writer
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.emit import Content

from .support import disk, document, files, killed_at, stamps, steps

OLD: dict[str, Content] = {
    **files("clusters/a/config/facts.yaml", "clusters/a/tenants/x/gone.yaml", "clusters/b/whole.yaml"),
    **files("clusters/a/tenants/y/same.yaml", "policies/was-a-file"),
    paths.PLACEMENTS: [{"x/p/dev": {"clusters": ["a"]}}],
}
NEW: dict[str, Content] = {
    **files("clusters/a/tenants/y/same.yaml", "clusters/c/deep/er/new.yaml", "policies/was-a-file/now-a-folder"),
    "clusters/a/config/facts.yaml": [document("facts", data={"changed": "yes"})],
    paths.PLACEMENTS: [{"x/p/dev": {"clusters": ["c"]}}],
}
THIRD: dict[str, Content] = files("clusters/a/tenants/x/gone.yaml", "clusters/z/other.yaml")


def prepare(root: Path) -> dict[str, bytes]:
    writer.sync(root, OLD)
    (root / "clusters/a/config/notes.txt").write_text("somebody's")
    (root / "clusters/a/tenants/y/same.yaml").write_text("edited by hand")
    return disk(root)


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], dict[str, bytes], int]:
    """The old tree, the new tree, and how many steps lie between."""
    root = tmp_path_factory.mktemp("states")
    old = prepare(root)
    count = steps(lambda: writer.sync(root, NEW))
    return old, disk(root), count


def test_killed_at_every_step(tmp_path: Path, states: tuple[dict[str, bytes], dict[str, bytes], int]) -> None:
    old, new, count = states
    assert count > 30
    outcomes = set()
    for number in range(count + 1):
        root = tmp_path / str(number)
        prepare(root)
        assert killed_at(number, partial(writer.sync, root, NEW)) == (number < count)
        raw, complete = disk(root), (root / paths.STAGING / "journal.json").exists()
        outcome = "new" if complete or raw == new else "old"
        outcomes.add((outcome, complete))
        if not complete:
            assert raw == (new if outcome == "new" else old), f"step {number} left a half tree and no journal"

        # what is read before the next run is of one piece, and reading changes nothing
        before = stamps(root)
        expected = {"old": ["a"], "new": ["c"]}[outcome]
        assert placements.read(root)["x/p/dev"]["clusters"] == expected
        plan = writer.sync(root, NEW, check=True)
        assert plan.changed == (outcome == "old" or complete)
        assert (plan.created == [] and plan.updated == [] and plan.removed == []) == (outcome == "new")
        assert stamps(root) == before

        # the next run completes it, whatever it wants itself
        other = tmp_path / f"{number}-other"
        shutil.copytree(root, other, symlinks=True)
        real = writer.sync(root, NEW)
        assert (real, disk(root, staging=True)) == (plan, new)
        assert not writer.sync(root, NEW).changed
        writer.sync(other, THIRD)
        assert {path for path in disk(other, staging=True) if path not in THIRD} == {
            paths.MANIFEST,
            "clusters/a/config/notes.txt",
        }
    assert outcomes == {("old", False), ("new", True), ("new", False)}


def test_the_next_run_is_killed_as_well(tmp_path: Path, states: tuple[dict[str, bytes], dict[str, bytes], int]) -> None:
    old, new, count = states
    rounds = 0
    for first in range(0, count, 7):
        start = tmp_path / str(first)
        prepare(start)
        killed_at(first, partial(writer.sync, start, NEW))
        for second in range(count + 10):
            root = tmp_path / f"{first}-{second}"
            shutil.copytree(start, root, symlinks=True)
            again = killed_at(second, partial(writer.sync, root, NEW))
            if not (root / paths.STAGING / "journal.json").exists():
                assert disk(root) in (old, new)
            writer.sync(root, NEW)
            assert disk(root, staging=True) == new
            rounds += 1
            shutil.rmtree(root)
            if not again:
                break
        else:
            pytest.fail("the second run never ended")
    assert rounds > 80


def test_a_first_run_that_is_killed_leaves_nothing_or_everything(tmp_path: Path) -> None:
    writer.sync(tmp_path / "whole", NEW)
    new = disk(tmp_path / "whole")
    for number in range(200):
        root = tmp_path / str(number)
        again = killed_at(number, partial(writer.sync, root, NEW))
        if not (root / paths.STAGING / "journal.json").exists():
            assert disk(root) in ({}, new)
        writer.sync(root, NEW)
        assert disk(root, staging=True) == new
        if not again:
            break
    else:
        pytest.fail("the run never ended")
    assert number > 30
