# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in clear text are found, whatever they look like; encrypted ones and other things are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.clear_text import find

HEAD = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\n"
SOPS = "sops: {age: []}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{HEAD}stringData: {{password: x}}\n", ["stringData.password of the Secret db is in clear text"]),
        (f"{HEAD}data: {{a: eA==, b: 'ENC[AES256_GCM,data:x]'}}\n{SOPS}", ["data.a of the Secret db is in clear text"]),
        (f"kind: Namespace\n---\n{HEAD}data: {{a: eA==}}\n", ["data.a of the Secret db is in clear text"]),
        (
            'kind: List\nitems: [{apiVersion: v1, kind: "Secret", metadata: {name: x}, data: {k: 1}}]\n',
            ["data.k of the Secret x is in clear text"],
        ),
        (
            "kind: Kustomization\nsecretGenerator: [{name: g, literals: [a=b]}]\n",
            ["the generator of the Secret g has its content in clear text"],
        ),
        (f"{HEAD}data: [\n", ["it names a Secret and is not YAML, so nobody can tell whether that is encrypted"]),
        (f"{HEAD}stringData: {{password: 'ENC[AES256_GCM,data:x]'}}\n{SOPS}", []),
        (f"{HEAD}data: {{}}\n", []),
        (HEAD, []),
        ("kind: ConfigMap\ndata: {about: a Secret of ours}\n", []),
        ("apiVersion: example.com/v1\nkind: Secret\ndata: {a: b}\n", []),
        ("[1, 2, Secret]\n", []),
    ],
)
def test_a_file(tmp_path: Path, text: str, told: list[str]) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below/a.yaml").write_text(text, encoding="utf-8")
    assert find(tmp_path) == [f"below/a.yaml: {each}" for each in told]


def test_which_files(tmp_path: Path) -> None:
    """Git's own are not looked at, and those of other kinds neither."""
    text = f"{HEAD}data: {{a: eA==}}\n"
    for name in (".git/a.yaml", "a.md", "b.yml", "c.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert [each.partition(":")[0] for each in find(tmp_path)] == ["b.yml", "c.json"]
    assert find(tmp_path, ["a.md"]) == []
