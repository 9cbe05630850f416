# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema as plain JSON Schema, so that editors complete and check inventory files while people type."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model import schema
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.schema_layer import Schema

from .markup import markdown


def schemas() -> dict[str, str]:
    """Draft-07 documents by their path."""
    documents = {
        "tenant-file": schema.TENANT_FILE_SCHEMA,
        "tenant": schema.TENANT_SCHEMA,
        "cluster": _among_others(schema.CLUSTER_SCHEMA, "cluster_"),
        "node": _among_others(schema.NODE_SCHEMA, "node_"),
        "fleet": _among_others(schema.FLEET_SCHEMA, "fleet_"),
    }
    return {
        f"docs/schema/{name}.schema.json": json.dumps(_used_only(_plain(document)), indent=2, ensure_ascii=False) + "\n"
        for name, document in documents.items()
    }


def _among_others(document: Schema, prefix: str) -> Schema:
    """Variable files hold variables of other roles too; only unknown names with our prefix are mistakes."""
    others = {f"^(?!{prefix})": {"description": "A variable of something else."}}
    return {**document, "patternProperties": others}


def _plain(node: t.Any, names: bool = False) -> t.Any:
    """Without our own keywords. I(names): the keys are names of properties, not keywords."""
    if isinstance(node, dict):
        return {
            key: markdown(value) if key == "description" and not names else _plain(value, key in _NAMED and not names)
            for key, value in node.items()
            if names or not key.startswith("x-")
        }
    return [_plain(item) for item in node] if isinstance(node, list) else node


_NAMED = ("properties", "patternProperties", "definitions")


def _used_only(document: Schema) -> Schema:
    """Without definitions that nothing refers to."""
    definitions = document["definitions"]
    rest = {key: value for key, value in document.items() if key != "definitions"}
    used: list[str] = []
    waiting = [rest]
    while waiting:
        text = json.dumps(waiting.pop())
        new = [name for name in definitions if f'"#/definitions/{name}"' in text and name not in used]
        used += new
        waiting += [definitions[name] for name in new]
    return {**rest, "definitions": {name: definitions[name] for name in definitions if name in used}}
