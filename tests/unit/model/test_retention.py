# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What left the inventory and stays on its clusters: it keeps its place and takes its room, whatever the order."""

from __future__ import annotations

import copy
import typing as t
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.quantity import parse
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import placements

from .fleets import CLUSTER, INVENTORIES
from .support import TODAY, Inventory, base, changed, compiled, environment, messages, sound
from .test_placement import declared, objections, shuffled

LAW = settings(max_examples=80)
PROD = "physics/lab-sim/prod"
ENTRY = {"clusters": ["prod-1"], "decided_at": "2026-01-02", "reason": "room", "quota": {"requests.cpu": "8"}}


def memory(fleet: Fleet) -> dict[str, t.Any]:
    """What the next run is told: the placements, each with what it was promised."""
    recorded = placements.document(fleet.environments, fleet.retained)
    for e in fleet.environments:
        if e.placement:
            recorded[e.key]["quota"] = {key: str(amount) for key, amount in e.quota.items()}
    return recorded


def without(inventory: Inventory, key: str) -> Inventory:
    tenant, project, name = key.split("/")
    result = copy.deepcopy(inventory)
    for each in result["tenants"][f"tenant__{tenant}"]["projects"]:
        if each["id"] == project:
            each["environments"] = [e for e in each["environments"] if e["name"] != name]
    return result


@st.composite
def removals(draw: t.Any) -> tuple[Inventory, Fleet, str, Inventory]:
    """An organisation and its fleet, an environment of it, and the organisation without that, with its memory."""
    inventory = draw(INVENTORIES)
    fleet = compiled(inventory)
    placed = [e.key for e in fleet.environments if e.placement]
    assume(placed)
    key = draw(st.sampled_from(placed))
    gone = without(inventory, key)
    gone["recorded"] = memory(fleet)
    return inventory, fleet, key, gone


@LAW
@given(removals(), st.lists(CLUSTER, max_size=2), st.booleans())
def test_who_comes_back_gets_its_place(
    case: tuple[Inventory, Fleet, str, Inventory], more: list[t.Any], changes: bool
) -> None:
    """Whatever has come to the fleet meanwhile, and also when a rule forbids the place by now: then it is an error."""
    inventory, first, key, gone = case
    left = compiled(gone)
    inventory = copy.deepcopy(inventory)
    inventory["clusters"].update({f"new{i}": values for i, values in enumerate(more)})
    was = environment(first, key).placement
    assert was
    if changes:
        inventory["clusters"][was.clusters[0]]["cluster_features"] = []
    inventory["recorded"] = memory(left)
    assert inventory["recorded"][key]["retained"] is True
    back = compiled(inventory)
    now = environment(back, key).placement
    assert now
    assert (now.clusters, now.origin, now.decided_at, now.reason) == (
        was.clusters,
        "recorded",
        was.decided_at,
        was.reason,
    )
    tenant, values = declared(inventory)[key]
    broken = [name for name in was.clusters if objections(values, tenant, inventory["clusters"][name])]
    about = [p for p in back.problems.errors if p.where.text == environment(back, key).where.text]
    assert bool(broken) == bool(about)
    assert {p.code for p in about} <= {"placement-broken"}
    assert all("remove its entry from placements.yaml" in p.fix for p in about)
    assert back.retained == []


@LAW
@given(removals())
def test_it_takes_its_room(case: tuple[Inventory, Fleet, str, Inventory]) -> None:
    """Every cluster has promised what it had promised before, and the account says the same."""
    _inventory, first, key, gone = case
    left = compiled(gone)

    def rows(fleet: Fleet) -> dict[str, dict[str, Fraction]]:
        return {
            row["name"]: {k: v for k, cell in row["resources"].items() if (v := parse(cell["committed"]).value)}
            for row in fleet.ledger
            if row["scope"] == "cluster"
        }

    def months(fleet: Fleet) -> dict[str, str]:
        return {row["name"]: row["month"] for row in fleet.ledger if row["scope"] in ("cluster", "tenant")}

    # environments that found no place before may find one now only in room that was free before
    placed = {e.key for e in first.environments if e.placement}
    assume(placed - {key} == {e.key for e in left.environments if e.placement})
    assert rows(left) == rows(first)
    assert months(left) == months(first)
    assert [row["name"] for row in left.ledger if row.get("state") == "retained"] == [key] * len(
        left.retained[0].clusters
    )


@LAW
@given(removals(), st.randoms(use_true_random=False))
def test_the_order_of_the_memory_means_nothing(case: tuple[Inventory, Fleet, str, Inventory], random: t.Any) -> None:
    *_unused, gone = case
    once, again = compiled(gone), compiled(shuffled(gone, random))
    assert memory(once) == memory(again)
    assert list(memory(once)) == list(memory(again))
    assert once.ledger == again.ledger
    once_more = compiled({**gone, "recorded": memory(once)})
    assert memory(once_more) == memory(once), "the next run finds the same"


@pytest.mark.parametrize(
    ("entry", "stays"),
    [
        ({}, True),
        ({"deletion_policy": "archive"}, True),
        ({"deletion_policy": "delete"}, False),
        ({"deletion_policy": "delete", "retained": True, "since": "2026-01-01"}, False),
        ({"deletion_policy": "delete", "unreached": True}, True),
    ],
)
def test_the_last_deletion_policy_decides(entry: dict[str, t.Any], stays: bool) -> None:
    inventory = without(base(), PROD)
    inventory["tenants"]["tenant__arts"]["projects"] = []
    inventory["recorded"][PROD] = {**ENTRY, **entry}
    fleet = sound(inventory)
    assert [each.key for each in fleet.retained] == [PROD] * stays
    cpu = next(row for row in fleet.ledger if row["name"] == "prod-1")["resources"]["requests.cpu"]
    assert cpu["committed"] == ("8" if stays else "0")


