# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Placements: read back from the tree, and written into tenant files."""

from __future__ import annotations

import difflib
import typing as t
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Placement
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import paths, placements, tenant_file, writer
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

ENTRY = {"clusters": ["east-dev", "west-dev"], "decided_at": "2026-11-21", "reason": 'on "y": {{ x }} # é'}
WRITTEN = 'placement: {clusters: [east-dev, west-dev], decided_at: "2026-11-21", reason: "on \\"y\\": {{ x }} # é"}'

FILE = """\
---
# the physics department
tenant__physics:
  id: physics        # never changes
  display_name: "Physics"
  projects:
    - id: other
      environments: [{name: dev}]
    - id: lab-sim
      owners: [{kind: Group,   name: lab-sim-team}]
      environments:
        - {name: dev,  size: small, expires_at: 2027-06-30}   # flow
        - name: prod     # block
          # a note
          size: medium
          description: |
            text
              more

        # about staging
        - size: small
          name: 'staging'
          placement: {clusters: [old]}   # by hand
        - name: test
          placement:
            clusters:
              - old   # was here
            reason: x
          size: small
        -   name: odd
            stage: dev
      gitops: {url: "https://git.example.edu/x.git"}
  # the end
"""


def test_a_missing_file_means_none(tmp_path: Path) -> None:
    assert placements.read(tmp_path / "missing") == {}
    assert placements.read(tmp_path) == {}
    (tmp_path / paths.PLACEMENTS).write_text("# nothing\n---\n")
    assert placements.read(tmp_path) == {}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    recorded = {"a/b/c": ENTRY, "y/on/1": {"clusters": ["no"], "decided_at": "", "reason": ""}}
    writer.sync(tmp_path, {paths.PLACEMENTS: [recorded]})
    assert placements.read(tmp_path) == recorded


def test_dates_may_be_written_without_quotes(tmp_path: Path) -> None:
    (tmp_path / paths.PLACEMENTS).write_text("a/b/c: {clusters: [x], decided_at: 2026-11-21}\n")
    assert placements.read(tmp_path) == {"a/b/c": {"clusters": ["x"], "decided_at": "2026-11-21", "reason": ""}}


RETAINED = {
    "clusters": ["x"],
    "decided_at": "",
    "reason": "",
    "deletion_policy": "archive",
    "retained": True,
    "since": "2026-11-21",
    "cost_center": "CC-1",
    "quota": {"requests.cpu": "500m"},
}


def test_what_is_retained_is_read(tmp_path: Path) -> None:
    text = (
        "a/b/c: {clusters: [x], deletion_policy: archive, retained: true, since: 2026-11-21, cost_center: CC-1, "
        "quota: {requests.cpu: 0.5}}\nd/e/f: {clusters: [x], retained: true}\n"
    )
    (tmp_path / paths.PLACEMENTS).write_text(text)
    by_hand = {"clusters": ["x"], "decided_at": "", "reason": "", "retained": True, "since": "", "quota": {}}
    assert placements.read(tmp_path) == {"a/b/c": RETAINED, "d/e/f": by_hand}


