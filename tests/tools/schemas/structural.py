# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn the structural schema of a CRD into JSON Schema that refuses what an API server would refuse or drop.

Out of scope: CEL rules (x-kubernetes-validations), formats, and unique keys of lists (x-kubernetes-list-type).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

_KEPT = (
    "enum", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "multipleOf", "maxLength", "minLength",
    "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties",
)  # fmt: skip
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED = ("apiVersion", "kind", "metadata")


def root_schema(crd_schema: Mapping[str, Any], api_version: str, kind: str, metadata: Schema) -> Schema:
    """JSON Schema of a whole object. `metadata` is the schema of ObjectMeta, which a CRD leaves to the API server."""
    result = json_schema(crd_schema)
    result["properties"] = {
        **result.get("properties", {}),
        "apiVersion": {"enum": [api_version]},
        "kind": {"enum": [kind]},
        "metadata": metadata,
    }
    result["required"] = sorted({*result.get("required", ()), *_EMBEDDED})
    return result


def json_schema(node: Mapping[str, Any], *, strict: bool = True) -> Schema:
    """JSON Schema of one node. In the branches of anyOf and the like (`strict` false) no field is unknown."""
    result: Schema = {key: node[key] for key in _KEPT if key in node}
    result.update(_type(node))
    properties = node.get("properties", {})
    if properties:
        result["properties"] = {name: json_schema(child, strict=strict) for name, child in properties.items()}
    # An API server fills in defaults before it looks for required fields.
    required = [name for name in node.get("required", ()) if "default" not in properties.get(name, {})]
    if required:
        result["required"] = required
    if "items" in node:
        result["items"] = json_schema(node["items"], strict=strict)
    if "pattern" in node:
        result["pattern"] = _pattern(node["pattern"])
    for word in ("allOf", "anyOf", "oneOf"):
        if word in node:
            result[word] = [json_schema(branch, strict=False) for branch in node[word]]
    if "not" in node:
        result["not"] = json_schema(node["not"], strict=False)
    _close(node, result, strict=strict)
    if node.get("nullable"):
        _allow_null(result)
    return result


def _type(node: Mapping[str, Any]) -> Schema:
    if node.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    return {"type": node["type"]} if node.get("type") else {}


def _close(node: Mapping[str, Any], result: Schema, *, strict: bool) -> None:
    """Say which other fields an object may have."""
    others = node.get("additionalProperties")
    if isinstance(others, Mapping):
        result["additionalProperties"] = json_schema(others, strict=strict)
    elif strict and node.get("type") == "object" and others is not True and not node.get(_PRESERVE):
        result["additionalProperties"] = False
    if node.get("x-kubernetes-embedded-resource"):
        result["properties"] = {**{name: {} for name in _EMBEDDED}, **result.get("properties", {})}


def _pattern(pattern: str) -> str:
    """The end of the text in Go's regular expressions is `$`; in Python's a line break may still follow that."""
    if pattern.endswith("$") and not pattern.endswith("\\$"):
        return pattern[:-1] + "\\Z"
    return pattern


def _allow_null(result: Schema) -> None:
    if "type" in result:
        types = result["type"] if isinstance(result["type"], list) else [result["type"]]
        result["type"] = [*types, "null"]
    if "enum" in result:
        result["enum"] = [*result["enum"], None]
