# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof: what the new inventory renders, read back and compared with what is in force today."""

from __future__ import annotations

import datetime
import re
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import replace

from .._live import adoption
from .._model.entities import Source
from .._model.fleet import Fleet, compile_fleet
from .._model.names import tenant_variable
from .._objects.environment import environment_objects
from .convert import Imported
from .declare import Draft
from .facts import Facts, Object, is_ours, read
from .finding import INVALID, NOT_ADOPTABLE, NOTE, WOULD_CHANGE, Finding
from .network import show_rule

_SECURITY = ("enforce", "audit", "warn")
Change = tuple[str, str, str, str]


def compiled(imported: Imported, names: t.Iterable[str], source: Source, today: datetime.date) -> Fleet:
    """The inventory with some of the imported tenants in it."""
    new = {tenant_variable(name): imported.tenants[name] for name in names}
    return compile_fleet(replace(source, tenants={**source.tenants, **new}), today=today)


def check(imported: Imported, names: t.Iterable[str], source: Source, today: datetime.date) -> set[str]:
    """Finds what would change, and what the inventory refuses; gives the tenants that it refuses."""
    wanted = list(names)
    fleet = compiled(imported, wanted, source, today)
    variables = {tenant_variable(name): name for name in wanted}
    refused = set()
    for problem in fleet.problems:
        name = variables.get(problem.where.variable)
        if problem.severity == "error":
            name = name or _named(problem.what, variables)
            refused |= {name} if name else set(wanted)
        if problem.severity == "error" or name:
            code = INVALID if problem.severity == "error" else NOTE
            imported.findings.add(
                Finding(code, "", "", "Tenant", name or "", problem.where.text, problem.what, problem.fix)
            )
    by_key = {environment.key: environment for environment in fleet.environments}
    for draft in imported.drafts:
        environment = by_key.get(draft.identity.key)
        if draft.identity.tenant not in wanted or environment is None:
            continue
        for cluster in draft.clusters:
            rendered = environment_objects(environment, fleet.clusters[cluster], fleet.settings)
            _compare(imported, draft, cluster, rendered)
    return refused


def _named(text: str, variables: Mapping[str, str]) -> str:
    """The one imported tenant that a problem elsewhere is about, as with the capacity of a cluster."""
    found = {name for name in variables.values() if re.search(rf"\b{re.escape(name)}/", text)}
    return found.pop() if len(found) == 1 else ""


def _compare(imported: Imported, draft: Draft, cluster: str, rendered: list[Object]) -> None:
    live = imported.namespaces[cluster, draft.identity.namespace]
    around = imported.surroundings[cluster]
    tell = imported.findings.teller(cluster)
    new = read(rendered, around, lambda *_told: None)
    for code, field, what, fix in changes(draft.facts, new):
        tell(code, live, field, what, fix)
    ours = next(each for each in rendered if each["kind"] == "Namespace")
    theirs = [each for each in imported.inside[cluster, draft.identity.namespace] if not is_ours(each)]
    why = adoption.refusal(ours, live, around.settings.label_domain, ours=rendered, theirs=theirs)
    if why:
        tell(NOT_ADOPTABLE, live, "metadata", why, "")


def changes(old: Facts, new: Facts) -> Iterator[Change]:
    """How what will be in force differs from what is: code, field, what, fix."""
    yield from _pod_security(old, new)
    for part in ("labels", "annotations"):
        yield from _texts(f"metadata.{part}", getattr(old, part), getattr(new, part))
    size = "Take it out of the size or of fleet_defaults, or add a size without it to fleet_sizes."
    yield from _amounts("resource_quota.hard", old.hard, new.hard, size)
    for name in sorted(old.scoped.keys() | new.scoped.keys()):
        if old.scoped.get(name) != new.scoped.get(name):
            yield WOULD_CHANGE, f"resource_quota.scoped.{name}", _was(old.scoped.get(name), new.scoped.get(name)), size
    for kind in sorted(old.limits.keys() | new.limits.keys()):
        before, after = old.limits.get(kind, {}), new.limits.get(kind, {})
        for part in sorted(before.keys() | after.keys()):
            at = f"limit_range.{kind}.{part}"
            fix = "It is needed because the quota counts it: pods that say nothing would be refused."
            yield from _amounts(
                at, before.get(part, {}), after.get(part, {}), fix if part.startswith("default") else size
            )
    for role, (kind, namespace, name) in sorted(old.rights ^ new.rights):
        who = f"{kind} {namespace + '/' if namespace else ''}{name}"
        lost = (role, (kind, namespace, name)) in old.rights
        what = f"{who} would {'lose' if lost else 'get'} the ClusterRole {role}."
        yield WOULD_CHANGE, "role_bindings", what, "" if lost else "It comes from fleet_defaults."
    yield from _network(old, new)
    if old.disruption != new.disruption:
        yield WOULD_CHANGE, "pod_disruption_budget", _was(old.disruption, new.disruption), size


def _pod_security(old: Facts, new: Facts) -> Iterator[Change]:
    before, after = old.pod_security, new.pod_security
    for mode in _SECURITY:
        level = before[mode] or ("privileged" if mode == "enforce" else after[mode])
        if level != after[mode]:
            yield (
                WOULD_CHANGE,
                f"pod_security.{mode}",
                f"it is {level}{'' if before[mode] else ' (no label)'} and would be {after[mode]}.",
                "Only a time-boxed pod_security grant can relax what fleet_defaults or the size say.",
            )
    if any(before[mode] for mode in _SECURITY) and before["version"] != after["version"]:
        yield WOULD_CHANGE, "pod_security.version", _was(before["version"], after["version"]), ""


def _texts(field: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for key in sorted(old.keys() | new.keys()):
        if key not in old:
            yield NOTE, f"{field}.{key}", f"it would be added, with the value {new[key]!r}.", ""
        elif old[key] != new.get(key):
            fix = "A level above protects it: mend the namespace or fleet_protected_labels."
            yield WOULD_CHANGE, f"{field}.{key}", _was(old[key], new.get(key)), fix


def _amounts(field: str, old: Mapping[str, t.Any], new: Mapping[str, t.Any], fix: str) -> Iterator[Change]:
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield WOULD_CHANGE, f"{field}.{key}", _was(old.get(key), new.get(key)), fix


def _was(old: t.Any, new: t.Any) -> str:
    if old is None:
        return f"it is not set today and would be {new}."
    return f"it is {old} and would be {new}." if new is not None else f"it is {old} and would no longer be set."


def _network(old: Facts, new: Facts) -> Iterator[Change]:
    before, after = old.network, new.network
    for direction, side in (("Ingress", "allow_from"), ("Egress", "egress")):
        if direction in after.isolated - before.isolated:
            verb = "connect to it" if direction == "Ingress" else "be reached from it"
            yield (
                WOULD_CHANGE,
                f"network.{side}",
                f"everything may {verb} today. The baseline denies all but what it lists itself.",
                f"Declare what it needs in network.{side} before you apply.",
            )
    if "Ingress" in before.isolated and not before.inside:
        what = "its pods may not reach each other today; the baseline allows that."
        yield WOULD_CHANGE, "network", what, "Put what must be kept apart into its own environment."
    for rule in sorted(before.rules ^ after.rules, key=str):
        verb = "would no longer be allowed" if rule in before.rules else "would be allowed, by fleet_defaults"
        yield WOULD_CHANGE, f"network.{rule[0]}", f"traffic {show_rule(rule)} {verb}.", ""
    for name, on in before.switches.items():
        if after.switches.get(name) != on:
            yield WOULD_CHANGE, f"network.{name}", _was(on, after.switches.get(name)), ""