@pytest.mark.parametrize(
    ("ledger", "more"),
    [
        ("environment,a/b/c,x,CC-1,active,requests.cpu,,2,\n", {"quota": {"requests.cpu": "2"}, "cost_center": "CC-1"}),
        ("environment,a/b/c,x,'=1+1,active,month,,9.50,\n", {"cost_center": "=1+1"}),
        ("environment,a/b/c,x,'t Hooft,active,month,,9.50,\n", {"cost_center": "'t Hooft"}),
        ("environment,a/b/c,other,CC-1,active,requests.cpu,,2,\nenvironment,z/z/z,x,,active,requests.cpu,,2,\n", {}),
        ("tenant,a/b/c,x,CC-1,active,requests.cpu,,2,\n", {}),
        ("environment,a/b/c,x,,active,requests.cpu,,lots,\nenvironment,a/b/c,x\n\0\n\xff", {}),
        ("<<<<<<< HEAD\n", {}),
    ],
)
def test_the_last_account_says_what_was_promised(tmp_path: Path, ledger: str, more: dict[str, t.Any]) -> None:
    (tmp_path / paths.PLACEMENTS).write_text("a/b/c: {clusters: [x, y]}\n")
    (tmp_path / paths.LEDGER).write_text(ledger, encoding="latin-1")
    entry = {"clusters": ["x", "y"], "decided_at": "", "reason": ""}
    assert placements.read(tmp_path) == {"a/b/c": {**entry, **more}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a/b/c: {clusters: [x], deletion_policy: keep}\n", "the entry a/b/c has the deletion_policy 'keep'."),
        (
            "a/b/c: {clusters: [x], retained: true, quota: [1]}\n",
            "the quota of the entry a/b/c cannot be used: it is not",
        ),
        (
            "a/b/c: {clusters: [x], retained: true, quota: {cpu: lots}}\n",
            "the quota of the entry a/b/c cannot be used: 'l",
        ),
        ("a/b/c: {clusters: [x]\n", "it is not YAML in line 2"),
        ("<<<<<<< HEAD\na/b/c: {clusters: [x]}\n=======\n", "it is not YAML in line"),
        ("a/b/c: !!python/object/apply:os.system [id]\n", "it is not YAML in line 1"),
        ("- a\n", "it is not a mapping of environments."),
        ("text", "it is not a mapping of environments."),
        ("a/b: {clusters: [x]}\n", "'a/b' is not tenant/project/environment."),
        ("1: {clusters: [x]}\n", "1 is not tenant/project/environment."),
        ("a/b/c: [x]\n", "the entry a/b/c has no list of clusters."),
        ("a/b/c: {clusters: x}\n", "the entry a/b/c has no list of clusters."),
        ("a/b/c: {clusters: []}\n", "the entry a/b/c has no list of clusters."),
        ("a/b/c: {clusters: [1]}\n", "the entry a/b/c has no list of clusters."),
    ],
)
def test_a_damaged_file_says_where_what_and_what_to_do(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / paths.PLACEMENTS
    file.write_text(text)
    with pytest.raises(TreeError) as caught:
        placements.read(tmp_path)
    assert str(caught.value).startswith(f"{file}: {message}")
    assert "git checkout HEAD -- placements.yaml" in str(caught.value)


def changed_lines(old: str, new: str) -> list[str]:
    return [line for line in difflib.ndiff(old.splitlines(), new.splitlines()) if line[:2] in ("- ", "+ ")]


def record(text: str, environment: str, project: str = "lab-sim", entry: t.Any = None) -> str:
    return tenant_file.record_in_inventory(text, "tenant__physics", project, environment, entry or ENTRY)


@pytest.mark.parametrize(
    ("environment", "lines"),
    [
        (
            "dev",
            [
                "-         - {name: dev,  size: small, expires_at: 2027-06-30}   # flow",
                f"+         - {{name: dev,  size: small, expires_at: 2027-06-30, {WRITTEN}}}   # flow",
            ],
        ),
        ("prod", [f"+           {WRITTEN}"]),
        ("staging", ["-           placement: {clusters: [old]}   # by hand", f"+           {WRITTEN}   # by hand"]),
        (
            "test",
            [
                "-           placement:",
                "-             clusters:",
                "-               - old   # was here",
                "-             reason: x",
                f"+           {WRITTEN}",
            ],
        ),
        ("odd", [f"+             {WRITTEN}"]),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_only_the_one_entry_is_touched(environment: str, lines: list[str], newline: str) -> None:
    text = FILE.replace("\n", newline)
    result = record(text, environment)
    assert sorted(changed_lines(text, result)) == sorted(lines)
    assert result.count("\n") == result.count(newline)
    assert record(result, environment) == result, "writing it again changes nothing"


def test_every_environment_of_a_file() -> None:
    text = FILE
    for name in ("dev", "prod", "staging", "test", "odd"):
        text = record(text, name)
    text = record(text, "dev", "other", Placement(("a",), "decided", "", "2026-11-21"))
    projects = yaml.safe_load(text)["tenant__physics"]["projects"]
    assert projects[0]["environments"] == [
        {"name": "dev", "placement": {"clusters": ["a"], "decided_at": "2026-11-21"}}
    ]
    assert [each["placement"] for each in projects[1]["environments"]] == [ENTRY] * 5
    comments = [line[line.index("#") :] for line in FILE.splitlines() if "#" in line and "was here" not in line]
    assert [comment for comment in comments if comment not in text] == []


@settings(max_examples=150)
@given(st.text(max_size=40), st.lists(st.from_regex(r"\A[a-z][a-z0-9-]{0,20}\Z"), min_size=1, max_size=3))
def test_any_reason(reason: str, clusters: list[str]) -> None:
    for name in ("dev", "prod", "test"):
        result = record(FILE, name, entry={"clusters": clusters, "reason": reason})
        found = {
            each["name"]: each for each in yaml.safe_load(result)["tenant__physics"]["projects"][1]["environments"]
        }
        assert found[name]["placement"]["clusters"] == clusters
        assert found[name]["placement"].get("reason", "") == reason


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("a: [", "the file is not YAML in line 1"),
        ("tenant__physics: {id: physics}\n", "the file does not declare this environment"),
        (
            "tenant__physics: {id: physics, projects: [{id: lab-sim, environments: [{name: dev}]}]}\n",
            "the file does not declare",
        ),
        ("tenant__chemistry: 1\n", "the file does not declare"),
        (
            "tenant__physics:\n  projects:\n    - id: lab-sim\n      environments:\n        - &base {name: prod}\n"
            "    - id: second\n      environments: [*base]\n",
            "Write it by hand: placement: {clusters: [east-dev",
        ),
    ],
)
def test_a_file_that_cannot_take_it(text: str, message: str) -> None:
    with pytest.raises(TreeError, match=r"^tenant__physics\.projects\[lab-sim\]\.environments\[prod\]: ") as caught:
        record(text, "prod")
    assert message in str(caught.value)


def test_without_a_new_line_at_the_end() -> None:
    text = "tenant__physics:\n  projects:\n  - id: lab-sim\n    environments:\n    - name: prod"
    assert record(text, "prod") == f"{text}\n      {WRITTEN}"
    assert record(text.replace("\n", "\r\n"), "prod") == f"{text}\n      {WRITTEN}".replace("\n", "\r\n")


def test_every_line_keeps_its_own_end() -> None:
    text = FILE.replace("- name: prod     # block\n", "- name: prod     # block\r\n")
    result = record(record(text, "prod"), "odd")
    assert result.count("\r\n") == 2
    assert f"          {WRITTEN}\r\n" in result


def test_vault_and_unsafe_tags_are_kept() -> None:
    text = (
        "tenant__physics:\n  projects:\n  - id: lab-sim\n    display_name: !unsafe '{{ x }}'\n    environments:\n"
        "    - name: prod\n      secret: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        6162\n"
    )
    assert changed_lines(text, record(text, "prod")) == [f"+       {WRITTEN}"]
