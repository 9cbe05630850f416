# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values at the paths in which differences are told; objects with a book as the API server keeps it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._observe.drift import at, fields

Object = dict[str, Any]
OURS = {"manager": "self-provisioning", "operation": "Apply", "apiVersion": "v1", "time": "2026-11-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("", {"a": 1, "a.b": {"c": 2}, "list": [{"name": "x", "port": 1}, {"name": "y"}], "set": ["p", "q"]}),
        (".a", 1),
        (".a.b.c", 2),
        (".a.b", {"c": 2}),
        (".a.c", None),
        ('.list[name="x"].port', 1),
        ('.list[name="x",port=1].name', "x"),
        (".list[1].name", "y"),
        (".list[7]", None),
        ('.set[="q"]', "q"),
        (".nothing", None),
    ],
)
def test_values_at_paths(path: str, value: Any) -> None:
    target = {"a": 1, "a.b": {"c": 2}, "list": [{"name": "x", "port": 1}, {"name": "y"}], "set": ["p", "q"]}
    assert at(target, path) == value


LABELS = {"a": "b"}


def quota(pods: str, *others: Object) -> Object:
    """What we applied; others took the amount over, if there are any."""
    book: Object = {"f:metadata": {"f:labels": {"f:a": {}}}}
    if not others:
        book["f:spec"] = {"f:hard": {"f:pods": {}}}
    meta = {"name": "q", "labels": LABELS, "managedFields": [{**OURS, "fieldsV1": book}, *others]}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": {"pods": pods}}}


def entry(manager: str, day: int, *, field: str = "f:pods", **more: str) -> Object:
    written = {"f:spec": {"f:hard": {field: {}}}}
    return {"manager": manager, "operation": "Update", "time": f"2026-11-0{day}T00:00:00Z", "fieldsV1": written, **more}


def declared(pods: str) -> Object:
    meta = {"name": "q", "labels": LABELS}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": {"pods": pods}}}


def test_equal_objects_have_no_fields() -> None:
    assert fields(declared("1000m"), quota("1")) == []


def test_the_latest_hand_comes_first_and_the_status_is_nobodys() -> None:
    status = entry("counter", 9, subresource="status")
    live = quota("7", entry("early", 2), entry("late", 3), entry("elsewhere", 4, field="f:services"), status)
    (row,) = fields(declared("20"), live)
    assert (row["path"], row["declared"], row["live"]) == (".spec.hard.pods", "20", "7")
    assert [hand["manager"] for hand in row["managers"]] == ["late", "early"]
    assert row["last_writer"] is None


def test_what_nobody_owns_is_put_down_to_the_last_hand() -> None:
    live = quota("7", entry("early", 2, field="f:services"), entry("late", 3, field="f:services"))
    live["spec"]["hard"] = {"services": "1"}
    (row,) = fields(declared("20"), live)
    assert (row["live"], row["managers"], row["last_writer"]["manager"]) == (None, [], "late")


def test_an_item_of_a_keyed_list_is_told_with_its_values() -> None:
    """Names with letters of paths in them as well."""

    def policy(expression: str, *book: Object) -> Object:
        meta = {"name": "p", "labels": LABELS, **({"managedFields": list(book)} if book else {})}
        conditions = [{"name": "a", "expression": "true"}, {"name": "b.c/d", "expression": expression}]
        kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy"}
        return {**kind, "metadata": meta, "spec": {"matchConditions": conditions}}

    items = {f'k:{{"name":"{name}"}}': {".": {}, "f:name": {}, "f:expression": {}} for name in ("a", "b.c/d")}
    written = {"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": {"f:matchConditions": items}}
    book = {"apiVersion": "admissionregistration.k8s.io/v1", "fieldsV1": written}
    live = policy("old", {**OURS, **book})
    (row,) = fields(policy("new"), live)
    assert (row["path"], row["declared"], row["live"]) == (
        '.spec.matchConditions[name="b.c/d"].expression',
        "new",
        "old",
    )
