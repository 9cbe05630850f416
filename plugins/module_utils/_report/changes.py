# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run changes, for whom, and what that costs."""

from __future__ import annotations

import csv
from collections import Counter
from decimal import Decimal, InvalidOperation
from pathlib import Path

from .._model.fleet import Fleet
from .._tree.deliver import Outcome
from . import fleet as report
from .table import heading, money, table, wrapped

Months = dict[tuple[str, str], Decimal]


def months(ledger: Path) -> Months:
    """What a month cost by the account of the last run, by scope and name; empty when there is none."""
    try:
        with ledger.open(encoding="utf-8", newline="") as file:
            return {
                (row["scope"], row["name"]): Decimal(row["committed"])
                for row in csv.DictReader(file)
                if row.get("resource") == "month" and row["scope"] in ("tenant", "cluster")
            }
    except (OSError, UnicodeDecodeError, KeyError, TypeError, InvalidOperation):
        return {}


def plan(outcome: Outcome, before: Months, root: Path) -> list[str]:
    """What would change for each tenant and cluster, the account that follows, and the difference in money."""
    fleet = outcome.fleet
    return [
        *_changes(outcome, root, "would"),
        *_costs(fleet, before),
        *report.placements(fleet, details=True),
        *report.clusters(fleet),
        *report.tenants(fleet),
        "",
        _files(outcome, "would be"),
    ]


def summary(outcome: Outcome, before: Months, root: Path) -> list[str]:
    """The fleet as it is after a run, and what the run changed."""
    fleet = outcome.fleet
    return [
        f"{fleet.settings.values['fleet_name']}: {report.totals(fleet)}",
        *report.clusters(fleet),
        *report.tenants(fleet),
        *report.placements(fleet),
        *_changes(outcome, root, "did"),
        *_costs(fleet, before),
        *_objects(outcome),
        "",
        _files(outcome, "were"),
        *([f"Commit {outcome.commit[:12]} in {root}"] if outcome.commit else []),
    ]


def _changes(outcome: Outcome, root: Path, sense: str) -> list[str]:
    title = "what would change" if sense == "would" else "what changed"
    changes = outcome.changes
    if not outcome.changed or not changes:
        return [*heading(title), f"  Nothing {'would change' if sense == 'would' else 'changed'} in {root}."]
    if changes.first:
        return [*heading(title), f"  Everything is new in {root}."]
    lines = heading(title)
    for tenant in changes.environments:
        for line in changes.tenant_lines(tenant):
            lines += wrapped(f"tenant {tenant}: {line}", "      ", "  ")
    for cluster, words in changes.clusters.items():
        lines += wrapped(f"cluster {cluster}: {', '.join(words)}", "      ", "  ")
    lines += [f"  roles and policies of the release line {line}" for line in changes.lines]
    return lines


def _costs(fleet: Fleet, before: Months) -> list[str]:
    if not before:
        return []
    rows = []
    for row in fleet.ledger:
        if row["scope"] not in ("tenant", "cluster"):
            continue
        old, new = before.get((row["scope"], row["name"]), Decimal(0)), Decimal(row["month"])
        if old != new:
            sign = "+" if new > old else "-"
            rows.append(
                [row["scope"], row["name"], money(str(old)), money(row["month"]), sign + money(str(abs(new - old)))]
            )
    gone = set(before) - {(row["scope"], row["name"]) for row in fleet.ledger}
    rows += [[scope, name, money(str(before[scope, name])), "gone", ""] for scope, name in sorted(gone)]
    if not rows:
        return []
    head = ["", "", "BEFORE", "NOW", "DIFFERENCE"]
    return [*heading(f"cost of a month, {fleet.settings.prices['currency']}"), *table(head, rows, (2, 3, 4))]


def _objects(outcome: Outcome) -> list[str]:
    kinds = outcome.tree.kinds if outcome.tree else Counter()
    told = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items(), key=lambda item: (-item[1], item[0])))
    return [*heading(f"{sum(kinds.values())} objects"), *wrapped(told)]


def _files(outcome: Outcome, verb: str) -> str:
    tree = outcome.tree
    if tree is None or not outcome.changed:
        return "Nothing changed." if verb == "were" else "Nothing would change."
    counts = (
        (len(tree.created), "created"),
        (len(tree.updated), "updated"),
        (len(tree.repaired), "repaired after a change by hand"),
        (len(tree.removed), "removed"),
    )
    told = ", ".join(f"{count} {what}" for count, what in counts if count)
    foreign = f" {len(tree.foreign)} files of others were left alone." if tree.foreign else ""
    return f"Files that {verb} touched: {told or 'none'}; {len(tree.unchanged)} are as they should be.{foreign}"
