# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nouns of the model."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from . import resources
from .errors import Where
from .inheritance import Effective
from .names import tenant_variable
from .quantity import Quantity
from .schema import FLEET, SERVICE
from .schema_storage import STORAGE

Values = Mapping[str, t.Any]


@dataclass(frozen=True)
class Source:
    """The inventory's variables as plain values, exactly as written.

    @param settings: the C(fleet_*) variables.
    @param tenants: every C(tenant__*) variable.
    @param clusters: the C(cluster_*) variables of every host of the group C(clusters).
    @param unreadable: tenants whose files could not be read, so that references to them are not reported as well.
    """

    settings: Values
    tenants: Mapping[str, t.Any]
    clusters: Mapping[str, Values]
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """The organisation's settings with their defaults filled in.

    @param broken: variables that could not be used at all; what refers to them is not reported as well.
    """

    values: Values
    broken: frozenset[str] = frozenset()

    @classmethod
    def of(cls, given: Values, broken: frozenset[str] = frozenset()) -> Settings:
        values = {key: given.get(key, node.get("default")) for key, node in FLEET.items()}
        for key in ("fleet_prices", "fleet_policies", "fleet_platform", "fleet_git"):
            defaults = {k: n["default"] for k, n in FLEET[key]["properties"].items() if "default" in n}
            values[key] = {**defaults, **(values[key] or {})}
        return cls(values, broken)

    @property
    def label_domain(self) -> str:
        return t.cast(str, self.values["fleet_label_domain"])

    @property
    def defaults(self) -> Values:
        return t.cast(Values, self.values["fleet_defaults"])

    @property
    def sizes(self) -> Mapping[str, Values]:
        return t.cast("Mapping[str, Values]", self.values["fleet_sizes"])

    @property
    def prices(self) -> Values:
        return t.cast(Values, self.values["fleet_prices"])

    @property
    def policies(self) -> Values:
        return t.cast(Values, self.values["fleet_policies"])

    @property
    def platform(self) -> Values:
        return t.cast(Values, self.values["fleet_platform"])

    @property
    def git(self) -> Values:
        return t.cast(Values, self.values["fleet_git"])

    @property
    def data_classes(self) -> Values:
        return t.cast(Values, self.values["fleet_data_classes"])

    @property
    def services(self) -> Mapping[str, Values]:
        defaults = {k: n["default"] for k, n in SERVICE["properties"].items() if "default" in n}
        return {name: {**defaults, **service} for name, service in self.values["fleet_services"].items()}

    @property
    def owner_role(self) -> str:
        return t.cast(str, self.defaults.get("owner_cluster_role", "tenant-admin"))


def _storage(fleet: Values, own: Values) -> dict[str, t.Any]:
    result: dict[str, t.Any] = {}
    for part, node in STORAGE["properties"].items():
        theirs, here = fleet.get(part) or {}, own.get(part) or {}
        names = sorted({*theirs, *here})
        if "properties" in node["additionalProperties"]:
            result[part] = {name: {**theirs.get(name, {}), **here.get(name, {})} for name in names}
        else:
            result[part] = {name: here.get(name, theirs.get(name)) for name in names}
    return result


@dataclass(frozen=True)
class Cluster:
    """One cluster of the fleet."""

    name: str
    values: Values
    capacity: Mapping[str, Quantity]
    release_line: str
    #: C(fleet_storage) with the cluster's own C(cluster_storage) laid over it, setting by setting.
    storage: Mapping[str, t.Any] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, values: Values, settings: Settings) -> Cluster:
        capacity = resources.canonical_quota(values.get("cluster_capacity", {}))
        factors = {resources.quota_key(k): v for k, v in values.get("cluster_overcommit", {}).items()}
        return cls(
            name,
            values,
            {key: amount * factors.get(key, 1) for key, amount in capacity.items()},
            values.get("cluster_release_line", settings.values["fleet_release_line"]),
            _storage(settings.values.get("fleet_storage") or {}, values.get("cluster_storage") or {}),
        )

    def get(self, key: str, default: t.Any = None) -> t.Any:
        """The variable C(cluster_<key>)."""
        return self.values.get(f"cluster_{key}", default)

    @property
    def stage(self) -> str:
        return t.cast(str, self.values["cluster_environment"])

    @property
    def classifications(self) -> list[str]:
        return list(self.get("classifications", ()))

    @property
    def services(self) -> Mapping[str, Values]:
        return t.cast("Mapping[str, Values]", self.get("services", {}))

    @property
    def delivery(self) -> str:
        return t.cast(str, self.get("delivery", "gitops"))


