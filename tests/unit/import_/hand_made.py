# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hand-made namespaces, and an organisation to import them into."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.k8s.self_provisioning.plugins.module_utils._import import verify
from ansible_collections.k8s.self_provisioning.plugins.module_utils._import.convert import Imported, Options, convert
from ansible_collections.k8s.self_provisioning.plugins.module_utils._import.grouping import Grouping
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.quantity import canonical
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.resources import quota_key
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.environment import environment_objects

Object = dict[str, Any]

TODAY = datetime.date(2026, 11, 21)
CLUSTER = "east"
RBAC = "rbac.authorization.k8s.io"
#: Pod Security labels that leave nothing to add.
ALL_SECURITY = {
    f"pod-security.kubernetes.io/{mode}{end}": value
    for mode, level in (("enforce", "baseline"), ("audit", "restricted"), ("warn", "restricted"))
    for end, value in (("", level), ("-version", "latest"))
}
OURS = ("ci-deployer", "flux-reconciler")
HOME: Object = {
    "cluster_environment": "prod",
    "cluster_security_domain": "internal_only",
    "cluster_sla_tier": "tier_2_important",
}


def source(settings: Mapping[str, Any] | None = None, **cluster: Any) -> Source:
    """An organisation without tenants."""
    here = {**HOME, **{f"cluster_{key}": value for key, value in cluster.items()}}
    return Source({f"fleet_{key}": value for key, value in (settings or {}).items()}, {}, {CLUSTER: here})


def made(kind: str, namespace: str, name: str, api: str = "v1", **body: Any) -> Object:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **body}


def namespace(name: str, labels: Mapping[str, str] | None = None, **meta: Any) -> Object:
    given = {"name": name, "labels": {"kubernetes.io/metadata.name": name, **(labels or {})}, **meta}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": given, "status": {"phase": "Active"}}


def quota(where: str, name: str = "compute", **spec: Any) -> Object:
    return made("ResourceQuota", where, name, spec=spec)


def limits(where: str, *items: Object, name: str = "defaults") -> Object:
    return made("LimitRange", where, name, spec={"limits": list(items)})


def binding(where: str, role: str, *subjects: Object, kind: str = "ClusterRole", name: str = "") -> Object:
    reference = {"apiGroup": RBAC, "kind": kind, "name": role}
    return made("RoleBinding", where, name or role, f"{RBAC}/v1", roleRef=reference, subjects=list(subjects))


def policy(where: str, name: str = "rules", **spec: Any) -> Object:
    return made("NetworkPolicy", where, name, "networking.k8s.io/v1", spec={"podSelector": {}, **spec})


def group(name: str) -> Object:
    return {"apiGroup": RBAC, "kind": "Group", "name": name}


def account(name: str, where: str) -> Object:
    return {"kind": "ServiceAccount", "name": name, "namespace": where}


def called(name: str) -> Object:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def run(objects: Iterable[Object], into: Source | None = None, **how: Any) -> tuple[Imported, Fleet]:
    """An import, and the inventory with it."""
    into = into or source()
    grouping = Grouping(**{key: how.pop(key) for key in list(how) if key in Grouping.__dataclass_fields__})
    before = compile_fleet(into, today=TODAY)
    assert [p.render() for p in before.problems.errors] == []
    unreadable = {CLUSTER: how.pop("unreadable", {})}
    imported = convert({CLUSTER: list(objects)}, before, Options(grouping=grouping, **how), unreadable)
    verify.check(imported, imported.tenants, into, TODAY)
    return imported, verify.compiled(imported, imported.tenants, into, TODAY)


def rendered(fleet: Fleet, cluster: str = CLUSTER) -> dict[str, list[Object]]:
    """What each namespace of a cluster becomes."""
    assert [p.render() for p in fleet.problems.errors] == []
    here = fleet.on_cluster(cluster)
    return {e.namespace: environment_objects(e, fleet.clusters[cluster], fleet.settings) for e in here}


def told(imported: Imported, code: str = "") -> list[tuple[str, str, str]]:
    """Kind, name and field of the findings."""
    return [(f.kind, f.name, f.field) for f in imported.findings.sorted if code in ("", f.code)]


#: An organisation that adds nothing to a namespace but the baseline network policies.
EVERYTHING_OPEN = source({"defaults": {"network": {"ingress_controller": False, "monitoring": False}}})


