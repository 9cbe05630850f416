# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of Flux on a cluster, in words."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from .table import heading, table, wrapped

_SHORT = 10
_MOST = 20
_GOOD = ("ready", "suspended")
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def age(seconds: int | None) -> str:
    """C(93784) as C(1d)."""
    if seconds is None:
        return "-"
    return next((f"{seconds // size}{unit}" for size, unit in _UNITS if seconds >= size), f"{seconds}s")


def summary(result: Mapping[str, t.Any]) -> list[str]:
    """The tenants in a table, then everything that is not as committed, with the reason."""
    rows, projects = result["objects"], result["repositories"]
    bad = [row for row in rows if row["state"] not in _GOOD]
    told = "as committed" if not bad else f"{len(bad)} of {len(rows)} objects of Flux are not as committed"
    fetched = f" (fetched {result['fetched_at']})" if result["fetched_at"] else ""
    lines = [f"{result['cluster']}: commit {result['commit'][:_SHORT] or 'none'}{fetched}: {told}"]
    if result["tenants"]:
        lines += heading("tenants")
        cells = [
            [name, each.get("state", "-"), each.get("commit", "")[:_SHORT] or "-", age(each.get("age")), _own(each)]
            for name, each in result["tenants"].items()
        ]
        lines += table(["TENANT", "STATE", "COMMIT", "FOR", "OWN REPOSITORIES"], cells, (3,))
    lines += _part("not as committed", bad)
    lines += _part("repositories of tenants", [row for row in projects if row["state"] not in _GOOD])
    return lines


def _own(tenant: Mapping[str, t.Any]) -> str:
    states = list(tenant["repositories"].values())
    if not states:
        return "-"
    return ", ".join(f"{states.count(each)} {each}" for each in sorted(set(states)))


def _part(title: str, rows: list[Mapping[str, t.Any]]) -> list[str]:
    if not rows:
        return []
    lines = heading(f"{title} ({len(rows)})")
    for row in rows[:_MOST]:
        place = row["name"] if row["namespace"] == "flux-system" else f"{row['namespace']}/{row['name']}"
        why = " ".join(str(row["message"]).split())
        lines += wrapped(f"{row['kind']} {place}: {row['state']} for {age(row['age'])}: {why[:600]}", "    ", "  ")
    return [*lines, f"  and {len(rows) - _MOST} more"] if len(rows) > _MOST else lines


def failure(result: Mapping[str, t.Any], judged: Iterable[Mapping[str, t.Any]]) -> str:
    """Why the task fails."""
    names = [f"{row['kind']} {row['namespace']}/{row['name']} ({row['state']})" for row in judged]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{result['cluster']}: not as committed: {', '.join(names[:5])}{more}."
