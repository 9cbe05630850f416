# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brown-field import, pure: the objects of clusters in, tenants and findings out."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .._model.entities import Cluster
from .._model.fleet import Fleet
from .assemble import tenants
from .declare import Draft, declare
from .facts import Facts, Object, is_ours, read
from .finding import NOT_EXPRESSED, NOTE, Finding, Findings
from .grouping import Grouping, Identity, chosen, fault
from .network import Surroundings


@dataclass(frozen=True)
class Options:
    """What to import and how to group it.

    @param names: namespaces, in which C(*) stands for any text; empty for all but those of the system.
    @param selector: a label selector over namespaces.
    @param owner_roles: ClusterRoles whose holders, where all environments of a tenant share them, are its owners.
    @param again: namespaces that the inventory declares already are imported anew.
    """

    grouping: Grouping = field(default_factory=Grouping)
    names: Sequence[str] = ()
    selector: str = ""
    owner_roles: Sequence[str] = ("tenant-admin", "admin")
    again: bool = False


@dataclass
class Imported:
    """The outcome.

    @param tenants: the content of C(tenant__*) variables, by tenant.
    @param drafts: the environments among them.
    @param superseded: hand-made objects that ours replace, which can be deleted once the inventory is applied.
    @param left_out: namespaces that were not looked at, and why.
    @param inside: what is in each namespace, by cluster and name.
    """

    tenants: dict[str, Object]
    drafts: list[Draft]
    findings: Findings
    superseded: list[dict[str, str]]
    left_out: list[dict[str, str]]
    namespaces: dict[tuple[str, str], Object]
    surroundings: dict[str, Surroundings]
    inside: dict[tuple[str, str], list[Object]] = field(default_factory=dict)


def convert(sources: Mapping[str, Iterable[Object]], fleet: Fleet, options: Options) -> Imported:
    """Imports hand-made namespaces.

    @param sources: the objects of each cluster; all its namespaces, even those that are not imported.
    @param fleet: the inventory so far, which knows the clusters.
    @raises ModelError: the options cannot be used.
    """
    options.grouping.check()
    done = Imported({}, [], Findings(), [], [], {}, {})
    read_in = [_choose(fleet.clusters[name], objects, fleet, options, done) for name, objects in sources.items()]
    # rules may name namespaces that are on another cluster only
    known = {e.namespace: Identity(e.tenant.id, e.project.id, e.name) for e in fleet.environments}
    for part in read_in:
        known.update(part.members)
    drafts: dict[Identity, Draft] = {}
    for part in read_in:
        for draft in _read_cluster(part, known, fleet, options, done):
            first = drafts.setdefault(draft.identity, draft)
            if first is not draft:
                _join(first, draft, done)
    done.drafts = list(drafts.values())
    for draft in done.drafts:
        cluster = draft.clusters[0]
        namespace = done.namespaces[cluster, draft.identity.namespace]
        declare(draft, fleet.clusters[cluster], fleet.settings, namespace, done.findings.teller(cluster))
    done.tenants = tenants(done.drafts, fleet.settings, options.owner_roles)
    done.superseded = [
        {
            "cluster": cluster,
            "kind": each["kind"],
            "namespace": draft.identity.namespace,
            "name": each["metadata"]["name"],
        }
        for draft in done.drafts
        for cluster in draft.clusters
        for each in draft.facts.covered
        if not is_ours(each)
    ]
    return done


@dataclass
class _Part:
    """One cluster, and which of its namespaces are imported as what."""

    cluster: Cluster
    namespaces: dict[str, Object]
    inside: dict[str, list[Object]]
    members: dict[str, Identity]


