# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that objects are valid for the Kubernetes, Flux and MetalLB of a release line, without an API server.

Fields that the schema does not know are problems too. CEL rules of CRDs, formats, unique keys of lists and what only
the API server's own code checks are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import fastjsonschema
import jsonschema

from .core import definitions, metadata_schema, object_schema
from .sources import CrdError, crds
from .structural import root_schema
from .versions import LINES, UnknownLine, line_of

__all__ = ["LINES", "CrdError", "UnknownLine", "crds", "problems"]

Object = Mapping[str, Any]

_LONGEST = 300


def problems(objects: Iterable[Object], line: str) -> list[str]:
    """Everything that is wrong with the objects: kind, namespace and name, JSON path and reason of each violation."""
    line_of(line)
    return [f"{_name(item)}: {problem}" for item in objects for problem in _problems_of(item, line)]


@dataclass(frozen=True)
class _Checker:
    """Two validators of one schema: one that is fast, and one that finds every violation."""

    fast: Callable[[Any], Any]
    complete: jsonschema.Draft202012Validator

    def problems(self, item: Object) -> list[str]:
        try:
            self.fast(item)
        except fastjsonschema.JsonSchemaValueException as error:
            found = sorted(self.complete.iter_errors(item), key=lambda one: one.json_path)
            return [f"{one.json_path}: {_short(one.message)}" for one in found] or [f"$: {_short(error.message)}"]
        return []


def _problems_of(item: Any, line: str) -> list[str]:
    if not isinstance(item, Mapping):
        return [f"$: an object is expected, not {type(item).__name__}"]
    api_version, kind = item.get("apiVersion"), item.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str):
        return ["$: apiVersion and kind must be given, as text"]
    checker = _checker(line, api_version, kind)
    if checker is None:
        return [f"$: unknown kind {kind} of {api_version} in release line {line}"]
    return checker.problems(item)


@cache
def _checker(line: str, api_version: str, kind: str) -> _Checker | None:
    schema = object_schema(line_of(line).kubernetes, api_version, kind) or _crd_schemas(line).get((api_version, kind))
    if schema is None:
        return None
    fast = fastjsonschema.compile(schema, use_default=False, use_formats=False, detailed_exceptions=False)
    return _Checker(fast, jsonschema.Draft202012Validator(schema))


@cache
def _crd_schemas(line: str) -> dict[tuple[str, str], dict[str, Any]]:
    """JSON Schema of each served version of each CRD of the line."""
    result = {}
    minor = line_of(line).kubernetes
    for crd in crds(line):
        group, kind = crd["spec"]["group"], crd["spec"]["names"]["kind"]
        for version in crd["spec"]["versions"]:
            if version["served"]:
                api_version = f"{group}/{version['name']}"
                schema = root_schema(version["schema"]["openAPIV3Schema"], api_version, kind, metadata_schema())
                result[api_version, kind] = {**schema, "$defs": definitions(minor)}
    return result


def _name(item: Any) -> str:
    if not isinstance(item, Mapping):
        return "?"
    metadata = item.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    name = metadata.get("name") or metadata.get("generateName") or "?"
    namespace = metadata.get("namespace")
    return f"{item.get('kind') or '?'} {f'{namespace}/' if namespace else ''}{name}"


def _short(message: str) -> str:
    return message if len(message) <= _LONGEST else f"{message[: _LONGEST // 2]} … {message[-_LONGEST // 2 :]}"
