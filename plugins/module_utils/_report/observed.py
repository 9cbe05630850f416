# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a cluster's tenants, in words."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._model.quantity import parse
from .table import heading, table, wrapped

_MOST = 20
_COLUMNS = ("requests.cpu", "requests.memory", "requests.storage", "pods")


def summary(result: Mapping[str, t.Any]) -> list[str]:
    """Usage of the tenants, then everything that is not as declared."""
    counts = result["summary"]
    told = ", ".join(f"{counts[part]} {part}" for part in ("drift", "missing", "orphans", "extras") if counts[part])
    state = "as declared" if result["in_sync"] and not told else told or "not wholly readable"
    lines = [f"{result['cluster']}: {counts['environments']} environments, {counts['objects']} objects: {state}"]
    tenants = result["usage"]["tenants"]
    if tenants:
        lines += heading("used of quota")
        rows = [[name, str(row["environments"]), *_used(row["resources"])] for name, row in sorted(tenants.items())]
        lines += table(["TENANT", "ENVIRONMENTS", *(c.upper() for c in _COLUMNS)], rows, range(1, len(_COLUMNS) + 2))
    for key, row in result["usage"]["environments"].items():
        if row["over"]:
            lines += wrapped(f"{key} uses more than its quota of {', '.join(row['over'])}; it was lowered later.")
    lines += _part("drift", result["drift"], _drifted)
    lines += _part("missing", result["missing"], lambda row: f"{_place(row)} {row['why']}".strip())
    lines += _part("not declared", result["orphans"], _orphan)
    lines += _part("next to ours", result["extras"], lambda row: f"{_place(row)}: {row['what']}")
    lines += _part("namespaces", result["namespaces"], _namespace)
    lines += _part("not readable", result["unreadable"], lambda row: f"{row['kind']}: {row['why']}")
    return lines


def _part(title: str, rows: list[t.Any], say: t.Callable[[t.Any], str]) -> list[str]:
    if not rows:
        return []
    lines = heading(f"{title} ({len(rows)})")
    for row in rows[:_MOST]:
        lines += wrapped(say(row), "    ", "  ")
    return [*lines, f"  and {len(rows) - _MOST} more"] if len(rows) > _MOST else lines


def _used(resources: Mapping[str, t.Any]) -> list[str]:
    return [_cell(resources.get(key)) for key in _COLUMNS]


def _cell(amounts: Mapping[str, str] | None) -> str:
    if amounts is None:
        return "-"
    return f"{amounts['used']} of {amounts['hard']}" if parse(amounts["hard"]) else "none"


def _place(row: Mapping[str, str]) -> str:
    return f"{row['kind']} {row['namespace'] + '/' if row['namespace'] else ''}{row['name']}"


def _drifted(row: Mapping[str, t.Any]) -> str:
    parts = []
    for field in row["fields"]:
        if field["path"] == ".":
            parts.append("never applied from the inventory")
            continue
        who = [f"{m['manager']} at {m['time']}" for m in field["managers"]]
        if not who and field["last_writer"]:
            who = [f"perhaps {field['last_writer']['manager']} at {field['last_writer']['time']}"]
        by = f" ({', '.join(who)})" if who else ""
        parts.append(f"{field['path']} is {_short(field['live'])}, declared {_short(field['declared'])}{by}")
    return f"{_place(row)}: {'; '.join(parts) or 'it lacks our label'}"


def _short(value: t.Any) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _orphan(row: Mapping[str, t.Any]) -> str:
    more = f", deletion policy {row['deletion_policy']}" if "deletion_policy" in row else ""
    return _place(row) + more + ("" if row["applied_by_us"] else ", carries our label but was not applied by us")


def _namespace(row: Mapping[str, t.Any]) -> str:
    return f"{row['namespace']}: {row['what'] or '; '.join(c['message'] or c['type'] for c in row['conditions'])}"
