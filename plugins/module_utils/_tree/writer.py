# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the tree on disk in line with what it should hold."""

from __future__ import annotations

import contextlib
import hashlib
import os
import typing as t
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import emit, journal, manifest, paths
from .difference import Difference
from .disk import Disk, InTheWay, check_path
from .emit import Content
from .errors import TreeError
from .manifest import Entry

DIFF_LIMIT = 200_000
_NAMED = 10


@dataclass
class TreeResult:
    """What a run did to the tree, or would do in check mode. Every list is sorted.

    @param created: files that are new.
    @param updated: files of ours with new content.
    @param repaired: files of ours that somebody had changed or removed; they are as they should be again.
    @param removed: files of ours that are no longer wanted.
    @param unchanged: files that already were as they should be; not touched.
    @param foreign: files in our folders that are not ours; not touched. A folder ends with a slash.
    @param diff: the changes as a unified diff, when asked for.
    @param recovered: an earlier run had been interrupted, and was completed first.
    @param kinds: how many objects of each kind the tree holds; only counted for paths that were looked at.
    @param first: there was no tree before.
    @param manifest_changed: the list of our files was written anew.
    @param ours: every file of ours, as it is then.
    """

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    diff: str = ""
    kinds: Counter[str] = field(default_factory=Counter, compare=False)
    recovered: bool = False
    first: bool = False
    manifest_changed: bool = False
    ours: set[str] = field(default_factory=set, compare=False, repr=False)
    #: Every file that has, or in check mode would get, another content; None for those that go.
    pending: dict[str, bytes | None] = field(default_factory=dict, compare=False, repr=False)

    @property
    def changed(self) -> bool:
        return bool(
            self.created or self.updated or self.repaired or self.removed or self.recovered or self.manifest_changed
        )


def sync(
    root: Path | str,
    files: Mapping[str, Content],
    *,
    check: bool = False,
    diff: bool = False,
    wait: float = 60.0,
    diff_limit: int = DIFF_LIMIT,
) -> TreeResult:
    """Makes the tree hold I(files) and nothing else of ours.

    @param root: the folder of the tree; made when it is missing.
    @param files: path to content. It is asked for each path once, so it may build what it gives on demand.
    @param check: only say what would be done.
    @param diff: also give the changes as a unified diff.
    @param wait: seconds to wait for another run.
    @param diff_limit: characters of the diff after which the rest is only counted.
    @raises TreeError: nothing was written, unless the message says so.
    """
    with opened(root, check=check, wait=wait) as disk:
        return sync_opened(disk, files, check=check, diff=diff, diff_limit=diff_limit)


@contextlib.contextmanager
def opened(root: Path | str, *, check: bool, wait: float) -> t.Iterator[Disk]:
    """The tree, with other runs kept out. A missing root is made, but not in check mode."""
    disk = Disk(root)
    if not disk.exists:
        if check:
            yield disk
            return
        try:
            os.makedirs(disk.root, 0o755, exist_ok=True)
        except OSError as error:
            raise TreeError(
                disk.root, f"the folder cannot be made: {error.strerror}.", "Choose another one, or mend that."
            ) from None
    with disk.locked(wait, shared=check):
        yield disk


def sync_opened(
    disk: Disk,
    files: Mapping[str, Content],
    *,
    check: bool = False,
    diff: bool = False,
    diff_limit: int = DIFF_LIMIT,
    keep: Callable[[str], bool] | None = None,
    judge: Callable[[Collection[str], Collection[str]], None] | None = None,
    recovered: bool = False,
) -> TreeResult:
    """C(sync) for a tree that is held open.

    @param keep: paths that stay as they are, wanted or not.
    @param judge: is shown our files before and after, without those that are kept, and may raise a C(TreeError).
      Nothing has been written then.
    @param recovered: the caller has called C(recover) already, and this was its answer.
    """
    recovered = recover(disk, check=check) or recovered
    plan = _Plan(disk, Difference(diff_limit) if diff else None)
    plan.result.recovered = recovered
    try:
        plan.make(files, keep)
    except OSError as error:
        raise disk.unreadable(str(error.filename or "").removeprefix(f"{disk.root}/"), error) from None
    if judge:
        judge(plan.old.keys() - plan.kept, plan.new.keys() - plan.kept)
    if check:
        return plan.result
    if plan.writes or plan.removals:
        journal.apply(disk, journal.stage(disk, plan.writes, plan.removals))
    else:
        journal.discard(disk)
    return plan.result


