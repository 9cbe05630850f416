# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Budgets: what is declared below a level sums to no more than the level has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .entities import Environment, Project, Tenant
from .errors import Problems, Where
from .quantity import Quantity, total
from .resources import canonical_quota


@dataclass(frozen=True)
class Share:
    """What one contributor takes from a budget, and where it is declared."""

    name: str
    where: Where
    amount: Quantity


def check(tenants: Mapping[str, Tenant], environments: list[Environment], problems: Problems) -> None:
    """Reports every budget that is exceeded, with the path of each contributor.

    An environment counts once for every cluster it occupies. A project or a child tenant counts with its own budget
    where it has one (it was promised that much), else with what it declares.
    """
    children: dict[str, list[Tenant]] = {}
    for tenant in tenants.values():
        if tenant.ancestors:
            children.setdefault(tenant.ancestors[-1].id, []).append(tenant)
    by_project: dict[tuple[str, str], list[Environment]] = {}
    for environment in environments:
        by_project.setdefault((environment.tenant.id, environment.project.id), []).append(environment)
    for tenant in tenants.values():
        own = [(project, by_project.get((tenant.id, project.id), [])) for project in tenant.projects]
        for project, members in own:
            for key, limit in _budget(project).items():
                _compare(project.where, key, limit, _environment_shares(members, key), problems)
        for key, limit in _budget(tenant).items():
            shares = [share for project, members in own for share in _project_shares(project, members, key)]
            shares += [
                s for child in children.get(tenant.id, ()) for s in _tenant_shares(child, key, children, by_project)
            ]
            _compare(tenant.where, key, limit, shares, problems)


def _budget(level: Tenant | Project) -> dict[str, Quantity]:
    return canonical_quota(level.values.get("budget", {}).get("hard", {}))


def _environment_shares(members: list[Environment], key: str) -> list[Share]:
    return [
        Share(e.key + (f" on {e.copies} clusters" if e.copies > 1 else ""), e.where, e.quota[key] * e.copies)
        for e in members
        if e.quota.get(key)
    ]


def _project_shares(project: Project, members: list[Environment], key: str) -> list[Share]:
    promised = _budget(project).get(key)
    if promised is None:
        return _environment_shares(members, key)
    return [Share(f"{project.id} (budget)", project.where / "budget" / "hard" / key, promised)]


def _tenant_shares(
    tenant: Tenant,
    key: str,
    children: Mapping[str, list[Tenant]],
    by_project: Mapping[tuple[str, str], list[Environment]],
) -> list[Share]:
    promised = _budget(tenant).get(key)
    if promised is not None:
        return [Share(f"{tenant.id} (budget)", tenant.where / "budget" / "hard" / key, promised)]
    shares = [s for p in tenant.projects for s in _project_shares(p, by_project.get((tenant.id, p.id), []), key)]
    for child in children.get(tenant.id, ()):
        shares += _tenant_shares(child, key, children, by_project)
    return shares


def _compare(where: Where, key: str, limit: Quantity, shares: list[Share], problems: Problems) -> None:
    used = total(share.amount for share in shares)
    if used <= limit:
        return
    ranked = sorted((s for s in shares if s.amount), key=lambda s: (-s.amount.nano, s.name))
    told = ", ".join(f"{s.name} {s.amount} ({s.where.text})" for s in ranked[:8])
    more = f" and {len(ranked) - 8} more" if len(ranked) > 8 else ""
    problems.error(
        "over-budget",
        where / "budget" / "hard" / key,
        f"{used} is declared, {used - limit} more than the budget of {limit}: {told}{more}.",
        "Shrink one of them, or raise the budget.",
    )
