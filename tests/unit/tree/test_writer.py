# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the writer does to a folder: exactly what is wanted, and nothing to what is not ours."""

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import emit, paths, writer
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.emit import Content
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

from .support import disk, document, files, stamps
from .writing import A, B, C, both, lists


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
