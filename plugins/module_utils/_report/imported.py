# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an import took over and what it could not, in words."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from .table import heading, wrapped

_HEADINGS = {
    "invalid": "the inventory refuses",
    "not-expressed": "could not be expressed",
    "would-change": "would change when the inventory is applied",
    "not-adoptable": "would not be adopted as it is",
    "note": "good to know",
}
_MOST_PLACES = 6


def summary(result: Mapping[str, t.Any]) -> list[str]:
    """The figures, then every finding; findings that differ only in the namespace are told once."""
    environments, findings = result["environments"], result["findings"]
    tenants = {each["tenant"] for each in environments}
    lines = [f"{_count(len(environments), 'namespace')} of {_count(len(tenants), 'tenant')} read."]
    for code, title in _HEADINGS.items():
        found = [each for each in findings if each["code"] == code]
        if found:
            lines += heading(f"{title} ({len(found)})") + list(_told(found))
    if result["superseded"]:
        lines += heading(f"replaced once the inventory is applied ({len(result['superseded'])})")
        by_kind: dict[str, list[str]] = {}
        for each in result["superseded"]:
            by_kind.setdefault(each["kind"], []).append(f"{each['namespace']}/{each['name']}")
        for kind, names in sorted(by_kind.items()):
            lines += wrapped(f"{kind}: {_places(names)}", "    ", "  ")
    lines += ["", _outcome(result)]
    return lines


def _told(findings: Iterable[Mapping[str, str]]) -> Iterable[str]:
    grouped: dict[tuple[str, ...], list[str]] = {}
    for each in findings:
        same = each["kind"] == "Namespace"
        place = each["namespace"] if same else f"{each['namespace']}/{each['name']}".lstrip("/")
        grouped.setdefault((each["kind"], each["field"], each["what"], each["fix"]), []).append(place)
    for (kind, field, what, fix), places in grouped.items():
        yield from wrapped(f"{kind} {_places(places)}, {field}: {what}{' ' + fix if fix else ''}", "    ", "  ")


def _places(names: list[str]) -> str:
    shown = ", ".join(names[:_MOST_PLACES])
    return f"{shown} and {len(names) - _MOST_PLACES} more" if len(names) > _MOST_PLACES else shown


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _outcome(result: Mapping[str, t.Any]) -> str:
    files = [each for each in result["files"] if each["action"] in ("created", "overwritten")]
    kept = [each for each in result["files"] if each["action"] not in ("created", "overwritten", "unchanged")]
    text = f"{_count(len(files), 'tenant file')} {'would be ' if result['check'] else ''}written"
    if files:
        text += f" to {files[0]['path'].rpartition('/')[0]}"
    return text + "".join(f"; {each['tenant']} {each['action']}: {each['why']}" for each in kept) + "."
