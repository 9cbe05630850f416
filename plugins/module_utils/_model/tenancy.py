# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenancy: the tree of tenants, and every environment with its effective values."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Iterable, Mapping

from . import schema_layer
from .entities import Environment, Project, Settings, Tenant, Values
from .errors import ModelError, Problems, Where, show, suggest
from .inheritance import Effective, Level, resolve
from .names import namespace_name
from .quantity import ZERO, Quantity
from .resources import canonical_quota, is_compute

_DEFAULT_POD_SECURITY = "baseline"
_DEFAULT_CLASSIFICATION = {"data": [], "security_domain": "internal_only", "sla_tier": "tier_3_standard"}


def environments(
    tenants: Mapping[str, Tenant], settings: Settings, today: datetime.date, problems: Problems
) -> list[Environment]:
    """Links the tree, then resolves every environment of every sound tenant, in a stable order."""
    _link(tenants, problems)
    result: list[Environment] = []
    taken: dict[str, Environment] = {}
    for tenant in sorted(tenants.values(), key=lambda each: each.id):
        tenant.projects = _unique(tenant.projects, lambda p: (p.id, p.where), "a project", problems)
        for project in tenant.projects:
            for name, where, declared in _declared_environments(project, problems):
                environment = _environment(tenant, project, name, where, declared, settings, today, problems)
                if environment is None:
                    continue
                other = taken.setdefault(environment.namespace, environment)
                if other is not environment:
                    problems.error(
                        "name-clash",
                        where,
                        f"the namespace {environment.namespace!r} is also that of {other.key} ({other.where.text}).",
                        "Rename one of them.",
                    )
                    continue
                result.append(environment)
    _check_unused(tenants, settings, problems)
    _check_limits(tenants, problems)
    return result


_T = t.TypeVar("_T")


def _unique(
    items: Iterable[_T], name_of: t.Callable[[_T], tuple[str, Where]], what: str, problems: Problems
) -> list[_T]:
    kept: dict[str, _T] = {}
    for item in items:
        name, where = name_of(item)
        if name in kept:
            problems.error("duplicate-id", where, f"there is already {what} {name!r} here.", "Rename one of them.")
        else:
            kept[name] = item
    return list(kept.values())


def _declared_environments(project: Project, problems: Problems) -> list[tuple[str, Where, Values]]:
    listed = project.where / "environments"
    found = [(e["name"], listed.item(i, e["name"]), e) for i, e in enumerate(project.values.get("environments", ()))]
    return _unique(found, lambda item: (item[0], item[1]), "an environment", problems)


def _link(tenants: Mapping[str, Tenant], problems: Problems) -> None:
    for tenant in tenants.values():
        if tenant.parent is not None and tenant.parent not in tenants:
            others = [name for name in tenants if name != tenant.id]
            problems.error(
                "unknown-name",
                tenant.where / "parent",
                f"there is no tenant {show(tenant.parent)}.",
                suggest(tenant.parent, others),
            )
    for tenant in tenants.values():
        line: list[Tenant] = []
        seen = [tenant.id]
        above = tenants.get(tenant.parent or "")
        while above is not None:
            if above.id in seen:
                if above.id == tenant.id and tenant.id == min(seen):
                    problems.error(
                        "cycle",
                        tenant.where / "parent",
                        f"the tenants are their own ancestors: {' → '.join([*seen, above.id])}.",
                        "Take the parent out of one of them.",
                    )
                line = []
                break
            line.insert(0, above)
            seen.append(above.id)
            above = tenants.get(above.parent or "")
        tenant.ancestors = line


def _environment(
    tenant: Tenant,
    project: Project,
    name: str,
    where: Where,
    declared: Values,
    settings: Settings,
    today: datetime.date,
    problems: Problems,
) -> Environment | None:
    try:
        namespace = namespace_name(tenant.id, project.id, name)
    except ModelError as error:
        problems.error(
            "name-too-long", where / "name", str(error), "Shorten the tenant's, project's or environment's name."
        )
        return None
    size = declared.get("size", settings.defaults.get("size"))
    at = where / "size" if "size" in declared else Where("fleet_defaults") / "size"
    if size is not None and size not in settings.sizes and "fleet_sizes" not in settings.broken:
        problems.error("unknown-name", at, f"{show(size)} is not a size of fleet_sizes.", suggest(size, settings.sizes))
    levels = [*_levels(settings, size, tenant.line), Level(project.where, project.values), Level(where, declared)]
    effective = resolve(levels, problems, settings.values["fleet_protected_labels"])
    values = effective.values
    values.update(
        size=size,
        stage=_stage(name, declared, where, problems),
        state=declared.get("state", "active"),
        owners=_owners(tenant, project),
        owner_role=_owner_role(tenant, settings),
        cost_center=_cost_center(tenant, project),
        classification={**_DEFAULT_CLASSIFICATION, **values.get("classification", {})},
        pod_security=_pod_security(values.get("pod_security", {})),
        gitops=_gitops(name, project, declared, where, problems),
        display_name=project.values.get("display_name", project.id),
    )
    if "expires_at" in declared:
        values["expires_at"] = declared["expires_at"]
    _note(tenant, project, declared, where, settings, effective)
    grants = _grants(declared, where, effective, today, problems)
    environment = Environment(
        tenant,
        project,
        name,
        where,
        namespace,
        declared,
        effective,
        _quota(tenant, project, effective, grants),
        grants,
    )
    _check_dates(environment, today, problems)
    return environment


