# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""References: names that must stand for something."""

from __future__ import annotations

from collections.abc import Mapping

from .entities import Cluster, Environment, Settings, Tenant
from .errors import Problems, Where, show, suggest
from .resources import STORAGE_CLASS


def check_references(
    tenants: Mapping[str, Tenant],
    environments_: list[Environment],
    clusters: Mapping[str, Cluster],
    settings: Settings,
    problems: Problems,
) -> None:
    """Names of tenants, projects, environments, data classes, roles and storage classes."""
    by_project: dict[tuple[str, str], set[str]] = {}
    for each in environments_:
        by_project.setdefault((each.tenant.id, each.project.id), set()).add(each.name)
    reported: set[tuple[str, str]] = set()
    offered = {name for cluster in clusters.values() for name in cluster.get("storage_classes", ())}
    for environment in environments_:
        _check_classes(environment, offered, problems)
        _check_peers(environment, tenants, by_project, problems, reported)
        _check_roles(environment, problems, reported)
        for name in environment.values["classification"]["data"]:
            if name not in settings.data_classes and "fleet_data_classes" not in settings.broken:
                environment.doubtful = True
                at = _origin(environment, ("classification", "data"))
                if (at.text, name) not in reported:
                    reported.add((at.text, name))
                    problems.error(
                        "unknown-name",
                        at,
                        f"{show(name)} is not a data class of fleet_data_classes.",
                        suggest(name, settings.data_classes),
                    )
    known = set(tenants)
    for cluster in clusters.values():
        for index, name in enumerate(cluster.get("dedicated_to", ())):
            if name not in known:
                at = Where("cluster_dedicated_to", host=cluster.name) / index
                problems.error("unknown-name", at, f"there is no tenant {show(name)}.", suggest(name, known))
        for number, pool in enumerate(cluster.get("network", {}).get("load_balancer_pools", ())):
            for index, name in enumerate(pool.get("tenants", ())):
                if name not in known:
                    at = Where("cluster_network", host=cluster.name) / "load_balancer_pools"
                    at = at.item(number, pool["name"]) / "tenants" / index
                    problems.error("unknown-name", at, f"there is no tenant {show(name)}.", suggest(name, known))


def _check_classes(environment: Environment, offered: set[str], problems: Problems) -> None:
    """Storage classes that are named have to be allowed, and offered by some cluster."""
    allowed = environment.values.get("allowed", {})
    storage = allowed.get("storage_classes")
    for key, amount in environment.quota.items():
        name = key.partition(STORAGE_CLASS)[0] if STORAGE_CLASS in key else None
        if name is not None and amount and storage is not None and name not in storage:
            problems.error(
                "forbidden-class",
                _origin(environment, ("resource_quota", "hard", key)),
                f"the storage class {show(name)} is not in allowed.storage_classes ({environment.key}).",
                _choice(name, storage),
            )
    for name in storage or () if offered else ():
        if name not in offered:
            problems.error(
                "unknown-name",
                _origin(environment, ("allowed", "storage_classes")),
                f"no cluster offers the storage class {show(name)}.",
                suggest(name, offered),
            )


def _choice(word: str, allowed: list[str]) -> str:
    return suggest(word, allowed) if allowed else "None is allowed there."


def _origin(environment: Environment, path: tuple[str, ...]) -> Where:
    places = environment.effective.provenance.get(path)
    return places[-1] if places else environment.where


def _check_peers(
    environment: Environment,
    tenants: Mapping[str, Tenant],
    by_project: Mapping[tuple[str, str], set[str]],
    problems: Problems,
    reported: set[tuple[str, str]],
) -> None:
    for side in ("allow_from", "egress"):
        places = environment.effective.provenance.get(("network", side), ())
        for peer, at in zip(environment.values.get("network", {}).get(side, ()), places, strict=True):
            if "tenant" not in peer or (at.text, side) in reported:
                continue
            tenant, project, name = peer["tenant"], peer.get("project"), peer.get("environment")
            if tenant not in tenants:
                what, near = f"there is no tenant {show(tenant)}.", suggest(tenant, tenants)
            elif not tenants[tenant].sound or project is None:
                continue
            elif (tenant, project) not in by_project:
                what = f"the tenant {tenant!r} has no project {show(project)} with environments."
                near = suggest(project, [p for each, p in by_project if each == tenant])
            elif name is not None and name not in by_project[(tenant, project)]:
                what = f"the project {tenant}/{project} has no environment {show(name)}."
                near = suggest(name, by_project[(tenant, project)])
            else:
                continue
            reported.add((at.text, side))
            problems.error("unknown-name", at, what, near)


def _check_roles(environment: Environment, problems: Problems, reported: set[tuple[str, str]]) -> None:
    allowed = environment.values.get("allowed", {}).get("cluster_roles")
    if allowed is None:
        return
    places = environment.effective.provenance.get(("role_bindings",), ())
    for binding, at in zip(environment.values.get("role_bindings", ()), places, strict=True):
        role = binding["cluster_role"]
        if role not in allowed and (at.text, role) not in reported:
            reported.add((at.text, role))
            problems.error(
                "forbidden-role",
                at,
                f"the ClusterRole {show(role)} may not be granted here ({environment.key}).",
                _choice(role, allowed),
            )
