# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Placement: rules, capacity, ranking and explanation; the same for every order, and kept once it is decided."""

from __future__ import annotations

import copy
import datetime
import typing as t
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Environment
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.placement import RULES

from .fleets import CLUSTER, ENVIRONMENT, INVENTORIES, TIERS
from .support import TODAY, Inventory, base, changed, compiled, environment, sound

LAW = settings(max_examples=120)
LATER = TODAY + datetime.timedelta(days=365)


def places(fleet: Fleet) -> dict[str, tuple[str, ...]]:
    return {e.key: e.placement.clusters for e in fleet.environments if e.placement}


def record(fleet: Fleet) -> dict[str, t.Any]:
    return {
        e.key: {
            "clusters": list(e.placement.clusters),
            "decided_at": e.placement.decided_at,
            "reason": e.placement.reason,
        }
        for e in fleet.environments
        if e.placement
    }


def shuffled(node: t.Any, random: t.Any) -> t.Any:
    """The same inventory with the keys of every mapping in another order."""
    if isinstance(node, dict):
        keys = list(node)
        random.shuffle(keys)
        return {key: shuffled(node[key], random) for key in keys}
    return [shuffled(item, random) for item in node] if isinstance(node, list) else node


def amount(text: object) -> Fraction:
    """A quantity, read without our own code."""
    units = {"m": Fraction(1, 1000), "Gi": Fraction(2**30), "Ti": Fraction(2**40)}
    for unit, factor in units.items():
        if str(text).endswith(unit):
            return Fraction(str(text)[: -len(unit)]) * factor
    return Fraction(str(text))


def long(key: str) -> str:
    return key if key.startswith("requests.") else f"requests.{key}"


def asks(e: dict[str, t.Any]) -> dict[str, Fraction]:
    if e.get("state") == "hibernated":
        return {k: amount(v) for k, v in e["resource_quota"]["hard"].items() if k == "requests.storage"}
    return {long(k): amount(v) for k, v in e["resource_quota"]["hard"].items()}


def objections(e: dict[str, t.Any], tenant: str, c: dict[str, t.Any]) -> set[str]:
    """The rules that a cluster breaks, written down once more and naively."""
    wants = {"data": [], "security_domain": "internal_only", "sla_tier": TIERS[2], **e["classification"]}
    found = set()
    if c["cluster_environment"] != e["stage"]:
        found.add("environment")
    if c["cluster_security_domain"] != wants["security_domain"]:
        found.add("security_domain")
    if not set(wants["data"]) <= set(c["cluster_classifications"]):
        found.add("classification")
    if TIERS.index(c["cluster_sla_tier"]) > TIERS.index(wants["sla_tier"]):
        found.add("sla_tier")
    if not set(e.get("requires", {}).get("features", [])) <= set(c["cluster_features"]):
        found.add("features")
    if "regions" in e.get("requires", {}) and c.get("cluster_region") not in e["requires"]["regions"]:
        found.add("region")
    line = {"a": {"a"}, "b": {"b"}, "c": {"a", "c"}}[tenant]
    if c.get("cluster_dedicated_to") and not line & set(c["cluster_dedicated_to"]):
        found.add("dedication")
    if wants["sla_tier"] == TIERS[0] and not c.get("cluster_failure_domain"):
        found.add("failure_domain")
    return found


def frozen(c: dict[str, t.Any]) -> bool:
    return any(w["from"] <= TODAY.isoformat() <= w["to"] for w in c.get("cluster_freeze_windows", []))


def limits(c: dict[str, t.Any]) -> dict[str, Fraction]:
    factors = {long(k): Fraction(str(v)) for k, v in c.get("cluster_overcommit", {}).items()}
    return {long(k): amount(v) * factors.get(long(k), 1) for k, v in c["cluster_capacity"].items()}


def declared(inventory: Inventory) -> dict[str, tuple[str, dict[str, t.Any]]]:
    return {
        f"{tenant['id']}/p/{e['name']}": (tenant["id"], e)
        for tenant in inventory["tenants"].values()
        for e in tenant["projects"][0]["environments"]
    }


