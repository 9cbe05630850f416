# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The laws of inheritance, for levels of all kinds, and where every effective value comes from."""

from __future__ import annotations

import typing as t

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import Problems, Where
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.inheritance import (
    MERGE,
    Level,
    resolve,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.schema_layer import POD_SECURITY

Values = dict[str, t.Any]


def levels_of(*values: Values) -> list[Level]:
    return [Level(Where(f"level{index}"), each) for index, each in enumerate(values)]


NAMES = st.sampled_from(["a", "b", "c", "d"])
ROLE = st.builds(lambda role, who: {"cluster_role": role, "subjects": [{"kind": "Group", "name": who}]}, NAMES, NAMES)
PEER = st.builds(lambda tenant, port: {"tenant": tenant, "ports": [port]}, NAMES, st.integers(1, 3))
REGISTRIES = ["r.io", "r.io/a", "r.io/a/b", "r.io/ab", "q.io", "q.io/a"]
HOSTS = ["*", "*.x.org", "x.org", "a.x.org", "*.a.x.org", "b.a.x.org", "*.y.org", "y.org", "nx.org"]


def some(values: st.SearchStrategy[t.Any], most: int = 4) -> st.SearchStrategy[t.Any]:
    return st.lists(values, max_size=most)


def maybe(**fields: st.SearchStrategy[t.Any]) -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries({}, optional=fields)


PSA = st.sampled_from(POD_SECURITY)
LEVEL = maybe(
    labels=st.dictionaries(st.sampled_from(["team", "cost-center", "x"]), NAMES),
    annotations=st.dictionaries(NAMES, NAMES),
    contacts=maybe(owner=NAMES, technical=some(NAMES)),
    classification=maybe(data=some(NAMES), security_domain=NAMES, sla_tier=NAMES),
    resource_quota=maybe(
        hard=st.dictionaries(st.sampled_from(["cpu", "pods", "memory", "nvidia.com/gpu"]), st.integers(0, 3)).flatmap(
            lambda hard: st.sampled_from([hard, {f"requests.{k}" if k != "pods" else k: v for k, v in hard.items()}])
        ),
        scoped=some(st.builds(lambda name, pods: {"name": name, "hard": {"pods": pods}}, NAMES, st.integers(0, 2))),
    ),
    limit_range=maybe(
        limits=some(st.builds(lambda kind, n: {"type": kind, "max": {"cpu": n}}, NAMES, st.integers(0, 2)))
    ),
    pod_security=maybe(enforce=PSA, audit=PSA, warn=PSA, version=st.sampled_from(["latest", "v1.30"])),
    allowed=maybe(
        registries=some(st.sampled_from(REGISTRIES)),
        storage_classes=some(NAMES),
        ingress=maybe(classes=some(NAMES), hostnames=some(st.sampled_from(HOSTS))),
        priority_classes=some(NAMES),
        cluster_roles=some(NAMES),
        service_types=some(NAMES),
    ),
    role_bindings=some(ROLE),
    network=maybe(allow_from=some(PEER), egress=some(PEER), ingress_controller=st.booleans(), monitoring=st.booleans()),
    requires=maybe(features=some(NAMES), regions=some(NAMES)),
    priority_class=NAMES,
    pod_disruption_budget=st.just({"minAvailable": 1}),
    adoption_policy=NAMES,
    deletion_policy=NAMES,
)
LEVELS = st.lists(LEVEL, min_size=1, max_size=5).map(lambda values: levels_of(*values))
PROTECTED = ["team", "cost-*"]
LAW = settings(max_examples=150)

#: Lists that are sets: the order in which a narrowed list stands means nothing.
SETS = [
    ("allowed", "registries"),
    ("allowed", "storage_classes"),
    ("allowed", "ingress", "classes"),
    ("allowed", "ingress", "hostnames"),
    ("allowed", "priority_classes"),
    ("allowed", "cluster_roles"),
    ("allowed", "service_types"),
    ("requires", "regions"),
]


def at(values: t.Any, path: tuple[str, ...]) -> t.Any:
    for key in path:
        if not isinstance(values, dict) or key not in values:
            return None
        values = values[key]
    return values


def comparable(values: Values) -> Values:
    def walk(node: t.Any, path: tuple[str, ...]) -> t.Any:
        if path in SETS:
            return frozenset(node)
        return {k: walk(v, (*path, k)) for k, v in node.items()} if isinstance(node, dict) else node

    return t.cast(Values, walk(values, ()))


@LAW
@given(LEVELS, st.data())
def test_the_grouping_of_levels_does_not_matter(levels: list[Level], data: st.DataObject) -> None:
    whole = comparable(resolve(levels, protected=PROTECTED).values)
    start = data.draw(st.integers(0, len(levels) - 1))
    end = data.draw(st.integers(start + 1, len(levels)))
    middle = Level(Where("group"), resolve(levels[start:end], protected=PROTECTED).values)
    grouped = resolve([*levels[:start], middle, *levels[end:]], protected=PROTECTED)
    assert comparable(grouped.values) == whole


def below(outer: str, inner: str) -> bool:
    return inner == outer or inner.startswith(outer + "/")


def under(outer: str, inner: str) -> bool:
    if outer == "*":
        return True
    return inner.endswith("." + outer[2:]) if outer.startswith("*.") else inner == outer


PROBES = {
    ("allowed", "registries"): (below, [*REGISTRIES, "r.io/a/b/c", "r.io.evil", "q.io/x"]),
    ("allowed", "ingress", "hostnames"): (
        under,
        ["x.org", "a.x.org", "b.a.x.org", "c.b.a.x.org", "y.org", "z.y.org", "nx.org", "n.nx.org"],
    ),
}


@LAW
@given(LEVELS)
def test_exactly_what_every_level_allows_is_allowed(levels: list[Level]) -> None:
    effective = resolve(levels).values
    for path in SETS:
        covers, probes = PROBES.get(path, (lambda outer, inner: outer == inner, ["a", "b", "c", "d"]))
        lists = [found for found in (at(level.values, path) for level in levels) if found is not None]
        result = at(effective, path)
        assert (result is None) == (not lists)
        for probe in probes if lists else ():
            by_all = all(any(covers(item, probe) for item in each) for each in lists)
            assert any(covers(item, probe) for item in result) == by_all, (path, probe)


@LAW
@given(LEVELS)
def test_a_level_more_never_allows_more_nor_relaxes(levels: list[Level]) -> None:
    before, after = resolve(levels[:-1]).values, resolve(levels).values
    for mode in ("enforce", "audit", "warn"):
        old, new = at(before, ("pod_security", mode)), at(after, ("pod_security", mode))
        assert old is None or POD_SECURITY.index(new) >= POD_SECURITY.index(old)
    for path in SETS:
        old, new = at(before, path), at(after, path)
        covers = PROBES.get(path, (lambda outer, inner: outer == inner, []))[0]
        if old is not None:
            assert all(any(item == outer or covers(outer, item) for outer in old) for item in new if item[:1] != "*")


@LAW
@given(LEVELS)
def test_protected_labels_are_those_of_the_first_level_that_sets_them(levels: list[Level]) -> None:
    effective = resolve(levels, protected=PROTECTED).values.get("labels", {})
    for key in ("team", "cost-center"):
        said = [level.values["labels"][key] for level in levels if key in level.values.get("labels", {})]
        assert effective.get(key) == (said[0] if said else None)


@LAW
@given(LEVELS)
def test_every_value_names_the_place_that_set_it(levels: list[Level]) -> None:
    effective = resolve(levels, protected=PROTECTED)
    written = {level.where.variable: level.values for level in levels}

    def places(path: tuple[str, ...]) -> tuple[Where, ...]:
        return effective.provenance[path]

    def said(where: Where) -> t.Any:
        node: t.Any = written[where.variable]
        for key in where.keys:
            node = node[key]
        return node

    def walk(node: t.Any, rules: t.Any, path: tuple[str, ...]) -> None:
        if isinstance(rules, dict):
            for key, child in node.items():
                walk(child, rules[key], (*path, key))
        elif rules in ("keys", "quota keys", "labels"):
            for key, value in node.items():
                assert [said(where) for where in places((*path, key))] == [value]
        elif rules == "add":
            assert [said(where) for where in effective.provenance.get(path, ())] == node
        elif rules in ("by name", "by type"):
            for item in node:
                key = item[rules.removeprefix("by ")]
                assert [said(where) for where in places((*path, key))] == [item]
        elif rules.startswith("narrow"):
            setters = [level for level in levels if at(level.values, path) is not None]
            assert [said(where) for where in effective.provenance[path]] == [at(s.values, path) for s in setters]
        else:
            assert [said(where) for where in effective.provenance[path]] == [node]

    walk(effective.values, MERGE, ())


@LAW
@given(LEVELS)
def test_the_levels_themselves_are_left_alone(levels: list[Level]) -> None:
    before = repr(levels)
    resolve(levels, Problems(), PROTECTED)
    assert repr(levels) == before
