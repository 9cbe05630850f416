# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in force in a namespace, read from its objects, whoever wrote them.

The same reading serves the cluster as it is and the objects that the new inventory renders, so that the two can be
compared.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .._model import schema_layer, validation
from .._model.errors import ModelError, Problems, Where
from .._model.quantity import Quantity, parse
from .._model.resources import canonical_quota
from .._objects.common import DEPLOYER, MANAGED_BY, MANAGER, RECONCILER
from .._objects.namespace import POD_SECURITY
from .._objects.quota import NAME as QUOTA
from .finding import NOT_EXPRESSED, NOTE, Tell
from .network import Network, Surroundings, read_policies

Object = dict[str, t.Any]
#: Kind, namespace (empty for a ServiceAccount of the same one) and name.
Subject = tuple[str, str, str]
#: Type of item, such as Container, to part, such as C(max), to resource.
Limits = dict[str, dict[str, dict[str, Quantity]]]

#: What is read of every namespace.
KINDS = (
    ("v1", "Namespace"),
    ("v1", "ResourceQuota"),
    ("v1", "LimitRange"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("policy/v1", "PodDisruptionBudget"),
)
#: Other tools write these, and go on doing so; what we do not declare stays.
_FOREIGN = ("openshift.io", "cattle.io", "k8s.io", "kubernetes.io", "fluxcd.io", "argoproj.io", "helm.sh")
_FREE = "app.kubernetes.io/"
#: Kubernetes and kubectl write these in every namespace.
_KUBERNETES = ("kubernetes.io/metadata.name", "kubectl.kubernetes.io/last-applied-configuration")
_TAKEN = (MANAGED_BY, "app.kubernetes.io/instance")
_MODES = ("enforce", "audit", "warn")


@dataclass
class Facts:
    """What is in force in one namespace.

    @param pod_security: levels by mode and the C(version); a mode without a label is an empty text.
    @param covered: objects whose whole content is here, so that ours can replace them.
    """

    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    pod_security: dict[str, str] = field(default_factory=dict)
    hard: dict[str, Quantity] = field(default_factory=dict)
    scoped: dict[str, Object] = field(default_factory=dict)
    limits: Limits = field(default_factory=dict)
    rights: set[tuple[str, Subject]] = field(default_factory=set)
    network: Network = field(default_factory=Network)
    disruption: Object | None = None
    covered: list[Object] = field(default_factory=list)


def read(objects: Iterable[Object], around: Surroundings, tell: Tell) -> Facts:
    """The facts of one namespace.

    @param objects: all its objects, the Namespace too.
    """
    of: dict[str, list[Object]] = {kind: [] for _version, kind in KINDS}
    for each in objects:
        if each["kind"] in of:
            of[each["kind"]].append(each)
    for items in of.values():
        items.sort(key=lambda each: str(each["metadata"]["name"]))
    facts = Facts()
    for namespace in of["Namespace"]:
        _read_namespace(namespace, facts, around, tell)
    _read_quotas(of["ResourceQuota"], facts, tell)
    _read_limits(of["LimitRange"], facts, tell)
    for binding in of["RoleBinding"]:
        _read_binding(binding, facts, tell)
    facts.network, covered = read_policies(of["NetworkPolicy"], around, tell)
    facts.covered += covered
    for budget in of["PodDisruptionBudget"]:
        _read_disruption(budget, facts, tell)
    return facts


def unfit(field_name: str, value: t.Any) -> str:
    """Why the schema refuses a value of a layer field; empty when it does not."""
    problems = Problems()
    validation.check("tenant", {"id": "x", field_name: value}, Where(""), problems)
    return " ".join(problem.what for problem in problems.errors)


# The namespace itself


def _read_namespace(namespace: Object, facts: Facts, around: Surroundings, tell: Tell) -> None:
    meta = namespace["metadata"]
    domain = around.settings.label_domain
    for owner in meta.get("ownerReferences") or ():
        what = f"{owner['kind']} {owner['name']} owns the namespace and may write it, or delete it with itself."
        tell(NOTE, namespace, "metadata.ownerReferences", what, "Take it away from that controller first.")
    labels = meta.get("labels") or {}
    _read_pod_security(namespace, labels, facts, tell)
    left: list[str] = []
    for part, given, kept in (
        ("labels", labels, facts.labels),
        ("annotations", meta.get("annotations") or {}, facts.annotations),
    ):
        for key, value in sorted(given.items()):
            prefix = key.rpartition("/")[0]
            if key.startswith(POD_SECURITY) or key in (*_TAKEN, *_KUBERNETES):
                continue
            if prefix == domain or (_foreign(prefix) and not key.startswith(_FREE)):
                left.append(f"{part}.{key}")
                continue
            why = unfit(part, {key: value})
            if why:
                what = f"the inventory has no form for it: {why}"
                tell(NOT_EXPRESSED, namespace, f"metadata.{part}.{key}", what, "It stays as it is; nothing to do.")
            else:
                kept[key] = value
    if left:
        what = f"{', '.join(left)} are written by tools, and are not declared."
        tell(NOTE, namespace, "metadata", what, "What the inventory does not set stays as it is.")


def own_keys(texts: Mapping[str, str]) -> list[str]:
    """Keys that no tool writes."""
    return [key for key in sorted(texts) if not _foreign(key.rpartition("/")[0]) and key not in _KUBERNETES]


def _foreign(prefix: str) -> bool:
    return any(prefix == each or prefix.endswith(f".{each}") for each in _FOREIGN)


def _read_pod_security(namespace: Object, labels: Mapping[str, str], facts: Facts, tell: Tell) -> None:
    given = {mode: labels.get(f"{POD_SECURITY}{mode}", "") for mode in _MODES}
    versions = {mode: labels.get(f"{POD_SECURITY}{mode}-version", "latest") for mode in _MODES if given[mode]}
    for mode, level in given.items():
        if level and level not in schema_layer.POD_SECURITY:
            what = f"{level!r} is no level; the API server treats it as restricted."
            tell(NOTE, namespace, f"metadata.labels.{POD_SECURITY}{mode}", what, "Correct it.")
            given[mode] = "restricted"
    version = versions.get("enforce") or next(iter(versions.values()), "latest")
    if len(set(versions.values())) > 1:
        tell(
            NOT_EXPRESSED,
            namespace,
            "metadata.labels.pod-security.kubernetes.io",
            f"the modes follow different versions ({', '.join(f'{k}: {v}' for k, v in versions.items())}), and the "
            "inventory has one for all.",
            f"{version} is taken.",
        )
    facts.pod_security = {**given, "version": version}


# Quotas and limits


def _read_quotas(quotas: list[Object], facts: Facts, tell: Tell) -> None:
    plain = [each for each in quotas if not _scope(each)]
    for quota in plain:
        for key, amount in _amounts(quota, tell).items():
            known = facts.hard.get(key)
            # a request has to fit into each of them
            facts.hard[key] = amount if known is None else min(known, amount)
        facts.covered.append(quota)
    if len(plain) > 1:
        names = ", ".join(each["metadata"]["name"] for each in plain)
        tell(NOTE, plain[0], "spec.hard", f"{names} hold together; the lower amounts are taken.", "")
    for quota in quotas:
        scope = _scope(quota)
        if not scope:
            continue
        name = quota["metadata"]["name"].removeprefix(f"{QUOTA}-").replace(".", "-")
        item = {"name": name, "hard": _amounts(quota, tell), **scope}
        why = unfit("resource_quota", {"scoped": [{**item, "hard": {k: str(v) for k, v in item["hard"].items()}}]})
        if why:
            tell(NOT_EXPRESSED, quota, "spec", f"the inventory has no form for it: {why}", "It stays as it is.")
        else:
            facts.scoped[name] = item
            facts.covered.append(quota)


def _scope(quota: Object) -> Object:
    spec = quota.get("spec") or {}
    return {key: spec[key] for key in ("scopes", "scopeSelector") if spec.get(key)}


def _amounts(quota: Object, tell: Tell) -> dict[str, Quantity]:
    amounts: dict[str, Quantity] = {}
    for key, value in ((quota.get("spec") or {}).get("hard") or {}).items():
        try:
            amounts.update(canonical_quota({key: value}))
        except ModelError as error:
            tell(NOT_EXPRESSED, quota, f"spec.hard.{key}", str(error), "Correct it.")
    return amounts


def _read_limits(ranges: list[Object], facts: Facts, tell: Tell) -> None:
    for each in ranges:
        for item in (each.get("spec") or {}).get("limits") or ():
            kind = facts.limits.setdefault(item["type"], {})
            for part, amounts in item.items():
                for resource, value in (amounts or {}).items() if isinstance(amounts, Mapping) else ():
                    _join_limit(kind.setdefault(part, {}), part, resource, value, each, tell)
        facts.covered.append(each)
    if len(ranges) > 1:
        names = ", ".join(each["metadata"]["name"] for each in ranges)
        tell(NOTE, ranges[0], "spec.limits", f"{names} hold together; the stricter bounds are taken.", "")


def _join_limit(known: dict[str, Quantity], part: str, resource: str, value: t.Any, owner: Object, tell: Tell) -> None:
    amount = parse(value)
    old = known.setdefault(resource, amount)
    if old == amount:
        return
    if part in ("default", "defaultRequest"):
        tell(
            NOTE,
            owner,
            f"spec.limits.{part}.{resource}",
            f"two LimitRanges say {old} and {amount}; which of them a container gets is arbitrary.",
            f"{old} is taken.",
        )
    else:
        known[resource] = max(old, amount) if part == "min" else min(old, amount)


# Rights, and the rest


def _read_binding(binding: Object, facts: Facts, tell: Tell) -> None:
    role, meta = binding["roleRef"], binding["metadata"]
    if role["kind"] != "ClusterRole":
        tell(
            NOT_EXPRESSED,
            binding,
            "roleRef",
            f"it grants the Role {role['name']} of the namespace; the inventory only binds ClusterRoles.",
            "It stays as it is. To declare it, make a ClusterRole with the same rules and bind that.",
        )
        return
    whole = True
    for subject in binding.get("subjects") or ():
        kind, name = subject["kind"], subject["name"]
        namespace = subject.get("namespace", "") if kind == "ServiceAccount" else ""
        if namespace == meta.get("namespace"):
            namespace = ""
        if kind == "ServiceAccount" and not namespace and name in (DEPLOYER, RECONCILER):
            continue  # ours, in every namespace
        right = role["name"], (kind, namespace, name)
        why = unfit("role_bindings", [binding_of(role["name"], [right[1]])])
        if why:
            whole = False
            what = f"the inventory has no form for {kind} {name}: {why}"
            tell(NOT_EXPRESSED, binding, "subjects", what, "It stays as it is.")
        else:
            facts.rights.add(right)
    if whole:
        facts.covered.append(binding)


def binding_of(role: str, subjects: Iterable[Subject]) -> Object:
    """A declared role binding."""
    return {"cluster_role": role, "subjects": subjects_of(subjects)}


def subjects_of(subjects: Iterable[Subject]) -> list[dict[str, str]]:
    return [
        {"kind": kind, "name": name, **({"namespace": namespace} if namespace else {})}
        for kind, namespace, name in sorted(subjects)
    ]


def _read_disruption(budget: Object, facts: Facts, tell: Tell) -> None:
    spec = dict(budget.get("spec") or {})
    selector = spec.pop("selector", None)
    if selector is None or any(selector.values()):
        return  # it belongs to a workload
    if facts.disruption is not None and facts.disruption != spec:
        what = "there is another one over all pods; Kubernetes then evicts none of them."
        tell(NOT_EXPRESSED, budget, "spec", what, "Remove one of them.")
        return
    facts.disruption = spec
    facts.covered.append(budget)


def is_ours(target: Object) -> bool:
    """Whether it carries our label, so that applying the inventory updates it instead of putting another beside it."""
    return (target["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER
