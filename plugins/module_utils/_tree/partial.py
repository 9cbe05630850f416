# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that write only some clusters.

Placements and the account are always those of the whole fleet, so a run that does not reach every cluster must take
care of what those it does not reach still hold: an environment must not end up on two clusters, or on none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .._model.fleet import Fleet
from . import paths
from .errors import TreeError
from .placements import Recorded

_NAMED = 10


def marked(recorded: Recorded, clusters: Collection[str]) -> Recorded:
    """Marks what this run cannot delete: C(unreached). Such an entry must outlive the run, whatever its policy.

    @param clusters: those that are written; empty for all.
    """
    if not clusters:
        return recorded
    return {
        key: entry if set(entry["clusters"]) <= set(clusters) else {**entry, "unreached": True}
        for key, entry in recorded.items()
    }


def delivered(recorded: Recorded) -> dict[str, str]:
    """The deletion policies that C(marked) entries have on their clusters, where this run brings no other."""
    return {key: entry.get("deletion_policy", "retain") for key, entry in recorded.items() if entry.get("unreached")}


@dataclass(frozen=True)
class Split:
    """What a run that writes only some clusters cannot do.

    @param moves: environments that move between a cluster that is written and one that is not.
    @param waiting: what another run has to do.
    """

    inside: Collection[str]
    moves: list[str]
    waiting: list[str]

    def refusal(self, root: str) -> TreeError | None:
        """Why the run must not go on: environments would stand on two clusters, or on none."""
        if not self.moves:
            return None
        return TreeError(
            root,
            f"nothing was written. This run writes only {', '.join(sorted(self.inside))}, so that what moves would "
            f"stand on two clusters, or on none: {_listed(self.moves)}.",
            "Run for all these clusters together, or without a limit.",
        )


def split(fleet: Fleet, ours: Iterable[str], recorded: Recorded, clusters: Collection[str]) -> Split:
    """Compares where environments stand with where they belong.

    @param ours: the paths of our files in the tree, as they are.
    @param clusters: those that are written.
    """
    inside, standing = set(clusters), _standing(ours)
    live = {name for name, cluster in fleet.clusters.items() if cluster.delivery != "gitops"}
    moves, waiting = [], []
    for environment in fleet.environments:
        now = set(environment.placement.clusters) if environment.placement else set()
        was = standing.pop((environment.tenant.id, environment.namespace), set())
        # a live cluster has no files in the tree
        was |= live & set(recorded.get(environment.key, {}).get("clusters", ()))
        leaves, comes = was - now, now - was
        outside = (leaves | comes) - inside
        if leaves and comes and outside and (leaves | comes) & inside:
            moves.append(f"{environment.key} moves from {_told(leaves, inside)} to {_told(comes, inside)}")
        elif outside - live:
            waiting.append(f"{environment.key} ({', '.join(sorted(outside - live))})")
    waiting += [
        f"{namespace}, which was removed ({', '.join(sorted(on - inside))})"
        for (_tenant, namespace), on in sorted(standing.items())
        if on - inside
    ]
    if waiting:
        listed = f"Not written yet, until a run includes their clusters: {_listed(waiting)}."
        waiting = [listed]
    return Split(inside, moves, waiting)


def _standing(ours: Iterable[str]) -> dict[tuple[str, str], set[str]]:
    """Tenant and namespace to the clusters in whose folders it stands."""
    found: dict[tuple[str, str], set[str]] = {}
    for path in ours:
        about = paths.part(path)
        if about.namespace:
            found.setdefault((about.tenant, about.namespace), set()).add(about.cluster)
    return found


def _told(names: Iterable[str], inside: Collection[str]) -> str:
    return ", ".join(name if name in inside else f"{name} (not written)" for name in sorted(names))


def _listed(items: list[str]) -> str:
    more = len(items) - _NAMED
    return "; ".join(items[:_NAMED]) + (f"; and {more} more" if more > 0 else "")
