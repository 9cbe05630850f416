# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What environments and tenants use of their quotas, as the cluster counts it."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from .._model.entities import Environment
from .._model.quantity import ZERO, Quantity, parse
from .._objects.quota import NAME as QUOTA
from .look import Object

Row = dict[str, t.Any]


def usage(environments: Iterable[Environment], quotas: Iterable[Object]) -> dict[str, Row]:
    """Used and allowed amounts of every environment, by quota, and of every tenant, summed over its environments."""
    here: dict[str, list[Object]] = {}
    for quota in quotas:
        here.setdefault(quota["metadata"]["namespace"], []).append(quota)
    by_environment, by_tenant = {}, dict[str, Row]()
    for environment in environments:
        found = {each["metadata"]["name"]: each for each in here.get(environment.namespace, ())}
        rows = {name: _amounts(each) for name, each in sorted(found.items()) if name.startswith(QUOTA)}
        by_environment[environment.key] = {
            "namespace": environment.namespace,
            "tenant": environment.tenant.id,
            "quotas": {name: _shown(amounts) for name, amounts in rows.items()},
            "counted": bool(rows) and all((found[name].get("status") or {}).get("hard") for name in rows),
            "over": sorted({key for amounts in rows.values() for key, (hard, used) in amounts.items() if used > hard}),
        }
        tenant = by_tenant.setdefault(environment.tenant.id, {"environments": 0, "amounts": {}})
        tenant["environments"] += 1
        for key, (hard, used) in rows.get(QUOTA, {}).items():
            before = tenant["amounts"].get(key, (ZERO, ZERO))
            tenant["amounts"][key] = (before[0] + hard, before[1] + used)
    tenants = {
        name: {"environments": row["environments"], "resources": _shown(row["amounts"])}
        for name, row in by_tenant.items()
    }
    return {"environments": by_environment, "tenants": tenants}


def _amounts(quota: Object) -> dict[str, tuple[Quantity, Quantity]]:
    status = quota.get("status") or {}
    used = status.get("used") or {}
    return {key: (parse(hard), parse(used.get(key, 0))) for key, hard in (status.get("hard") or {}).items()}


def _shown(amounts: Mapping[str, tuple[Quantity, Quantity]]) -> dict[str, Row]:
    return {
        key: {"hard": str(hard), "used": str(used), "share": round(float(used.value / hard.value), 3) if hard else None}
        for key, (hard, used) in sorted(amounts.items())
    }
