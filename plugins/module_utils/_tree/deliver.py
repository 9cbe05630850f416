# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run over the tree: read the placements, compile, write, commit, push; with other runs kept out throughout."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from .._model.fleet import Fleet
from . import changes, clear_text, commit, journal, layout, manifest, paths, placements, writer
from .disk import Disk
from .errors import TreeError


@dataclass
class Outcome:
    """What a run did, or would do in check mode.

    @param fleet: the compiled inventory. When it has errors nothing was written and I(tree) is None.
    @param tree: what happened to the files.
    @param changes: what that means for tenants and clusters.
    @param commit: the id of the commit; empty when there was nothing to commit.
    @param message: the message of that commit, or what it would have been.
    @param pushed: whether the remote got something new.
    """

    fleet: Fleet
    tree: writer.TreeResult | None = None
    changes: changes.Changes | None = None
    commit: str = ""
    message: str = ""
    pushed: bool = False

    @property
    def changed(self) -> bool:
        return bool(self.commit or self.pushed or (self.tree and self.tree.changed))


def deliver(
    root: Path | str,
    compile_with: Callable[[placements.Recorded], Fleet],
    *,
    check: bool = False,
    diff: bool = False,
    git: commit.Options | None = None,
    wait: float = 60.0,
    clusters: Collection[str] = (),
) -> Outcome:
    """Brings the tree in line with the inventory.

    @param root: the folder of the tree.
    @param compile_with: compiles the inventory, given the recorded placements.
    @param check: only say what would be done.
    @param diff: also give the changes as a unified diff.
    @param git: how to commit; None for not at all.
    @param wait: seconds to wait for another run.
    @param clusters: the clusters whose folders to touch; empty for all.
    """
    # an inventory with errors must not even make the folder
    first = None if os.path.lexists(root) else compile_with({})
    if first and first.problems.errors:
        return Outcome(first)
    with writer.opened(root, check=check, wait=wait) as disk:
        recorded = _recorded(disk)
        fleet = compile_with(recorded) if first is None or recorded else first
        if fleet.problems.errors:
            return Outcome(fleet)
        repository = commit.find(disk.root, git) if git and disk.exists else None
        if repository:
            repository.check()
        files = layout.layout(fleet, bootstrapped_clusters(disk))
        tree = writer.sync_opened(disk, files, check=check, diff=diff, keep=_beyond(clusters))
        meaning = of_result(tree)
        outcome = Outcome(fleet, tree, meaning, message=changes.message(meaning) if meaning else "")
        if git and not check:
            _guard(disk)
            _commit(disk, repository or commit.make(disk.root, git), outcome)
        return outcome


def _beyond(clusters: Collection[str]) -> Callable[[str], bool] | None:
    """Whether a path belongs to a cluster that is not among I(clusters)."""
    if not clusters:
        return None

    def beyond(path: str) -> bool:
        cluster = paths.part(path).cluster
        return bool(cluster) and cluster not in clusters

    return beyond


def _recorded(disk: Disk) -> placements.Recorded:
    interrupted = journal.pending(disk) if disk.exists else None
    if interrupted:
        disk.overlay = journal.overlay(interrupted)
    recorded = placements.read_opened(disk)
    disk.overlay = {}
    return recorded


def _guard(disk: Disk) -> None:
    """Nothing is committed, and so nothing is pushed, while there are Secrets in clear text."""
    ours = manifest.read(disk)
    root = Path(disk.root)
    found = clear_text.find(root, (each for each in clear_text.files(root) if each not in ours))
    if found:
        raise TreeError(
            disk.full(found[0].partition(":")[0]),
            f"{found[0].partition(': ')[2]}{f', and {len(found) - 1} more' if len(found) > 1 else ''}; nothing was "
            "committed.",
            "Encrypt it with `sops encrypt --in-place`. If it has been committed, the secret is known: replace it.",
        )


def _commit(disk: Disk, repository: commit.Repository, outcome: Outcome) -> None:
    def describe(difference: commit.Difference) -> str:
        outcome.message = changes.of_commit(difference.created, difference.updated, difference.removed)
        return outcome.message

    gone = outcome.tree.removed if outcome.tree else ()
    outcome.commit = repository.commit({*manifest.read(disk), *gone}, describe)
    if repository.options.remote:
        outcome.pushed = repository.push()


def of_result(tree: writer.TreeResult) -> changes.Changes:
    """What a result means. Files that were only repaired mean nothing to anybody."""
    meaning = changes.find(tree.created, tree.updated, tree.removed)
    meaning.first = tree.first and bool(tree.created)
    return meaning


def bootstrapped_clusters(disk: Disk) -> set[str]:
    """The clusters whose folder holds Flux's own manifests."""
    try:
        with os.scandir(disk.full(paths.CLUSTERS)) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except OSError as error:
        raise TreeError(
            disk.full(paths.CLUSTERS), f"it cannot be read: {error.strerror}.", "Mend its owner or mode."
        ) from None
    return {
        name
        for name in names
        if disk.read(paths.cluster_folder(name, paths.BOOTSTRAP, paths.KUSTOMIZATION)) is not None
    }