def _note(
    tenant: Tenant, project: Project, declared: Values, where: Where, settings: Settings, effective: Effective
) -> None:
    """Where the values come from that are not layer fields. What nobody set has no place: it is built in."""
    known = effective.provenance
    for key in ("size", "stage", "state", "expires_at"):
        if key in declared:
            known[(key,)] = (where / key,)
    if "stage" not in declared:
        known[("stage",)] = (where / "name",)
    for key, setting in (("size", "size"), ("owner_role", "owner_cluster_role")):
        if setting in settings.defaults:
            known.setdefault((key,), (Where("fleet_defaults") / setting,))
    for each in tenant.line:
        if "owner_cluster_role" in each.values:
            known[("owner_role",)] = (each.where / "owner_cluster_role",)
    levels = [*((each.where, each.values) for each in tenant.line), (project.where, project.values)]
    for at, values in levels:
        if values.get("owners"):
            known[("owners",)] = (*known.get(("owners",), ()), at / "owners")
        if "cost_center" in values.get("billing", {}):
            known[("cost_center",)] = (at / "billing" / "cost_center",)
    if "display_name" in project.values:
        known[("display_name",)] = (project.where / "display_name",)
    for at, values in ((project.where, project.values), (where, declared)):
        for key in values.get("gitops", ()):
            known[("gitops", key)] = (at / "gitops" / key,)


def _levels(settings: Settings, size: str | None, line: Iterable[Tenant]) -> list[Level]:
    levels = [Level(Where("fleet_defaults"), settings.defaults)]
    if size is not None and size in settings.sizes:
        levels.append(Level(Where("fleet_sizes") / size, settings.sizes[size]))
    return levels + [Level(each.where, each.values) for each in line]


def _check_unused(tenants: Mapping[str, Tenant], settings: Settings, problems: Problems) -> None:
    """Levels below which nothing lives yet have to be right as well."""
    protected = settings.values["fleet_protected_labels"]
    used = {settings.defaults.get("size")}
    for tenant in tenants.values():
        idle = [p for p in tenant.projects if not p.values.get("environments")]
        used |= {e.get("size") for p in tenant.projects for e in p.values.get("environments", ())}
        line = _levels(settings, settings.defaults.get("size"), tenant.line)
        for project in idle:
            resolve([*line, Level(project.where, project.values)], problems, protected)
        if not tenant.projects:
            resolve(line, problems, protected)
    for size in settings.sizes:
        if size not in used:
            resolve(_levels(settings, size, ()), problems, protected)


def _stage(name: str, declared: Values, where: Where, problems: Problems) -> str:
    stage = declared.get("stage", name)
    if stage not in schema_layer.STAGES:
        problems.error(
            "missing-key",
            where / "stage",
            f"the name {name!r} is not a stage, so the stage must be said.",
            f"Add stage: {' or '.join(schema_layer.STAGES)}.",
        )
        return "dev"
    return t.cast(str, stage)


def _line(tenant: Tenant, project: Project) -> list[Values]:
    return [*(each.values for each in tenant.line), project.values]


def _owners(tenant: Tenant, project: Project) -> list[Values]:
    owners: list[Values] = []
    for values in _line(tenant, project):
        owners += [owner for owner in values.get("owners", ()) if owner not in owners]
    return owners


def _owner_role(tenant: Tenant, settings: Settings) -> str:
    for level in reversed(tenant.line):
        if "owner_cluster_role" in level.values:
            return t.cast(str, level.values["owner_cluster_role"])
    return settings.owner_role


def _cost_center(tenant: Tenant, project: Project) -> str | None:
    for values in reversed(_line(tenant, project)):
        if "cost_center" in values.get("billing", {}):
            return t.cast(str, values["billing"]["cost_center"])
    return None


