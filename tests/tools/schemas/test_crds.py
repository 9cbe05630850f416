# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schemas of custom kinds: read from their definitions, which are made once from the Go modules."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from . import LINES, CrdError, crds, problems, sources
from .examples import Object
from .structural import json_schema


@pytest.mark.parametrize("line", LINES)
def test_the_crds_are_valid_themselves(line: str) -> None:
    assert problems(crds(line), line) == []


STRUCTURAL: list[tuple[Mapping[str, Any], Object]] = [
    ({"type": "string"}, {"type": "string"}),
    ({"type": "string", "nullable": True, "enum": ["a"]}, {"type": ["string", "null"], "enum": ["a", None]}),
    ({"type": "string", "pattern": "^a$"}, {"type": "string", "pattern": "^a\\Z"}),
    ({"type": "string", "pattern": "\\$"}, {"type": "string", "pattern": "\\$"}),
    ({"x-kubernetes-int-or-string": True}, {"type": ["integer", "string"]}),
    ({"x-kubernetes-int-or-string": True, "nullable": True}, {"type": ["integer", "string", "null"]}),
    ({"x-kubernetes-preserve-unknown-fields": True}, {}),
    ({"type": "object"}, {"type": "object", "additionalProperties": False}),
    ({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, {"type": "object"}),
    (
        {"type": "object", "additionalProperties": {"type": "object"}},
        {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": False}},
    ),
    (
        {"type": "object", "properties": {"a": {"type": "string", "default": "x"}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
    ),
    (
        {"type": "object", "properties": {"a": {}}, "anyOf": [{"required": ["a"]}, {"properties": {"a": {}}}]},
        {
            "type": "object",
            "properties": {"a": {}},
            "anyOf": [{"required": ["a"]}, {"properties": {"a": {}}}],
            "additionalProperties": False,
        },
    ),
    (
        {"type": "object", "x-kubernetes-embedded-resource": True},
        {
            "type": "object",
            "properties": {"apiVersion": {}, "kind": {}, "metadata": {}},
            "additionalProperties": False,
        },
    ),
    ({"type": "array", "items": {"type": "integer", "minimum": 1}, "maxItems": 2, "x-kubernetes-list-type": "set"},
     {"type": "array", "items": {"type": "integer", "minimum": 1}, "maxItems": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("structural", "expected"), STRUCTURAL)
def test_structural_schema(structural: Mapping[str, Any], expected: Object) -> None:
    assert json_schema(structural) == expected


class Maker:
    """Stands for the way from a Go module to its CRDs, and counts how often it is gone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = 0
        self.fails = False

    def __call__(self, _workshop: object, module: str, version: str) -> list[Path]:
        self.calls += 1
        time.sleep(0.2)
        if self.fails:
            raise CrdError("no")
        path = self.folder / f"{self.calls}.yaml"
        path.write_text(f"{{metadata: {{name: {module}}}, version: {version}}}", encoding="utf-8")
        return [path]


@pytest.fixture
def maker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    monkeypatch.setenv("SP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sources, "Workshop", lambda *_unused: None)
    return Maker(tmp_path)


def read(maker: Maker, version: str) -> list[sources.Crd]:
    cached = sources.Cached(sources.cache_root() / "flux-crds" / "9", {"m": version}, maker)
    return cached.read(lambda _unused: None)


def test_crds_are_made_once(maker: Maker) -> None:
    assert read(maker, "v1") == read(maker, "v1") == [{"metadata": {"name": "m"}, "version": "v1"}]
    assert maker.calls == 1


def test_crds_are_made_again_when_the_modules_change(maker: Maker) -> None:
    read(maker, "v1")
    assert [crd["version"] for crd in read(maker, "v2")] == ["v2"]
    assert maker.calls == 2


def test_failed_run_leaves_nothing_and_keeps_what_is_there(maker: Maker) -> None:
    read(maker, "v1")
    maker.fails = True
    with pytest.raises(CrdError):
        read(maker, "v2")
    assert sorted(path.name for path in (sources.cache_root() / "flux-crds").iterdir()) == [".lock", "9"]
    assert [crd["version"] for crd in read(maker, "v1")] == ["v1"]
    assert maker.calls == 2


def test_two_runs_do_not_make_the_crds_at_once(maker: Maker) -> None:
    threads = [threading.Thread(target=read, args=(maker, "v1")) for _unused in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert maker.calls == 1
    assert len(read(maker, "v1")) == 1
