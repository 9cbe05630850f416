# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed for whom, in words."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass, field

from . import paths

CREATED, CHANGED, REMOVED, RETAINED, MOVED = "created", "changed", "removed", "retained", "moved"
SUBJECT = 72
LINES = 60

Verbs = dict[str, dict[str, list[str]]]


@dataclass
class Changes:
    """What a set of changed files means.

    @param environments: tenant to namespace to verb (C(created), C(changed), C(removed), C(retained)) to clusters.
      What is retained is no longer declared there, but its namespace stays with its data.
    @param clusters: cluster to what changed about it; C(created) or C(removed) when the cluster itself is new or gone.
    @param lines: release lines whose roles or policies changed.
    @param ledger: whether the account changed.
    @param first: whether the tree is new.
    """

    environments: dict[str, Verbs] = field(default_factory=dict)
    clusters: dict[str, list[str]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    ledger: bool = False
    first: bool = False

    def __bool__(self) -> bool:
        return bool(self.environments or self.clusters or self.lines or self.ledger or self.first)

    def tenant_lines(self, tenant: str) -> list[str]:
        """One line for each of a tenant's namespaces that changed."""
        return [f"{namespace} {_what(verbs)}" for namespace, verbs in self.environments[tenant].items()]


def find(created: Iterable[str], updated: Iterable[str], removed: Iterable[str], kept: Container[str] = ()) -> Changes:
    """What changed, from the paths of the files that did.

    @param kept: the files whose namespaces stay when they are removed.
    """
    changes = Changes()
    tenants: dict[str, Verbs] = {}
    clusters: dict[str, set[str]] = {}
    lines = set()
    for verb, files in ((CREATED, created), (CHANGED, updated), (REMOVED, removed)):
        for path in files:
            about = paths.part(path)
            if about.namespace:
                verbs = tenants.setdefault(about.tenant, {}).setdefault(about.namespace, {})
                verbs.setdefault(RETAINED if verb == REMOVED and path in kept else verb, []).append(about.cluster)
            elif about.line:
                lines.add(about.line)
            elif about.cluster and about.topic != paths.TENANTS:
                clusters.setdefault(about.cluster, set()).add(_topic(about, verb, path))
            changes.ledger |= path == paths.LEDGER
            changes.first |= path == paths.MANIFEST and verb == CREATED
    changes.environments = {
        tenant: {name: {v: sorted(on) for v, on in spaces[name].items()} for name in sorted(spaces)}
        for tenant, spaces in sorted(tenants.items())
    }
    for cluster, words in sorted(clusters.items()):
        whole = [verb for verb in (CREATED, REMOVED) if verb in words]
        changes.clusters[cluster] = whole or sorted(words)
    changes.lines = sorted(lines)
    return changes


def _topic(about: paths.Part, verb: str, path: str) -> str:
    if not about.topic:
        return "Flux" if verb == CHANGED else verb
    if about.topic == paths.CONFIG:
        # the list of Kustomizations changes whenever a tenant comes or goes
        return "delivery" if path.endswith("/kustomizations.yaml") else "facts"
    if about.topic == paths.NETWORK:
        return "load-balancer pools"
    return f"{about.topic} {about.item}".rstrip()


def _what(verbs: Mapping[str, list[str]]) -> str:
    gone, stays = sorted({*verbs.get(REMOVED, ()), *verbs.get(RETAINED, ())}), ", ".join(verbs.get(RETAINED, ()))
    data = f"; namespace and data stay on {stays}" if stays else ""
    if gone and CREATED in verbs and CHANGED not in verbs:
        return f"{MOVED} from {', '.join(gone)} to {', '.join(verbs[CREATED])}{data}"
    if set(verbs) == {RETAINED}:
        return f"removed{data}"
    words = {CREATED: "created on", CHANGED: "changed on", REMOVED: "deleted from", RETAINED: "removed from"}
    return ", ".join(f"{words[verb]} {', '.join(verbs[verb])}" for verb in words if verb in verbs) + data


def message(changes: Changes, *, lines: int = LINES) -> str:
    """A commit message: a subject of at most 72 characters that names the tenants, and a body of at most I(lines)."""
    body = _body(changes)
    if len(body) > lines:
        body = [*body[: lines - 1], f"… and {len(body) - lines + 1} lines more"]
    return "\n".join([subject(changes), *([""] if body else []), *body]) + "\n"


def subject(changes: Changes) -> str:
    """The first of several wordings, from exact to general, that fits."""
    for wording in _wordings(changes):
        if len(wording) <= SUBJECT:
            return wording
    return wording[: SUBJECT - 1] + "…"


def _wordings(changes: Changes) -> t.Iterator[str]:
    tenants, clusters = list(changes.environments), list(changes.clusters)
    if changes.first:
        spaces = sum(len(verbs) for verbs in changes.environments.values())
        yield f"first rendering: {_count(len(clusters), 'cluster')}, {_count(spaces, 'environment')}"
    elif len(tenants) == 1:
        yield from _tenant_wordings(tenants[0], changes.environments[tenants[0]])
    elif tenants:
        yield f"{len(tenants)} tenants: {', '.join(tenants)}"
        on = {
            cluster
            for spaces in changes.environments.values()
            for verbs in spaces.values()
            for c in verbs.values()
            for cluster in c
        }
        yield f"{len(tenants)} tenants on {_count(len(on), 'cluster')}: {tenants[0]}, …"
        yield f"{len(tenants)} tenants on {_count(len(on), 'cluster')}"
    elif len(clusters) == 1:
        yield f"{clusters[0]}: {', '.join(changes.clusters[clusters[0]])}"
        yield f"{clusters[0]}: {_count(len(changes.clusters[clusters[0]]), 'change')}"
    elif clusters:
        yield f"{len(clusters)} clusters: {', '.join(clusters)}"
        yield f"{len(clusters)} clusters"
    elif changes.lines:
        yield f"roles and policies of {', '.join(changes.lines)}"
    else:
        yield "account" if changes.ledger else "list of files"


def _tenant_wordings(tenant: str, spaces: Verbs) -> t.Iterator[str]:
    short = {name: name.removeprefix(f"{tenant}-") for name in spaces}
    yield f"{tenant}: " + ", ".join(f"{short[name]} {_what(verbs)}" for name, verbs in spaces.items())
    told = {CREATED: CREATED, CHANGED: CHANGED, RETAINED: "removed", REMOVED: "deleted"}
    kinds = {" and ".join(word for verb, word in told.items() if verb in verbs) for verbs in spaces.values()}
    if len(kinds) == 1:
        yield f"{tenant}: {', '.join(short.values())} {kinds.pop()}"
    counts = [(word, sum(verb in verbs for verbs in spaces.values())) for verb, word in told.items()]
    yield f"{tenant}: " + ", ".join(f"{_count(number, 'environment')} {word}" for word, number in counts if number)


def _body(changes: Changes) -> list[str]:
    body = []
    for tenant in changes.environments:
        body += [f"tenant {tenant}:", *(f"- {line}" for line in changes.tenant_lines(tenant))]
    body += [f"cluster {cluster}: {', '.join(words)}" for cluster, words in changes.clusters.items()]
    if changes.lines:
        body.append(f"roles and policies of {', '.join(changes.lines)}")
    if changes.ledger:
        body.append("account: see ledger.csv")
    return body


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def of_commit(
    created: Collection[str], updated: Collection[str], removed: Collection[str], kept: Container[str] = ()
) -> str:
    """The message for a commit of these files; I(kept) as in C(find)."""
    return message(find(created, updated, removed, kept))
