# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of generated files: Ansible's markup as Markdown, tables, and YAML as our linters want it."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Sequence

import yaml

_CODE = re.compile(r"\b[COV]\(([^)]+)\)")
_ITALIC = re.compile(r"\bI\(([^)]+)\)")
_MODULE = re.compile(r"\b[MP]\(([^)#]+)(?:#\w+)?\)")

HEADER = """\
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
---
"""
NOTICE = "<!-- Written by tests/tools/generate.py from the schema. Change that, then run: make generate -->\n"


def markdown(text: str) -> str:
    """C(code), O(option), V(value), M(module) and I(italics) as Markdown."""
    return _ITALIC.sub(r"*\1*", _MODULE.sub(r"`\1`", _CODE.sub(r"`\1`", text)))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


class _Indented(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: t.Any) -> bool:
        del data
        return True


def to_yaml(value: t.Any) -> str:
    """Lists are indented below their key."""
    return str(yaml.dump(value, Dumper=_Indented, sort_keys=False, width=110, allow_unicode=True))
