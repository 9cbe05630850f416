# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schemas of the kinds that Kubernetes itself has, as the package `kubernetes-validate` holds them.

Its own `validate` reads its files again for every object, stops at the first error, and takes the schemas of an older
Kubernetes when it does not have the asked one. So only its files are used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from kubernetes_validate import utils  # type: ignore[import-untyped]

Schema = dict[str, Any]

_DEFINITIONS = "/api/_definitions.json#/$defs"
_OBJECT_META = "#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


def object_schema(minor: str, api_version: str, kind: str) -> Schema | None:
    """Schema of a kind, complete in itself; none if Kubernetes of that minor version does not have the kind."""
    group, _unused, version = api_version.rpartition("/")
    short_group = f"{group.split('.')[0]}-" if group else ""
    if not re.fullmatch(r"[a-z0-9.-]*", group) or not re.fullmatch(r"[a-z0-9]+", version) or not kind.isalnum():
        return None
    try:
        found = _read(minor, f"{kind.lower()}-{short_group}{version}.json")
    except FileNotFoundError:
        return None
    # The files' names leave out the end of the group; and there are also files of what is only a part of an object.
    if {"group": group, "version": version, "kind": kind} not in found.get("x-kubernetes-group-version-kind", ()):
        return None
    schema = {key: value for key, value in found.items() if key not in ("$id", "$schema", "description")}
    schema["required"] = sorted({*schema.get("required", ()), "apiVersion", "kind", "metadata"})
    if schema["properties"]["metadata"].get("$ref") == _OBJECT_META:
        schema["properties"] = {**schema["properties"], "metadata": metadata_schema()}
    return {**schema, "$defs": definitions(minor)}


def metadata_schema() -> Schema:
    """Schema of the metadata of an object; refers to `definitions`."""
    named = {"if": {"required": ["generateName"]}, "else": {"required": ["name"]}}
    return {"type": "object", "allOf": [{"$ref": _OBJECT_META}, named]}


@cache
def definitions(minor: str) -> Schema:
    """What schemas refer to, below `$defs`."""
    result: Schema = _read(minor, "_definitions.json")["$defs"]
    return result


def _read(minor: str, name: str) -> Schema:
    folder = f"kubernetes-json-schema/v{_release(minor)}-local-strict"
    result: Schema = _local(utils.schema_contents(f"{folder}/{name}", minor))
    return result


@cache
def _release(minor: str) -> str:
    """The release whose schemas the package has for that minor version."""
    for version in utils.all_versions():
        if utils.major_minor(version) == minor:
            return str(version)
    raise LookupError(f"kubernetes-validate {utils.__version__} has no schemas of Kubernetes {minor}")


def _local(node: Any) -> Any:
    """Let references stay inside the schema."""
    if isinstance(node, Mapping):
        return {
            key: value.replace(_DEFINITIONS, "#/$defs") if key == "$ref" and isinstance(value, str) else _local(value)
            for key, value in node.items()
        }
    return [_local(item) for item in node] if isinstance(node, list) else node
