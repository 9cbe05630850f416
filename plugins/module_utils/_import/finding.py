# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an import could not take over, or would change."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import asdict, dataclass

#: A file of the folder of manifests is none that can be read; what it holds is not known.
UNREADABLE = "unreadable"
#: The object, or a part of it, has no form in the inventory. It stays on the cluster as it is.
NOT_EXPRESSED = "not-expressed"
#: Applying the new inventory changes what is in force today.
WOULD_CHANGE = "would-change"
#: The namespace differs from what would be declared, so that C(if_identical) refuses it.
NOT_ADOPTABLE = "not-adoptable"
#: The inventory refuses what was imported.
INVALID = "invalid"
#: Good to know.
NOTE = "note"
CODES = (UNREADABLE, INVALID, NOT_EXPRESSED, WOULD_CHANGE, NOT_ADOPTABLE, NOTE)


@dataclass(frozen=True)
class Finding:
    """One thing: the object and field it is about, why, and what to do."""

    code: str
    cluster: str
    namespace: str
    kind: str
    name: str
    field: str
    what: str
    fix: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)

    @property
    def order(self) -> tuple[t.Any, ...]:
        return CODES.index(self.code), self.cluster, self.namespace, self.kind, self.name, self.field, self.what


#: Reports a finding about an object: code, object, field, what, fix.
Tell = Callable[[str, "dict[str, t.Any]", str, str, str], None]


class Findings:
    """Collects findings, each once."""

    def __init__(self) -> None:
        self._found: dict[Finding, None] = {}

    def add(self, finding: Finding) -> None:
        self._found.setdefault(finding)

    def teller(self, cluster: str) -> Tell:
        """Reports about objects of one cluster."""

        def tell(code: str, target: dict[str, t.Any], field: str, what: str, fix: str = "") -> None:
            meta = target["metadata"]
            kind, name = target["kind"], meta["name"]
            namespace = name if kind == "Namespace" else meta.get("namespace", "")
            self.add(Finding(code, cluster, namespace, kind, name, field, what, fix))

        return tell

    @property
    def sorted(self) -> list[Finding]:
        return sorted(self._found, key=lambda each: each.order)
