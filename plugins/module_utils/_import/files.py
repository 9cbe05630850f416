# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenant files: text that people go on editing."""

from __future__ import annotations

import os
import tempfile
import typing as t
from functools import lru_cache
from pathlib import Path

from .._libraries import load as library
from .._model.names import tenant_variable

if t.TYPE_CHECKING:
    import yaml
else:
    yaml = library("yaml")

FOLDER = Path("group_vars", "all", "tenants")
_WIDTH = 110
#: So long may a mapping be that is written on one line.
_FLOW = 80


@lru_cache(maxsize=1)
def _dumper() -> t.Any:
    """Indented lists, and short innermost mappings on one line, as in the guides."""

    class Readable(yaml.SafeDumper):
        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            del indentless
            super().increase_indent(flow, False)

        def ignore_aliases(self, data: t.Any) -> bool:
            del data
            return True

        def represent_mapping(self, tag: str, mapping: t.Any, flow_style: bool | None = None) -> t.Any:
            node = super().represent_mapping(tag, mapping, flow_style)
            node.flow_style = _is_short(mapping)
            return node

        def represent_sequence(self, tag: str, sequence: t.Any, flow_style: bool | None = None) -> t.Any:
            node = super().represent_sequence(tag, sequence, flow_style)
            plain = not any(isinstance(item, (dict, list)) for item in sequence)
            node.flow_style = plain and sum(len(str(item)) + 4 for item in sequence) <= _FLOW
            return node

    return Readable


def _is_short(mapping: t.Any) -> bool:
    items = dict(mapping).items()
    flat = all(not isinstance(v, dict) and not (isinstance(v, list) and _nested(v)) for _k, v in items)
    return flat and sum(len(str(k)) + len(str(v)) + 4 for k, v in items) <= _FLOW


def _nested(items: list[t.Any]) -> bool:
    return any(isinstance(item, (dict, list)) for item in items)


#: What to write for keys that no cluster knows.
_FORMS = {
    "owners": "owners: [{kind: Group, name: …}]",
    "contacts": "contacts: {owner: …, technical: […]}",
    "billing.cost_center": "billing: {cost_center: …}",
}
_HELD_BACK = "  adoption_policy: never\n"
_ACCEPT = """\
  # Never: applying would change what the report of the import lists. To accept that, write if_identical; or always,
  # where the report says that it would not be adopted as it is.
"""


def text(tenant: t.Mapping[str, t.Any], origin: str, missing: t.Iterable[str] = ()) -> str:
    """The file of a tenant.

    @param missing: keys that people have to fill in; they are there as comments.
    """
    body = yaml.dump(
        {tenant_variable(tenant["id"]): dict(tenant)},
        Dumper=_dumper(),
        sort_keys=False,
        width=_WIDTH,
        allow_unicode=True,
        default_flow_style=False,
    )
    first, name, rest = body.split("\n", 2)
    todo = [f"  # {_FORMS[key]}\n" for key in missing]
    if todo:
        todo.insert(0, "  # To be completed, because no cluster knows it:\n")
    rest = "".join(todo) + rest.replace(_HELD_BACK, _ACCEPT + _HELD_BACK, 1)
    return f"---\n# Imported from {origin}. It is yours to edit from now on.\n{first}\n{name}\n{rest}"


def held_back(content: str) -> int:
    """The line that keeps a tenant from being adopted, 0 when none does."""
    before, found, _rest = content.partition(_HELD_BACK)
    return before.count("\n") + 1 if found else 0


def path_of(inventory: Path, tenant: str) -> Path:
    return inventory / FOLDER / f"{tenant}.yml"


def write(path: Path, content: str) -> None:
    """Writes a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        Path(name).chmod(0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
