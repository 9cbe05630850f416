# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run changes, for whom, and what that costs."""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from .._model.fleet import Fleet
from .._tree import paths
from .._tree.changes import CREATED, REMOVED, Changes
from .._tree.deliver import Outcome
from . import account as accounts
from . import fleet as report
from .account import Account
from .ending import ending
from .ledger import difference, retained, tables
from .table import bounded, count, heading, names, wrapped

_MOST_LINES, _MOST_FILES, _MOST_DIFFERENCES = 40, 10, 4


class Run(t.NamedTuple):
    """How a run was meant, and what it did besides the tree.

    @param check: it only says what it would do.
    @param clusters: the clusters whose folders it looked at; empty for all.
    @param recorded: tenant files that got a placement.
    """

    check: bool = False
    clusters: Collection[str] = ()
    recorded: Collection[str] = ()


def plan(outcome: Outcome, before: Account, root: Path, run: Run) -> list[str]:
    """What would change for each tenant and cluster, the account that follows, and the difference in money."""
    fleet = outcome.fleet
    return [
        *_changes(outcome, before, root, run),
        *report.placements(fleet, details=True),
        *tables(fleet, before, sense="after", where=str(root)),
        *retained(fleet),
        *difference(before, fleet, "after"),
        *_files(outcome, run),
        "",
        *ending(outcome, root, check=run.check, clusters=run.clusters, recorded=run.recorded),
    ]


def summary(outcome: Outcome, before: Account, root: Path, run: Run) -> list[str]:
    """The fleet as it is after a run, and what the run changed."""
    fleet = outcome.fleet
    sense = "after" if run.check else "now"
    return [
        f"{fleet.settings.values['fleet_name']}: {report.totals(fleet)}",
        *report.clusters(fleet),
        *tables(fleet, before, sense=sense, where=str(root)),
        *retained(fleet),
        *report.placements(fleet),
        *_changes(outcome, before, root, run),
        *difference(before, fleet, sense),
        *_objects(outcome, run),
        *_files(outcome, run),
        "",
        *ending(outcome, root, check=run.check, clusters=run.clusters, recorded=run.recorded),
    ]


def _changes(outcome: Outcome, before: Account, root: Path, run: Run) -> list[str]:
    lines = heading("what would change" if run.check else "what changed")
    changes = outcome.changes
    here = f" on {names(sorted(run.clusters), _MOST_FILES)}" if run.clusters else ""
    if not changes:
        return [*lines, *wrapped(f"Nothing for any tenant{here or ' or cluster'}.")]
    if changes.first:
        return [*lines, *wrapped(f"Everything{here} is new in {root}.")]
    told = _tenants(changes, before, outcome.fleet)
    told += _clusters(changes)
    told += [f"  roles and policies of the release line {line}" for line in changes.lines]
    only = f"Only {paths.LEDGER} and {paths.PLACEMENTS}, which are about the whole fleet."
    return [*lines, *(bounded(told, _MOST_LINES) or wrapped(only))]


def _tenants(changes: Changes, before: Account, fleet: Fleet) -> list[str]:
    after = accounts.of(fleet).environments
    keys = {environment.namespace: environment.key for environment in fleet.environments}
    told = []
    for tenant, spaces in changes.environments.items():
        for namespace, line in zip(spaces, changes.tenant_lines(tenant), strict=True):
            found = _differences(keys.get(namespace, ""), before, after)
            told += wrapped(f"tenant {tenant}: {line}{f': {found}' if found else ''}", "      ", "  ")
    return told


def _differences(key: str, before: Account, after: t.Mapping[accounts.Key, t.Mapping[str, str]]) -> str:
    """What the quota and the state of an environment were, and are; nothing when it is new, moved or gone."""
    for place, new in after.items():
        old = before.environments.get(place)
        if place[0] == key and old:
            told = [
                f"{what} {old.get(what, 'none')} → {new.get(what, 'none')}"
                for what in sorted({*old, *new} - {accounts.MONTH}, key=lambda what: (_rank(what), what))
                if old.get(what) != new.get(what)
            ]
            return names(told, _MOST_DIFFERENCES)
    return ""


def _rank(what: str) -> int:
    """The state first, then what is scarce, then limits and counts."""
    return 0 if what == accounts.STATE else 1 if what.startswith("requests.") else 2


def _clusters(changes: Changes) -> list[str]:
    """What happens on each cluster: how many namespaces come, change and go, and what changes of its own."""
    counts: dict[str, Counter[str]] = {}
    for spaces in changes.environments.values():
        for verbs in spaces.values():
            for verb, where in verbs.items():
                for cluster in where:
                    counts.setdefault(cluster, Counter())[verb] += 1
    told = []
    for cluster in sorted({*counts, *changes.clusters}):
        parts = [f"{count(number, 'namespace')} {verb}" for verb, number in sorted(counts.get(cluster, {}).items())]
        words = changes.clusters.get(cluster, [])
        whole = [word for word in words if word in (CREATED, REMOVED)]
        own = [f"{', '.join(words)} changed"] if words and not whole else []
        told += wrapped(f"cluster {cluster}: {'; '.join([*whole, *parts, *own])}", "      ", "  ")
    return told


def _objects(outcome: Outcome, run: Run) -> list[str]:
    kinds = outcome.tree.kinds if outcome.tree else Counter()
    told = ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items(), key=lambda item: (-item[1], item[0])))
    where = f" for {names(sorted(run.clusters), _MOST_FILES)} and the fleet as a whole" if run.clusters else ""
    return [*heading(f"{count(sum(kinds.values()), 'object')}{where}"), *wrapped(told)] if kinds else []


def _files(outcome: Outcome, run: Run) -> list[str]:
    """The names of files that somebody else wrote, or wrote into."""
    tree = outcome.tree
    if tree is None:
        return []
    lines = []
    for title, files in (
        (f"changed by hand, {'would be ' if run.check else ''}put back", tree.repaired),
        ("files of others, left alone", tree.foreign),
    ):
        if files:
            lines += [
                *heading(f"{title} ({len(files)})"),
                *bounded([f"  {file}" for file in files], _MOST_FILES),
            ]
    return lines
