# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet: everything an inventory declares, checked, with every effective value, placement and account.

C(compile_fleet) is the one way in. It never stops at the first problem; a fleet that has errors can be reported on, but
must not be rendered.
"""

from __future__ import annotations

import datetime
import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from . import (
    addresses,
    alerts,
    budgets,
    consistency,
    databases,
    ledger,
    placement,
    references,
    retention,
    storage,
    tenancy,
    validation,
)
from .entities import Cluster, Environment, Retained, Settings, Source, Tenant
from .errors import ERROR, Problems, Where, show, suggest
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
    #: Namespaces that stay although nobody declares them any more, sorted by key.
    retained: list[Retained] = field(default_factory=list)
    _ledger: list[dict[str, t.Any]] | None = field(default=None, repr=False)

    @property
    def ledger(self) -> list[dict[str, t.Any]]:
        """Account rows; see C(ledger.rows)."""
        if self._ledger is None:
            self._ledger = ledger.rows(self.settings, self.clusters, self.tenants, self.environments, self.retained)
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
      C(reason). They hold for environments whose tenant file records none. Those of environments that nobody declares
      any more keep their place too, unless their C(deletion_policy) was C(delete); see C(retention.find).
    """
    problems = Problems()
    settings = _settings(source, problems)
    _check_services(settings, problems)
    clusters, readable = _clusters(source, settings, problems)
    tenants = _tenants(source, problems)
    environments = tenancy.environments(tenants, settings, today, problems)
    references.check_references(tenants, environments, readable, settings, problems)
    alerts.check_alerts(settings, tenants, problems)
    addresses.check(readable, problems)
    storage.check(readable, settings, problems)
    broken = frozenset(source.clusters) - frozenset(clusters)
    retained = retention.find(recorded or {}, environments, today)
    retention.check(environments, retained, problems)
    placement.place(environments, clusters, recorded or {}, today, problems, broken, retained)
    budgets.check(tenants, environments, problems)
    consistency.check(environments, clusters, settings, problems)
    databases.check(environments, problems)
    fleet = Fleet(settings, clusters, tenants, environments, problems, today, retained)
    ledger.check_money(fleet.ledger, tenants, problems)
    return fleet


def _settings(source: Source, problems: Problems) -> Settings:
    values = {k: v for k, v in source.settings.items() if k.startswith("fleet_")}
    before = len(problems.items)
    if not validation.check("fleet", values, Where(""), problems):
        for problem in problems.items[before:]:
            if problem.severity == ERROR:
                _leave_out(values, problem.where)
    return Settings.of({k: v for k, v in values.items() if k in FLEET}, frozenset(source.settings) - frozenset(values))


#: Settings that other files refer to by key; what a broken one of them leaves behind, so that its name stays known.
_NAMED: dict[str, t.Any] = {"fleet_sizes": {}, "fleet_services": {}, "fleet_data_classes": ""}


def _leave_out(values: dict[str, t.Any], where: Where) -> None:
    """Takes the broken part out, so that the rest of the inventory can be checked with what remains."""
    variable, value = where.variable, values.get(where.variable)
    if not where.keys or not isinstance(value, Mapping):
        values.pop(variable, None)
    elif where.keys[0] in value:
        rest = {k: v for k, v in value.items() if k != where.keys[0]}
        if variable in _NAMED and isinstance(where.keys[0], str):
            rest[where.keys[0]] = _NAMED[variable]
        values[variable] = rest


