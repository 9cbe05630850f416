# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a namespace that is there already may become, or is, the declared one.

With C(if_identical) nothing that somebody set may change. What nobody set may be added: a namespace made by hand has
no label of ours, mostly no Pod Security level, and less in its quota.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping

from .._objects.common import MANAGED_BY
from .identical import conflicts
from .snapshot import Object, annotations_of, is_ours, labels_of

NEVER, IF_IDENTICAL, ALWAYS = "never", "if_identical", "always"
#: Which of our own labels say whose it is. What else has our prefix is ours to write.
_IDENTITY = ("tenant", "project", "environment")
#: Bookkeeping of other deliveries, which changes nothing in the namespace.
_BOOKKEEPING = ("kustomize.toolkit.fluxcd.io/prune",)
#: Labels and annotations by which other tools say that a namespace is theirs.
_CLAIMS = {
    "argocd.argoproj.io/instance": "Argo CD",
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "capsule.clastix.io/tenant": "Capsule",
    "field.cattle.io/projectId": "Rancher",
    "helm.toolkit.fluxcd.io/name": "Flux",
    "hnc.x-k8s.io/subnamespace-of": "the Hierarchical Namespace Controller",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "meta.helm.sh/release-name": "Helm",
}
_MOST = 6


def policy(declared: Mapping[str, t.Any], domain: str) -> str:
    """The adoption policy of a declared namespace."""
    return annotations_of(declared).get(f"{domain}/adoption-policy", NEVER)


def asks(declared: Mapping[str, t.Any], live: Mapping[str, t.Any], domain: str) -> bool:
    """Whether it depends on what is inside."""
    return policy(declared, domain) == IF_IDENTICAL and not is_ours(live) and not terminating(live)


def refusal(
    declared: Mapping[str, t.Any],
    live: Mapping[str, t.Any],
    domain: str,
    *,
    ours: Iterable[Object] = (),
    theirs: Iterable[Object] = (),
) -> str:
    """Why a live namespace cannot be the declared one; empty when it can.

    @param ours: what is declared inside.
    @param theirs: the quotas and limits that are there.
    """
    stuck = terminating(live)
    if stuck:
        return stuck
    wanted = policy(declared, domain)
    if wanted == ALWAYS:
        return ""
    owner = f"{domain}/tenant"
    was, now = labels_of(live).get(owner), labels_of(declared).get(owner)
    if is_ours(live):
        if was and now and was != now:
            return (
                f"it belongs to the tenant {was!r}, and would become {now!r}'s with all that is in it. "
                "Set adoption_policy: always if that is meant, else choose another name."
            )
        return ""
    if wanted == NEVER:
        return (
            "a namespace of this name is there already and is not managed by this collection. Set adoption_policy: "
            "if_identical or always for this environment to take it over, or choose another name."
        )
    return _not_identical(declared, live, domain, ours, theirs)


def _not_identical(
    declared: Mapping[str, t.Any],
    live: Mapping[str, t.Any],
    domain: str,
    ours: Iterable[Object],
    theirs: Iterable[Object],
) -> str:
    claims = list(_claims(live))
    if claims:
        return (
            f"a namespace of this name is there already and belongs to another tool: {', '.join(claims)}. Take it away "
            "from that first, or set adoption_policy: always."
        )
    different = [*_different(declared, live, domain), *conflicts(ours, theirs)]
    if different:
        more = f" and {len(different) - _MOST} more" if len(different) > _MOST else ""
        return (
            f"a namespace of this name is there already and differs in {', '.join(different[:_MOST])}{more}. "
            "Mend the one or the other, or set adoption_policy: always."
        )
    return ""


def _claims(live: Mapping[str, t.Any]) -> Iterator[str]:
    for each in live["metadata"].get("ownerReferences") or ():
        yield f"{each['kind']} {each['name']} owns it"
    manager = labels_of(live).get(MANAGED_BY)
    if manager:
        yield f"{MANAGED_BY} is {manager}"
    for key, value in sorted({**annotations_of(live), **labels_of(live)}.items()):
        if key in _CLAIMS:
            yield f"{_CLAIMS[key]} says so with {key}: {value}"


def _different(declared: Mapping[str, t.Any], live: Mapping[str, t.Any], domain: str) -> Iterator[str]:
    """Declared labels and annotations that have another value."""
    identity = {f"{domain}/{part}" for part in _IDENTITY}
    for name, part in (("labels", labels_of), ("annotations", annotations_of)):
        there = part(live)
        for key, value in part(declared).items():
            free = key.startswith((f"{domain}/", *_BOOKKEEPING)) and key not in identity
            if not free and key in there and there[key] != value:
                yield f".metadata.{name}.{key} ({there[key]}, declared {value})"


def terminating(live: Mapping[str, t.Any]) -> str:
    """Why a namespace that is being deleted is still there; empty when it is not being deleted."""
    since = live["metadata"].get("deletionTimestamp")
    if not since:
        return ""
    conditions = (live.get("status") or {}).get("conditions") or ()
    told = "; ".join(str(c.get("message", c.get("reason"))) for c in conditions if c.get("status") == "True")
    return (
        f"it is being deleted since {since}{f', held up by: {told}' if told else ''}. "
        "Remove what holds it up, wait until it is gone, then run again."
    )
