# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What prune may touch, and in which order things come to life."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import kinds, prune
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.snapshot import Found, Snapshot
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.environment import environment_objects

from ..objects.conftest import make_cluster, make_environment, make_settings

Object = dict[str, Any]
DOMAIN = "self-provisioning.internal"


def thing(
    kind: kinds.Kind, name: str, namespace: str = "", *, manager: str = "self-provisioning", **meta: Any
) -> Object:
    labels = {"app.kubernetes.io/managed-by": "self-provisioning", **meta.pop("labels", {})}
    notes = {f"f:{key}": {} for key in meta.get("annotations", ())}
    fields = {"f:metadata": {"f:labels": {f"f:{key}": {} for key in labels}, "f:annotations": notes}}
    entry = {"manager": manager, "operation": "Apply", "apiVersion": kind[0], "fieldsV1": fields}
    place = {"namespace": namespace} if namespace else {}
    return {
        "apiVersion": kind[0],
        "kind": kind[1],
        "metadata": {"name": name, **place, "labels": labels, "managedFields": [entry], **meta},
    }


def snapshot(*others: Object, equal: int = 0) -> Snapshot:
    found = {kind: Found() for kind in kinds.MANAGED}
    for each in others:
        found[kinds.kind_of(each)].others.append(each)
        if kinds.kind_of(each) == NS:
            found[NS].rest[each["metadata"]["name"]] = each
    quotas = found["v1", "ResourceQuota"]
    quotas.equal = {(("v1", "ResourceQuota"), "n", str(n)) for n in range(equal)}
    return Snapshot(found)


def planned(*others: Object, tenants: tuple[str, ...] = (), confirmed: tuple[str, ...] = ()) -> prune.Plan:
    return prune.plan(snapshot(*others), domain=DOMAIN, tenants=tenants, confirmed=confirmed)


NS, QUOTA, BINDING = ("v1", "Namespace"), ("v1", "ResourceQuota"), ("rbac.authorization.k8s.io/v1", "RoleBinding")


@pytest.mark.parametrize(
    ("text", "known", "most"),
    [("30%", 0, 10), ("30%", 33, 10), ("30%", 1000, 300), ("0%", 1000, 10), ("0", 1000, 0), (" 25 ", 3, 25)],
)
def test_the_limit(text: str, known: int, most: int) -> None:
    assert prune.limit(text, known) == most


@pytest.mark.parametrize("text", ["", "many", "-1", "30 percent", "1.5%"])
def test_a_limit_that_is_none(text: str) -> None:
    with pytest.raises(LiveError, match="no limit"):
        prune.limit(text, 1)


@given(
    st.lists(st.sampled_from(["retain", "archive", "delete", ""]), min_size=1, max_size=5),
    st.sets(st.integers(0, 4)),
)
def test_a_namespace_goes_only_when_both_say_so(policies: list[str], confirmed: set[int]) -> None:
    spaces = [
        thing(NS, f"n{i}", annotations={f"{DOMAIN}/deletion-policy": each} if each else {})
        for i, each in enumerate(policies)
    ]
    plan = planned(*spaces, confirmed=tuple(f"n{i}" for i in confirmed))
    gone = {each["metadata"]["name"] for each in plan.delete}
    assert gone == {f"n{i}" for i, each in enumerate(policies) if each == "delete" and i in confirmed}
    assert {each["metadata"]["name"] for each, _live in plan.orphan} == {f"n{i}" for i in range(len(policies))} - gone


def space(name: str, policy: str = "delete", **meta: Any) -> Object:
    return thing(NS, name, annotations={f"{DOMAIN}/deletion-policy": policy}, **meta)


def test_a_policy_that_somebody_wrote_by_hand_deletes_nothing() -> None:
    edited = space("n")
    edited["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"]["f:annotations"] = {}
    plan = planned(edited, confirmed=("n",))
    assert (plan.delete, plan.held) == ([], [])


UNHEEDED: dict[str, tuple[Object | None, str]] = {
    "it goes": (space("n"), ""),
    "it is going": (space("n", deletionTimestamp="2026-01-01T00:00:00Z"), ""),
    "it is not there": (None, "n, which is not on this cluster"),
    "it is to be retained": (space("n", "retain"), "n, which records retain, so it stays"),
    "it is to be archived": (space("n", "archive"), "n, which records archive, so it stays"),
    "it is Flux's": (space("n", manager="kustomize-controller"), "n, which is not ours, so it stays"),
    "it is of a tenant that is left out": (space("n", labels={f"{DOMAIN}/tenant": "other"}), "this run leaves out"),
}


@pytest.mark.parametrize("case", UNHEEDED)
def test_why_a_confirmed_namespace_stays(case: str) -> None:
    live, told = UNHEEDED[case]
    found = snapshot(*([live] if live else []))
    tenants = ("mine",) if "left out" in case else ()
    plan = prune.plan(found, domain=DOMAIN, tenants=tenants, confirmed=("n",))
    notes = list(prune.unheeded(found, plan, domain=DOMAIN, confirmed=("n",), declared=()))
    assert len(notes) == bool(told)
    assert told in "".join(notes)
    if live:
        declared = list(prune.unheeded(found, prune.Plan(), domain=DOMAIN, confirmed=("n",), declared=("n",)))
        assert "which is still declared" in declared[0]


def test_never_a_claim_nor_another_kind() -> None:
    assert not {kind for _version, kind in kinds.MANAGED} & {"PersistentVolumeClaim", "Secret", "Pod", "Deployment"}


@pytest.mark.parametrize(
    "foreign",
    [
        thing(QUOTA, "copied", "n", manager="kustomize-controller"),
        thing(QUOTA, "owned", "n", ownerReferences=[{"kind": "Thing", "name": "x"}]),
    ],
)
def test_what_we_did_not_apply_is_left_alone(foreign: Object) -> None:
    plan = planned(foreign)
    assert plan.delete == []
    assert plan.left_alone == [foreign]


def test_only_tenants_in_scope() -> None:
    mine = thing(BINDING, "mine", "n", labels={f"{DOMAIN}/tenant": "mine"})
    other = thing(BINDING, "other", "n", labels={f"{DOMAIN}/tenant": "other"})
    cluster = thing(BINDING, "none", "n")
    assert planned(mine, other, cluster, tenants=("mine",)).delete == [mine]


def test_what_is_going_already_is_not_deleted_again() -> None:
    assert planned(thing(BINDING, "b", "n", deletionTimestamp="2026-01-01T00:00:00Z")).delete == []


def test_every_kind_of_an_environment_has_its_wave() -> None:
    """Walls come before doors, and nothing that the builders make is unknown to prune."""
    repository = {"url": "https://git.example.edu/x.git"}
    environment = make_environment(
        quota={"pods": "1"}, gitops=repository, pod_disruption_budget={"minAvailable": 1}, limit_range={"limits": []}
    )
    settings = make_settings()
    made = environment_objects(environment, make_cluster(settings), settings)
    assert {kinds.kind_of(o) for o in made} <= set(kinds.MANAGED)
    waves = {o["kind"]: kinds.wave(kinds.kind_of(o)) for o in made}
    assert waves["Namespace"] < min(waves[wall] for wall in kinds.WALLS & set(waves))
    assert max(waves[wall] for wall in kinds.WALLS & set(waves)) < waves["RoleBinding"] < waves["Kustomization"]