def _choose(cluster: Cluster, objects: Iterable[Object], fleet: Fleet, options: Options, done: Imported) -> _Part:
    part = _Part(cluster, {}, {}, {})
    for each in objects:
        meta = each["metadata"]
        if each["kind"] == "Namespace":
            part.namespaces[meta["name"]] = each
        else:
            part.inside.setdefault(meta.get("namespace") or "", []).append(each)
    labels = {name: _labels(each) for name, each in part.namespaces.items()}
    wanted, system = chosen(labels, fleet.settings, names=options.names, selector=options.selector)
    done.left_out += [{"cluster": cluster.name, "namespace": name, "why": "of the system"} for name in system]
    declared = {e.namespace: e for e in fleet.on_cluster(cluster.name)}
    grouping = replace(options.grouping, stage=cluster.stage, tenants=(*fleet.tenants, *options.grouping.tenants))
    for name in wanted:
        if name in declared and not options.again:
            why = f"declared already, as {declared[name].key}"
            done.left_out.append({"cluster": cluster.name, "namespace": name, "why": why})
        elif part.namespaces[name]["metadata"].get("deletionTimestamp"):
            done.left_out.append({"cluster": cluster.name, "namespace": name, "why": "being deleted"})
        else:
            identity = _identify(part.namespaces[name], grouping, cluster, fleet, done)
            if identity:
                part.members[name] = identity
    return part


def _read_cluster(
    part: _Part, known: Mapping[str, Identity], fleet: Fleet, options: Options, done: Imported
) -> list[Draft]:
    name = part.cluster.name
    labels = {each: _labels(namespace) for each, namespace in part.namespaces.items()}
    around = Surroundings(part.cluster, fleet.settings, known, labels, options.grouping.labels)
    done.surroundings[name] = around
    tell = done.findings.teller(name)
    drafts = []
    for each, identity in part.members.items():
        done.namespaces[name, each] = part.namespaces[each]
        done.inside[name, each] = part.inside.get(each, [])
        facts = read([part.namespaces[each], *part.inside.get(each, ())], around, tell)
        drafts.append(Draft(identity, [name], facts))
    return drafts


def _labels(namespace: Object) -> dict[str, str]:
    return dict(namespace["metadata"].get("labels") or {})


def _identify(namespace: Object, grouping: Grouping, cluster: Cluster, fleet: Fleet, done: Imported) -> Identity | None:
    name = namespace["metadata"]["name"]
    identity = grouping.identify(name, _labels(namespace), fleet.settings.label_domain)
    why = fault(identity, name) if identity else "nothing says whose it is."
    if not why:
        return identity
    what = f"a namespace of the inventory is called <tenant>-<project>-<environment>: {why}"
    done.findings.teller(cluster.name)(
        NOT_EXPRESSED, namespace, "metadata.name", what, grouping.nearest(name, identity)
    )
    return None


def _join(first: Draft, other: Draft, done: Imported) -> None:
    """The same environment on another cluster: one declaration when the two agree."""
    cluster, namespace = other.clusters[0], other.identity.namespace
    if _essence(first.facts) == _essence(other.facts):
        first.clusters.append(cluster)
        return
    parts = [k for k, v in _essence(first.facts).items() if v != _essence(other.facts)[k]]
    done.findings.add(
        Finding(
            NOT_EXPRESSED,
            cluster,
            namespace,
            "Namespace",
            namespace,
            ", ".join(parts),
            f"it differs from that of the same name on {first.clusters[0]}; an environment is the same everywhere.",
            "Make them equal and import again, or give one of them another name.",
        )
    )
    done.namespaces.pop((cluster, namespace), None)


def _essence(facts: Facts) -> dict[str, t.Any]:
    return {key: value for key, value in vars(facts).items() if key != "covered"}


def existing(imported: Imported, fleet: Fleet, *, overwrite: bool) -> set[str]:
    """The tenants that are there already, unless they can be replaced without loss."""
    kept = set()
    for name in imported.tenants:
        tenant = fleet.tenants.get(name)
        if tenant is None:
            continue
        new = {draft.identity.key for draft in imported.drafts}
        lost = sorted(e.key for e in fleet.environments if e.tenant.id == name and e.key not in new)
        if overwrite and not lost:
            continue
        kept.add(name)
        what = "there is a tenant of this name already"
        what += f", with {', '.join(lost[:5])}, which the import does not hold." if overwrite else "."
        imported.findings.add(
            Finding(
                NOTE, "", "", "Tenant", name, "projects", what, "Add by hand what the result holds under 'additions'."
            )
        )
    return kept