@LAW
@given(INVENTORIES)
def test_no_rule_is_ever_broken(inventory: Inventory) -> None:
    fleet = compiled(inventory)
    committed: dict[str, dict[str, Fraction]] = {name: {} for name in inventory["clusters"]}
    everything = declared(inventory)
    for key, names in places(fleet).items():
        tenant, e = everything[key]
        for name in names:
            cluster = inventory["clusters"][name]
            assert objections(e, tenant, cluster) == set()
            assert not frozen(cluster)
            for resource, asked in asks(e).items():
                committed[name][resource] = committed[name].get(resource, Fraction(0)) + asked
        critical = e["classification"].get("sla_tier") == TIERS[0]
        racks = {inventory["clusters"][name].get("cluster_failure_domain") for name in names}
        assert len(names) == len(racks) == 2 if critical else len(names) == 1
    for name, amounts in committed.items():
        limit = limits(inventory["clusters"][name])
        for resource, used in amounts.items():
            assert resource not in limit or used <= limit[resource]
            if limit and "nvidia" in resource:
                assert used <= limit.get(resource, 0)


@LAW
@given(INVENTORIES)
def test_who_finds_no_place_could_not_have_had_one(inventory: Inventory) -> None:
    """Each one without a place has an objection of every cluster, or of all but those of one failure domain."""
    fleet = compiled(inventory)
    placed = places(fleet)
    told = {p.where.text: p.what for p in fleet.problems if p.code == "no-cluster"}
    used: dict[str, dict[str, Fraction]] = {name: {} for name in inventory["clusters"]}
    everything = declared(inventory)
    for key, names in placed.items():
        for name in names:
            for resource, asked in asks(everything[key][1]).items():
                used[name][resource] = used[name].get(resource, Fraction(0)) + asked

    def full(e: dict[str, t.Any], name: str) -> bool:
        limit = limits(inventory["clusters"][name])
        return any(
            asked
            and used[name].get(r, Fraction(0)) + asked
            > limit.get(r, 0 if "nvidia" in r else used[name].get(r, 0) + asked)
            for r, asked in asks(e).items()
        ) and bool(limit)

    assert len(told) == len(everything) - len(placed)
    for key in set(everything) - set(placed):
        tenant, e = everything[key]
        # what was placed later only took more room, so a cluster that is open now was open then
        open_now = [
            name
            for name, c in inventory["clusters"].items()
            if not objections(e, tenant, c) and not frozen(c) and not full(e, name)
        ]
        if e["classification"].get("sla_tier") == TIERS[0]:
            assert len({inventory["clusters"][n]["cluster_failure_domain"] for n in open_now}) < 2
        else:
            assert open_now == []
        message = told[environment(fleet, key).where.text]
        assert all(name in message for name in inventory["clusters"])


@LAW
@given(INVENTORIES)
def test_every_cluster_is_explained(inventory: Inventory) -> None:
    fleet = compiled(inventory)
    everything = declared(inventory)
    for e in fleet.environments:
        if e.placement is None:
            continue
        assert sorted(c.cluster for c in e.placement.candidates) == sorted(inventory["clusters"])
        for candidate in e.placement.candidates:
            tenant, values = everything[e.key]
            against = objections(values, tenant, inventory["clusters"][candidate.cluster])
            if candidate.rejection is None:
                assert against == set()
                assert candidate.free_share is not None
            else:
                assert candidate.rejection.detail
                assert candidate.free_share is None
                first = next((rule for rule in RULES if rule in against), None)
                assert candidate.rejection.rule == (first or candidate.rejection.rule)
                assert first or candidate.rejection.rule in ("freeze_window", "capacity")
        assert all(name in e.placement.reason for name in e.placement.clusters)