def _clusters(source: Source, settings: Settings, problems: Problems) -> tuple[dict[str, Cluster], dict[str, Cluster]]:
    """The sound clusters; and all of them, with those of their variables that are sound."""
    clusters, readable = {}, {}
    for name in sorted(source.clusters):
        values = {k: v for k, v in source.clusters[name].items() if k.startswith("cluster_")}
        where = Where("", host=name)
        before = len(problems.items)
        sound = validation.check("cluster", values, where, problems)
        unusable = {p.where.variable for p in problems.items[before:] if p.severity == ERROR}
        missing = [k for k in ("cluster_environment", "cluster_security_domain", "cluster_sla_tier") if k not in values]
        for key in missing:
            problems.error(
                "missing-key", Where(key, host=name), "it is not set for this cluster.", "Set it in its host_vars."
            )
        usable = {k: v for k, v in values.items() if k in CLUSTER and k not in unusable}
        readable[name] = Cluster.of(name, usable, settings)
        if sound and not missing:
            clusters[name] = readable[name]
    for name, cluster in readable.items():
        _check_windows(cluster, problems)
        for used, known, variable, what, setting in (
            (cluster.classifications, settings.data_classes, "classifications", "a data class", "fleet_data_classes"),
            (cluster.services, settings.services, "services", "a service", "fleet_services"),
        ):
            if setting not in settings.broken:
                _known(used, known, f"cluster_{variable}", name, what, setting, problems)
    return clusters, readable


def _check_windows(cluster: Cluster, problems: Problems) -> None:
    for index, window in enumerate(cluster.get("freeze_windows", ())):
        if window["to"] < window["from"]:
            problems.error(
                "bad-value",
                Where("cluster_freeze_windows", host=cluster.name) / index,
                f"the window ends on {window['to']}, before it begins on {window['from']}.",
                "Swap the days.",
            )


def _check_services(settings: Settings, problems: Problems) -> None:
    services = settings.services
    for name, service in services.items():
        at = Where("fleet_services") / name / "depends_on"
        for index, needed in enumerate(service.get("depends_on", ())):
            if needed not in services:
                what = f"{show(needed)} is not a service of fleet_services."
                problems.error("unknown-name", at / index, what, suggest(needed, services))
        circle = _circle(name, services)
        if circle and name == min(circle):
            told = " → ".join([*circle, name])
            problems.error("cycle", at, f"the services wait for each other: {told}.", "Remove one of them.")


def _circle(name: str, services: Mapping[str, Mapping[str, t.Any]]) -> list[str]:
    """The shortest line of services from I(name) to one that waits for I(name) again; empty when there is none."""
    came_from: dict[str, str] = {}
    queue = [name]
    while queue:
        service = queue.pop(0)
        for needed in services[service].get("depends_on", ()):
            if needed == name:
                line = [service]
                while line[0] != name:
                    line.insert(0, came_from[line[0]])
                return line
            if needed in services and needed not in came_from:
                came_from[needed] = service
                queue.append(needed)
    return []


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
            problems.error(
                "unknown-name", where, f"{show(name)} is not {what} of {where_defined}.", suggest(name, known)
            )


_IS_LABEL = re.compile(r"(?=.{1,63}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")


def _tenants(source: Source, problems: Problems) -> dict[str, Tenant]:
    tenants: dict[str, Tenant] = {}
    for variable in sorted(source.tenants):
        where, value = Where(variable), source.tenants[variable]
        if not validation.check("tenant", value, where, problems):
            # the file has errors, but its name is known to those who refer to it
            given = value if isinstance(value, Mapping) else {}
            tenant_id = given.get("id")
            if not isinstance(tenant_id, str) or not _IS_LABEL.match(tenant_id):
                tenant_id = variable[len(TENANT_PREFIX) :].replace("_", "-")
            if _IS_LABEL.match(tenant_id):
                tenants.setdefault(tenant_id, Tenant.broken(tenant_id, where, given))
            continue
        tenant = Tenant.of(where, value)
        if variable != tenant.variable:
            meant = variable[len(TENANT_PREFIX) :].replace("_", "-")
            problems.error(
                "wrong-variable",
                where,
                f"the tenant {tenant.id!r} must stand in the variable {tenant.variable}.",
                f"Rename the variable{f', or correct the id to {meant!r}' if _IS_LABEL.match(meant) else ''}.",
            )
        if tenant.id in tenants and tenants[tenant.id].sound:
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
