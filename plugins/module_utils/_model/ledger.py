# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger: what is budgeted, placed, committed and free, and what it costs by the month.

Prices apply to what is reserved (the quota on every cluster an environment occupies), not to what is used. A namespace
that is retained still occupies its cluster and is paid for by its tenant, but it takes nothing from the budget of
resources: that limits what is declared.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import lcm

from .entities import Cluster, Environment, Retained, Settings, Tenant
from .errors import Problems
from .quantity import ZERO, Quantity, add_maps
from .resources import canonical_quota, quota_key

Row = dict[str, t.Any]
_GIB = 1024**3
_NANO_UNIT = Quantity(1).value


def rows(
    settings: Settings,
    clusters: Mapping[str, Cluster],
    tenants: Mapping[str, Tenant],
    environments: Iterable[Environment],
    retained: Iterable[Retained] = (),
) -> list[Row]:
    """Account rows, sorted: one per environment and cluster, one per tenant (with the tenants below), one per cluster.

    What is retained has rows like an environment, with the state C(retained).

    Every row has C(scope) (C(environment), C(tenant) or C(cluster)), C(name), C(resources) and C(month). In
    C(resources) each key maps to amounts in canonical text: C(committed), and where they apply C(budget), C(capacity)
    (with overcommit) and C(free). C(month) is the price of a month as text with two digits.
    """
    prices = {name: _Prices(settings, cluster) for name, cluster in clusters.items()}
    placed = [(e, name, prices[name].of(e.quota)) for e in environments if e.placement for name in e.placement.clusters]
    result = [
        _row(
            "environment",
            e.key,
            {k: {"committed": v} for k, v in e.quota.items()},
            price,
            cluster=name,
            tenant=e.tenant.id,
            project=e.project.id,
            environment=e.name,
            namespace=e.namespace,
            cost_center=e.values["cost_center"],
            state=e.state,
        )
        for e, name, price in placed
    ]
    own: dict[str, dict[str, Quantity]] = {}
    money: dict[str, Fraction] = {}
    on_cluster: dict[str, dict[str, Quantity]] = {}
    spent: dict[str, Fraction] = {}
    for e, name, price in placed:
        on_cluster[name] = add_maps(on_cluster.get(name, {}), e.quota)
        spent[name] = spent.get(name, Fraction(0)) + price
        for level in e.tenant.line:
            own[level.id] = add_maps(own.get(level.id, {}), e.quota)
            money[level.id] = money.get(level.id, Fraction(0)) + price
    stays = [(each, name) for each in retained for name in each.clusters if name in clusters]
    for left, name in stays:
        price = prices[name].of(left.quota)
        result.append(_retained_row(left, name, price))
        on_cluster[name] = add_maps(on_cluster.get(name, {}), left.quota)
        spent[name] = spent.get(name, Fraction(0)) + price
        owner = tenants.get(left.names[0])
        for level in owner.line if owner else ():
            money[level.id] = money.get(level.id, Fraction(0)) + price
    for tenant in tenants.values():
        budget = canonical_quota(tenant.values.get("budget", {}).get("hard", {}))
        committed = own.get(tenant.id, {})
        cells = {
            key: {
                "committed": committed.get(key, ZERO),
                **_against("budget", budget.get(key), committed.get(key, ZERO)),
            }
            for key in sorted({*budget, *committed})
        }
        row = _row("tenant", tenant.id, cells, money.get(tenant.id, Fraction(0)), parent=tenant.parent)
        row["budget_month"] = tenant.values.get("billing", {}).get("budget_month")
        result.append(row)
    for name, cluster in clusters.items():
        committed = on_cluster.get(name, {})
        cells = {
            key: {
                "committed": committed.get(key, ZERO),
                **_against("capacity", cluster.capacity.get(key), committed.get(key, ZERO)),
            }
            for key in sorted({*cluster.capacity, *committed})
        }
        result.append(_row("cluster", name, cells, spent.get(name, Fraction(0)), stage=cluster.stage))
    order = {"environment": 0, "tenant": 1, "cluster": 2}
    return sorted(result, key=lambda r: (order[r["scope"]], r["name"], r.get("cluster", "")))


def _retained_row(left: Retained, cluster: str, price: Fraction) -> Row:
    tenant, project, environment = left.names
    return _row(
        "environment",
        left.key,
        {key: {"committed": amount} for key, amount in left.quota.items()},
        price,
        cluster=cluster,
        tenant=tenant,
        project=project,
        environment=environment,
        namespace=left.namespace,
        cost_center=left.cost_center or None,
        state="retained",
    )


def _against(name: str, limit: Quantity | None, committed: Quantity) -> dict[str, Quantity]:
    return {} if limit is None else {name: limit, "free": limit - committed}


def _row(scope: str, name: str, cells: Mapping[str, Mapping[str, Quantity]], price: Fraction, **more: t.Any) -> Row:
    resources = {key: {column: str(amount) for column, amount in cell.items()} for key, cell in cells.items()}
    return {"scope": scope, "name": name, **more, "resources": resources, "month": money_text(price)}


class _Prices:
    """What a quota costs on a cluster: whole numbers over one denominator, as sums of fractions take long."""

    def __init__(self, settings: Settings, cluster: Cluster) -> None:
        prices = {quota_key(k): v for k, v in {**settings.prices.get("month", {}), **cluster.get("prices", {})}.items()}
        base = Fraction(str(settings.prices.get("environment_month", 0)))
        rates = {k: Fraction(str(v)) / (_GIB if _in_gib(k) else 1) * _NANO_UNIT for k, v in prices.items()}
        self._whole = lcm(base.denominator, *(rate.denominator for rate in rates.values()))
        self._base = int(base * self._whole)
        self._rates = [(key, int(rate * self._whole)) for key, rate in rates.items()]

    def of(self, quota: Mapping[str, Quantity]) -> Fraction:
        return Fraction(self._base + sum(rate * quota.get(key, ZERO).nano for key, rate in self._rates), self._whole)


def _in_gib(key: str) -> bool:
    return key.endswith(("memory", "storage")) or "hugepages-" in key


def money_text(amount: Fraction) -> str:
    """Two digits, halves rounded up."""
    whole, cents = divmod((200 * amount.numerator + amount.denominator) // (2 * amount.denominator), 100)
    return f"{whole}.{cents:02}"


def check_money(ledger: list[Row], tenants: Mapping[str, Tenant], problems: Problems) -> None:
    """Going over the money budget is only reported: a price may change without anybody's doing."""
    for row in ledger:
        limit = row.get("budget_month")
        excess = Fraction(row["month"]) - Fraction(str(limit)) if limit is not None else 0
        if row["scope"] == "tenant" and excess > 0:
            problems.warn(
                "over-money",
                tenants[row["name"]].where / "billing" / "budget_month",
                f"a month costs {row['month']}, {money_text(Fraction(excess))} more than {limit}.",
                "Shrink something, or raise the budget.",
            )
