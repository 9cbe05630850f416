# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The import playbook on a folder of manifests and the example organisation: what it says, writes, and refuses."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from .playbooks import EXAMPLE, Run, play, tasks

ZOO = """\
apiVersion: v1
kind: Namespace
metadata: {name: zoo-app-prod, annotations: {note: "hello {{ name }}"}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: q, namespace: zoo-app-prod}
spec: {hard: {requests.cpu: "2", requests.memory: 4Gi, limits.memory: 64Gi, pods: "500"}}
"""


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "inventory"))


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "zoo.yml").write_text(ZOO, encoding="utf-8")
    return folder


def imported(inventory: Path, manifests: Path) -> Run:
    return play("import", inventory=inventory, import_clusters="east-prod", import_manifests=str(manifests))


def words(run: Run) -> str:
    return re.sub(r"\s+", " ", run.out)


@pytest.mark.parametrize("given", [{}, {"import_clusters": []}, {"import_clusters": ""}, {"import_clusters": None}])
def test_without_clusters_it_says_what_to_give(given: dict[str, object]) -> None:
    run = play("import", **given)
    assert run.code != 0
    assert "import_clusters: say which clusters to read, as in -e import_clusters=east-prod" in words(run)
    for option in ("import_manifests", "import_namespaces", "import_mapping", "import_default_tenant", "--check"):
        assert option in run.out
    assert "is undefined" not in run.out


@pytest.mark.slow
def test_the_quota_stays_and_the_rest_waits_for_a_yes(inventory: Path, manifests: Path) -> None:
    run = imported(inventory, manifests)
    assert run.code == 0, run.out
    told = words(run)
    assert "resource_quota.hard" not in told
    assert "metadata.annotations.note: the inventory has no form for it" in told
    assert "it is privileged (no label) and would be baseline" in told
    assert "that is declared" not in told
    assert "zoo: owners, contacts, billing.cost_center" in told
    file = inventory / "group_vars/all/tenants/zoo.yml"
    lines = file.read_text(encoding="utf-8").splitlines()
    assert f"{file}:{lines.index('  adoption_policy: never') + 1}" in run.out
    assert "          size: none" in lines
    checked = play("validate", inventory=inventory)
    assert checked.code == 0, checked.out
    again = imported(inventory, manifests)
    assert (again.code, again.changed) == (0, 0), again.out
    assert "1 namespace left out, declared already: zoo-app-prod." in again.lines


@pytest.mark.slow
def test_files_that_cannot_be_read_are_named(inventory: Path, manifests: Path, tmp_path: Path) -> None:
    latin, broken, there = tmp_path / "latin.yml", tmp_path / "broken.yml", tmp_path / "there"
    latin.write_bytes("zoo-app-prod: zoo/appé/prod\n".encode("latin-1"))
    broken.write_text("a: b\nzoo-app-prod: [\n")
    old = there / "group_vars/all/tenants/zoo.yml"
    old.parent.mkdir(parents=True)
    old.write_bytes("# Université\n".encode("latin-1"))
    usual = {"clusters": ["east-prod"], "manifests": str(manifests), "path": str(there)}
    wanted: list[dict[str, object]] = [
        {"k8s.self_provisioning.tenants_import": {**usual, "mapping": str(latin)}},
        {"k8s.self_provisioning.tenants_import": {**usual, "mapping": str(broken)}},
        {"k8s.self_provisioning.tenants_import": usual},
    ]
    results, _run = tasks(tmp_path, wanted, "--check", inventory=inventory)
    assert results[0]["msg"] == f"mapping: {latin}: it is not UTF-8 text. Save it as UTF-8."
    assert results[1]["msg"].startswith(f"mapping: {broken}:3: "), results[1]["msg"]
    assert results[2]["msg"] == f"path: {old}: it is not UTF-8 text. Save it as UTF-8."


def test_a_broken_manifest_is_listed_and_the_others_are_read(inventory: Path, manifests: Path) -> None:
    (manifests / "broken.yml").write_text("a: [", encoding="utf-8")
    run = imported(inventory, manifests)
    assert (run.code, run.changed) == (0, 1), run.out
    assert "COULD NOT BE READ (1)" in run.out
    assert "File broken.yml: it cannot be read, line 2: it is not valid YAML" in words(run)
    (manifests / "zoo.yml").unlink()
    run = imported(inventory, manifests)
    assert run.code != 0
    assert "can be read: broken.yml, line 2: it is not valid YAML" in words(run)
