# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual machines of an organisation, counted by owner, size and age."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence

from .table import bounded, count, heading, table, wrapped

Row = Mapping[str, t.Any]
_MOST_PROBLEMS = 200
_NOBODY = "(nobody)"
_UNKNOWN = "(unknown)"


def groups(rows: Iterable[Row], key: str, decisions: Sequence[str]) -> list[dict[str, t.Any]]:
    """Sums for each value of I(key): how many, how large, and what becomes of them."""
    found: dict[str, dict[str, t.Any]] = {}
    for row in rows:
        name = row[key] or (_NOBODY if key == "owner" else _UNKNOWN)
        new = {key: name, "vms": 0, "running": 0, "cpus": 0, "memory_gib": 0, "disk_gib": 0}
        each = found.setdefault(name, {**new, **dict.fromkeys(decisions, 0)})
        each["vms"] += 1
        each["running"] += row["state"] == "running"
        for size in ("cpus", "memory_gib", "disk_gib"):
            each[size] = round(each[size] + (row[size] or 0), 2)
        each[row["decision"]] += 1
    return list(found.values())


def summary(
    rows: Sequence[Row],
    tables: Mapping[str, Sequence[Mapping[str, t.Any]]],
    rules: Sequence[Row],
    notes: Sequence[str],
) -> list[str]:
    """What the role prints for people."""
    total = sum(row["disk_gib"] or 0 for row in rows)
    lines = [f"{count(len(rows), 'virtual machine')}, {_amount(total)} GiB of disks"]
    for key, each in tables.items():
        lines += ["", *_lines(key, each)]
    if rules:
        decided = [[str(rule["vms"]), rule["decision"], rule["name"], rule["why"]] for rule in rules]
        lines += [*heading("decided by"), *table(("vms", "decision", "rule", "why"), decided, right=(0,))]
    if notes:
        lines += heading("to know")
        lines += [line for note in notes for line in wrapped(note, indent="    ", first="  ")]
    return lines


def _lines(key: str, rows: Sequence[Mapping[str, t.Any]]) -> list[str]:
    if not rows:
        return []
    columns = list(rows[0])
    names = [f"by {key}", *(name.replace("_gib", " GiB") for name in columns[1:])]
    cells = [[each[key], *(_amount(each[name]) for name in columns[1:])] for each in rows]
    sums = ["total", *(_amount(sum(each[name] for each in rows)) for name in columns[1:])]
    return table(names, [*cells, sums], right=range(1, len(names)))


def _amount(value: float) -> str:
    return f"{round(value):,}"


def problems(errors: Sequence[str], warnings: Sequence[str]) -> list[str]:
    """Everything that is wrong, errors first."""
    lines: list[str] = []
    for title, told in (("error", errors), ("warning", warnings)):
        if told:
            lines += heading(count(len(told), title))
            lines += bounded([f"  {each}" for each in told], _MOST_PROBLEMS)
    return lines


def ordered(rows: Iterable[dict[str, t.Any]], key: str, order: Sequence[str]) -> list[dict[str, t.Any]]:
    """Groups as I(order) has them, or the largest first; those without a name last."""

    def place(each: dict[str, t.Any]) -> tuple[t.Any, ...]:
        name = each[key]
        if order:
            return order.index(name) if name in order else len(order), name
        return name == _NOBODY, -each["vms"], name

    return sorted(rows, key=place)
