# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The brake against mass removal.

An inventory source that fails quietly (a folder that was not checked out, a sync that brought half) looks like an
inventory in which tenants were removed on purpose. What a run removes from the tree, Flux removes from the clusters.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from . import paths
from .errors import TreeError

#: So few removals are never too many, unless nothing would be left.
FLOORS = {"tenants": 1, "environments": 3, "clusters": 1}
_LIMIT = re.compile(r"\s*([0-9]{1,9})\s*(%?)\s*", re.ASCII)
_NAMED = 20
_CONFIRMED = 200


@dataclass(frozen=True)
class Brake:
    """How much a run may remove. Making it checks it.

    @param limit: how many tenants, environments and clusters each; a number, or a share of those in the tree.
    @param confirmed: names of tenants, namespaces and clusters that may go, and do not count. A tenant's or cluster's
      name stands for its environments too.
    """

    limit: str = "30%"
    confirmed: Collection[str] = ()

    def __post_init__(self) -> None:
        if not _LIMIT.fullmatch(self.limit):
            raise TreeError(
                "prune_limit", f"{self.limit!r} is no limit.", "Write a number such as 25, or a share such as 30%."
            )

    def allowed(self, what: str, known: int) -> int:
        """How many of I(known) may go."""
        found = _LIMIT.fullmatch(self.limit)
        number, share = found.groups() if found else ("0", "")
        return max(FLOORS[what], known * int(number) // 100) if share else int(number)

    def refusal(self, root: str, before: Iterable[str], after: Iterable[str]) -> TreeError | None:
        """Why a run must not go on, or None.

        @param root: the tree, for the message.
        @param before: paths of our files now, those that this run may touch.
        @param after: those that it would leave.
        """
        old, new = _Held(before), _Held(after)
        lines: list[str] = []
        names: list[str] = []
        final = False
        spaces = {name for name in old.environments if name in self.confirmed or old.covered(name, self.confirmed)}
        unconfirmed = old.environments.keys() - new.environments.keys() - spaces
        losing = {old.environments[name][0] for name in unconfirmed}
        tenants = {name for name in old.tenants if name in self.confirmed or name not in losing}
        for what, known, left, confirmed in (
            ("tenants", old.tenants, new.tenants, tenants),
            ("clusters", old.clusters, new.clusters, {*self.confirmed}),
            ("environments", {*old.environments}, {*new.environments}, spaces),
        ):
            gone = sorted(known - left - confirmed)
            most = self.allowed(what, len(known))
            last = bool(gone) and not left and what != "environments"
            if len(gone) > most or last:
                rule = "the last ones only when confirmed" if last else f"at most {most} in one run"
                lines.append(f"- {len(gone)} of {len(known)} {what} ({rule}): {_listed(gone, _NAMED)}")
                names += [name for name in gone if not old.covered(name, names)]
                final |= last
        if not lines:
            return None
        return TreeError(
            root,
            f"nothing was written. This run would remove more than prune_limit={self.limit.strip()} lets it:\n"
            + "\n".join(lines)
            + "\n",
            "First look whether the inventory is whole: a group_vars folder that is missing, or an inventory source "
            "whose sync failed, looks just like this. If all of it is meant, name what may go, "
            f"confirm_deletion: [{_listed(names, _CONFIRMED)}]{'' if final else ', or raise prune_limit'}. "
            "The role's options are tenants_confirm_deletion and tenants_prune_limit.",
        )


class _Held:
    """What a set of files declares. I(environments): namespace to its tenant and its clusters."""

    def __init__(self, files: Iterable[str]) -> None:
        self.tenants: set[str] = set()
        self.clusters: set[str] = set()
        self.environments: dict[str, tuple[str, set[str]]] = {}
        for path in files:
            about = paths.part(path)
            if about.cluster:
                self.clusters.add(about.cluster)
            if about.namespace:
                self.tenants.add(about.tenant)
                self.environments.setdefault(about.namespace, (about.tenant, set()))[1].add(about.cluster)

    def covered(self, namespace: str, names: Collection[str]) -> bool:
        """Whether I(names) has its tenant, or all its clusters."""
        if namespace not in self.environments:
            return False
        tenant, clusters = self.environments[namespace]
        return tenant in names or clusters <= {*names}


def _listed(names: Collection[str], most: int) -> str:
    shown = list(names)[:most]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
