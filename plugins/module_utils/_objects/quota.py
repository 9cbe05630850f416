# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a namespace may use in all."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from .._model.entities import Cluster, Environment, Settings
from .._model.resources import STORAGE_CLASS, canonical_quota
from .common import Object, in_namespace

NAME = "tenant-quota"
_PER_CLASS = ("requests.storage", "persistentvolumeclaims")


def hard(environment: Environment, cluster: Cluster) -> dict[str, str]:
    """The amounts of the main quota. A storage class that it does not name would be unlimited: others get zero."""
    amounts = {key: str(amount) for key, amount in environment.quota.items()}
    allowed: Iterable[str] | None = (environment.values.get("allowed") or {}).get("storage_classes")
    if allowed is not None:
        for name in cluster.get("storage_classes", ()):
            if name not in allowed:
                amounts.update({f"{name}{STORAGE_CLASS}{key}": "0" for key in _PER_CLASS})
    return dict(sorted(amounts.items()))


def scoped(environment: Environment) -> list[dict[str, t.Any]]:
    """The declared quotas that count only some pods."""
    return list((environment.values.get("resource_quota") or {}).get("scoped", ()))


def build_quotas(environment: Environment, cluster: Cluster, settings: Settings) -> list[Object]:
    """The main ResourceQuota, and one for each scope."""
    objects = [
        in_namespace(
            environment, settings, "v1", "ResourceQuota", NAME, wall=True, spec={"hard": hard(environment, cluster)}
        )
    ]
    for item in scoped(environment):
        spec = {"hard": {key: str(amount) for key, amount in canonical_quota(item["hard"]).items()}}
        spec.update({key: item[key] for key in ("scopes", "scopeSelector") if key in item})
        objects.append(in_namespace(environment, settings, "v1", "ResourceQuota", f"{NAME}-{item['name']}", spec=spec))
    return objects
