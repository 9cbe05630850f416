# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenant files and folders of manifests."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._import import files
from ansible_collections.k8s.self_provisioning.plugins.module_utils._import.manifests import read_folder
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.yaml_data import load
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import ModelError

from .hand_made import (
    binding,
    group,
    in_force,
    namespace,
    quota,
    rendered,
    run,
)

NAME = "physics-lab-prod"
LEADS = group("leads")


def test_files_are_read_back_as_they_were_meant(tmp_path: Path) -> None:
    objects = [
        namespace(
            NAME, {"a": "yes", "b": "1", "date": "2026-01-01"}, annotations={"x": "a: b #c", "long": "word " * 60}
        ),
        quota(NAME, hard={"requests.cpu": "4", "pods": "010"}),
        binding(NAME, "admin", LEADS),
    ]
    imported, _fleet = run(objects)
    text = files.text(imported.tenants["physics"], "the cluster east")
    assert load(text) == {"tenant__physics": imported.tenants["physics"]}
    assert max(map(len, text.splitlines())) <= 120
    path = files.path_of(tmp_path, "physics")
    files.write(path, text)
    assert path.read_text(encoding="utf-8") == text
    assert [each.name for each in path.parent.iterdir()] == ["physics.yml"]


def test_manifests(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: hidden-x-prod}\n")
    (tmp_path / "a.yaml").write_text(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a-b-prod, annotations: {day: 2026-01-01}}\n---\n"
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: a-b-prod}\n---\n# nothing\n---\n[1, 2]\n"
    )
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "list.json").write_text(
        '{"kind": "List", "items": [{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q",'
        ' "namespace": "a-b-prod"}, "spec": {"hard": {"pods": "3"}}}]}'
    )
    imported, fleet = run(read_folder(tmp_path))
    assert in_force(rendered(fleet)["a-b-prod"])["hard"] == {"pods": "3"}
    assert imported.tenants["a"]["projects"][0]["environments"][0]["annotations"] == {"day": "2026-01-01"}
    (tmp_path / "b.yml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a-b-prod}\n")
    with pytest.raises(ModelError, match="Keep one of them"):
        read_folder(tmp_path)
    (tmp_path / "b.yml").write_text("a: [")
    with pytest.raises(ModelError, match="cannot be read"):
        read_folder(tmp_path)
    with pytest.raises(ModelError, match="does not exist"):
        read_folder(tmp_path / "no")
