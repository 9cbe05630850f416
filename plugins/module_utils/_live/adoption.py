# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a namespace that is there already may become, or is, the declared one."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._objects.common import MANAGED_BY
from .snapshot import annotations_of, is_ours, labels_of

NEVER, IF_IDENTICAL, ALWAYS = "never", "if_identical", "always"
#: Bookkeeping of other deliveries, which changes nothing in the namespace.
_BOOKKEEPING = ("kustomize.toolkit.fluxcd.io/",)


def policy(declared: Mapping[str, t.Any], domain: str) -> str:
    """The adoption policy of a declared namespace."""
    return annotations_of(declared).get(f"{domain}/adoption-policy", NEVER)


def refusal(declared: Mapping[str, t.Any], live: Mapping[str, t.Any], domain: str) -> str:
    """Why a live namespace cannot be the declared one; empty when it can."""
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
    different = _different(declared, live, domain)
    if different:
        return (
            f"a namespace of this name is there already and differs in {', '.join(different)}. "
            "Mend the one or the other, or set adoption_policy: always."
        )
    return ""


def _different(declared: Mapping[str, t.Any], live: Mapping[str, t.Any], domain: str) -> list[str]:
    """Declared labels and annotations that the live namespace lacks or has otherwise; ours may be missing."""
    found = []
    for name, part in (("labels", labels_of), ("annotations", annotations_of)):
        there = part(live)
        for key, value in part(declared).items():
            may_lack = key == MANAGED_BY or key.startswith((f"{domain}/", *_BOOKKEEPING))
            if there.get(key, value if may_lack else None) != value:
                found.append(f".metadata.{name}.{key}")
    return found


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
