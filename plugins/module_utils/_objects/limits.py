# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Defaults and bounds of single containers: exactly one LimitRange, because the defaults of two would be arbitrary.

A quota on compute makes the API server refuse pods that do not say what they need. So whatever the quota counts has a
default here: the declared one, else a small built-in one.
"""

from __future__ import annotations

import typing as t

from .._model.entities import Cluster, Environment, Settings
from .._model.quantity import Quantity, parse
from .._model.resources import canonical_quota
from . import quota
from .common import Object, in_namespace, plain

NAME = "tenant-limits"
_REQUEST = {"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "256Mi"}
_LIMIT = {"cpu": "500m", "memory": "512Mi", "ephemeral-storage": "1Gi"}


def build_limit_range(environment: Environment, cluster: Cluster, settings: Settings) -> list[Object]:
    """The LimitRange, unless nothing is declared and nothing needs a default."""
    declared = plain((environment.values.get("limit_range") or {}).get("limits", []))
    items = _complete(declared, _counted(environment, cluster))
    if not items:
        return []
    return [in_namespace(environment, settings, "v1", "LimitRange", NAME, wall=True, spec={"limits": items})]


def _counted(environment: Environment, cluster: Cluster) -> set[str]:
    keys = set(quota.hard(environment, cluster))
    for item in quota.scoped(environment):
        keys |= set(canonical_quota(item["hard"]))
    return keys


def _complete(items: list[dict[str, t.Any]], counted: set[str]) -> list[dict[str, t.Any]]:
    container = next((item for item in items if item.get("type") == "Container"), None)
    added = container is None
    container = container or {"type": "Container"}
    for resource in _REQUEST:
        if f"limits.{resource}" in counted:
            _default_limit(container, resource)
        if f"requests.{resource}" in counted or f"limits.{resource}" in counted:
            _default_request(container, resource)
    if added and len(container) > 1:
        return [container, *items]
    return items


def _amount(item: dict[str, t.Any], part: str, resource: str) -> Quantity | None:
    value = item.get(part, {}).get(resource)
    return None if value is None else parse(value)


def _default_limit(item: dict[str, t.Any], resource: str) -> None:
    if any(_amount(item, part, resource) is not None for part in ("default", "max")):
        return  # the API server takes the maximum as the default
    floor = [_amount(item, part, resource) for part in ("defaultRequest", "min")]
    limit = max([parse(_LIMIT[resource]), *(each for each in floor if each is not None)])
    item["default"] = {**item.get("default", {}), resource: str(limit)}


def _default_request(item: dict[str, t.Any], resource: str) -> None:
    if _amount(item, "defaultRequest", resource) is not None:
        return
    ceiling = [_amount(item, part, resource) for part in ("default", "max")]
    floor = _amount(item, "min", resource)
    request = min([parse(_REQUEST[resource]), *(each for each in ceiling if each is not None)])
    request = request if floor is None else max(request, floor)
    item["defaultRequest"] = {**item.get("defaultRequest", {}), resource: str(request)}