@LAW
@given(INVENTORIES, st.randoms(use_true_random=False))
def test_the_order_of_the_inventory_means_nothing(inventory: Inventory, random: t.Any) -> None:
    other = shuffled(inventory, random)
    for tenant in other["tenants"].values():
        random.shuffle(tenant["projects"][0]["environments"])
    one, two = compiled(inventory), compiled(other)
    assert places(one) == places(two)
    assert {e.key: e.placement for e in one.environments} == {e.key: e.placement for e in two.environments}
    assert one.ledger == two.ledger


@LAW
@given(INVENTORIES, st.lists(CLUSTER, min_size=1, max_size=4), st.sampled_from([TODAY, LATER]))
def test_what_is_recorded_stays_whatever_happens(
    inventory: Inventory, machines: list[t.Any], today: datetime.date
) -> None:
    first = compiled(inventory)
    inventory["recorded"] = record(first)
    again = compiled(inventory, today)
    assert places(again).items() >= places(first).items()
    assert [p for p in again.problems if p.code in ("placement-broken", "over-capacity")] == []
    # other clusters under the same names, and fewer of them: nobody moves, and every broken rule is told
    inventory["clusters"] = {f"k{i}": values for i, values in enumerate(machines)}
    after = compiled(inventory, today)
    broken = {(p.where.text, p.what) for p in after.problems if p.code == "placement-broken"}
    everything = declared(inventory)
    for key, names in places(first).items():
        left = tuple(name for name in names if name in inventory["clusters"])
        assert places(after)[key] == left
        tenant, e = everything[key]
        where = environment(after, key).where.text
        for name in names:
            cluster = inventory["clusters"].get(name)
            wrong = {"gone"} if cluster is None else objections(e, tenant, cluster)
            assert bool(wrong) == any(
                at == where and name in what for at, what in broken if "clusters in different" not in what
            )


@LAW
@given(INVENTORIES, st.tuples(st.sampled_from(["a", "b", "c"]), ENVIRONMENT))
def test_a_newcomer_moves_nobody(inventory: Inventory, newcomer: tuple[str, t.Any]) -> None:
    first = compiled(inventory)
    inventory["recorded"] = record(first)
    owner, values = newcomer
    inventory["tenants"][f"tenant__{owner}"]["projects"][0]["environments"].insert(0, {"name": "aaa", **values})
    after = places(compiled(inventory))
    assert {key: names for key, names in after.items() if key in places(first)} == places(first)


@LAW
@given(INVENTORIES)
def test_the_best_of_the_open_clusters_is_chosen(inventory: Inventory) -> None:
    for e in compiled(inventory).environments:
        if e.placement:
            shares = {c.cluster: c.free_share for c in e.placement.candidates if c.free_share is not None}
            best = max(shares.values())
            assert shares[e.placement.clusters[0]] == best
            assert e.placement.clusters[0] == min(name for name, share in shares.items() if share == best)


# --- single decisions --------------------------------------------------------------------------------------------

DEV = "tenants / tenant__physics / projects / 0 / environments / 0"
PROD = "tenants / tenant__physics / projects / 0 / environments / 1"


def dev_of(fleet: Fleet) -> Environment:
    return environment(fleet, "physics/lab-sim/dev")


@pytest.mark.parametrize(
    ("cpu", "factor", "fits"),
    [
        ("4", None, True),
        ("3999m", None, False),
        ("2", 2, True),
        ("2", 1.9995, False),
        ("2.6667", 1.5, True),
        ("2.6666", 1.5, False),
        ("0.1", 40, True),
    ],
)
def test_capacity_counts_to_the_last_milli_core(cpu: str, factor: float | None, fits: bool) -> None:
    change: dict[str, t.Any] = {"clusters / dev-1 / cluster_capacity / cpu": cpu}
    if factor:
        change["clusters / dev-1 / cluster_overcommit"] = {"cpu": factor}
    fleet = compiled(changed(change))
    assert ({"physics/lab-sim/dev", "quantum/qc/dev"} <= set(places(fleet))) == fits
    assert len(fleet.problems.errors) == (0 if fits else 1)


