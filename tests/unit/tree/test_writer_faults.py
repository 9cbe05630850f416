# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine may do to the writer: full disks, missing rights, two runs at once."""

from __future__ import annotations

import errno
import multiprocessing
import os
import tempfile
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import emit, paths, writer
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.disk import Disk
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

from .support import disk, document, files, hooked, stamps
from .writing import A, B, C, as_nobody, lists


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_a_folder_or_pipe_in_the_way(tmp_path: Path, make: t.Callable[[Path], object]) -> None:
    (tmp_path / A).parent.mkdir(parents=True)
    make(tmp_path / A)
    with pytest.raises(TreeError, match=r"it is not a file\. Move it away\."):
        writer.sync(tmp_path, files(A))


def test_a_file_where_a_folder_must_be(tmp_path: Path) -> None:
    (tmp_path / "clusters").write_text("x")
    with pytest.raises(TreeError, match=r"clusters: it is a file, and the tree needs a folder there"):
        writer.sync(tmp_path, files(A))
    with pytest.raises(TreeError, match=r"it is a file, and the tree needs a folder\. Choose another folder\."):
        writer.sync(tmp_path / "clusters", files(A))
    with pytest.raises(TreeError, match="the folder cannot be made: Not a directory"):
        writer.sync(tmp_path / "clusters" / "x", files(A))


def fails(name: str, number: int, code: int) -> t.Callable[[str, tuple[t.Any, ...]], None]:
    count = 0

    def before(called: str, _arguments: tuple[t.Any, ...]) -> None:
        nonlocal count
        if called == name:
            count += 1
            if count == number:
                raise OSError(code, os.strerror(code))

    return before


@pytest.mark.parametrize("number", range(1, 5))
@pytest.mark.parametrize("name", ["write", "open", "fsync"])
def test_a_full_disk_leaves_the_old_tree(tmp_path: Path, name: str, number: int) -> None:
    writer.sync(tmp_path, files(A, B))
    before = disk(tmp_path)
    with (
        hooked(fails(name, number, errno.ENOSPC)),
        pytest.raises(
            TreeError, match=r"the new files cannot be written: No space left on device\. The tree is as it was"
        ),
    ):
        writer.sync(tmp_path, {C: [document("new")], A: [document("new")]})
    assert disk(tmp_path, staging=True) == before
    writer.sync(tmp_path, {C: [document("new")], A: [document("new")]})
    assert disk(tmp_path).keys() == {A, C, paths.MANIFEST}


@pytest.mark.parametrize(
    ("name", "number"), [("unlink", 1), ("mkdir", 2), ("rename", 2), ("rename", 3), ("fsync", 5), ("fsync", 8)]
)
def test_an_error_while_files_are_moved_is_completed_by_the_next_run(tmp_path: Path, name: str, number: int) -> None:
    writer.sync(tmp_path, files(A, B))
    with (
        hooked(fails(name, number, errno.EIO)),
        pytest.raises(TreeError, match=r"The tree is half written.*next run first"),
    ):
        writer.sync(tmp_path, {C: [document("new")], A: [document("new")]})
    result = writer.sync(tmp_path, {C: [document("new")], A: [document("new")]})
    assert (result.recovered, result.changed, lists(result)) == (True, True, {})
    assert disk(tmp_path, staging=True).keys() == {A, C, paths.MANIFEST}


@pytest.fixture
def public() -> t.Iterator[Path]:
    """A folder that every user can reach."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_folder_that_may_not_be_written_to(public: Path) -> None:
    root = public / "root"
    writer.sync(root, files(A, B))
    os.chmod(root, 0o777)
    for folder in ("clusters", "clusters/a", "clusters/a/config"):
        os.chmod(root / folder, 0o777)
    (root / "clusters/a/tenants/x").chmod(0o555)
    before = stamps(root)
    said = as_nobody(lambda: writer.sync(root, {A: [document("new")], B: [document("new")]}))
    assert (
        said
        == f"{root}/clusters/a/tenants/x: this user may not write there; nothing was written. Mend its owner or mode."
    )
    assert stamps(root) == before


@pytest.mark.parametrize("folder", ["", "clusters", "clusters/a/tenants"])
def test_a_folder_that_may_not_be_read(public: Path, folder: str) -> None:
    root = public / "root"
    writer.sync(root, files(A, B))
    (root / folder).chmod(0o000)
    said = as_nobody(lambda: writer.sync(root, files(A), check=True))
    (root / folder).chmod(0o755)
    assert said.startswith(f"{root}/{folder}".rstrip("/"))
    assert said.endswith("it cannot be read: Permission denied. Mend its owner or mode.")


def test_two_writers_at_once(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    trees = [
        {f"clusters/{c}/tenants/x/{n}.yaml": [document(f"{turn}-{n}")] for c in "abc" for n in range(15)}
        for turn in range(4)
    ]
    runs = [
        fork.Process(target=lambda turn=turn: [writer.sync(tmp_path, trees[turn]) for _unused in range(8)])
        for turn in range(4)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join(60)
    assert [run.exitcode for run in runs] == [0] * 4
    written = disk(tmp_path, staging=True)
    del written[paths.MANIFEST]
    assert written in [{path: emit.render(content, "tenant__x") for path, content in tree.items()} for tree in trees]


def test_a_second_run_waits_and_then_says_why_it_gives_up(tmp_path: Path) -> None:
    writer.sync(tmp_path, files(A))
    with Disk(tmp_path).locked(1):
        start = time.monotonic()
        for check in (True, False):
            with pytest.raises(TreeError, match=r"another run has been working on it for 0\.2 seconds\. Wait"):
                writer.sync(tmp_path, files(A), wait=0.2, check=check)
        assert time.monotonic() - start >= 0.4
    with Disk(tmp_path).locked(1, shared=True):
        assert not writer.sync(tmp_path, files(A), wait=0.2, check=True).changed
        with pytest.raises(TreeError):
            writer.sync(tmp_path, files(A), wait=0.2)
    assert not writer.sync(tmp_path, files(A), wait=0.2).changed
