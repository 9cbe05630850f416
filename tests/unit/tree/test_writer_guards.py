# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the writer must never follow or overwrite."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import paths, writer
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.emit import Content
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

from .support import disk, document, files
from .writing import A, B


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
