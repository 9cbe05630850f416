# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Budgets: what stands below a level sums to no more than the level has, and every excess names who takes it."""

from __future__ import annotations

import typing as t
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import Problem

from .support import Inventory, base, changed, compiled, sound

P = "tenants / tenant__physics"
J = f"{P} / projects / 0"


def excesses(inventory: Inventory) -> list[Problem]:
    return [p for p in compiled(inventory).problems if p.code == "over-budget"]


@pytest.mark.parametrize(
    ("path", "enough", "too_little"),
    [
        (f"{J} / budget / hard / requests.cpu", "10", "9999m"),
        (f"{P} / budget / hard / requests.cpu", "12", "11999m"),
        ("tenants / tenant__science / budget / hard / requests.cpu", "12", "11999m"),
        ("tenants / tenant__science / budget / hard / requests.memory", "48Gi", "49151Mi"),
        (f"{P} / budget / hard / requests.storage", "120Gi", "122879Mi"),
        (f"{P} / budget / hard / pods", 120, 119),
        ("tenants / tenant__quantum / budget / hard / cpu", "2", "1999m"),
        ("tenants / tenant__arts / budget / hard / cpu", "4", "3999m"),
        ("tenants / tenant__arts / projects / 0 / budget / hard / cpu", "4", "3999m"),
    ],
)
def test_a_budget_counts_to_the_last_unit(path: str, enough: object, too_little: object) -> None:
    assert excesses(changed({path: enough})) == []
    found = excesses(changed({path: too_little}))
    variable, key = path.split(" / ")[1], path.split(" / ")[-1]
    assert [p.where.variable for p in found] == [variable]
    assert found[0].where.keys[-1] == {"cpu": "requests.cpu"}.get(key, key)


def test_a_child_counts_with_what_it_was_promised() -> None:
    """Physics uses 12 cores of 12; science has to hold all 12, even when physics used fewer."""
    small = {f"{J} / environments": [{"name": "dev"}], "tenants / tenant__science / budget / hard / requests.cpu": "11"}
    assert [
        "physics (budget) 12 (tenant__physics.budget.hard['requests.cpu'])" in p.what for p in excesses(changed(small))
    ] == [True]
    promised = {"tenants / tenant__quantum / budget": {"hard": {"requests.cpu": "3"}}}
    assert ["quantum (budget) 3" in p.what for p in excesses(changed(promised))] == [True]


def test_a_resource_that_no_budget_names_is_not_limited() -> None:
    sound(changed({f"{J} / environments / 0 / resource_quota": {"hard": {"count/jobs.batch": 10**6}}}))


def test_tenants_of_other_lines_do_not_count() -> None:
    assert excesses(changed({"tenants / tenant__arts / projects / 0 / environments / 0 / size": "large"})) == []


def test_many_contributors_are_named_up_to_eight() -> None:
    environments = [{"name": f"e{i}", "stage": "dev"} for i in range(12)]
    inventory = changed({f"{J} / environments": environments, "recorded": {}, "tenants / tenant__science / limits": {}})
    told = next(p.what for p in excesses(inventory) if p.where.text.startswith("tenant__physics.projects"))
    assert told.count("physics/lab-sim/e") == 8
    assert told.endswith("and 4 more.")


@settings(max_examples=80)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5000)), min_size=1, max_size=6),
    st.lists(st.one_of(st.none(), st.integers(1, 9000)), min_size=4, max_size=4),
)
def test_an_excess_is_told_exactly_where_sums_are_over(
    shares: list[tuple[int, int]], budgets: list[int | None]
) -> None:
    """A line of four tenants, each the parent of the next; amounts in milli cores."""
    inventory = changed({"tenants": {}, "recorded": {}, "clusters / dev-1 / cluster_capacity": {}})
    for level, budget in enumerate(budgets):
        own = [
            {"name": f"e{i}", "stage": "dev", "resource_quota": {"hard": {"cpu": f"{milli}m"}}}
            for i, (owner, milli) in enumerate(shares)
            if owner == level
        ]
        tenant: dict[str, t.Any] = {"id": f"t{level}", "projects": [{"id": "p", "environments": own}]}
        if level:
            tenant["parent"] = f"t{level - 1}"
        if budget is not None:
            tenant["budget"] = {"hard": {"requests.cpu": f"{budget}m"}}
        inventory["tenants"][f"tenant__t{level}"] = tenant

    def need(level: int) -> int:
        below = (need(level + 1) if budgets[level + 1] is None else t.cast(int, budgets[level + 1])) if level < 3 else 0
        return sum(milli for owner, milli in shares if owner == level) + below

    over = [f"tenant__t{level}" for level, budget in enumerate(budgets) if budget is not None and need(level) > budget]
    found = excesses(inventory)
    assert sorted(p.where.variable for p in found) == over
    for problem in found:
        level = int(problem.where.variable[-1])
        excess = Fraction(need(level) - t.cast(int, budgets[level]), 1000)
        text = problem.what.split(", ")[1].split(" ")[0]
        assert Fraction(text.removesuffix("m")) / (1000 if text.endswith("m") else 1) == excess


@pytest.mark.parametrize(("key", "count"), [("projects", 2), ("namespaces", 3)])
def test_limits_count_the_tenants_below(key: str, count: int) -> None:
    place = f"tenants / tenant__science / limits / {key}"
    sound(changed({place: count}))
    assert [p.code for p in compiled(changed({place: count - 1})).problems] == ["over-limit"]
    assert compiled(base()).problems.items == []
