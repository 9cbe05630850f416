# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that nobody declares: ours that are left over, and others' that hold next to ours."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Iterable, Mapping

from .._live.adoption import terminating
from .._live.compare import owned_fields
from .._live.kinds import MANAGER, NAMESPACE, Kind
from .._live.snapshot import Key, annotations_of, is_ours, key_of, labels_of
from .._model.quantity import Quantity, parse
from .._model.resources import canonical_quota
from .drift import writers
from .look import LIMITS, QUOTA, Object, Seen

Row = dict[str, t.Any]


def row_of(target: Object, **more: t.Any) -> Row:
    """How an object is named in a result."""
    meta = target["metadata"]
    named = {"api_version": target["apiVersion"], "kind": target["kind"], "namespace": meta.get("namespace", "")}
    return {**named, "name": meta["name"], **more}


def orphans(
    seen: Mapping[Kind, Seen], declared: Collection[Key], domain: str, *, tenants: Collection[str], manager: str
) -> list[Row]:
    """Objects with our label that are not declared.

    @param tenants: only those of these tenants; empty for all.
    @param manager: the field manager that delivers. What Flux brings besides tenants' objects is Flux's own business.
    """
    rows = []
    for each in seen.values():
        for item in each.items:
            tenant = labels_of(item).get(f"{domain}/tenant", "")
            if not is_ours(item) or key_of(item) in declared or (tenants and tenant not in tenants):
                continue
            if manager != MANAGER and not tenant:
                continue
            ours = owned_fields(item, manager) is not None and not item["metadata"].get("ownerReferences")
            more: Row = {"tenant": tenant, "applied_by_us": ours}
            if key_of(item)[0] == NAMESPACE:
                more["deletion_policy"] = annotations_of(item).get(f"{domain}/deletion-policy", "retain")
                more["marked"] = labels_of(item).get(f"{domain}/orphaned") == "true"
            rows.append(row_of(item, **more))
    return rows


def extras(seen: Mapping[Kind, Seen], namespaces: Collection[str]) -> list[Row]:
    """Quotas and limit ranges of others in our namespaces."""
    rows = []
    for kind, judge in ((QUOTA, _beside_quota), (LIMITS, _beside_limits)):
        ours: dict[str, list[Object]] = {}
        others: list[Object] = []
        for item in seen[kind].items:
            namespace = item["metadata"]["namespace"]
            if namespace in namespaces:
                (ours.setdefault(namespace, []) if is_ours(item) else others).append(item)
        for item in others:
            mine = ours.get(item["metadata"]["namespace"], [])
            rows.append(row_of(item, what=judge(item, mine), managers=writers(item, ".spec")))
    return rows


def _beside_quota(item: Object, ours: Iterable[Object]) -> str:
    if any((item.get("spec") or {}).get(key) for key in ("scopes", "scopeSelector")):
        return "it counts some pods besides what the inventory declares."
    given = _hard(item)
    declared: dict[str, Quantity] = {}
    for each in ours:
        if not any(each["spec"].get(key) for key in ("scopes", "scopeSelector")):
            declared.update(_hard(each))
    lower = [
        f"{key} {amount} instead of {declared.get(key, 'no limit')}"
        for key, amount in given.items()
        if key not in declared or amount < declared[key]
    ]
    return f"both hold, so in force is {', '.join(lower)}." if lower else "both hold; it lowers nothing."


def _hard(quota: Object) -> dict[str, Quantity]:
    return canonical_quota((quota.get("spec") or {}).get("hard") or {})


def _beside_limits(item: Object, ours: Iterable[Object]) -> str:
    mine = _defaults(ours)
    disputed = [
        f"{key} ({amount} or {mine[key]})"
        for key, amount in _defaults([item]).items()
        if mine.get(key, amount) != amount
    ]
    if disputed:
        return f"two LimitRanges: which default a container gets is arbitrary, for {', '.join(disputed)}."
    return "its bounds hold besides those of the inventory."


def _defaults(ranges: Iterable[Object]) -> dict[str, Quantity]:
    return {
        f"{part}.{resource}": parse(amount)
        for each in ranges
        for item in (each.get("spec") or {}).get("limits") or ()
        if item.get("type") == "Container"
        for part in ("default", "defaultRequest")
        for resource, amount in (item.get(part) or {}).items()
    }


def troubled(namespaces: Iterable[Object], keys: Mapping[str, str]) -> list[Row]:
    """Namespaces that are being deleted, or of which the cluster says that something holds.

    @param keys: environments by namespace.
    """
    rows = []
    for each in namespaces:
        status = each.get("status") or {}
        name = each["metadata"]["name"]
        conditions = [
            {key: str(c.get(key, "")) for key in ("type", "reason", "message", "lastTransitionTime")}
            for c in status.get("conditions") or ()
            if c.get("status") == "True"
        ]
        since = each["metadata"].get("deletionTimestamp")
        if since or conditions:
            rows.append(
                {
                    "namespace": name,
                    "environment": keys.get(name, ""),
                    "phase": status.get("phase", ""),
                    "terminating_since": since or "",
                    "conditions": conditions,
                    "what": terminating(each),
                }
            )
    return rows
