# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""There and back: what tenants become is imported as if made by hand, and becomes the same again."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.k8s.self_provisioning.plugins.module_utils._import import verify
from ansible_collections.k8s.self_provisioning.plugins.module_utils._import.convert import Options, convert
from ansible_collections.k8s.self_provisioning.plugins.module_utils._import.finding import Finding
from ansible_collections.k8s.self_provisioning.plugins.module_utils._import.grouping import Grouping
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import read_source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.resources import quota_key
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.environment import environment_objects

from ...integration.playbooks import EXAMPLE
from .hand_made import TODAY, Object, in_force, namespace, quota, rendered, run, source, with_names, without_labels

SETTINGS: Object = {
    "sizes": {
        "small": {"resource_quota": {"hard": {"requests.cpu": "4", "pods": "20"}}},
        "guarded": {
            "resource_quota": {"hard": {"requests.cpu": "4", "limits.memory": "8Gi"}},
            "limit_range": {"limits": [{"type": "Container", "max": {"memory": "4Gi"}}]},
            "pod_disruption_budget": {"maxUnavailable": 1},
            "pod_security": {"enforce": "restricted"},
        },
    },
    "defaults": {
        "labels": {"organisation": "x"},
        "role_bindings": [{"cluster_role": "view", "subjects": [{"kind": "Group", "name": "audit"}]}],
        "network": {"egress": [{"cidr": "10.9.9.9/32", "ports": [80]}], "ingress_controller": False},
    },
    "protected_labels": ["organisation"],
}
TENANTS, PROJECTS, NAMES = ["a", "b-c"], ["web", "lab-1"], ["dev", "prod", "blue"]

