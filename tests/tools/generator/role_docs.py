# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specification and README of each role, from its options and from the settings of the schema."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.schema import FLEET, FLEET_SCHEMA, expand

from .markup import HEADER, NOTICE, markdown, table, to_yaml
from .role_options import ROLES
from .role_types import Entry, Options, Role

_GENERATED = "# Written by tests/tools/generate.py from the schema and generator/role_options.py.\n"
_VERSION = "0.1.0"


def files() -> dict[str, str]:
    """The generated files of every role, by their path."""
    result = {}
    for name, role in ROLES.items():
        result[f"roles/{name}/meta/argument_specs.yml"] = _argument_specs(role)
        result[f"roles/{name}/README.md"] = _readme(name, role)
    return result


def _settings() -> Options:
    """The settings as options.

    They are C(raw) and have no choices: a role stops at the first argument that does not fit, while the model reports
    every problem of the whole inventory at once, with its file and line.
    """
    properties = expand(FLEET_SCHEMA)["properties"]
    return {name: _setting(properties[name]) for name in FLEET}


def _setting(node: dict[str, t.Any]) -> dict[str, t.Any]:
    option: dict[str, t.Any] = {"type": "raw"}
    if "default" in node:
        option["default"] = node["default"]
    words = {"string": "Text", "array": "A list", "object": "A mapping"}[node["type"]]
    if "enum" in node:
        words = "One of " + ", ".join(f"V({value})" for value in node["enum"])
    option["description"] = [node["description"], f"{words}. All its keys stand in C(docs/reference/fleet.md)."]
    if "properties" not in node and node["type"] != "object":
        option["description"][1] = f"{words}."
    return option


def _argument_specs(role: Role) -> str:
    specs = {}
    for name, entry in role.entries.items():
        specs[name] = {
            "short_description": entry.short,
            "description": list(entry.description),
            "author": ["k8s.self_provisioning contributors (@k8s-self-provisioning)"],
            "version_added": _VERSION,
            "options": {**entry.options, **(_settings() if role.reads_settings else {})},
        }
    return HEADER.replace("---\n", _GENERATED + "---\n") + to_yaml({"argument_specs": specs})


def _readme(name: str, role: Role) -> str:
    parts = [f"{NOTICE}# k8s.self_provisioning.{name}\n", f"{role.title}.\n", f"```yaml\n---\n{role.example}```\n"]
    parts += [_entry(key, entry) for key, entry in role.entries.items()]
    if role.reads_settings:
        rows = [
            (f"`{key}`", _default(option), markdown(option["description"][0])) for key, option in _settings().items()
        ]
        parts += [
            "## Settings of the organisation that it reads\n",
            "Their keys are in the [reference](../../docs/reference/fleet.md).\n",
            table(("Variable", "Default", "Meaning"), rows),
        ]
    return "\n".join(parts)


def _entry(name: str, entry: Entry) -> str:
    title = entry.short if name == "main" else f"{entry.short} (`tasks_from: {name}`)"
    rows = [(f"`{key}`", option["type"], _default(option), _described(option)) for key, option in entry.options.items()]
    described = "\n\n".join(markdown(line) for line in entry.description)
    listed = table(("Variable", "Type", "Default", "Meaning"), rows) if rows else "It has no variables of its own.\n"
    return f"## {title}\n\n{described}\n\n{listed}"


def _described(option: dict[str, t.Any]) -> str:
    lines = [markdown(line) for line in option["description"]]
    if "choices" in option:
        lines.append(f"One of {', '.join(f'`{value}`' for value in option['choices'])}.")
    return " ".join(lines)


def _default(option: dict[str, t.Any]) -> str:
    return f"`{json.dumps(option['default'])}`" if "default" in option else ""
