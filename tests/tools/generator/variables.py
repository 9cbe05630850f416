# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of all variables: options of roles, the schema's, and what the templates of playbooks read besides."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from pathlib import Path

import yaml
from jinja2 import Environment, nodes

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.schema import CLUSTER, FLEET, NODE

from .markup import HEADER
from .role_options import ROLES

_PLAYBOOKS = Path(__file__).resolve().parents[3] / "playbooks"
_EXPRESSIONS = ("when", "that", "failed_when", "changed_when", "until")
_TEXT = '''\
"""The names of all variables. Written by tests/tools/generate.py from the schema, role options and playbooks."""

from __future__ import annotations

'''


def files() -> dict[str, str]:
    """The module with the names, by its path."""
    names = {*FLEET, *CLUSTER, *NODE}
    for role in ROLES.values():
        names.update(option for entry in role.entries.values() for option in entry.options)
    prefixes = {f"{name}_" for name in ROLES} | {"fleet_", "cluster_", "node_"}
    playbooks = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in _PLAYBOOKS.glob("*.yml")}
    prefixes.update(f"{name}_" for name in playbooks)
    for name, plays in playbooks.items():
        first = name.split("_")[0] + "_"
        results = set(_values(plays, "register"))
        own = {each for each in _read(plays) if each.startswith(first) and each not in results}
        names |= own
        # such as provisioner_kubeconfig of the playbook provisioner_access
        if any(not each.startswith(tuple(prefixes)) for each in own):
            prefixes.add(first)
    text = HEADER.replace("---\n", "") + _TEXT
    for title, words in (("PREFIXES", prefixes), ("NAMES", names)):
        text += f"{title} = (\n" + "".join(f'    "{word}",\n' for word in sorted(words)) + ")\n"
    return {"plugins/plugin_utils/_variables.py": text}


def _read(plays: t.Any) -> set[str]:
    """The names in the templates of a playbook."""
    parse = Environment(autoescape=True).parse
    return {each.name for text in _templates(plays) for each in parse(text).find_all(nodes.Name)}


def _templates(value: t.Any, *, bare: bool = False) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _templates(item, bare=key in _EXPRESSIONS)
    elif isinstance(value, list):
        for item in value:
            yield from _templates(item, bare=bare)
    elif isinstance(value, str):
        yield "{{ " + value + " }}" if bare else value


def _values(value: t.Any, wanted: str) -> Iterator[str]:
    """What stands at a key, anywhere."""
    if isinstance(value, dict):
        yield from (item for key, item in value.items() if key == wanted)
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _values(item, wanted)
