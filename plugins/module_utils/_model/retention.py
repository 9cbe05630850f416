# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stays when an environment leaves the inventory: its namespace and its data, and so its place and its room."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Iterable, Mapping

from .entities import Environment, Retained
from .errors import Problems
from .resources import canonical_quota


def find(
    recorded: Mapping[str, Mapping[str, t.Any]], environments: Iterable[Environment], today: datetime.date
) -> list[Retained]:
    """Recorded environments that nobody declares any more and whose namespaces stay, sorted by key.

    @param recorded: placements of an earlier run. Besides what a placement has, an entry may have C(deletion_policy),
      C(quota), C(cost_center), C(since) when it was retained before, and C(unreached) when the run cannot delete it.
    """
    declared = {environment.key for environment in environments}
    return [
        Retained(
            key,
            tuple(entry["clusters"]),
            str(entry.get("since") or today.isoformat()),
            str(entry.get("deletion_policy") or "retain"),
            canonical_quota(entry.get("quota") or {}),
            str(entry.get("cost_center") or ""),
            str(entry.get("reason") or ""),
            str(entry.get("decided_at") or ""),
        )
        for key, entry in sorted(recorded.items())
        if key not in declared and (outlives(entry) or entry.get("unreached"))
    ]


def outlives(entry: Mapping[str, t.Any]) -> bool:
    """Whether the namespace of a recorded environment stays when its declaration goes."""
    return entry.get("deletion_policy") != "delete"


def check(environments: Iterable[Environment], retained: Iterable[Retained], problems: Problems) -> None:
    """Nobody gets the namespace, and with it the data, of somebody else: C(a-b/c/dev) is called like C(a/b-c/dev)."""
    left = {each.namespace: each for each in retained}
    for environment in environments:
        other = left.get(environment.namespace)
        if other:
            problems.error(
                "duplicate-id",
                environment.where / "name",
                f"the namespace {environment.namespace} is still that of {other.key}, which was removed on "
                f"{other.since} and whose data stay on {', '.join(other.clusters)}.",
                "Choose another name; when nothing is left there, remove its entry from placements.yaml.",
            )