@dataclass
class Project:
    """One project of a tenant."""

    id: str
    where: Where
    values: Values


@dataclass
class Tenant:
    """One tenant. I(ancestors) runs from the root of the tree to its parent."""

    id: str
    where: Where
    values: Values
    projects: list[Project] = field(default_factory=list)
    ancestors: list[Tenant] = field(default_factory=list)
    sound: bool = True

    @classmethod
    def of(cls, where: Where, values: Values) -> Tenant:
        listed = where / "projects"
        projects = [Project(p["id"], listed.item(i, p["id"]), p) for i, p in enumerate(values.get("projects", ()))]
        return cls(values["id"], where, values, projects)

    @classmethod
    def broken(cls, tenant_id: str, where: Where, values: Values) -> Tenant:
        """Stands for a tenant whose file has errors, so that references to it are not reported as well."""
        return cls(
            tenant_id, where, {k: values[k] for k in ("id", "parent") if isinstance(values.get(k), str)}, sound=False
        )

    @property
    def variable(self) -> str:
        return tenant_variable(self.id)

    @property
    def parent(self) -> str | None:
        return self.values.get("parent")

    @property
    def line(self) -> list[Tenant]:
        """The ancestors and the tenant itself."""
        return [*self.ancestors, self]

    @property
    def display_name(self) -> str:
        return t.cast(str, self.values.get("display_name", self.id))


@dataclass(frozen=True)
class Rejection:
    """Why a cluster cannot take an environment: the rule, and by how much it is missed."""

    rule: str
    detail: str


@dataclass(frozen=True)
class Candidate:
    """What placement thought of a cluster. I(free_share) of its scarcest resource would stay free, 0 to 1."""

    cluster: str
    rejection: Rejection | None = None
    free_share: float | None = None


@dataclass(frozen=True)
class Placement:
    """Where an environment lives.

    I(origin) is C(declared) in the tenant file, C(recorded) by an earlier run, or C(decided) now.
    """

    clusters: tuple[str, ...]
    origin: str
    reason: str = ""
    decided_at: str = ""
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class Retained:
    """A namespace that stays on its clusters, with its data, although nobody declares it any more.

    I(quota) is what it was promised last; empty when that is not known.
    """

    key: str
    clusters: tuple[str, ...]
    since: str
    deletion_policy: str = "retain"
    quota: Mapping[str, Quantity] = field(default_factory=dict)
    cost_center: str = ""
    reason: str = ""
    decided_at: str = ""

    @property
    def names(self) -> tuple[str, str, str]:
        """Its tenant, project and environment."""
        tenant, project, environment = self.key.split("/")
        return tenant, project, environment

    @property
    def namespace(self) -> str:
        return "-".join(self.names)


@dataclass
class Environment:
    """One environment with its effective values.

    I(values) holds the layer fields of the schema after inheritance, besides C(stage), C(state), C(size) and C(gitops).
    I(quota) is what the ResourceQuota says, exactly; its keys are in the long form (C(requests.cpu)).
    """

    tenant: Tenant
    project: Project
    name: str
    where: Where
    namespace: str
    declared: Values
    effective: Effective
    quota: dict[str, Quantity]
    grants: list[Values]
    placement: Placement | None = None
    #: An error was reported about what it needs, so that nothing is said about where it cannot live.
    doubtful: bool = False

    @property
    def key(self) -> str:
        return f"{self.tenant.id}/{self.project.id}/{self.name}"

    @property
    def values(self) -> dict[str, t.Any]:
        return self.effective.values

    @property
    def stage(self) -> str:
        return t.cast(str, self.values["stage"])

    @property
    def state(self) -> str:
        return t.cast(str, self.values["state"])

    @property
    def deletion_policy(self) -> str:
        return t.cast(str, self.values.get("deletion_policy", "retain"))

    @property
    def sla_tier(self) -> str:
        return t.cast(str, self.values["classification"]["sla_tier"])

    @property
    def copies(self) -> int:
        """How many clusters it occupies: what it costs is its quota times this."""
        return len(self.placement.clusters) if self.placement else wanted_clusters(self)


def wanted_clusters(environment: Environment) -> int:
    """Critical environments live on two clusters."""
    return 2 if environment.sla_tier == "tier_1_critical" else 1
