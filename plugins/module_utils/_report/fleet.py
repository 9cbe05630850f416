# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of a fleet as text: clusters, tenants, placements, problems."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from .._model.entities import Environment
from .._model.errors import Locator, Problem
from .._model.fleet import Fleet
from .._model.quantity import ZERO, parse
from . import account as accounts
from .table import bounded, count, heading, names, table, wrapped

_MOST, _MOST_PLACEMENTS, _MOST_REASONS, _MOST_NAMES = 60, 20, 10, 8
_Row = dict[str, t.Any]


def problems(items: Iterable[Problem], locate: Locator | None = None) -> list[str]:
    """Every finding, errors first, each with its place and what to do."""
    lines = []
    for severity in ("error", "warning"):
        lines += [f"{severity}: {p.render(locate)}" for p in items if p.severity == severity]
    return lines


def clusters(fleet: Fleet) -> list[str]:
    """One line per cluster: what it is for, and how full it is."""
    account = accounts.of(fleet)
    keys = [k for k in accounts.resources(account.clusters.values()) if _anybody(account, k)]
    rows = []
    for row in (r for r in fleet.ledger if r["scope"] == "cluster"):
        cluster = fleet.clusters[row["name"]]
        rows.append(
            [
                row["name"],
                cluster.stage,
                cluster.get("security_domain"),
                cluster.get("sla_tier").split("_")[1],
                cluster.release_line,
                cluster.delivery,
                *(_full(row, key) for key in keys),
            ]
        )
    head = [
        "CLUSTER",
        "STAGE",
        "SECURITY DOMAIN",
        "TIER",
        "LINE",
        "DELIVERY",
        *(accounts.title(key, keys) for key in keys),
    ]
    lines = table(head, rows, range(6, len(head)))
    return [
        *heading("clusters, with the share of their capacity that is committed"),
        lines[0],
        *bounded(lines[1:], _MOST),
    ]


def _anybody(account: accounts.Account, key: str) -> bool:
    return any(entry.amounts[key].limit for entry in account.clusters.values() if key in entry.amounts)


def _full(row: _Row, key: str) -> str:
    cell = row["resources"].get(key, {})
    limit = parse(cell.get("capacity", "0"))
    return f"{round(100 * parse(cell['committed']).nano / limit.nano)} %" if limit else "-"


def placements(fleet: Fleet, *, everything: bool = False, details: bool = False) -> list[str]:
    """Where environments live and why.

    @param everything: all of them, not only those decided now.
    @param details: what each rejected cluster lacks, not only how many there are by rule.
    """
    chosen = [e for e in fleet.environments if e.placement and (everything or e.placement.origin == "decided")]
    if not chosen:
        return []
    lines = heading("placements" if everything else f"placements decided now ({len(chosen)})")
    for environment in chosen[:_MOST_PLACEMENTS]:
        lines += _placement(environment, details)
    if len(chosen) > _MOST_PLACEMENTS:
        lines.append(f"  and {len(chosen) - _MOST_PLACEMENTS} more; fleet_info returns all, with their reasons")
    return lines


def _placement(environment: Environment, details: bool) -> list[str]:
    placement = environment.placement
    if placement is None:
        return []
    named = placement.reason.startswith(placement.clusters)
    living = placement.reason if named else f"{', '.join(placement.clusters)}. {placement.reason}"
    lines = wrapped(f"{environment.key} → {living}", "    ", "  ")
    told: dict[str, list[str]] = {}
    for candidate in placement.candidates:
        if candidate.rejection:
            why = candidate.rejection.detail if details else candidate.rejection.rule.replace("_", " ")
            told.setdefault(why, []).append(candidate.cluster)
    if told:
        reasons = [f"{names(where, _MOST_NAMES)}: {why}" for why, where in told.items()]
        if len(reasons) > _MOST_REASONS:
            reasons = [*reasons[:_MOST_REASONS], f"and {count(len(reasons) - _MOST_REASONS, 'other reason')}"]
        lines += wrapped(f"not {'; '.join(reasons)}", "      ", "    ")
    return lines


def totals(fleet: Fleet) -> str:
    """One sentence."""
    cpu = sum((e.quota.get("requests.cpu", ZERO) * e.copies for e in fleet.environments), ZERO)
    counted = (
        count(len(fleet.clusters), "cluster"),
        count(len(fleet.tenants), "tenant"),
        count(len(fleet.environments), "environment"),
    )
    return f"{', '.join(counted)}, {cpu} CPU committed"
