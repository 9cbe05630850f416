# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an import took over and what it could not, in words."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from .table import count, heading, wrapped
from .table import names as shorten

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
    lines = [f"{count(len(environments), 'namespace')} of {count(len(tenants), 'tenant')} read."]
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
            lines += wrapped(f"{kind}: {shorten(names, _MOST_PLACES)}", "    ", "  ")
    lines += ["", _outcome(result)]
    return lines


def _told(findings: Iterable[Mapping[str, str]]) -> Iterable[str]:
    grouped: dict[tuple[str, ...], list[str]] = {}
    for each in findings:
        same = each["kind"] == "Namespace"
        place = each["namespace"] if same else f"{each['namespace']}/{each['name']}".lstrip("/")
        grouped.setdefault((each["kind"], each["field"], each["what"], each["fix"]), []).append(place)
    for (kind, field, what, fix), places in grouped.items():
        yield from wrapped(
            f"{kind} {shorten(places, _MOST_PLACES)}, {field}: {what}{' ' + fix if fix else ''}", "    ", "  "
        )


def _outcome(result: Mapping[str, t.Any]) -> str:
    files = [each for each in result["files"] if each["action"] in ("created", "overwritten")]
    kept = [each for each in result["files"] if each["action"] not in ("created", "overwritten", "unchanged")]
    text = f"{count(len(files), 'tenant file')} {'would be ' if result['check'] else ''}written"
    if files:
        text += f" to {files[0]['path'].rpartition('/')[0]}"
    return text + "".join(f"; {each['tenant']} {each['action']}: {each['why']}" for each in kept) + "."
