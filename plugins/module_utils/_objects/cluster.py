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

FACTS = "cluster-facts"
METALLB = "metallb"
_METALLB_NAMESPACE = "metallb-system"
_METALLB_API = "metallb.io/v1beta1"


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


def pools(cluster: Cluster) -> list[dict[str, t.Any]]:
    """The declared ranges of load-balancer addresses."""
    return list((cluster.get("network") or {}).get("load_balancer_pools", ()))


def pool_objects(cluster: Cluster, environments: Iterable[Environment], settings: Settings) -> list[Object]:
    """An IPAddressPool and an L2Advertisement for each pool."""
    namespace = settings.services.get(METALLB, {}).get("namespace", _METALLB_NAMESPACE)
    lines = {each.tenant.id: {level.id for level in each.tenant.line} for each in environments}
    objects = []
    for pool in sorted(pools(cluster), key=lambda each: str(each["name"])):
        spec: Object = {"addresses": pool["addresses"], "autoAssign": pool.get("auto_assign", True)}
        if "tenants" in pool:
            # The tenants below a named one may use it as well.
            wanted = set(pool["tenants"])
            names = sorted(wanted | {tenant for tenant, line in lines.items() if line & wanted})
            spec["serviceAllocation"] = {"namespaceSelectors": [_selector(names, settings)]}
        objects += [
            build(_METALLB_API, "IPAddressPool", pool["name"], namespace=namespace, spec=spec),
            build(
                _METALLB_API,
                "L2Advertisement",
                pool["name"],
                namespace=namespace,
                spec={"ipAddressPools": [pool["name"]]},
            ),
        ]
    return objects


def _selector(tenants: list[str], settings: Settings) -> Object:
    key = f"{settings.label_domain}/tenant"
    if not tenants:
        # An empty list of values is not valid; nobody has this label without a value.
        return {"matchLabels": {key: ""}}
    return {"matchExpressions": [{"key": key, "operator": "In", "values": tenants}]}
