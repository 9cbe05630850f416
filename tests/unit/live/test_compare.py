# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as equal, against a small model of what the API server stores."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.compare import (
    Comparer,
    differences,
    holds,
    owned_fields,
    owners,
)

Object = dict[str, Any]
MANAGER = "self-provisioning"


def book(value: Any, *, key: str = "") -> Object:
    """The fields of a value as the server books them: maps by key, lists as one, lists of variables by name."""
    if key == "variables":
        return {f'k:{{"name":"{item["name"]}"}}': {} for item in value}
    if key == "finalizers":
        return {f'v:"{item}"': {} for item in value}
    if not isinstance(value, dict) or key in ("podSelector", "matchConstraints"):
        return {}
    return {f"f:{name}": book(each, key=name) for name, each in value.items()}


def stored(desired: Object, manager: str = MANAGER, operation: str = "Apply") -> Object:
    """What the server holds after one apply to nothing."""
    live = copy.deepcopy(desired)
    body = {k: v for k, v in desired.items() if k not in ("apiVersion", "kind")}
    fields = book({**body, "metadata": {k: v for k, v in body["metadata"].items() if k != "name"}})
    live["metadata"].update(
        uid="1",
        resourceVersion="7",
        managedFields=[
            {"manager": manager, "operation": operation, "apiVersion": desired["apiVersion"], "fieldsV1": fields}
        ],
    )
    return live


def an_object(kind: str = "Thing", version: str = "v1", **body: Any) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "labels": {"a": "b"}}, **body}


def seen(desired: Object, live: Object) -> list[str]:
    """The differences; what remembers equal objects, and has seen such, comes to the same answer each time."""
    found = differences(desired, live)
    comparer = Comparer()
    for other in (stored(desired), live, stored(desired), live):
        assert comparer.equal(desired, other) is (differences(desired, other) == [])
    return found


_KEYS = st.text("abcxyz", min_size=1, max_size=3)
_SCALARS = st.one_of(st.text("01ab", min_size=1, max_size=3), st.integers(0, 3), st.booleans())
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.dictionaries(_KEYS, inner, min_size=1, max_size=3), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)
_SPECS = st.dictionaries(_KEYS, _VALUES, min_size=1, max_size=4)


def leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Paths of everything that the book has an entry for."""
    if not isinstance(value, dict):
        return [path]
    return [leaf for key, each in value.items() for leaf in leaves(each, (*path, key))]


def put(target: Object, path: tuple[str, ...], value: Any) -> None:
    """Sets a value; None takes it away, with maps that have nothing else, as the server does with its book."""
    if len(path) > 1:
        put(target[path[0]], path[1:], value)
        if value is None and not target[path[0]]:
            del target[path[0]]
    elif value is None:
        del target[path[0]]
    else:
        target[path[0]] = value


@given(_SPECS, st.dictionaries(st.text("pq", min_size=1, max_size=2), _VALUES, max_size=2))
def test_what_was_applied_is_equal_whatever_others_and_the_server_add(spec: Object, added: Object) -> None:
    desired = an_object(spec=spec)
    live = stored(desired)
    live["spec"].update(added)
    live["status"] = {"phase": "Active"}
    live["metadata"]["labels"]["theirs"] = "1"
    assert seen(desired, live) == []


@given(_SPECS, st.data())
def test_a_value_that_changes_in_the_declaration_is_seen(spec: Object, data: st.DataObject) -> None:
    desired = an_object(spec=spec)
    live = stored(desired)
    path = data.draw(st.sampled_from(leaves(spec)))
    put(desired["spec"], path, ["new"])
    assert len(seen(desired, live)) == 1


@given(_SPECS, st.data())
def test_a_value_that_leaves_the_declaration_is_seen(spec: Object, data: st.DataObject) -> None:
    desired = an_object(spec=spec)
    live = stored(desired)
    path = data.draw(st.sampled_from(leaves(spec)))
    put(desired, ("spec", *path), None)
    assert seen(desired, live)


@given(_SPECS, st.data())
def test_a_value_that_somebody_took_over_is_seen(spec: Object, data: st.DataObject) -> None:
    """An edit takes the field out of our book; even if the value were the same, it is no longer ours to withdraw."""
    desired = an_object(spec=spec)
    live = stored(desired)
    path = data.draw(st.sampled_from(leaves(spec)))
    fields = owned_fields(live)
    assert fields is not None
    put(fields, ("f:spec", *(f"f:{key}" for key in path)), None)
    assert seen(desired, live)


@given(_SPECS)
def test_without_a_book_of_ours_nothing_is_equal(spec: Object) -> None:
    desired = an_object(spec=spec)
    for live in (stored(desired, "other"), stored(desired, MANAGER, "Update")):
        assert seen(desired, live) == ["."]
        assert holds(desired, live)


def _limits(**item: Any) -> Object:
    return an_object("LimitRange", spec={"limits": [{"type": "Container", **item}]})


def _policy(*rules: Object) -> Object:
    return an_object("NetworkPolicy", "networking.k8s.io/v1", spec={"podSelector": {}, "egress": [*rules]})


_CEL = "ValidatingAdmissionPolicy"

#: desired, what the server made of the same, and whether that is equal
NORMAL = {
    "a quantity in other words": (
        an_object("ResourceQuota", spec={"hard": {"requests.memory": "1024Mi", "requests.cpu": "0.5"}}),
        {"hard": {"requests.memory": "1Gi", "requests.cpu": "500m"}},
        True,
    ),
    "another quantity": (
        an_object("ResourceQuota", spec={"hard": {"pods": "10"}}), {"hard": {"pods": "11"}}, False
    ),
    "a label is no quantity": (an_object(spec={"release": "1.0"}), {"release": "1"}, False),
    "true is not 1": (an_object(spec={"flag": True}), {"flag": 1}, False),
    "the maximum becomes default and request": (
        _limits(max={"memory": "2048Mi"}, min={"cpu": "10m"}),
        {"limits": [{
            "type": "Container", "max": {"memory": "2Gi"}, "min": {"cpu": "10m"},
            "default": {"memory": "2Gi"}, "defaultRequest": {"cpu": "10m", "memory": "2Gi"},
        }]},
        True,
    ),
    "a default beside the maximum that is not from it": (
        _limits(max={"memory": "2Gi"}),
        {"limits": [{
            "type": "Container", "max": {"memory": "2Gi"}, "default": {"memory": "1Gi"},
            "defaultRequest": {"memory": "1Gi"},
        }]},
        False,
    ),
    "a declared default that was withdrawn": (
        _limits(defaultRequest={"cpu": "1"}),
        {"limits": [{"type": "Container", "default": {"cpu": "2"}, "defaultRequest": {"cpu": "1"}}]},
        False,
    ),
    "the protocol of a port": (
        _policy({"ports": [{"port": 53}]}),
        {"podSelector": {}, "egress": [{"ports": [{"port": 53, "protocol": "TCP"}]}]},
        True,
    ),
    "another protocol": (
        _policy({"ports": [{"port": 53}]}),
        {"podSelector": {}, "egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}]},
        False,
    ),
    "an additional rule": (
        _policy({"ports": [{"port": 53}]}),
        {"podSelector": {}, "egress": [{"ports": [{"port": 53, "protocol": "TCP"}]}, {}]},
        False,
    ),
    "a selector that was not empty": (
        _policy(), {"podSelector": {"matchLabels": {"a": "b"}}, "egress": []}, False
    ),
    "the scope of admission rules": (
        an_object(_CEL, spec={"matchConstraints": {"resourceRules": [{"resources": ["pods"]}]}}),
        {"matchConstraints": {"matchPolicy": "Equivalent", "resourceRules": [{"resources": ["pods"], "scope": "*"}]}},
        True,
    ),
    "a variable in a list by name": (
        an_object(_CEL, spec={"variables": [{"name": "v", "expression": "1"}]}),
        {"variables": [{"name": "theirs", "expression": "2"}, {"name": "v", "expression": "1"}]},
        True,
    ),
    "another variable in a list by name": (
        an_object(_CEL, spec={"variables": [{"name": "v", "expression": "1"}]}),
        {"variables": [{"name": "v", "expression": "3"}]},
        False,
    ),
    "a set that others add to": (an_object(spec={"finalizers": ["a"]}), {"finalizers": ["b", "a"]}, True),
    "a set that lost ours": (an_object(spec={"finalizers": ["a"]}), {"finalizers": ["b"]}, False),
}  # fmt: skip


@pytest.mark.parametrize("name", NORMAL)
def test_what_the_server_makes_of_it(name: str) -> None:
    desired, spec, is_equal = NORMAL[name]
    live = {**stored(desired), "spec": spec}
    assert (seen(desired, live) == []) is is_equal


def test_an_empty_map_does_not_ask_others_to_leave_theirs_empty() -> None:
    desired = an_object("ConfigMap", data={})
    live = stored(desired)
    live["data"] = {"theirs": "1"}
    assert seen(desired, live) == []
    del live["data"]
    assert seen(desired, live) == []


def test_a_whole_part_that_leaves_is_seen() -> None:
    live = stored(an_object("ConfigMap", data={"a": "1"}))
    assert seen(an_object("ConfigMap"), live) == [".data.a"]


def test_a_book_of_another_version_is_written_anew() -> None:
    desired = an_object(version="example.com/v1")
    live = stored({**desired, "apiVersion": "example.com/v1beta1"})
    assert seen(desired, live) == ["."]


def test_owners_of_a_field() -> None:
    live = stored(an_object(spec={"hard": {"pods": "1", "cpu": "2"}, "podSelector": {}}))
    live["metadata"]["managedFields"] += [
        {"manager": "ed", "operation": "Update", "fieldsV1": {"f:spec": {"f:hard": {"f:pods": {}}}}},
        {"manager": "flux", "operation": "Apply", "fieldsV1": {"f:spec": {"f:podSelector": {}}}},
    ]
    assert owners(live, ".spec.hard.pods") == [("ed", "Update")]
    assert owners(live, ".spec.hard.cpu") == []
    assert owners(live, ".spec.podSelector.matchLabels") == [("flux", "Apply")]
