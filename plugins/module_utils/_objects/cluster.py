# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster itself gets: its facts, and the addresses that tenants' Services may have."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from .._model.entities import Cluster, Environment, Settings
from .._model.release_lines import RELEASE_LINES
from .common import FLUX_NAMESPACE, HOME_NAMESPACE, Object, build
from .metallb import pool_objects

FACTS = "cluster-facts"


def cluster_objects(cluster: Cluster, environments: Iterable[Environment], settings: Settings) -> list[Object]:
    """The facts, and the address pools. The pools need the resource definitions of MetalLB; the facts need nothing."""
    return [*fact_objects(cluster, settings), *pool_objects(cluster, environments, settings)]


def fact_objects(cluster: Cluster, settings: Settings) -> list[Object]:
    """The ConfigMap that tells people and programs on the cluster where they are."""
    home = FLUX_NAMESPACE if cluster.delivery == "gitops" else HOME_NAMESPACE
    return [
        build("v1", "ConfigMap", FACTS, namespace=home, data=_facts(cluster, settings)),
    ]


def _facts(cluster: Cluster, settings: Settings) -> dict[str, str]:
    facts: dict[str, t.Any] = {
        "classifications": ",".join(sorted(cluster.classifications)),
        "delivery": cluster.delivery,
        "description": cluster.get("description", ""),
        "environment": cluster.stage,
        "failure_domain": cluster.get("failure_domain", ""),
        "features": ",".join(sorted(cluster.get("features", ()))),
        "fleet": settings.values["fleet_name"],
        "kubernetes_version": RELEASE_LINES[cluster.release_line].kubernetes,
        "labels": ",".join(f"{key}={value}" for key, value in sorted((cluster.get("labels") or {}).items())),
        "name": cluster.name,
        "region": cluster.get("region", ""),
        "release_line": cluster.release_line,
        "security_domain": cluster.get("security_domain", ""),
        "sla_tier": cluster.get("sla_tier", ""),
    }
    return {key: str(value) for key, value in facts.items()}