amounts = st.sampled_from(["0", "1", "4", "2500m", "8Gi", "1536Mi", "1e3", "20", "0.5"])
counted = st.dictionaries(
    st.sampled_from(
        ["cpu", "requests.cpu", "limits.cpu", "memory", "limits.memory", "pods", "count/jobs.batch", "nvidia.com/gpu",
         "slow.storageclass.storage.k8s.io/requests.storage", "requests.storage"]
    ),
    amounts,
    max_size=4,
).filter(lambda hard: len({quota_key(key) for key in hard}) == len(hard))  # fmt: skip
scope = st.one_of(
    st.just({"scopes": ["BestEffort"]}),
    st.just({"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "Exists"}]}}),
)
scoped = st.lists(
    st.builds(lambda name, what: {"name": name, "hard": {"pods": "3"}, **what}, st.sampled_from(["s1", "s2"]), scope),
    max_size=2,
    unique_by=lambda item: str(item["name"]),
)
bounds = st.dictionaries(st.sampled_from(["cpu", "memory"]), st.sampled_from(["2", "1500m", "2Gi"]), min_size=1)
limits = st.lists(
    st.builds(
        lambda kind, part, values: {"type": kind, part: values},
        st.sampled_from(["Container", "Pod"]),
        st.sampled_from(["max", "min"]),
        bounds,
    ),
    max_size=2,
    unique_by=lambda item: str(item["type"]),
)
subjects = st.lists(
    st.one_of(
        st.builds(lambda k, n: {"kind": k, "name": n}, st.sampled_from(["User", "Group"]), st.sampled_from("xyz")),
        st.just({"kind": "ServiceAccount", "name": "robot"}),
        st.just({"kind": "ServiceAccount", "name": "robot", "namespace": "elsewhere"}),
    ),
    min_size=1,
    max_size=3,
)
bindings = st.lists(
    st.builds(
        lambda r, s: {"cluster_role": r, "subjects": s}, st.sampled_from(["view", "edit", "tenant-admin"]), subjects
    ),
    max_size=3,
)
ports = st.one_of(
    st.just({}),
    st.builds(
        lambda p, protocol: {"ports": p, **({"protocol": protocol} if protocol else {})},
        st.lists(st.sampled_from([80, 5432, "http"]), min_size=1, max_size=2, unique=True),
        st.sampled_from(["", "UDP"]),
    ),
)
ends = st.one_of(
    st.sampled_from([{"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.0.0.0/24"]}, {"cidr": "2001:db8::/32"}]),
    st.sampled_from([{"tenant": "a"}, {"tenant": "a", "project": "web"}]),
    st.just({"tenant": "a", "project": "web", "environment": "prod"}),
)
peers = st.lists(st.builds(lambda end, port: {**end, **port}, ends, ports), max_size=3)
levels = st.sampled_from(["privileged", "baseline", "restricted"])
common = {
    "labels": st.dictionaries(st.sampled_from(["team", "app.kubernetes.io/part-of"]), st.sampled_from(["1", "yes"])),
    "annotations": st.dictionaries(st.sampled_from(["mail", "example.com/x"]), st.sampled_from(["a: b", "07", ""])),
    "role_bindings": bindings,
    "pod_security": st.dictionaries(st.sampled_from(["enforce", "audit", "warn"]), levels),
}
environment = st.fixed_dictionaries(
    {"stage": st.just("prod")},
    optional={
        **common,
        "size": st.sampled_from(["small", "guarded"]),
        "resource_quota": st.fixed_dictionaries({}, optional={"hard": counted, "scoped": scoped}),
        "limit_range": st.fixed_dictionaries({"limits": limits}),
        "network": st.fixed_dictionaries(
            {},
            optional={
                "allow_from": peers,
                "egress": peers,
                "ingress_controller": st.booleans(),
                "monitoring": st.booleans(),
            },
        ),
        "state": st.sampled_from(["active", "frozen", "hibernated"]),
        "deletion_policy": st.sampled_from(["retain", "delete"]),
        "pod_disruption_budget": st.just({"minAvailable": 2}),
    },
)


@st.composite
def organisations(draw: st.DrawFn) -> dict[str, Any]:
    """Tenants; C(a/web/prod) is always there, because network rules name it."""
    keys = draw(st.sets(st.tuples(*map(st.sampled_from, (TENANTS, PROJECTS, NAMES))), max_size=5))
    tenants: dict[str, Any] = {}
    for tenant, project, name in sorted({*keys, ("a", "web", "prod")}):
        new = {"id": tenant, "projects": [], **draw(st.fixed_dictionaries({}, optional={**common, "owners": subjects}))}
        values = tenants.setdefault(f"tenant__{tenant.replace('-', '_')}", new)
        if not any(each["id"] == project for each in values["projects"]):
            values["projects"].append({"id": project, "environments": []})
        values["projects"][-1]["environments"].append({"name": name, **draw(environment)})
    return tenants


def members(fleet: Fleet) -> dict[tuple[str, ...], list[str]]:
    """The namespaces that our labels select."""
    found: dict[tuple[str, ...], list[str]] = {}
    for each in fleet.environments:
        key = (each.tenant.id, each.project.id, each.name)
        for length in (1, 2, 3):
            found.setdefault((*key[:length], *[""] * (3 - length)), []).append(each.namespace)
    return found


def named(fleet: Fleet, cluster: str = "east") -> dict[str, list[Object]]:
    """What namespaces become, with rules that select namespaces by name."""
    domain, known = fleet.settings.label_domain, members(fleet)
    return {name: with_names(objects, domain, known) for name, objects in rendered(fleet, cluster).items()}


def serious(findings: Iterable[Finding]) -> list[Finding]:
    return [each for each in findings if each.code in ("invalid", "not-expressed", "would-change")]


@settings(max_examples=150)
@given(organisations())
def test_there_and_back(tenants: dict[str, Any]) -> None:
    into = source(SETTINGS)
    fleet = compile_fleet(replace(into, tenants=tenants), today=TODAY)
    before = named(fleet)
    by_hand = [o for objects in before.values() for o in without_labels(objects, fleet.settings.label_domain)]
    mapping = {each.namespace: each.key for each in fleet.environments}
    imported, again = run(by_hand, into, mapping=mapping)
    assert serious(imported.findings.sorted) == []
    after = named(again)
    assert after.keys() == before.keys()
    for name in before:
        assert in_force(after[name]) == in_force(before[name])


@functools.cache
def example() -> tuple[Source, Fleet, Source]:
    """The example organisation, and the same before it had tenants."""
    whole, _folder = read_source(EXAMPLE)
    # what names tenants cannot be there before they are
    bare = {
        name: {k: v for k, v in values.items() if k not in ("cluster_dedicated_to", "cluster_network")}
        for name, values in whole.clusters.items()
    }
    settings = {k: v for k, v in whole.settings.items() if k != "fleet_alerts"}
    return whole, compile_fleet(whole, today=TODAY), replace(whole, tenants={}, settings=settings, clusters=bare)


#: Grants relax Pod Security there; a namespace of the inventory is only relaxed for a time.
RELAXED = {"vm-estate-erp-prod", "ai-lab-essay-scoring-train"}


def test_the_example_comes_back_but_for_what_was_granted_for_a_time() -> None:
    _whole, fleet, into = example()
    domain = fleet.settings.label_domain
    before = {cluster: named(fleet, cluster) for cluster in fleet.clusters}
    sources = {
        cluster: [o for objects in spaces.values() for o in without_labels(objects, domain)]
        for cluster, spaces in before.items()
    }
    mapping = {each.namespace: each.key for each in fleet.environments}
    imported = convert(sources, compile_fleet(into, today=TODAY), Options(Grouping(mapping=mapping)))
    assert verify.check(imported, imported.tenants, into, TODAY) == set()
    again = verify.compiled(imported, imported.tenants, into, TODAY)
    differ = set()
    for cluster, spaces in before.items():
        after = named(again, cluster)
        assert after.keys() == spaces.keys()
        for name, objects in spaces.items():
            old, new = in_force(objects), in_force(after[name])
            differ |= {(name, key) for key in old if old[key] != new[key]}
    assert differ == {(name, "security") for name in RELAXED}
    told = {(f.namespace, f.field) for f in imported.findings.sorted if f.code == "would-change"}
    assert told == {(name, "pod_security.enforce") for name in RELAXED}
    assert len(imported.drafts) == len(fleet.environments)
    assert len(imported.tenants) == len({each.tenant.id for each in fleet.environments})


ORDINARY: list[Object] = [
    {"requests.cpu": "2", "requests.memory": "4Gi", "limits.memory": "64Gi", "pods": "500"},
    {"pods": "10"},
    {"cpu": "1", "memory": "4Gi", "count/secrets": "50", "services.loadbalancers": "3"},
    {"requests.cpu": "40", "requests.storage": "1Ti", "count/widgets.example.com": "3"},
    {},
]


@pytest.mark.parametrize("hard", ORDINARY, ids=str)
def test_an_ordinary_namespace_keeps_exactly_its_quota(hard: Object) -> None:
    _whole, _fleet, into = example()
    name = "zoo-app-prod"
    objects = [namespace(name), *([quota(name, hard=hard)] if hard else [])]
    imported = convert({"east-prod": objects}, compile_fleet(into, today=TODAY), Options())
    assert verify.check(imported, imported.tenants, into, TODAY) == set()
    changed = [f.field for f in imported.findings.sorted if f.code == "would-change"]
    assert [field for field in changed if field.startswith(("resource_quota", "limit_range.Container.max"))] == []
    again = verify.compiled(imported, imported.tenants, into, TODAY)
    (environment,) = [e for e in again.environments if e.namespace == name]
    new = environment_objects(environment, again.clusters["east-prod"], again.settings)
    assert in_force(new)["hard"] == in_force(objects)["hard"]


def test_a_storage_class_that_security_closes_is_named_as_such() -> None:
    _whole, _fleet, into = example()
    defaults = into.settings["fleet_defaults"]
    closed = {**defaults, "allowed": {**defaults["allowed"], "storage_classes": ["nfs"]}}
    into = replace(into, settings={**into.settings, "fleet_defaults": closed})
    imported = convert({"east-prod": [namespace("zoo-app-prod")]}, compile_fleet(into, today=TODAY), Options())
    verify.check(imported, imported.tenants, into, TODAY)
    found = [f for f in imported.findings.sorted if f.field.startswith("resource_quota.hard")]
    assert found != []
    for each in found:
        assert (each.code, "allowed.storage_classes" in each.fix) == ("would-change", True)
