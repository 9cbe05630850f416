# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be declared for a namespace, given what the organisation's defaults and sizes say already."""

from __future__ import annotations

import fnmatch
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from .._model.entities import Cluster, Settings
from .._model.errors import Where
from .._model.inheritance import Level, resolve
from .._model.quantity import Quantity, parse
from .._model.resources import STORAGE_CLASS, canonical_quota
from .._model.schema_layer import NO_SIZE, POD_SECURITY, STAGES
from .facts import Facts, Limits, Object, Subject
from .finding import NOT_EXPRESSED, NOTE, Tell
from .grouping import Identity
from .network import Rule, peers_of, rules_of

SIDES = ("allow_from", "egress")
_STRICTNESS = {level: rank for rank, level in enumerate(POD_SECURITY)}
#: What capacity is counted by.
_COUNTED = ("requests.cpu", "requests.memory")
_SECURITY_DEFAULTS = {"enforce": "baseline", "audit": "restricted", "warn": "restricted"}


@dataclass
class Draft:
    """An environment on its way into a tenant file.

    @param values: what is declared at the environment, but its rights, which may move up.
    """

    identity: Identity
    clusters: list[str]
    facts: Facts
    values: Object = field(default_factory=dict)
    rights: set[tuple[str, Subject]] = field(default_factory=set)


@dataclass(frozen=True)
class Base:
    """What an environment of a size has without declaring anything."""

    values: Mapping[str, t.Any]

    @classmethod
    def of(cls, settings: Settings, size: str | None) -> Base:
        name: str = size or settings.defaults.get("size") or ""
        levels = [Level(Where("fleet_defaults"), settings.defaults)]
        if name in settings.sizes:
            levels.append(Level(Where("fleet_sizes"), settings.sizes[name]))
        return cls(resolve(levels).values)

    @property
    def hard(self) -> dict[str, Quantity]:
        return canonical_quota((self.values.get("resource_quota") or {}).get("hard", {}))

    @property
    def scoped(self) -> dict[str, Object]:
        items = (self.values.get("resource_quota") or {}).get("scoped", ())
        return {item["name"]: {**item, "hard": canonical_quota(item["hard"])} for item in items}

    @property
    def limits(self) -> Limits:
        return {item["type"]: limits_of(item) for item in (self.values.get("limit_range") or {}).get("limits", ())}

    @property
    def rights(self) -> set[tuple[str, Subject]]:
        return {
            (item["cluster_role"], (each["kind"], each.get("namespace", ""), each["name"]))
            for item in self.values.get("role_bindings", ())
            for each in item["subjects"]
        }

    @property
    def security(self) -> Mapping[str, str]:
        return self.values.get("pod_security") or {}

    @property
    def allowed(self) -> Mapping[str, t.Any]:
        return self.values.get("allowed") or {}


def limits_of(item: Mapping[str, t.Any]) -> dict[str, dict[str, Quantity]]:
    """One item of a LimitRange as amounts."""
    parts = {part: amounts for part, amounts in item.items() if isinstance(amounts, Mapping)}
    return {part: {resource: parse(value) for resource, value in amounts.items()} for part, amounts in parts.items()}


def choose_size(facts: Facts, settings: Settings) -> tuple[str | None, Base]:
    """The size that leaves least to declare, and first of all adds nothing that cannot be taken away again.

    Where every size adds something, the environment takes none.
    """
    candidates = [None, *sorted(settings.sizes), *(() if NO_SIZE in settings.sizes else (NO_SIZE,))]
    bases = {name: Base.of(settings, name) for name in candidates}
    ranked = {name: (*_distance(facts, bases[name]), rank) for rank, name in enumerate(candidates)}
    best = min(candidates, key=lambda name: ranked[name])
    return best, bases[best]


def _distance(facts: Facts, base: Base) -> tuple[int, int]:
    hard, scoped, limits = base.hard, base.scoped, base.limits
    added = len(hard.keys() - facts.hard.keys()) + len(scoped.keys() - facts.scoped.keys())
    added += len(limits.keys() - facts.limits.keys()) + _is_stricter(base, "enforce", facts)
    added += base.values.get("pod_disruption_budget") is not None and facts.disruption is None
    added += len(base.rights - facts.rights) + len(_rules(base) - facts.network.rules)
    added += sum(len(names) for names in (base.values.get("requires") or {}).values())
    overridden = sum(hard.get(key) != amount for key, amount in facts.hard.items())
    overridden += sum(limits.get(key) != amounts for key, amounts in facts.limits.items())
    return added, overridden


def _rules(base: Base) -> set[Rule]:
    network = base.values.get("network") or {}
    return {rule for side in SIDES for rule in rules_of(side, network.get(side, ()))}


def _is_stricter(base: Base, mode: str, facts: Facts) -> bool:
    level = facts.pod_security.get(mode) or POD_SECURITY[0]
    return mode in base.security and _STRICTNESS[base.security[mode]] > _STRICTNESS[level]