def untouched(name: str) -> list[Object]:
    """A namespace of which nothing in force changes when it is taken over by such an organisation."""
    inside: Object = {"podSelector": {}}
    closed = policy(name, policyTypes=["Ingress", "Egress"], ingress=[{"from": [inside]}], egress=[{"to": [inside]}])
    return [namespace(name, ALL_SECURITY), closed]


# What is in force, read in another way than the import reads it


def in_force(objects: Iterable[Object]) -> Object:
    """What the API server enforces in a namespace, whatever the objects are called."""
    force: Object = {"hard": {}, "scoped": [], "limits": {}, "rights": set(), "rules": set(), "isolated": set()}
    for each in objects:
        kind, spec = each["kind"], each.get("spec", {})
        if kind == "Namespace":
            prefix = "pod-security.kubernetes.io/"
            labels = each["metadata"].get("labels") or {}
            force["security"] = {k.removeprefix(prefix): v for k, v in labels.items() if k.startswith(prefix)}
        elif kind == "ResourceQuota":
            hard = {quota_key(key): canonical(value) for key, value in spec["hard"].items()}
            scope = {key: spec[key] for key in ("scopes", "scopeSelector") if spec.get(key)}
            if scope:
                force["scoped"].append((sorted(hard.items()), repr(scope)))
            else:
                force["hard"].update(hard)
        elif kind == "LimitRange":
            for item in spec["limits"]:
                parts = {part: amounts for part, amounts in item.items() if part != "type"}
                force["limits"][item["type"]] = {
                    part: {key: canonical(value) for key, value in amounts.items()} for part, amounts in parts.items()
                }
        elif kind == "RoleBinding":
            for who in each["subjects"]:
                if who["name"] not in OURS:
                    force["rights"].add((each["roleRef"]["name"], who["kind"], who.get("namespace"), who["name"]))
        elif kind == "NetworkPolicy":
            force["isolated"] |= set(spec["policyTypes"])
            for side, word in (("ingress", "from"), ("egress", "to")):
                for rule in spec.get(side, ()):
                    for peer in rule[word]:
                        if "except" in peer.get("ipBlock", {}):
                            peer = {"ipBlock": {**peer["ipBlock"], "except": sorted(peer["ipBlock"]["except"])}}
                        for port in rule.get("ports", (None,)):
                            force["rules"].add((side, repr(sorted(peer.items())), repr(port and sorted(port.items()))))
    force["scoped"].sort()
    # all ports of an end include each of them
    whole = {rule[:2] for rule in force["rules"] if rule[2] == "None"}
    force["rules"] = {rule for rule in force["rules"] if rule[2] == "None" or rule[:2] not in whole}
    return force


def without_labels(objects: Iterable[Object], domain: str) -> list[Object]:
    """Objects of ours as somebody else would have made them: other names, none of our labels and annotations."""
    plain = []
    for number, each in enumerate(objects):
        meta = dict(each["metadata"])
        for part in ("labels", "annotations"):
            given = {
                key: value
                for key, value in meta.get(part, {}).items()
                if not key.startswith(f"{domain}/") and "managed-by" not in key and "fluxcd" not in key
            }
            meta.pop(part, None)
            if given:
                meta[part] = given
        if each["kind"] != "Namespace":
            meta["name"] = f"made-by-hand-{number}"
        plain.append({**each, "metadata": meta})
    return plain


def with_names(objects: Iterable[Object], domain: str, members: Mapping[tuple[str, ...], list[str]]) -> list[Object]:
    """The same with network rules that select namespaces by name instead of by our labels."""
    done = []
    for each in objects:
        if each["kind"] == "NetworkPolicy":
            spec = dict(each["spec"])
            for side, word in (("ingress", "from"), ("egress", "to")):
                if side in spec:
                    spec[side] = [
                        {**rule, word: [p for peer in rule[word] for p in _by_name(peer, domain, members)]}
                        for rule in spec[side]
                    ]
            each = {**each, "spec": spec}
        done.append(each)
    return done


def _by_name(peer: Object, domain: str, members: Mapping[tuple[str, ...], list[str]]) -> list[Object]:
    labels = peer.get("namespaceSelector", {}).get("matchLabels", {})
    wanted = tuple(labels.get(f"{domain}/{part}", "") for part in ("tenant", "project", "environment"))
    if not wanted[0]:
        return [peer]
    return [called(name) for name in members[wanted]]
