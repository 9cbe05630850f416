# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run over the tree: read the placements, compile, write, commit, push; with other runs kept out throughout."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .._model.fleet import Fleet
from . import changes, clear_text, commit, handover, journal, layout, manifest, partial, paths, placements, writer
from .brake import Brake
from .disk import Disk
from .errors import TreeError
from .released import Released, Texts


@dataclass
class Outcome:
    """What a run did, or would do in check mode.

    @param fleet: the compiled inventory. When it has errors nothing was written and I(tree) is None.
    @param tree: what happened to the files.
    @param changes: what that means for tenants and clusters.
    @param commit: the id of the commit; empty when there was nothing to commit, and in check mode.
    @param committed: whether there was something to commit.
    @param message: the message of that commit, or what it would have been.
    @param pushed: whether the remote got something new.
    @param left_out: clusters that the run was not to touch.
    @param waiting: what has to wait for a run that touches other clusters.
    @param refusals: in check mode, why the real run would fail.
    """

    fleet: Fleet
    tree: writer.TreeResult | None = None
    changes: changes.Changes | None = None
    commit: str = ""
    message: str = ""
    pushed: bool = False
    committed: bool = False
    left_out: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    #: What Flux could not apply in one step.
    warnings: list[str] = field(default_factory=list)
    #: Files whose namespaces stay when they are removed.
    kept: set[str] = field(default_factory=set, repr=False)

    @property
    def changed(self) -> bool:
        return bool(self.committed or self.pushed or (self.tree and self.tree.changed))


def deliver(
    root: Path | str,
    compile_with: Callable[[placements.Recorded], Fleet],
    *,
    check: bool = False,
    diff: bool = False,
    git: commit.Options | None = None,
    wait: float = 60.0,
    clusters: Collection[str] = (),
    brake: Brake | None = None,
    released: Texts | None = None,
) -> Outcome:
    """Brings the tree in line with the inventory.

    @param root: the folder of the tree.
    @param compile_with: compiles the inventory, given the recorded placements.
    @param check: only say what would be done.
    @param diff: also give the changes as a unified diff.
    @param git: how to commit; None for not at all.
    @param wait: seconds to wait for another run.
    @param clusters: the clusters whose folders to touch; empty for all.
    @param brake: how much may be removed.
    @param released: manifests of services that have no chart, by service and version; the tree keeps them.
    """
    first = None
    if not os.path.lexists(root):
        # what is wrong must not even make the folder
        first = compile_with({})
        if first.problems.errors:
            return Outcome(first)
        _ready(root, git)
    with writer.opened(root, check=check, wait=wait) as disk:
        recorded = partial.marked(_recorded(disk), clusters)
        fleet = compile_with(recorded) if first is None or recorded else first
        if fleet.problems.errors:
            return Outcome(fleet)
        recovered = writer.recover(disk, check=check)
        repository = _ready(disk.root, git)
        files = layout.layout(fleet, bootstrapped_clusters(disk), partial.delivered(recorded), Released(disk, released))
        outcome = Outcome(fleet, kept=placements.kept_files(recorded))

        def refuse(refusal: TreeError | None) -> None:
            if refusal and not check:
                raise refusal
            if refusal:
                outcome.refusals.append(str(refusal))

        def judge(before: Collection[str], after: Collection[str]) -> None:
            refuse((brake or Brake()).refusal(disk.root, before, after))

        if clusters:
            split = partial.split(fleet, manifest.read(disk), recorded, clusters)
            refuse(split.refusal(disk.root))
            outcome.waiting = split.waiting

        outcome.warnings = list(handover.warnings(disk, fleet, _beyond(clusters)))
        if git:
            refuse(_clear_text(disk))
        tree = writer.sync_opened(
            disk, files, check=check, diff=diff, keep=_beyond(clusters), judge=judge, recovered=recovered
        )
        meaning = of_result(tree, outcome.kept)
        outcome.tree, outcome.changes = tree, meaning
        outcome.message = changes.message(meaning) if meaning else ""
        outcome.left_out = _left_out({*files, *tree.ours}, clusters)
        if git and check:
            _foresee(disk, repository, git, outcome)
        elif git:
            _commit(disk, repository or commit.make(disk.root, git), outcome)
        return outcome


def _ready(root: Path | str, git: commit.Options | None) -> commit.Repository | None:
    """The repository, fit for a commit; None when there is to be none, or when it is still to be made."""
    repository = commit.find(root, git) if git else None
    if repository:
        repository.check()
    return repository


def _beyond(clusters: Collection[str]) -> Callable[[str], bool] | None:
    """Whether a path belongs to a cluster that is not among I(clusters)."""
    if not clusters:
        return None

    def beyond(path: str) -> bool:
        cluster = paths.part(path).cluster
        return bool(cluster) and cluster not in clusters

    return beyond


def _left_out(files: Iterable[str], clusters: Collection[str]) -> list[str]:
    if not clusters:
        return []
    return sorted({paths.part(path).cluster for path in files} - {"", *clusters})


def _recorded(disk: Disk) -> placements.Recorded:
    interrupted = journal.pending(disk) if disk.exists else None
    if interrupted:
        disk.overlay = journal.overlay(interrupted)
    recorded = placements.read_opened(disk)
    disk.overlay = {}
    return recorded


def _clear_text(disk: Disk) -> TreeError | None:
    """Why nothing is committed, and so nothing is pushed: somebody's Secrets in clear text."""
    ours = manifest.read(disk)
    root = Path(disk.root)
    found = clear_text.find(root, (each for each in clear_text.files(root) if each not in ours))
    if not found:
        return None
    place, _unused, what = found[0].partition(": ")
    return TreeError(
        disk.full(place),
        f"{what}{f', and {len(found) - 1} more' if len(found) > 1 else ''}; nothing was written.",
        "Encrypt it with `sops encrypt --in-place`. If it has been committed, the secret is known: replace it.",
    )


def _commit(disk: Disk, repository: commit.Repository, outcome: Outcome) -> None:
    def describe(difference: commit.Difference) -> str:
        outcome.message = changes.of_commit(difference.created, difference.updated, difference.removed, outcome.kept)
        return outcome.message

    gone = outcome.tree.removed if outcome.tree else ()
    outcome.commit = repository.commit({*manifest.read(disk), *gone}, describe)
    outcome.committed = bool(outcome.commit)
    if repository.options.remote:
        outcome.pushed = repository.push()


def _foresee(disk: Disk, repository: commit.Repository | None, git: commit.Options, outcome: Outcome) -> None:
    """What C(_commit) would do."""
    tree = outcome.tree or writer.TreeResult()

    def content(path: str) -> bytes | None:
        return tree.pending[path] if path in tree.pending else disk.read(path)

    if repository is None:
        outcome.committed = bool(tree.ours)
        outcome.message = changes.of_commit(sorted({*tree.ours, paths.MANIFEST}), (), ())
    else:
        gone = {path for path, data in tree.pending.items() if data is None}
        difference = repository.foresee({*tree.ours, *gone}, {*tree.pending, *disk.overlay}, content)
        outcome.committed = bool(difference)
        if difference:
            outcome.message = changes.of_commit(
                difference.created, difference.updated, difference.removed, outcome.kept
            )
    if not git.remote:
        return
    try:
        asked = repository.push(check=True) if repository else commit.first_push(disk.root, git)
        outcome.pushed = asked or outcome.committed
    except TreeError as error:
        outcome.refusals.append(str(error))


def of_result(tree: writer.TreeResult, kept: Collection[str] = ()) -> changes.Changes:
    """What a result means. Files that were only repaired mean nothing to anybody."""
    meaning = changes.find(tree.created, tree.updated, tree.removed, kept)
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