def recover(disk: Disk, *, check: bool) -> bool:
    """Completes a run that was interrupted, in check mode only in appearance. Returns whether there was one."""
    interrupted = journal.pending(disk)
    if interrupted and check:
        disk.overlay = journal.overlay(interrupted)
    elif interrupted:
        journal.apply(disk, interrupted)
    return interrupted is not None


class _Plan:
    """What has to be done. Making it writes nothing."""

    def __init__(self, disk: Disk, difference: Difference | None) -> None:
        self.disk = disk
        self.old = manifest.read(disk)
        self.new: dict[str, Entry] = {}
        self.writes: dict[str, bytes] = {}
        self.removals: list[str] = []
        self.kept: set[str] = set()
        self.result = TreeResult(first=not self.old)
        self.difference = difference
        self._conflicts: list[TreeError] = []
        self._leaving: set[str] = set()

    def make(self, files: Mapping[str, Content], keep: Callable[[str], bool] | None = None) -> None:
        kept = self.kept = {path for path in {*files, *self.old} if keep(path)} if keep else set()
        self.new.update((path, self.old[path]) for path in kept if path in self.old)
        self.result.unchanged += sorted(self.new)
        wanted = [path for path in files if path not in kept]
        self._leaving = self.old.keys() - wanted - kept
        for path in sorted({*wanted, *self._leaving}):
            try:
                if path in self._leaving:
                    self._leave(path)
                else:
                    self._want(path, files[path])
            except InTheWay as error:
                self._conflicts.append(error)
        self._refuse_conflicts()
        self.result.unchanged.sort()
        self.result.foreign = self.disk.strangers({**self.old, **self.new})
        if self.new != self.old or (self.new and self.disk.read(paths.MANIFEST) is None):
            self.writes[paths.MANIFEST] = manifest.render(self.new)
            self.result.manifest_changed = True
        self.result.ours = {*self.new}
        self.result.pending = {**dict.fromkeys(self.removals), **self.writes}
        if self.difference:
            self.result.diff = self.difference.text()

    def _want(self, path: str, content: Content) -> None:
        check_path(path, "the new tree")
        if path == paths.MANIFEST:
            raise TreeError(path, "the tree cannot hold a file of this name.")
        source = paths.source(path)
        if not isinstance(content, str):
            self.result.kinds.update(_kinds(content))
        digest = emit.digest(content, source)
        known = self.old.get(path)
        found = self.disk.read(path)
        found_sha = None if found is None else hashlib.sha256(found).hexdigest()
        untouched = known is not None and known.content == found_sha
        if known and untouched and known.objects == digest:
            self.new[path] = known
            self.result.unchanged.append(path)
            return
        data = _render(path, content, source)
        self.new[path] = Entry(digest, hashlib.sha256(data).hexdigest())
        if found == data:
            self.result.unchanged.append(path)
            return
        if known is None and found is not None:
            raise InTheWay(
                self.disk.full(path),
                "it was not written by this tool, and the tree needs a file there.",
                "Move it away, or remove it when nobody needs it.",
            )
        blocked = self.disk.blocked(path, self._leaving)
        if blocked:
            raise InTheWay(self.disk.full(blocked), "it is a file, and the tree needs a folder there.", "Move it away.")
        self.writes[path] = data
        kind = self.result.created if known is None else self.result.updated if untouched else self.result.repaired
        kind.append(path)
        if self.difference:
            self.difference.add(path, found, data)

    def _leave(self, path: str) -> None:
        found = self.disk.read(path)
        # somebody else may have removed it already, and left its folder behind
        self.removals.append(path)
        if found is not None:
            self.result.removed.append(path)
            if self.difference:
                self.difference.add(path, found, None)

    def _refuse_conflicts(self) -> None:
        if len(self._conflicts) == 1:
            raise self._conflicts[0]
        if self._conflicts:
            named = [str(error) for error in self._conflicts[:_NAMED]]
            more = len(self._conflicts) - len(named)
            raise TreeError(
                self.disk.root,
                f"{len(self._conflicts)} things stand in the way; nothing was written.\n- "
                + "\n- ".join(named)
                + (f"\n- and {more} more" if more else ""),
            )


def _kinds(documents: t.Iterable[Mapping[str, t.Any]]) -> list[str]:
    # a kustomization.yaml is a build file; placements have no kind
    return [d["kind"] for d in documents if "kind" in d and not d["apiVersion"].startswith("kustomize.config.")]


def _render(path: str, content: Content, source: str) -> bytes:
    try:
        return emit.render(content, source)
    except TreeError as error:
        raise TreeError(f"{path}, {error.where}", error.what, error.fix) from None
