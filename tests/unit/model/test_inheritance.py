# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inheritance: what each rule does, the laws that all of them keep, and where every effective value comes from."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import Problems, Where
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.inheritance import (
    MERGE,
    RULES,
    Level,
    resolve,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.schema_layer import LAYER

from .support import base, changed, compiled, environment, sound

Values = dict[str, t.Any]


def at(values: t.Any, path: tuple[str, ...]) -> t.Any:
    for key in path:
        if not isinstance(values, dict) or key not in values:
            return None
        values = values[key]
    return values


def levels_of(*values: Values) -> list[Level]:
    return [Level(Where(f"level{index}"), each) for index, each in enumerate(values)]


VIEW = {"cluster_role": "view", "subjects": [{"kind": "Group", "name": "a"}]}
EDIT = {"cluster_role": "edit", "subjects": [{"kind": "Group", "name": "b"}]}

#: rule, what the levels say from the outside in, what comes out
TABLE: list[tuple[str, list[Values], Values]] = [
    ("override: the inner one", [{"priority_class": "a"}, {"priority_class": "b"}], {"priority_class": "b"}),
    ("override: nothing said", [{"priority_class": "a"}, {}], {"priority_class": "a"}),
    (
        "override: false counts",
        [{"network": {"monitoring": True}}, {"network": {"monitoring": False}}],
        {"network": {"monitoring": False}},
    ),
    (
        "keys: key by key",
        [{"annotations": {"a": "1", "b": "1"}}, {"annotations": {"b": "2", "c": "2"}}],
        {"annotations": {"a": "1", "b": "2", "c": "2"}},
    ),
    (
        "keys: a list is one value",
        [{"classification": {"data": ["x"], "sla_tier": "t"}}, {"classification": {"data": ["y"]}}],
        {"classification": {"data": ["y"], "sla_tier": "t"}},
    ),
    (
        "quota keys: two spellings, one resource",
        [{"resource_quota": {"hard": {"requests.cpu": 1, "pods": 5}}}, {"resource_quota": {"hard": {"cpu": 2}}}],
        {"resource_quota": {"hard": {"requests.cpu": 2, "pods": 5}}},
    ),
    (
        "quota keys: devices",
        [
            {"resource_quota": {"hard": {"nvidia.com/gpu": 1}}},
            {"resource_quota": {"hard": {"requests.nvidia.com/gpu": 2}}},
        ],
        {"resource_quota": {"hard": {"requests.nvidia.com/gpu": 2}}},
    ),
    ("labels: merged", [{"labels": {"a": "1"}}, {"labels": {"a": "2", "b": "2"}}], {"labels": {"a": "2", "b": "2"}}),
    (
        "labels: a protected one stays",
        [{"labels": {"team": "1"}}, {"labels": {"team": "2", "b": "2"}}],
        {"labels": {"team": "1", "b": "2"}},
    ),
    (
        "labels: a protected one may be set once",
        [{}, {"labels": {"team": "2"}}, {"labels": {"team": "3"}}],
        {"labels": {"team": "2"}},
    ),
    (
        "add: in order, once",
        [{"role_bindings": [VIEW]}, {"role_bindings": [EDIT, VIEW]}],
        {"role_bindings": [VIEW, EDIT]},
    ),
    (
        "add: contacts",
        [{"contacts": {"owner": "x", "technical": ["a"]}}, {"contacts": {"owner": "y", "technical": ["b"]}}],
        {"contacts": {"owner": "y", "technical": ["a", "b"]}},
    ),
    (
        "by name: replaced as a whole",
        [
            {"resource_quota": {"scoped": [{"name": "a", "hard": {"pods": 1}}, {"name": "b", "hard": {}}]}},
            {"resource_quota": {"scoped": [{"name": "a", "hard": {"cpu": 1}}]}},
        ],
        {"resource_quota": {"scoped": [{"name": "a", "hard": {"cpu": 1}}, {"name": "b", "hard": {}}]}},
    ),
    (
        "by type",
        [
            {"limit_range": {"limits": [{"type": "Pod"}, {"type": "Container", "max": 1}]}},
            {"limit_range": {"limits": [{"type": "Container", "min": 1}]}},
        ],
        {"limit_range": {"limits": [{"type": "Pod"}, {"type": "Container", "min": 1}]}},
    ),
    (
        "stricter: up",
        [{"pod_security": {"enforce": "baseline"}}, {"pod_security": {"enforce": "restricted"}}],
        {"pod_security": {"enforce": "restricted"}},
    ),
    (
        "stricter: never down",
        [{"pod_security": {"enforce": "restricted"}}, {"pod_security": {"enforce": "privileged"}}],
        {"pod_security": {"enforce": "restricted"}},
    ),
    (
        "narrow: what both have",
        [{"allowed": {"storage_classes": ["a", "b"]}}, {"allowed": {"storage_classes": ["b", "c"]}}],
        {"allowed": {"storage_classes": ["b"]}},
    ),
    (
        "narrow: an empty list allows nothing",
        [{"allowed": {"storage_classes": ["a"]}}, {"allowed": {"storage_classes": []}}],
        {"allowed": {"storage_classes": []}},
    ),
    (
        "narrow: after nothing comes nothing",
        [{"allowed": {"storage_classes": []}}, {"allowed": {"storage_classes": ["a"]}}],
        {"allowed": {"storage_classes": []}},
    ),
    (
        "narrow: no list, no limit",
        [{"allowed": {}}, {"allowed": {"storage_classes": ["a"]}}],
        {"allowed": {"storage_classes": ["a"]}},
    ),
    (
        "narrow paths: a folder below",
        [{"allowed": {"registries": ["r.io"]}}, {"allowed": {"registries": ["r.io/team", "r.io.evil"]}}],
        {"allowed": {"registries": ["r.io/team"]}},
    ),
    (
        "narrow paths: wider than above",
        [{"allowed": {"registries": ["r.io/team"]}}, {"allowed": {"registries": ["r.io/"]}}],
        {"allowed": {"registries": ["r.io/team"]}},
    ),
    (
        "narrow hosts: a name below the star",
        [
            {"allowed": {"ingress": {"hostnames": ["*.x.org"]}}},
            {"allowed": {"ingress": {"hostnames": ["a.x.org", "*.b.x.org", "x.org", "y.org"]}}},
        ],
        {"allowed": {"ingress": {"hostnames": ["a.x.org", "*.b.x.org"]}}},
    ),
    (
        "narrow hosts: a star covers all",
        [{"allowed": {"ingress": {"hostnames": ["*"]}}}, {"allowed": {"ingress": {"hostnames": ["x.org"]}}}],
        {"allowed": {"ingress": {"hostnames": ["x.org"]}}},
    ),
    (
        "requires: features add, regions narrow",
        [
            {"requires": {"features": ["gpu"], "regions": ["e", "w"]}},
            {"requires": {"features": ["nvme"], "regions": ["w"]}},
        ],
        {"requires": {"features": ["gpu", "nvme"], "regions": ["w"]}},
    ),
    ("other keys are no layer fields", [{"_mine": 1, "projects": [], "id": "x"}], {}),
]


@pytest.mark.parametrize(("values", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_a_rule_does(values: list[Values], expected: Values) -> None:
    assert resolve(levels_of(*values), protected=["team"]).values == expected


def test_every_rule_has_a_row_and_every_field_a_rule() -> None:
    def words(node: t.Any) -> set[str]:
        return {node} if isinstance(node, str) else {word for child in node.values() for word in words(child)}

    used = words(MERGE)
    assert used == set(RULES)
    assert set(MERGE) == set(LAYER)
    assert {row[0].partition(":")[0] for row in TABLE} >= used


@pytest.mark.parametrize(
    ("values", "code", "place"),
    [
        ([{"labels": {"team": "1"}}, {"labels": {"team": "2"}}], "protected-label", "level1.labels.team"),
        (
            [{"allowed": {"cluster_roles": ["a"]}}, {"allowed": {"cluster_roles": ["a", "b"]}}],
            "widens",
            "level1.allowed.cluster_roles[1]",
        ),
    ],
)
def test_what_a_level_may_not_set_is_reported_at_its_place(values: list[Values], code: str, place: str) -> None:
    problems = Problems()
    resolve(levels_of(*values), problems, ["team"])
    assert [(p.code, p.where.text) for p in problems] == [(code, place)]


# --- through the whole model -------------------------------------------------------------------------------------

ENV = "tenants / tenant__physics / projects / 0 / environments / 1"


def test_levels_run_from_the_defaults_to_the_environment() -> None:
    inventory = base()
    for path, value in (
        ("settings / fleet_defaults / priority_class", "standard"),
        ("settings / fleet_sizes / large / priority_class", "high"),
        ("tenants / tenant__science / priority_class", "standard"),
        ("tenants / tenant__physics / priority_class", "high"),
        ("tenants / tenant__physics / projects / 0 / priority_class", "standard"),
        (f"{ENV} / priority_class", "high"),
    ):
        inventory = changed({path: value}, of=inventory)
        found = environment(sound(inventory), "physics/lab-sim/prod")
        place = found.effective.provenance[("priority_class",)][0]
        assert found.values["priority_class"] == value
        assert place.text.endswith("priority_class")
        assert place.variable == path.split(" / ")[1]


def test_a_grant_relaxes_pod_security_for_its_time() -> None:
    grant = {"kind": "pod_security", "level": "privileged", "expires_at": "2026-12-01", "reason": "driver"}
    found = environment(sound(changed({f"{ENV} / grants / 1": grant})), "physics/lab-sim/prod")
    assert found.values["pod_security"]["enforce"] == "privileged"
    assert found.effective.provenance[("pod_security", "enforce")][0].text.endswith("grants[1]")
    ended = compiled(changed({f"{ENV} / grants / 1": {**grant, "expires_at": "2026-11-21"}}))
    assert environment(ended, "physics/lab-sim/prod").values["pod_security"]["enforce"] == "baseline"


@pytest.mark.parametrize(
    ("grant", "path", "count"),
    [
        ({"kind": "role", "cluster_role": "edit", "subjects": [{"kind": "User", "name": "x"}]}, ("role_bindings",), 2),
        ({"kind": "network", "allow_from": [{"tenant": "arts"}, {"tenant": "quantum"}]}, ("network", "allow_from"), 3),
        ({"kind": "network", "egress": [{"cidr": "10.0.0.0/8"}, {"cidr": "10.1.0.0/16"}]}, ("network", "egress"), 3),
    ],
)
def test_what_a_grant_adds_has_its_place(grant: Values, path: tuple[str, ...], count: int) -> None:
    full = {**grant, "expires_at": "2027-01-01", "reason": "trial"}
    found = environment(sound(changed({f"{ENV} / grants / 1": full})), "physics/lab-sim/prod")
    places = found.effective.provenance[path]
    assert len(at(found.values, path)) == len(places) == count
    assert places[-1].text.endswith("grants[1]")


@pytest.mark.parametrize(
    ("key", "places"),
    [
        ("size", ["tenant__physics.projects[lab-sim].environments[prod].size"]),
        ("stage", ["tenant__physics.projects[lab-sim].environments[prod].name"]),
        ("owners", ["tenant__science.owners", "tenant__physics.projects[lab-sim].owners"]),
        ("cost_center", ["tenant__science.billing.cost_center"]),
    ],
)
def test_values_that_are_no_layer_fields_name_their_place(key: str, places: list[str]) -> None:
    found = environment(sound(base()), "physics/lab-sim/prod")
    assert [where.text for where in found.effective.provenance[(key,)]] == places


def test_owners_gather_along_the_line() -> None:
    names = [owner["name"] for owner in environment(sound(base()), "physics/lab-sim/dev").values["owners"]]
    assert names == ["deans", "lab-sim-team"]


def test_the_repository_is_that_of_the_project_with_what_differs() -> None:
    inventory = changed(
        {
            "tenants / tenant__physics / projects / 0 / gitops / path": "./deploy/{environment}",
            f"{ENV} / gitops": {"branch": "release"},
        }
    )
    fleet = sound(inventory)
    url = "https://git.example.com/physics/lab-sim.git"
    assert environment(fleet, "physics/lab-sim/dev").values["gitops"] == {
        "url": url,
        "branch": "main",
        "interval": "5m",
        "path": "./deploy/dev",
    }
    assert environment(fleet, "physics/lab-sim/prod").values["gitops"] == {
        "url": url,
        "branch": "release",
        "interval": "5m",
        "path": "./deploy/prod",
    }
    assert environment(fleet, "quantum/qc/dev").values["gitops"] is None


def test_a_quota_names_whatever_a_budget_counts() -> None:
    fleet = sound(changed({"tenants / tenant__science / budget / hard / requests.nvidia.com/gpu": 2}))
    quota = environment(fleet, "quantum/qc/dev").quota
    assert str(quota["requests.nvidia.com/gpu"]) == "0"
    assert "requests.nvidia.com/gpu" not in environment(fleet, "arts/site/prod").quota


@pytest.mark.parametrize(
    ("state", "quota"),
    [
        (
            "active",
            {"requests.cpu": "8", "requests.memory": "40Gi", "requests.storage": "100Gi", "pods": "80", "secrets": "9"},
        ),
        (
            "frozen",
            {"requests.cpu": "8", "requests.memory": "40Gi", "requests.storage": "100Gi", "pods": "80", "secrets": "9"},
        ),
        (
            "hibernated",
            {"requests.cpu": "0", "requests.memory": "0", "requests.storage": "100Gi", "pods": "0", "secrets": "9"},
        ),
        (
            "archived",
            {"requests.cpu": "0", "requests.memory": "0", "requests.storage": "100Gi", "pods": "0", "secrets": "9"},
        ),
    ],
)
def test_what_sleeps_keeps_its_data_only(state: str, quota: dict[str, str]) -> None:
    inventory = changed({f"{ENV} / state": state, f"{ENV} / resource_quota": {"hard": {"secrets": 9}}})
    found = environment(sound(inventory), "physics/lab-sim/prod")
    assert {key: str(amount) for key, amount in found.quota.items()} == quota
