# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many files changed as one.

New content is first written beside the tree, in a folder of its own. A journal that lists every move and removal is
then put there under its final name: that single rename is the moment at which the new tree exists. What follows only
renames and removes, and can be done again from the start. So a run that is killed leaves either no journal, and the old
tree, or a journal, and the next run completes the new tree before it does anything else. Readers who must never see the
moments between read the Git commit, which is made afterwards.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from . import paths
from .disk import Disk, check_path
from .errors import TreeError

_JOURNAL = f"{paths.STAGING}/journal.json"
_DRAFT = f"{paths.STAGING}/journal.draft"
_IGNORE = f"{paths.STAGING}/.gitignore"
# from this many files on, one sync of everything is cheaper than one of each
_MANY = 100


@dataclass(frozen=True)
class Journal:
    """What is to be done: file in the staging folder to path in the tree, and paths to remove."""

    moves: Mapping[str, str]
    removals: Sequence[str]


def pending(disk: Disk) -> Journal | None:
    """The journal of a run that was interrupted after its tree was complete."""
    _check_staging(disk)
    text = disk.read(_JOURNAL)
    if text is None:
        return None
    try:
        data = json.loads(text)
        journal = Journal(dict(data["moves"]), list(data["removals"]))
        for name, path in journal.moves.items():
            if not name.isascii() or not name.isdigit():
                raise ValueError(name)
            check_path(path, disk.full(_JOURNAL))
        for path in journal.removals:
            check_path(path, disk.full(_JOURNAL))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise TreeError(
            disk.full(_JOURNAL),
            "it is damaged.",
            f"Remove the folder {paths.STAGING}, take the tree back from Git and run again.",
        ) from None
    return journal


def overlay(journal: Journal) -> dict[str, str | None]:
    """The changes of I(journal) in the form of C(Disk.overlay)."""
    changes: dict[str, str | None] = dict.fromkeys(journal.removals)
    changes.update((path, f"{paths.STAGING}/{name}") for name, path in journal.moves.items())
    return changes


def stage(disk: Disk, writes: Mapping[str, bytes], removals: Sequence[str]) -> Journal:
    """Writes the new content beside the tree. Until it returns, the tree is the old one."""
    for path in (*writes, *removals):
        disk.writable(path)
    journal = Journal({str(number): path for number, path in enumerate(writes)}, removals)
    few = len(writes) < _MANY
    try:
        discard(disk)
        os.mkdir(disk.full(paths.STAGING), 0o755)
        _write(disk.full(_IGNORE), b"*\n", durable=False)
        for name, path in journal.moves.items():
            _write(disk.full(f"{paths.STAGING}/{name}"), writes[path], durable=few)
        if not few:
            os.sync()
        _write(disk.full(_DRAFT), json.dumps({"moves": journal.moves, "removals": removals}).encode(), durable=True)
        os.rename(disk.full(_DRAFT), disk.full(_JOURNAL))
    except OSError as error:
        _try_discard(disk)
        raise TreeError(
            disk.full(paths.STAGING),
            f"the new files cannot be written: {error.strerror}.",
            "The tree is as it was. Mend that and run again.",
        ) from None
    return journal


def apply(disk: Disk, journal: Journal) -> None:
    """Turns the tree into the new one. Does again what is already done without harm."""
    where = disk.root
    try:
        _sync_folders(disk, [paths.STAGING, ""])
        touched = set()
        for path in journal.removals:
            where = disk.full(path)
            disk.guard(path)
            touched.add(_remove(disk, path))
        made: set[str] = set()
        for name, path in journal.moves.items():
            where = disk.full(path)
            disk.guard(path)
            parent = path.rpartition("/")[0]
            touched.add(parent)
            if parent not in made:
                touched.update(_make(disk, parent))
                made.add(parent)
            staged = disk.full(f"{paths.STAGING}/{name}")
            if os.path.lexists(staged):
                os.rename(staged, where)
        where = disk.root
        if len(touched) < _MANY:
            _sync_folders(disk, touched)
        else:
            os.sync()
        discard(disk)
    except OSError as error:
        raise TreeError(
            where,
            f"it cannot be changed: {error.strerror}. The tree is half written.",
            "Mend that; the next run first completes the tree.",
        ) from None


def discard(disk: Disk) -> None:
    """Removes the staging folder, the journal first."""
    _check_staging(disk)
    folder = disk.full(paths.STAGING)
    if not os.path.isdir(folder):
        return
    if os.path.lexists(disk.full(_JOURNAL)):
        os.unlink(disk.full(_JOURNAL))
    with os.scandir(folder) as entries:
        for entry in list(entries):
            os.unlink(entry.path)
    os.rmdir(folder)


def _try_discard(disk: Disk) -> None:
    # the first error is the one to tell; the next run clears up
    with contextlib.suppress(OSError):
        discard(disk)


def _check_staging(disk: Disk) -> None:
    disk.guard(f"{paths.STAGING}/x")


def _write(full: str, data: bytes, *, durable: bool) -> None:
    fd = os.open(full, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        os.fchmod(fd, 0o644)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        if durable:
            os.fsync(fd)
    finally:
        os.close(fd)


def _make(disk: Disk, folder: str) -> list[str]:
    """Makes a folder and those above it; returns the folders that got an entry."""
    if not folder or os.path.isdir(disk.full(folder)):
        return []
    parent = folder.rpartition("/")[0]
    above = _make(disk, parent)
    os.mkdir(disk.full(folder), 0o755)
    os.chmod(disk.full(folder), 0o755)  # noqa: S103 - whatever the umask is
    return [*above, parent]


def _remove(disk: Disk, path: str) -> str:
    """Removes a file and the folders that it leaves empty; returns the nearest folder that stays."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
        os.unlink(disk.full(path))
    folder = path.rpartition("/")[0]
    while folder:
        try:
            os.rmdir(disk.full(folder))
        except FileNotFoundError:
            pass
        except OSError:
            break
        folder = folder.rpartition("/")[0]
    return folder


def _sync_folders(disk: Disk, folders: Iterable[str]) -> None:
    for folder in folders:
        full = disk.full(folder)
        if os.path.isdir(full) and not stat.S_ISLNK(os.lstat(full).st_mode):
            fd = os.open(full, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
