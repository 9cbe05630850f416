# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example renders to the reviewed tree, and every object in it is valid."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.tests.golden import render
from ansible_collections.k8s.self_provisioning.tests.tools.schemas import problems


def texts(root: Path) -> dict[str, str]:
    return {str(p.relative_to(root)): p.read_text(encoding="utf-8") for p in sorted(root.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("example") / "tree"
    render.write(root)
    return root


def test_the_example_renders_to_the_golden_tree(rendered: Path) -> None:
    old, new = texts(render.GOLDEN), texts(rendered)
    changes = [
        line
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
        for line in difflib.unified_diff(
            old.get(name, "").splitlines(), new.get(name, "").splitlines(), f"golden/{name}", f"now/{name}", lineterm=""
        )
    ]
    assert not changes, "\n".join(changes[:200]) + "\nWhen this is meant: python tests/golden/render.py"


def test_rendering_twice_is_byte_identical(rendered: Path, tmp_path: Path) -> None:
    render.write(tmp_path / "again")
    assert texts(tmp_path / "again") == texts(rendered)


def cluster_line(root: Path, cluster: str) -> str:
    facts = yaml.safe_load((root / "clusters" / cluster / "config/cluster-facts.yaml").read_text())
    return str(facts["data"]["release_line"])


def test_every_object_is_valid_for_its_release_line(rendered: Path) -> None:
    found, seen = [], 0
    for path in sorted(rendered.rglob("*.yaml")):
        where = path.relative_to(rendered).parts
        if path.name == "kustomization.yaml" or len(where) == 1:
            continue
        line = where[1] if where[0] == "policies" else cluster_line(rendered, where[1])
        documents = list(yaml.safe_load_all(path.read_text()))
        seen += len(documents)
        found += [f"{os.path.join(*where)}: {text}" for text in problems(documents, line)]
    assert not found, "\n".join(found[:40])
    assert seen > 1000


def test_every_kustomization_lists_what_is_there(rendered: Path) -> None:
    for path in rendered.rglob("kustomization.yaml"):
        listed = yaml.safe_load(path.read_text())["resources"]
        assert listed, path
        assert all((path.parent / name).exists() for name in listed), path
        beside = {p.name for p in path.parent.glob("*.yaml")} - {"kustomization.yaml"}
        assert beside <= set(listed), path


def test_no_substitution_runs_over_tenants_text(rendered: Path) -> None:
    for path in rendered.rglob("kustomizations.yaml"):
        for document in yaml.safe_load_all(path.read_text()):
            assert "postBuild" not in document["spec"], path
