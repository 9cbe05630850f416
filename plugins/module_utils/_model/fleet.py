# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet: everything an inventory declares, checked, with every effective value, placement and account.

C(compile_fleet) is the one way in. It never stops at the first problem; a fleet that has errors can be reported on, but
must not be rendered.
"""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from . import addresses, budgets, ledger, placement, tenancy, validation
from .entities import Cluster, Environment, Settings, Source, Tenant
from .errors import Problems, Where, suggest
from .names import TENANT_PREFIX, tenant_variable
from .schema import CLUSTER, FLEET


@dataclass
class Fleet:
    """A compiled inventory."""

    settings: Settings
    clusters: dict[str, Cluster]
    tenants: dict[str, Tenant]
    environments: list[Environment]
    problems: Problems
    today: datetime.date
    _ledger: list[dict[str, t.Any]] | None = field(default=None, repr=False)

    @property
    def ledger(self) -> list[dict[str, t.Any]]:
        """Account rows; see C(ledger.rows)."""
        if self._ledger is None:
            self._ledger = ledger.rows(self.settings, self.clusters, self.tenants, self.environments)
        return self._ledger

    def on_cluster(self, name: str) -> list[Environment]:
        """The environments that live on a cluster."""
        return [e for e in self.environments if e.placement and name in e.placement.clusters]


def compile_fleet(
    source: Source,
    *,
    today: datetime.date,
    recorded: Mapping[str, Mapping[str, t.Any]] | None = None,
) -> Fleet:
    """Compiles an inventory.

    @param source: plain values of the inventory's variables.
    @param today: the day for which grants count and placements are decided.
    @param recorded: placements of an earlier run, C(<tenant>/<project>/<environment>) to C(clusters), C(decided_at) and
      C(reason). They hold for environments whose tenant file records none.
    """
    problems = Problems()
    settings = _settings(source, problems)
    clusters = _clusters(source, settings, problems)
    tenants = _tenants(source, problems)
    environments = tenancy.environments(tenants, settings, today, problems)
    tenancy.check_references(tenants, environments, clusters, settings, problems)
    addresses.check(clusters, problems)
    placement.place(environments, clusters, recorded or {}, today, problems)
    budgets.check(tenants, environments, problems)
    fleet = Fleet(settings, clusters, tenants, environments, problems, today)
    ledger.check_money(fleet.ledger, tenants, problems)
    return fleet


def _settings(source: Source, problems: Problems) -> Settings:
    values = {k: v for k, v in source.settings.items() if k.startswith("fleet_")}
    validation.check("fleet", values, Where(""), problems)
    usable = {k: v for k, v in values.items() if k in FLEET and _type_fits(v, FLEET[k])}
    return Settings.of(usable)


def _type_fits(value: object, node: Mapping[str, t.Any]) -> bool:
    kinds = {"object": dict, "array": list, "string": str}
    return isinstance(value, kinds.get(node.get("type", "object"), object))


def _clusters(source: Source, settings: Settings, problems: Problems) -> dict[str, Cluster]:
    clusters = {}
    for name in sorted(source.clusters):
        values = {k: v for k, v in source.clusters[name].items() if k.startswith("cluster_")}
        where = Where("", host=name)
        sound = validation.check("cluster", values, where, problems)
        missing = [k for k in ("cluster_environment", "cluster_security_domain", "cluster_sla_tier") if k not in values]
        for key in missing:
            problems.error(
                "missing-key", Where(key, host=name), "it is not set for this cluster.", "Set it in its host_vars."
            )
        if sound and not missing:
            clusters[name] = Cluster.of(name, {k: v for k, v in values.items() if k in CLUSTER}, settings)
    for name, cluster in clusters.items():
        _known(
            cluster.classifications,
            settings.data_classes,
            "cluster_classifications",
            name,
            "a data class",
            "fleet_data_classes",
            problems,
        )
        _known(cluster.services, settings.services, "cluster_services", name, "a service", "fleet_services", problems)
    return clusters


def _known(
    used: t.Iterable[str],
    known: t.Iterable[str],
    variable: str,
    host: str,
    what: str,
    where_defined: str,
    problems: Problems,
) -> None:
    known = set(known)
    for index, name in enumerate(used):
        if name not in known:
            where = Where(variable, host=host)
            where = where / name if variable == "cluster_services" else where / index
            problems.error("unknown-name", where, f"{name!r} is not {what} of {where_defined}.", suggest(name, known))


def _tenants(source: Source, problems: Problems) -> dict[str, Tenant]:
    tenants: dict[str, Tenant] = {}
    for variable in sorted(source.tenants):
        where, value = Where(variable), source.tenants[variable]
        if not validation.check("tenant", value, where, problems):
            tenant_id = value.get("id") if isinstance(value, dict) else None
            if isinstance(tenant_id, str):
                tenants.setdefault(tenant_id, Tenant.broken(tenant_id, where, value))
            continue
        tenant = Tenant.of(where, value)
        if variable != tenant.variable:
            problems.error(
                "wrong-variable",
                where,
                f"the tenant {tenant.id!r} must stand in the variable {tenant.variable}.",
                f"Rename the variable, or correct the id to {variable[len(TENANT_PREFIX) :].replace('_', '-')!r}.",
            )
        if tenant.id in tenants:
            problems.error(
                "duplicate-id",
                where / "id",
                f"the tenant {tenant.id!r} is declared by {tenants[tenant.id].where.variable} too.",
                "Keep one of them.",
            )
            continue
        tenants[tenant.id] = tenant
    for name in source.unreadable:
        tenants.setdefault(name, Tenant.broken(name, Where(tenant_variable(name)), {"id": name}))
    return tenants