def _pod_security(given: Values) -> dict[str, str]:
    enforce = given.get("enforce", _DEFAULT_POD_SECURITY)
    return {
        "enforce": enforce,
        "audit": given.get("audit", "restricted"),
        "warn": given.get("warn", "restricted"),
        "version": given.get("version", "latest"),
    }


def _gitops(name: str, project: Project, declared: Values, where: Where, problems: Problems) -> dict[str, t.Any] | None:
    merged = {**project.values.get("gitops", {}), **declared.get("gitops", {})}
    if not merged.get("url"):
        if any(not key.startswith("_") for key in merged):
            at = where if "gitops" in declared else project.where
            problems.error("missing-key", at / "gitops", "the key 'url' is missing.", "Add it.")
        return None
    merged.setdefault("branch", "main")
    merged.setdefault("interval", "5m")
    merged["path"] = merged.get("path", "./").replace("{environment}", name)
    return merged


def _grants(
    declared: Values, where: Where, effective: Effective, today: datetime.date, problems: Problems
) -> list[Values]:
    """The grants that still count, folded into the effective values (quota grants are added by the caller)."""
    active = []
    values, provenance = effective.values, effective.provenance
    for index, grant in enumerate(declared.get("grants", ())):
        at = where / "grants" / index
        if datetime.date.fromisoformat(grant["expires_at"]) <= today:
            problems.warn(
                "expired-grant",
                at,
                f"the {grant['kind']} grant ended on {grant['expires_at']} and no longer counts.",
                "Remove it, or ask for a new one.",
            )
            continue
        active.append(grant)
        if grant["kind"] == "role":
            binding = {"cluster_role": grant["cluster_role"], "subjects": grant["subjects"]}
            values["role_bindings"] = [*values.get("role_bindings", ()), binding]
            provenance[("role_bindings",)] = (*provenance.get(("role_bindings",), ()), at)
        elif grant["kind"] == "pod_security":
            values["pod_security"] = {**values["pod_security"], "enforce": grant["level"]}
            provenance[("pod_security", "enforce")] = (at,)
        elif grant["kind"] == "network":
            network = dict(values.get("network", {}))
            for side in ("allow_from", "egress"):
                if grant.get(side):
                    network[side] = [*network.get(side, ()), *grant[side]]
                    provenance[("network", side)] = (*provenance.get(("network", side), ()), *[at] * len(grant[side]))
            values["network"] = network
    return active


def _quota(tenant: Tenant, project: Project, effective: Effective, grants: list[Values]) -> dict[str, Quantity]:
    """What the ResourceQuota says: the effective C(hard), quota grants added, and zero for whatever a budget counts but
    nobody asked for, because a resource that a quota does not name is not limited at all."""
    quota = canonical_quota(effective.values.get("resource_quota", {}).get("hard", {}))
    for grant in grants:
        if grant["kind"] == "quota":
            for key, amount in canonical_quota(grant["hard"]).items():
                quota[key] = quota.get(key, ZERO) + amount
    for values in _line(tenant, project):
        for key in canonical_quota(values.get("budget", {}).get("hard", {})):
            quota.setdefault(key, ZERO)
    if effective.values["state"] in ("hibernated", "archived"):
        quota = {key: ZERO if is_compute(key) else amount for key, amount in quota.items()}
        quota.setdefault("pods", ZERO)
    return dict(sorted(quota.items()))


def _check_dates(environment: Environment, today: datetime.date, problems: Problems) -> None:
    expires = environment.values.get("expires_at")
    if expires and datetime.date.fromisoformat(expires) < today and environment.state != "archived":
        problems.warn(
            "expired",
            environment.where / "expires_at",
            f"the environment ended on {expires}.",
            "Renew the date, or set state: archived.",
        )


def _check_limits(tenants: Mapping[str, Tenant], problems: Problems) -> None:
    projects: dict[str, int] = dict.fromkeys(tenants, 0)
    namespaces: dict[str, int] = dict.fromkeys(tenants, 0)
    for tenant in tenants.values():
        for level in tenant.line:
            projects[level.id] += len(tenant.projects)
            namespaces[level.id] += sum(len(p.values.get("environments", ())) for p in tenant.projects)
    for tenant in tenants.values():
        for key, count in (("projects", projects[tenant.id]), ("namespaces", namespaces[tenant.id])):
            limit = tenant.values.get("limits", {}).get(key)
            if limit is not None and count > limit:
                problems.error(
                    "over-limit",
                    tenant.where / "limits" / key,
                    f"it has {count} {key}, with the tenants below; {limit} are allowed.",
                    "Remove some, or raise the limit.",
                )
