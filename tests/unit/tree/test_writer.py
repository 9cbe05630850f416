# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the writer does to a folder: exactly what is wanted, and nothing to what is not ours."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import stat
import tempfile
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import emit, paths, writer
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.disk import Disk
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.emit import Content
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

from .support import disk, document, files, hooked, stamps

A, B, C = "clusters/a/config/one.yaml", "clusters/a/tenants/x/two.yaml", "policies/1.30/three.yaml"
LISTS = ("created", "updated", "repaired", "removed", "foreign")


def lists(result: writer.TreeResult) -> dict[str, list[str]]:
    return {name: getattr(result, name) for name in LISTS if getattr(result, name)}


def both(root: Path, wanted: t.Mapping[str, Content], **options: t.Any) -> writer.TreeResult:
    """A check run, which must change nothing and foretell exactly, and then the real one."""
    before = (stamps(root), disk(root, staging=True)) if root.exists() else None
    plan = writer.sync(root, wanted, check=True, **options)
    assert ((stamps(root), disk(root, staging=True)) if root.exists() else None) == before
    result = writer.sync(root, wanted, **options)
    assert result == plan
    assert not writer.sync(root, wanted, check=True).changed
    return result


def test_a_first_run_writes_everything(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "er"
    wanted = {**files(A, B), "README.md": "read me\n"}
    result = both(root, wanted)
    assert lists(result) == {"created": sorted(wanted)}
    assert result.first
    assert result.changed
    assert disk(root, staging=True).keys() == {*wanted, paths.MANIFEST}
    assert (root / "README.md").read_text() == "read me\n"
    assert (root / A).read_bytes() == emit.render([document(A)], "cluster a")


def test_a_second_run_touches_nothing(tmp_path: Path) -> None:
    writer.sync(tmp_path, files(A, B, C))
    before = stamps(tmp_path)
    result = writer.sync(tmp_path, files(C, B, A))
    assert (result.changed, lists(result), result.unchanged) == (False, {}, [A, B, C])
    assert stamps(tmp_path) == before


def test_a_second_run_renders_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer.sync(tmp_path, files(A, B))
    rendered = []
    render = emit.render

    def noted(content: Content, source: str) -> bytes:
        rendered.append(source)
        return render(content, source)

    monkeypatch.setattr(emit, "render", noted)
    writer.sync(tmp_path, files(A, B))
    assert rendered == []
    writer.sync(tmp_path, {**files(A), B: [document("other")]})
    assert rendered == ["tenant__x"]


def test_the_result_does_not_depend_on_order_or_folder(tmp_path: Path) -> None:
    names = [f"clusters/{c}/tenants/{n}/{n}.yaml" for c in "abc" for n in "xyz"]
    writer.sync(tmp_path / "1", files(*names))
    writer.sync(tmp_path / "2", files(*reversed(names)))
    writer.sync(tmp_path / "3", files(*names[:4], "clusters/old/gone.yaml"))
    writer.sync(tmp_path / "3", files(*names))
    assert disk(tmp_path / "1") == disk(tmp_path / "2") == disk(tmp_path / "3")


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    writer.sync(tmp_path, files(A, B, C))
    before = stamps(tmp_path)
    result = both(tmp_path, {**files(B), A: [document("new")], "clusters/a/config/four.yaml": [document("4")]})
    assert lists(result) == {"created": ["clusters/a/config/four.yaml"], "updated": [A], "removed": [C]}
    assert stamps(tmp_path)[B] == before[B]
    assert not (tmp_path / "policies").exists(), "folders that became empty go"


def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        writer.sync(tmp_path / "root", files(A))
    finally:
        os.umask(old)
    modes = {path: stat.S_IMODE(mode) for path, (_unused, _unused, mode) in stamps(tmp_path / "root").items()}
    assert {modes.pop(A), modes.pop(paths.MANIFEST)} == {0o644}
    assert set(modes.values()) == {0o755}


def test_foreign_files_stay_and_are_told(tmp_path: Path) -> None:
    writer.sync(tmp_path, files(A, B, C))
    for name in (
        "clusters/a/config/mine.txt",
        "clusters/a/flux-system/gotk.yaml",
        "clusters/z/a/b.yaml",
        "apps/x/base.yaml",
        "policies/1.30/note",
        ".sops.yaml",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("foreign")
    result = both(tmp_path, files(A))
    assert result.foreign == ["clusters/a/config/mine.txt", "clusters/z/", "policies/1.30/note"]
    assert result.removed == [B, C]
    assert sum(data == b"foreign" for data in disk(tmp_path).values()) == 6


def test_a_foreign_file_in_the_way_is_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    writer.sync(tmp_path, files(A))
    for name in (B, C):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine")
    before = stamps(tmp_path)
    for check in (True, False):
        with pytest.raises(TreeError) as caught:
            writer.sync(tmp_path, {**files(B, C), A: [document("new")]}, check=check)
        message = str(caught.value)
        assert "2 things stand in the way; nothing was written." in message
        assert f"{tmp_path / B}: it was not written by this tool, and the tree needs a file there." in message
        assert str(tmp_path / C) in message
    assert stamps(tmp_path) == before


def test_a_foreign_file_with_the_right_content_becomes_ours(tmp_path: Path) -> None:
    writer.sync(tmp_path, files(A, B))
    (tmp_path / paths.MANIFEST).unlink()
    before = stamps(tmp_path)
    result = both(tmp_path, files(A, B))
    assert (lists(result), result.unchanged, result.manifest_changed) == ({}, [A, B], True)
    assert {path: stamp for path, stamp in stamps(tmp_path).items() if path in (A, B)} == {p: before[p] for p in (A, B)}
    assert lists(both(tmp_path, files(A))) == {"removed": [B]}


@pytest.mark.parametrize(
    "spoil", [lambda p: p.write_text("edited"), lambda p: p.unlink(), lambda p: p.write_bytes(b"\xff\0")]
)
@pytest.mark.parametrize("also", [A, "new content"])
def test_hand_edits_are_undone_and_told(tmp_path: Path, spoil: t.Callable[[Path], object], also: str) -> None:
    writer.sync(tmp_path, files(A, B))
    spoil(tmp_path / A)
    result = both(tmp_path, {**files(B), A: [document(also)]}, diff=True)
    assert lists(result) == {"repaired": [A]}
    assert A in result.diff
    assert (tmp_path / A).read_bytes() == emit.render([document(also)], "cluster a")


def test_an_edit_to_what_is_wanted_now_is_no_repair(tmp_path: Path) -> None:
    writer.sync(tmp_path, files(A))
    (tmp_path / A).write_bytes(emit.render([document("new")], "cluster a"))
    result = both(tmp_path, {A: [document("new")]})
    assert (lists(result), result.unchanged) == ({}, [A])


def test_what_is_no_longer_wanted_may_be_gone_already(tmp_path: Path) -> None:
    writer.sync(tmp_path, files(A, B))
    (tmp_path / B).unlink()
    assert lists(both(tmp_path, files(A))) == {}
    assert not (tmp_path / "clusters/a/tenants").exists()


def test_a_folder_of_somebody_elses_files_is_not_removed(tmp_path: Path) -> None:
    writer.sync(tmp_path, files(A, B))
    (tmp_path / "clusters/a/tenants/x/mine").write_text("x")
    both(tmp_path, files(A))
    assert disk(tmp_path).keys() == {A, "clusters/a/tenants/x/mine", paths.MANIFEST}


def test_a_file_becomes_a_folder(tmp_path: Path) -> None:
    for names in (["clusters/a"], ["clusters/a/b/c.yaml"]):
        both(tmp_path, files(*names))
        assert disk(tmp_path).keys() == {*names, paths.MANIFEST}


# --- what must never be followed or overwritten -----------------------------------------------------------------------


def link_file(root: Path, outside: Path) -> None:
    (root / A).unlink()
    (root / A).symlink_to(outside / "secret")


def link_folder(root: Path, outside: Path) -> None:
    (root / "clusters/a").rename(outside / "a")
    (root / "clusters/a").symlink_to(outside / "a")


def link_top(root: Path, outside: Path) -> None:
    (root / "clusters").rename(outside / "clusters")
    (root / "clusters").symlink_to(outside / "clusters")


def link_manifest(root: Path, outside: Path) -> None:
    (root / paths.MANIFEST).unlink()
    (root / paths.MANIFEST).symlink_to(outside / "secret")


def link_staging(root: Path, outside: Path) -> None:
    (root / paths.STAGING).symlink_to(outside)


@pytest.mark.parametrize("attack", [link_file, link_folder, link_top, link_manifest, link_staging])
@pytest.mark.parametrize("wanted", [files(A, B), files(), {**files(B), A: [document("new")]}])
def test_symbolic_links_are_refused(
    tmp_path: Path, attack: t.Callable[[Path, Path], None], wanted: dict[str, Content]
) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    writer.sync(root, files(A, B))
    outside.mkdir()
    (outside / "secret").write_text("{}")
    attack(root, outside)
    before = disk(outside)
    for check in (True, False):
        with pytest.raises(TreeError, match=r"it is a symbolic link, and links are never followed\. Remove it\."):
            writer.sync(root, wanted, check=check)
    assert disk(outside) == before


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    writer.sync(tmp_path / "link", files(A))
    assert A in disk(tmp_path / "real")


BAD_PATHS = [
    "../x",
    "/etc/x",
    "a/../../x",
    "a//b",
    "./a",
    "",
    ".git/hooks/post-checkout",
    "a/.GIT/config",
    "a/b\0c",
    ".fleet-staging/x",
    "clusters/..",
]


@pytest.mark.parametrize("path", [*BAD_PATHS, paths.MANIFEST])
def test_paths_that_leave_the_tree_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(TreeError):
        writer.sync(tmp_path / "root", {path: [document("x")]})
    assert disk(tmp_path) == {}


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_manifest_that_names_such_paths_removes_nothing(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    writer.sync(root, files(A))
    (tmp_path / "x").write_text("precious")
    (root / paths.MANIFEST).write_text(json.dumps({"format": 1, "files": {path: ["a", "b"]}}))
    with pytest.raises(TreeError, match="which is not one of a file in the tree"):
        writer.sync(root, files())
    assert (tmp_path / "x").read_text() == "precious"


@pytest.mark.parametrize(
    "journal",
    [
        {"moves": {"../../x": A}, "removals": []},
        {"moves": {"0": "../x"}, "removals": []},
        {"moves": {}, "removals": ["../x"]},
        {"moves": {}},
        [],
        "x",
        {"moves": {"٣": A}, "removals": []},
    ],
)
def test_a_planted_journal_reaches_nothing_outside(tmp_path: Path, journal: object) -> None:
    root = tmp_path / "root"
    writer.sync(root, files(A))
    (tmp_path / "x").write_text("precious")
    (root / paths.STAGING).mkdir()
    (root / paths.STAGING / "journal.json").write_text(json.dumps(journal))
    (root / paths.STAGING / "0").write_text("evil")
    with pytest.raises(TreeError):
        writer.sync(root, files(A))
    assert (tmp_path / "x").read_text() == "precious"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"files": []}',
        '{"files": {"a": 1}}',
        '{"files": {"a": ["x"]}}',
        "<<<<<<< HEAD\n{}\n",
        '{"files": {"a": [1, 2]}}',
    ],
)
def test_a_damaged_manifest_says_what_to_do(tmp_path: Path, text: str) -> None:
    writer.sync(tmp_path, files(A))
    (tmp_path / paths.MANIFEST).write_text(text)
    with pytest.raises(TreeError, match=r"it is damaged.*git checkout HEAD -- \.fleet-manifest\.json"):
        writer.sync(tmp_path, files(A))


