# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger: its sums are those of the quotas on the clusters, and its money is exact."""

from __future__ import annotations

import typing as t
from fractions import Fraction

import pytest
from hypothesis import given, settings

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.ledger import money_text
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.quantity import parse

from .fleets import INVENTORIES
from .support import Inventory, base, changed, compiled, messages, sound

Row = dict[str, t.Any]
Amounts = dict[str, Fraction]
PROD = "tenants / tenant__physics / projects / 0 / environments / 1"


def rows(fleet: Fleet, scope: str) -> dict[str, Row]:
    return {
        f"{row['name']}@{row['cluster']}" if scope == "environment" else row["name"]: row
        for row in fleet.ledger
        if row["scope"] == scope
    }


def committed(row: Row) -> Amounts:
    return {key: value for key, cell in row["resources"].items() if (value := parse(cell["committed"]).value)}


def add(amounts: Amounts, more: Amounts) -> Amounts:
    return {k: amounts.get(k, Fraction(0)) + more.get(k, Fraction(0)) for k in {*amounts, *more}}


@settings(max_examples=120)
@given(INVENTORIES)
def test_sums_are_those_of_the_quotas_on_the_clusters(inventory: Inventory) -> None:
    fleet = compiled(inventory)
    by_cluster: dict[str, Amounts] = {}
    by_tenant: dict[str, Amounts] = {}
    line = {"a": ["a"], "b": ["b"], "c": ["c", "a"]}
    count = 0
    for e in fleet.environments:
        quota = {key: amount.value for key, amount in e.quota.items() if amount}
        for name in e.placement.clusters if e.placement else ():
            count += 1
            assert committed(rows(fleet, "environment")[f"{e.key}@{name}"]) == quota
            by_cluster[name] = add(by_cluster.get(name, {}), quota)
            for tenant in line[e.tenant.id]:
                by_tenant[tenant] = add(by_tenant.get(tenant, {}), quota)
    assert len(rows(fleet, "environment")) == count
    assert {name: committed(row) for name, row in rows(fleet, "cluster").items()} == {
        name: by_cluster.get(name, {}) for name in inventory["clusters"]
    }
    assert {name: committed(row) for name, row in rows(fleet, "tenant").items()} == {
        name: by_tenant.get(name, {}) for name in "abc"
    }


@settings(max_examples=120)
@given(INVENTORIES)
def test_money_adds_up(inventory: Inventory) -> None:
    fleet = compiled(inventory)
    prices = {
        "requests.cpu": Fraction(10),
        "requests.memory": Fraction(3, 10) / 2**30,
        "requests.storage": Fraction(1, 100) / 2**30,
    }
    spent: dict[str, Fraction] = {}
    for e in fleet.environments:
        for name in e.placement.clusters if e.placement else ():
            own = {
                **prices,
                **({"requests.cpu": Fraction(5, 4)} if "cluster_prices" in inventory["clusters"][name] else {}),
            }
            month = Fraction(5, 2) + sum(e.quota[key].value * price for key, price in own.items() if key in e.quota)
            assert rows(fleet, "environment")[f"{e.key}@{name}"]["month"] == money_text(month)
            for who in (f"cluster {name}", *(f"tenant {level.id}" for level in e.tenant.line)):
                spent[who] = spent.get(who, Fraction(0)) + month
    for scope in ("cluster", "tenant"):
        for name, row in rows(fleet, scope).items():
            assert row["month"] == money_text(spent.get(f"{scope} {name}", Fraction(0)))


@settings(max_examples=60)
@given(INVENTORIES)
def test_free_is_what_is_left_of_the_capacity(inventory: Inventory) -> None:
    fleet = compiled(inventory)
    for name, row in rows(fleet, "cluster").items():
        for key, cell in row["resources"].items():
            assert ("capacity" in cell) == (key in fleet.clusters[name].capacity)
            if "capacity" in cell:
                assert parse(cell["free"]) + parse(cell["committed"]) == parse(cell["capacity"])
                assert parse(cell["free"]).nano >= 0


def test_the_rows_of_the_small_organisation() -> None:
    fleet = sound(base())
    assert [(row["scope"], row["name"], row.get("cluster"), row["month"]) for row in fleet.ledger] == [
        ("environment", "arts/site/prod", "prod-1", "33.00"),
        ("environment", "arts/site/prod", "prod-2", "33.00"),
        ("environment", "physics/lab-sim/dev", "dev-1", "33.00"),
        ("environment", "physics/lab-sim/prod", "prod-1", "165.00"),
        ("environment", "quantum/qc/dev", "dev-1", "33.00"),
        ("tenant", "arts", None, "66.00"),
        ("tenant", "physics", None, "231.00"),
        ("tenant", "quantum", None, "33.00"),
        ("tenant", "science", None, "231.00"),
        ("cluster", "dev-1", None, "66.00"),
        ("cluster", "prod-1", None, "198.00"),
        ("cluster", "prod-2", None, "33.00"),
    ]
    assert rows(fleet, "tenant")["science"]["resources"]["requests.cpu"] == {
        "budget": "20",
        "committed": "12",
        "free": "8",
    }
    assert rows(fleet, "cluster")["prod-1"]["resources"]["requests.cpu"] == {
        "capacity": "60",
        "committed": "10",
        "free": "50",
    }
    assert rows(fleet, "environment")["quantum/qc/dev@dev-1"]["cost_center"] == "CC-1"


def test_a_cluster_may_have_its_own_prices() -> None:
    fleet = sound(changed({"clusters / prod-1 / cluster_prices": {"cpu": 1}}))
    assert rows(fleet, "environment")["arts/site/prod@prod-1"]["month"] == "15.00"
    assert rows(fleet, "environment")["arts/site/prod@prod-2"]["month"] == "33.00"


def test_what_sleeps_pays_for_its_storage_only() -> None:
    prices = {"requests.cpu": 10, "requests.storage": 0.5}
    fleet = sound(changed({f"{PROD} / state": "hibernated", "settings / fleet_prices / month": prices}))
    row = rows(fleet, "environment")["physics/lab-sim/prod@prod-1"]
    assert (row["month"], row["state"]) == ("55.00", "hibernated")
    assert row["resources"]["requests.cpu"]["committed"] == "0"
    assert row["resources"]["requests.storage"]["committed"] == "100Gi"


def test_going_over_the_money_is_a_warning() -> None:
    fleet = compiled(changed({"tenants / tenant__science / billing / budget_month": 230.99}))
    assert fleet.problems.errors == []
    assert messages(fleet) == [
        "warning: tenant__science.billing.budget_month: a month costs 231.00, 0.01 more than 230.99. "
        "Shrink something, or raise the budget."
    ]


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0.00"),
        (Fraction(1, 3), "0.33"),
        (Fraction(5, 1000), "0.01"),
        (Fraction(4999, 10**6), "0.00"),
        (10**40, f"{10**40}.00"),
        (Fraction(10**30 * 3 + 1, 200), f"{15 * 10**27}.01"),
    ],
)
def test_money_has_two_digits_and_halves_go_up(amount: Fraction | int, text: str) -> None:
    assert money_text(Fraction(amount)) == text
