# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of a fleet as text: clusters, tenants, placements, problems."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from .._model.entities import Environment, Tenant
from .._model.errors import Locator, Problem
from .._model.fleet import Fleet
from .._model.quantity import ZERO, parse
from .table import heading, money, table, wrapped

_SHOWN = (("requests.cpu", "CPU"), ("requests.memory", "MEMORY"), ("requests.storage", "STORAGE"))
_Row = dict[str, t.Any]


def problems(items: Iterable[Problem], locate: Locator | None = None) -> list[str]:
    """Every finding, errors first, each with its place and what to do."""
    lines = []
    for severity in ("error", "warning"):
        lines += [f"{severity}: {p.render(locate)}" for p in items if p.severity == severity]
    return lines


def clusters(fleet: Fleet) -> list[str]:
    """One line per cluster: what it is for, how full it is, what its tenants pay."""
    rows = []
    devices = sorted({key for c in fleet.clusters.values() for key in c.capacity if _is_device(key)})
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
                str(len(fleet.on_cluster(row["name"]))),
                *(_full(row, key) for key, _title in _SHOWN),
                *(_full(row, key) for key in devices),
                money(row["month"]),
            ]
        )
    head = ["CLUSTER", "STAGE", "REACHED", "TIER", "LINE", "DELIVERY", "ENVS", *(title for _key, title in _SHOWN)]
    head += [key.rsplit("/", 1)[1].upper() for key in devices]
    head.append(f"MONTH {fleet.settings.prices['currency']}")
    return [*heading("clusters, with the share of what may be promised"), *table(head, rows, range(6, len(head)))]


def _is_device(key: str) -> bool:
    return key.startswith("requests.") and "/" in key and ".storageclass." not in key


def _full(row: _Row, key: str) -> str:
    cell = row["resources"].get(key, {})
    limit = parse(cell.get("capacity", "0"))
    return f"{round(100 * parse(cell['committed']).nano / limit.nano)} %" if limit else "-"


def tenants(fleet: Fleet) -> list[str]:
    """The tree of tenants: what each has, with the tenants below it, against its budget."""
    by_name = {r["name"]: r for r in fleet.ledger if r["scope"] == "tenant"}
    count: dict[str, int] = {}
    for environment in fleet.environments:
        for level in environment.tenant.line:
            count[level.id] = count.get(level.id, 0) + 1
    rows = []
    for tenant in _tree(fleet.tenants.values()):
        row = by_name[tenant.id]
        limit = row["budget_month"]
        rows.append(
            [
                "  " * len(tenant.ancestors) + tenant.id,
                str(count.get(tenant.id, 0)),
                *(_of_budget(row, key) for key, _title in _SHOWN),
                money(row["month"]),
                money(f"{limit:.2f}") if limit is not None else "-",
            ]
        )
    head = [
        "TENANT",
        "ENVS",
        *(f"{title} of budget" for _key, title in _SHOWN),
        f"MONTH {fleet.settings.prices['currency']}",
        "BUDGET",
    ]
    total = money(f"{sum(float(by_name[x.id]['month']) for x in fleet.tenants.values() if not x.ancestors):.2f}")
    rows.append(["all", str(len(fleet.environments)), *("" for _unused in _SHOWN), total, ""])
    return [*heading("tenants, each with those below it"), *table(head, rows, range(1, len(head)))]


def _of_budget(row: _Row, key: str) -> str:
    cell = row["resources"].get(key, {"committed": "0"})
    return f"{cell['committed']} of {cell['budget']}" if "budget" in cell else cell["committed"]


def _tree(all_tenants: Iterable[Tenant]) -> list[Tenant]:
    return sorted(all_tenants, key=lambda tenant: [level.id for level in tenant.line])


def placements(fleet: Fleet, *, everything: bool = False, details: bool = False) -> list[str]:
    """Where environments live and why.

    @param everything: all of them, not only those decided now.
    @param details: what each rejected cluster lacks, not only how many there are by rule.
    """
    chosen = [e for e in fleet.environments if e.placement and (everything or e.placement.origin == "decided")]
    if not chosen:
        return []
    lines = heading("placements" if everything else f"placements decided now ({len(chosen)})")
    for environment in chosen:
        lines += _placement(environment, details)
    return lines


def _placement(environment: Environment, details: bool) -> list[str]:
    placement = environment.placement
    if placement is None:
        return []
    named = placement.reason.startswith(placement.clusters)
    where = placement.reason if named else f"{', '.join(placement.clusters)}. {placement.reason}"
    lines = wrapped(f"{environment.key} → {where}", "    ", "  ")
    told: dict[str, list[str]] = {}
    for candidate in placement.candidates:
        if candidate.rejection:
            why = candidate.rejection.detail if details else candidate.rejection.rule.replace("_", " ")
            told.setdefault(why, []).append(candidate.cluster)
    if told:
        lines += wrapped(
            "not " + "; ".join(f"{', '.join(names)}: {why}" for why, names in told.items()), "      ", "    "
        )
    return lines


def totals(fleet: Fleet) -> str:
    """One sentence."""
    cpu = sum((e.quota.get("requests.cpu", ZERO) * e.copies for e in fleet.environments), ZERO)
    return (
        f"{len(fleet.clusters)} clusters, {len(fleet.tenants)} tenants, {len(fleet.environments)} environments, "
        f"{cpu} CPU cores promised"
    )