def declare(draft: Draft, cluster: Cluster, settings: Settings, namespace: Object, tell: Tell) -> None:
    """Fills in what an environment has to declare."""
    facts = draft.facts
    size, base = choose_size(facts, settings)
    values: Object = {"name": draft.identity.environment}
    if draft.identity.environment not in STAGES or draft.identity.environment != cluster.stage:
        values["stage"] = cluster.stage
    if size:
        values["size"] = size
    open_ends = [key for key in _COUNTED if key not in facts.hard and key not in base.hard]
    if size == NO_SIZE and open_ends:
        what = f"it takes no size, because each would add something, and nothing limits {' and '.join(open_ends)}."
        fix = "Capacity and budgets count it as nothing until you declare an amount, or choose a size."
        tell(NOTE, namespace, "size", what, fix)
    values["placement"] = {"clusters": draft.clusters, "reason": "imported, it was there"}
    domain = cluster.values.get("cluster_security_domain", "internal_only")
    if domain != (base.values.get("classification") or {}).get("security_domain", "internal_only"):
        values["classification"] = {"security_domain": domain}
    for part in ("labels", "annotations"):
        own = _own_texts(getattr(facts, part), base.values.get(part) or {}, settings if part == "labels" else None)
        if own:
            values[part] = own
    values.update(_quota(facts, base, cluster, namespace, tell))
    limits = [_limit_item(kind, parts) for kind, parts in facts.limits.items() if parts != base.limits.get(kind)]
    if limits:
        values["limit_range"] = {"limits": limits}
    security = _security(facts, base)
    if security:
        values["pod_security"] = security
    if security.get("enforce") == POD_SECURITY[0] and not facts.pod_security["enforce"]:
        what = "it has no Pod Security level, so every pod may run; that is declared."
        fix = "Declare baseline or restricted once its pods can do with that."
        tell(NOTE, namespace, "pod_security.enforce", what, fix)
    network = _network(facts, base)
    if network:
        values["network"] = network
    if facts.disruption is not None and facts.disruption != base.values.get("pod_disruption_budget"):
        values["pod_disruption_budget"] = facts.disruption
    if base.values.get("deletion_policy", "retain") != "retain":
        values["deletion_policy"] = "retain"
    draft.values = values
    draft.rights = _rights(facts, base, namespace, tell)


def _own_texts(given: Mapping[str, str], above: Mapping[str, str], settings: Settings | None) -> dict[str, str]:
    protected = settings.values["fleet_protected_labels"] if settings else ()
    return {
        key: value
        for key, value in given.items()
        if above.get(key) != value
        and not (key in above and any(fnmatch.fnmatchcase(key, pattern) for pattern in protected))
    }


def _quota(facts: Facts, base: Base, cluster: Cluster, namespace: Object, tell: Tell) -> Object:
    allowed, above = base.allowed.get("storage_classes"), base.hard
    hard = {}
    for key, amount in sorted(facts.hard.items()):
        name, of_class, _rest = key.partition(STORAGE_CLASS)
        if of_class and allowed is not None and name not in allowed:
            if not amount and name in cluster.get("storage_classes", ()):
                continue  # every quota says so by itself
            if amount:
                tell(
                    NOT_EXPRESSED,
                    namespace,
                    f"resource_quota.hard.{key}",
                    f"the storage class {name} is not in allowed.storage_classes of the organisation; new claims "
                    "would be refused.",
                    "Add it to fleet_defaults.allowed.storage_classes.",
                )
                continue
        if above.get(key) != amount:
            hard[key] = str(amount)
    scoped = [
        {**item, "hard": {key: str(amount) for key, amount in item["hard"].items()}}
        for name, item in facts.scoped.items()
        if item != base.scoped.get(name)
    ]
    quota: Object = {**({"hard": hard} if hard else {}), **({"scoped": scoped} if scoped else {})}
    return {"resource_quota": quota} if quota else {}


def _limit_item(kind: str, parts: Mapping[str, Mapping[str, Quantity]]) -> Object:
    return {"type": kind, **{part: {key: str(amount) for key, amount in parts[part].items()} for part in sorted(parts)}}


def _security(facts: Facts, base: Base) -> dict[str, str]:
    """Only levels that have an effect: those above can only be made stricter."""
    given = facts.pod_security
    declared = {}
    for mode, usual in _SECURITY_DEFAULTS.items():
        level = given[mode] or (POD_SECURITY[0] if mode == "enforce" else "")
        if level and level != base.security.get(mode, usual) and not _is_stricter(base, mode, facts):
            declared[mode] = level
    if any(given[mode] for mode in _SECURITY_DEFAULTS) and given["version"] != base.security.get("version", "latest"):
        declared["version"] = given["version"]
    return declared


def _network(facts: Facts, base: Base) -> Object:
    above = base.values.get("network") or {}
    network: Object = {}
    for side in SIDES:
        rules = {rule for rule in facts.network.rules if rule[0] == side} - rules_of(side, above.get(side, ()))
        if rules:
            network[side] = peers_of(rules)
    network.update({name: on for name, on in facts.network.switches.items() if on != above.get(name, True)})
    return network


def _rights(facts: Facts, base: Base, namespace: Object, tell: Tell) -> set[tuple[str, Subject]]:
    """Rights to declare. What the organisation does not let anybody grant is taken out of the facts and told."""
    allowed = base.allowed.get("cluster_roles")
    refused = {role for role, _subject in facts.rights - base.rights if allowed is not None and role not in allowed}
    for role in sorted(refused):
        who = ", ".join(sorted(f"{s[0]} {s[2]}" for r, s in facts.rights if r == role))
        tell(
            NOT_EXPRESSED,
            namespace,
            f"role_bindings.{role}",
            f"{who} have the ClusterRole {role}, which is not in allowed.cluster_roles of the organisation.",
            "The binding stays as it is. Add the role to fleet_defaults.allowed.cluster_roles, or bind another one.",
        )
    facts.rights = {right for right in facts.rights if right[0] not in refused}
    facts.covered = [
        each for each in facts.covered if each["kind"] != "RoleBinding" or each["roleRef"]["name"] not in refused
    ]
    return facts.rights - base.rights
