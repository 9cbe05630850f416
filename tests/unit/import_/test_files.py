# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenant files and folders of manifests."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._import import files
from ansible_collections.k8s.self_provisioning.plugins.module_utils._import.convert import incomplete
from ansible_collections.k8s.self_provisioning.plugins.module_utils._import.manifests import read_folder
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.yaml_data import load
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import ModelError

from .hand_made import (
    EVERYTHING_OPEN,
    binding,
    group,
    in_force,
    namespace,
    quota,
    rendered,
    run,
    source,
    told,
    untouched,
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
    imported, fleet = run(read_folder(tmp_path).objects)
    assert in_force(rendered(fleet)["a-b-prod"])["hard"] == {"pods": "3"}
    assert imported.tenants["a"]["projects"][0]["environments"][0]["annotations"] == {"day": "2026-01-01"}
    (tmp_path / "b.yml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a-b-prod}\n")
    with pytest.raises(ModelError, match="Keep one of them"):
        read_folder(tmp_path)
    with pytest.raises(ModelError, match="does not exist"):
        read_folder(tmp_path / "no")


@pytest.mark.parametrize("broken", [b"a: [", b"\xff\xfe", b"a: 1\na: 2\n"])
def test_one_broken_manifest_stops_neither_the_others_nor_goes_unsaid(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "b.yml").write_bytes(broken)
    with pytest.raises(ModelError, match=r"no file in .* can be read: b\.yml"):
        read_folder(tmp_path)
    (tmp_path / "a.yml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a-b-prod}\n")
    found = read_folder(tmp_path)
    assert [each["metadata"]["name"] for each in found.objects] == ["a-b-prod"]
    assert list(found.unreadable) == ["b.yml"]
    objects = untouched("a-b-prod")
    imported, _fleet = run(objects, into=EVERYTHING_OPEN, unreadable={"b.yml": found.unreadable["b.yml"]})
    assert told(imported, "unreadable") == [("File", "b.yml", "")]
    assert imported.tenants["a"]["adoption_policy"] == "never", "what the file holds may differ"
    imported, _fleet = run(objects, into=EVERYTHING_OPEN)
    assert imported.tenants["a"]["adoption_policy"] == "if_identical"


def test_a_file_says_what_people_have_to_complete() -> None:
    imported, fleet = run([namespace(NAME), binding(NAME, "admin", LEADS)])
    assert incomplete(imported, fleet.settings) == {"physics": ["contacts", "billing.cost_center"]}
    text = files.text(imported.tenants["physics"], "the cluster east", ["owners", "contacts", "billing.cost_center"])
    assert load(text) == {"tenant__physics": imported.tenants["physics"]}, "only comments were added"
    filled = load(text.replace("  # contacts", "  contacts").replace("  # billing", "  billing"))["tenant__physics"]
    assert (filled["contacts"], filled["billing"]) == ({"owner": "…", "technical": ["…"]}, {"cost_center": "…"})
    assert "  # owners: [{kind: Group, name: …}]" in text.splitlines()
    line = text.splitlines()[files.held_back(text) - 1]
    assert line == "  adoption_policy: never"
    accepted = text.replace(line, "  adoption_policy: if_identical")
    assert files.held_back(accepted) == 0


def test_contacts_of_the_organisation_are_enough() -> None:
    contacts = {"owner": "a", "technical": ["b"]}
    imported, fleet = run([namespace(NAME)], source({"defaults": {"contacts": contacts}}))
    assert incomplete(imported, fleet.settings) == {"physics": ["owners", "billing.cost_center"]}