# --- what the machine may do to us ------------------------------------------------------------------------------------


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


def as_nobody(action: t.Callable[[], object]) -> str:
    """The error of an action that a user without rights takes."""
    readable, writable = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
            action()
        except TreeError as error:
            os.write(writable, str(error).encode())
        finally:
            os._exit(0)
    os.close(writable)
    os.waitpid(child, 0)
    with open(readable, encoding="utf-8") as pipe:
        return pipe.read()


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


# --- the diff ---------------------------------------------------------------------------------------------------------


def test_the_diff_is_unified_and_sorted(tmp_path: Path) -> None:
    writer.sync(tmp_path, files(B, C))
    (tmp_path / C).write_bytes(b"edited\x1b[31m\xff")
    diff = both(tmp_path, {A: "new\n", C: [document(C)]}, diff=True).diff
    assert diff == (
        f"--- /dev/null\n+++ b/{A}\n@@ -0,0 +1 @@\n+new\n"
        f"--- a/{B}\n+++ /dev/null\n@@ -1,6 +0,0 @@\n"
        + "".join(f"-{line}\n" for line in emit.render([document(B)], "tenant__x").decode().splitlines())
        + f"--- a/{C}\n+++ b/{C}\n@@ -1 +1,6 @@\n-edited\\x1b[31m\ufffd\n\\ No newline at end of file\n"
        + "".join(
            f"+{line}\n" for line in emit.render([document(C)], "the organisation's settings").decode().splitlines()
        )
    )
    assert both(tmp_path, {A: "new\n", C: [document(C)]}, diff=True).diff == ""


def test_the_diff_says_how_much_of_it_was_cut(tmp_path: Path) -> None:
    wanted: dict[str, Content] = {f"clusters/{n}": "line\n" * 10 for n in range(5)}
    diff = writer.sync(tmp_path, wanted, diff=True, diff_limit=120).diff
    assert diff.endswith("[the diff is cut here: 12 more lines of this file and 3 more files]\n")
    assert len(diff) < 250
    assert writer.sync(tmp_path, {}, diff=True, diff_limit=10**6, check=True).diff.count("-line") == 50
