# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last words of a run: everything that it did, and nothing that it did not."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from .._tree import paths
from .._tree.deliver import Outcome
from .._tree.writer import TreeResult
from .table import count, names, wrapped

_MOST_NAMES = 6


def ending(
    outcome: Outcome, root: Path, *, check: bool, clusters: Collection[str], recorded: Collection[str]
) -> list[str]:
    """What became of the tree, of its repository and of the tenant files.

    @param check: nothing was done.
    @param clusters: the clusters whose folders were looked at; empty for all.
    @param recorded: tenant files that got a placement.
    """
    tree = outcome.tree
    if tree is None:
        return []
    deeds = _files(tree)
    if outcome.committed:
        what = "" if deeds else "what had not been committed yet is "
        deeds.append(f"{what}committed{f' as {outcome.commit[:12]}' if outcome.commit else ''}")
    if outcome.pushed:
        deeds.append("pushed" if outcome.committed else "earlier commits are pushed")
    if recorded:
        deeds.append(f"{count(len(recorded), 'tenant file')} given placements")
    scope = _scope(tree, outcome.left_out, clusters)
    if outcome.refusals:
        told = f": {'; '.join(deeds)}" if deeds else ""
        return wrapped(
            f"A real run would stop and leave {root} as it is; see the warning. It was to do{told or ' nothing'}.", ""
        )
    if not deeds:
        return wrapped(f"{'Nothing would change' if check else 'Nothing changed'} in {root}: {scope}", "")
    more = f" {scope[:1].upper()}{scope[1:]}" if outcome.left_out or tree.unchanged else ""
    return wrapped(f"{'Would be done' if check else 'Done'} in {root}: {'; '.join(deeds)}.{more}", "")


def _files(tree: TreeResult) -> list[str]:
    counts = (
        (len(tree.created), "created"),
        (len(tree.updated), "updated"),
        (len(tree.repaired), "put back after a change by hand"),
        (len(tree.removed), "removed"),
    )
    told = [f"{count(number, 'file')} {what}" for number, what in counts if number]
    deeds = ["an interrupted earlier run completed"] if tree.recovered else []
    deeds += [", ".join(told)] if told else []
    if tree.manifest_changed and not deeds:
        deeds.append(f"the list of files, {paths.MANIFEST}, written anew")
    return deeds


def _scope(tree: TreeResult, left_out: Collection[str], clusters: Collection[str]) -> str:
    """How many files were right already, and which were not looked at."""
    if not left_out:
        number = len(tree.unchanged)
        return f"{count(number, 'file')} {_were(number)} as declared already."
    number = sum(1 for path in tree.unchanged if paths.part(path).cluster not in left_out)
    looked = f"{count(number, 'file')} of {names(sorted(clusters), _MOST_NAMES)} and of the fleet as a whole"
    others = f"{count(len(left_out), 'other cluster')} ({names(sorted(left_out), _MOST_NAMES)})"
    return f"{looked} {_were(number)} as declared already; {others} {_were(len(left_out))} not looked at."


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