@pytest.mark.parametrize(
    ("first", "last", "open_"),
    [
        ("2026-11-22", "2026-12-01", True),
        ("2026-11-21", "2026-11-21", False),
        ("2026-11-01", "2026-11-20", True),
        ("2026-11-01", "2026-11-21", False),
        ("2026-11-21", "2026-12-01", False),
    ],
)
def test_a_freeze_window_holds_from_its_first_to_its_last_day(first: str, last: str, open_: bool) -> None:
    window = {"from": first, "to": last, "reason": "exams"}
    fleet = compiled(changed({"clusters / dev-1 / cluster_freeze_windows": [window]}))
    assert ("physics/lab-sim/dev" in places(fleet)) == open_


def test_a_frozen_cluster_keeps_whom_it_has() -> None:
    window = {"from": "2026-11-01", "to": "2026-12-01", "reason": "exams"}
    inventory = changed({"clusters / dev-1 / cluster_freeze_windows": [window]})
    inventory["recorded"] = record(sound(base()))
    assert places(sound(inventory)) == places(sound(base()))


def test_what_the_tenant_file_says_goes_before_the_record() -> None:
    fleet = sound(
        changed({f"{PROD} / placement": {"clusters": ["prod-2"], "decided_at": "2026-11-02", "reason": "moved"}})
    )
    placement = environment(fleet, "physics/lab-sim/prod").placement
    assert placement is not None
    assert (placement.clusters, placement.origin, placement.decided_at, placement.reason) == (
        ("prod-2",),
        "declared",
        "2026-11-02",
        "moved",
    )


def test_the_origin_of_a_placement_is_known() -> None:
    fleet = sound(base())
    origins = {e.key: e.placement.origin for e in fleet.environments if e.placement}
    assert origins["physics/lab-sim/prod"] == "recorded"
    assert origins["physics/lab-sim/dev"] == "decided"
    assert dev_of(fleet).placement.decided_at == TODAY.isoformat()  # type: ignore[union-attr]


def test_the_critical_ones_choose_first() -> None:
    """There is room for one; the name alone would give it to the other."""
    change = {
        "clusters / prod-1 / cluster_capacity / cpu": "2",
        "clusters / prod-2 / cluster_capacity / cpu": "2",
        "clusters / prod-1 / cluster_overcommit": {},
        "clusters / prod-2 / cluster_overcommit": {},
        "tenants / tenant__aaa": {"id": "aaa", "projects": [{"id": "x", "environments": [{"name": "prod"}]}]},
        "tenants / tenant__physics / projects": [],
        "recorded": {},
    }
    fleet = compiled(changed(change))
    assert places(fleet)["arts/site/prod"] == ("prod-1", "prod-2")
    assert [p.where.text for p in fleet.problems if p.code == "no-cluster"] == [
        "tenant__aaa.projects[x].environments[prod]"
    ]


def test_a_recorded_environment_counts_before_new_ones_are_placed() -> None:
    change = {"clusters / dev-1 / cluster_capacity / cpu": "2"}
    inventory = changed(change)
    inventory["recorded"]["quantum/qc/dev"] = {"clusters": ["dev-1"]}
    fleet = compiled(inventory)
    assert places(fleet)["quantum/qc/dev"] == ("dev-1",)
    assert "physics/lab-sim/dev" not in places(fleet)


def test_a_declared_placement_may_name_more_clusters_than_are_needed() -> None:
    fleet = sound(
        changed(
            {
                f"{PROD} / placement": {"clusters": ["prod-2", "prod-1"]},
                "tenants / tenant__physics / budget": {},
                "tenants / tenant__science / budget": {},
            },
            without=["tenants / tenant__physics / projects / 0 / budget"],
        )
    )
    assert environment(fleet, "physics/lab-sim/prod").copies == 2
    assert len(fleet.on_cluster("prod-1")) == 2
    assert [e.key for e in fleet.on_cluster("prod-2")] == ["arts/site/prod", "physics/lab-sim/prod"]


@LAW
@given(INVENTORIES)
def test_compiling_leaves_the_inventory_alone(inventory: Inventory) -> None:
    before = copy.deepcopy(inventory)
    compiled(inventory)
    assert inventory == before