def test_the_day_of_the_removal_stays() -> None:
    inventory = without(base(), PROD)
    inventory["tenants"]["tenant__arts"]["projects"] = []
    inventory["recorded"][PROD] = ENTRY
    assert [each.since for each in sound(inventory).retained] == [TODAY.isoformat()]
    inventory["recorded"][PROD] = {**ENTRY, "retained": True, "since": "2026-01-01"}
    assert [each.since for each in sound(inventory).retained] == ["2026-01-01"]


def test_new_ones_are_placed_in_what_is_left() -> None:
    inventory = without(base(), PROD)
    inventory["tenants"]["tenant__arts"]["projects"] = []
    inventory["tenants"]["tenant__physics"]["projects"][0]["environments"].append({"name": "prod", "size": "small"})
    for name in ("prod-1", "prod-2"):
        inventory["clusters"][name]["cluster_capacity"] = {"cpu": "10"}
        inventory["clusters"][name].pop("cluster_overcommit", None)
    inventory["recorded"]["physics/old/prod"] = {**ENTRY, "quota": {"cpu": "9"}}
    inventory["recorded"].pop(PROD, None)
    placed = environment(sound(inventory), PROD).placement
    assert placed
    assert placed.clusters == ("prod-2",)
    assert {c.cluster: c.rejection.detail for c in placed.candidates if c.rejection}["prod-1"] == (
        "requests.cpu: 2 asked, 1 of 10 free"
    )


@pytest.mark.parametrize(
    ("changes", "recorded", "message"),
    [
        (
            {"clusters / prod-1 / cluster_capacity / cpu": "5"},
            {"physics/old/prod": ENTRY},
            "prod-1: cluster_capacity['requests.cpu']: 16 is committed, 8500m more than the 7500m of capacity and "
            "overcommit; the largest: physics/lab-sim/prod 8, physics/old/prod (retained) 8. Shrink or move some, or "
            "raise the capacity.",
        ),
        (
            {},
            {"physics-lab/sim/prod": {**ENTRY, "clusters": ["prod-2"], "retained": True, "since": "2026-01-01"}},
            "tenant__physics.projects[lab-sim].environments[prod].name: the namespace physics-lab-sim-prod is still "
            "that of physics-lab/sim/prod, which was removed on 2026-01-01 and whose data stay on prod-2. Choose "
            "another name; when nothing is left there, remove its entry from placements.yaml.",
        ),
        (
            {"tenants / tenant__physics / projects / 0 / environments / 1 / placement": {"clusters": ["prod-2"]}},
            {PROD: {**ENTRY, "retained": True, "since": "2026-01-01"}},
            "warning: tenant__physics.projects[lab-sim].environments[prod].placement: when it was removed on "
            "2026-01-01, its namespace and data stayed on prod-1. Move the data, or place it there.",
        ),
        (
            {},
            {PROD: {**ENTRY, "clusters": ["prod-0"], "retained": True, "since": "2026-01-01"}},
            "tenant__physics.projects[lab-sim].environments[prod]: it was placed on 'prod-0', and there is no such "
            "cluster any more. To move it, write the new clusters as placement.clusters of the environment. Its "
            "namespace and data stayed there; when they are gone, remove its entry from placements.yaml.",
        ),
    ],
)
def test_messages(changes: dict[str, t.Any], recorded: dict[str, t.Any], message: str) -> None:
    inventory = changed(changes, without=["tenants / tenant__physics / projects / 0 / environments / 1 / network"])
    inventory["tenants"]["tenant__arts"]["projects"] = []
    inventory["recorded"].update(recorded)
    assert messages(compiled(inventory)) == [message]


def test_a_cluster_that_is_gone_keeps_the_memory_and_has_no_account() -> None:
    inventory = base()
    inventory["recorded"]["physics/old/prod"] = {**ENTRY, "clusters": ["prod-0"]}
    fleet = sound(inventory)
    assert [each.clusters for each in fleet.retained] == [("prod-0",)]
    assert not [row for row in fleet.ledger if row.get("state") == "retained"]


def test_its_tenant_pays_and_has_its_budget_free() -> None:
    inventory = without(base(), PROD)
    inventory["recorded"][PROD] = {**ENTRY, "cost_center": "CC-9"}
    before, after = sound(base()), sound(inventory)
    for name in ("physics", "science"):
        was, now = ({r["name"]: r for r in fleet.ledger if r["scope"] == "tenant"}[name] for fleet in (before, after))
        cpu = [parse(each["resources"]["requests.cpu"]["committed"]).value for each in (was, now)]
        assert cpu[0] - cpu[1] == 8
        alone = sound({**inventory, "recorded": {}})
        own = next(r for r in alone.ledger if r["scope"] == "tenant" and r["name"] == name)
        paid = next(r for r in after.ledger if r.get("state") == "retained")
        assert Fraction(now["month"]) - Fraction(own["month"]) == Fraction(paid["month"]) > 0
    row = next(row for row in after.ledger if row.get("state") == "retained")
    assert (row["cost_center"], row["namespace"], row["cluster"]) == ("CC-9", "physics-lab-sim-prod", "prod-1")
