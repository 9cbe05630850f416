# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes placements that were decided into the tenant files, so that the inventory says where things live.

In two steps, because the tree is written between them. The first looks at every file and writes the new ones beside
the old ones; whatever can go wrong goes wrong there, with nothing changed. The second only renames.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .._model.entities import Environment
from .._model.fleet import Fleet
from .errors import TreeError
from .tenant_file import declares_placement, record_in_inventory


@dataclass
class _Change:
    """A tenant file with its old and new content, and the new file that waits beside it; none in check mode."""

    path: Path
    old: bytes
    new: bytes
    staged: str = ""


class Recording:
    """The tenant files of a run that get a placement. Leaving it without C(finish) takes everything back.

    Tenants that come from no file (as under AWX) are left alone; the fleet tree records their placements.

    @param files: for each variable of the inventory, the files that define it, the one that counts last.
    @param check: only say what would be done.
    """

    def __init__(self, files: Mapping[str, Sequence[Path]], *, check: bool = False) -> None:
        self._files, self._check = files, check
        self._changes: list[_Change] = []

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_error: object) -> None:
        self._discard()

    @property
    def paths(self) -> list[str]:
        """The files that change."""
        return sorted(str(change.path) for change in self._changes)

    def prepare(self, fleet: Fleet) -> None:
        """Makes ready every placement that the tenant files lack.

        @raises TreeError: everything that stands in the way, of all files. Nothing has changed then.
        """
        self._discard()
        # by the real file: two links may lead to one
        pending: dict[str, tuple[Path, list[Environment]]] = {}
        for environment in fleet.environments:
            files = self._files.get(environment.tenant.variable)
            if environment.placement and environment.placement.origin != "declared" and files:
                pending.setdefault(os.path.realpath(files[-1]), (Path(files[-1]), []))[1].append(environment)
        errors = []
        for path, environments in sorted(pending.values(), key=lambda pair: pair[0]):
            try:
                change = _read(path, environments)
                if change.new != change.old:
                    if not self._check:
                        change.staged = _stage(change)
                    self._changes.append(change)
            except TreeError as error:
                errors.append(error)
        if errors:
            self._discard()
            raise errors[0] if len(errors) == 1 else _together(errors)

    def finish(self) -> list[str]:
        """Puts the new files in place; a reader sees the old one or the new one. Returns those that changed.

        @raises TreeError: some files could not be replaced; all others were.
        """
        done, errors = [], []
        for change in self._changes:
            try:
                if change.staged:
                    if _content(change.path) != change.old:
                        raise TreeError(change.path, "it changed during this run, so it was left alone.", "Run again.")
                    os.replace(change.staged, os.path.realpath(change.path))
                    change.staged = ""
                done.append(str(change.path))
            except OSError as error:
                errors.append(
                    TreeError(change.path, f"it cannot be replaced: {error.strerror}.", "Mend that, run again.")
                )
            except TreeError as error:
                errors.append(error)
        self._discard()
        if errors:
            raise errors[0] if len(errors) == 1 else _together(errors)
        return sorted(done)

    def _discard(self) -> None:
        for change in self._changes:
            if change.staged:
                with contextlib.suppress(OSError):
                    os.unlink(change.staged)
        self._changes = []


def _together(errors: list[TreeError]) -> TreeError:
    told = "\n- ".join(str(error) for error in errors)
    return TreeError("record_placements", f"{len(errors)} tenant files cannot take their placements.\n- {told}")


def _read(path: Path, environments: Sequence[Environment]) -> _Change:
    old = _content(path)
    try:
        text = old.decode("utf-8")
    except UnicodeDecodeError:
        raise TreeError(path, "it is not UTF-8 text.", "Save it as UTF-8.") from None
    for each in environments:
        if each.placement is None:
            continue
        names = (each.tenant.variable, each.project.id, each.name)
        try:
            if declares_placement(text, *names):
                raise TreeError(each.where.text, "it has got a placement since this run has read it.", "Run again.")
            text = record_in_inventory(text, *names, each.placement)
        except TreeError as error:
            raise TreeError(path, f"{error.where}: {error.what}", error.fix) from None
    change = _Change(path, old, text.encode("utf-8"))
    if change.new != old:
        _check(path)
    return change


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TreeError(path, f"it cannot be read: {error.strerror}.", "Mend its owner or mode.") from None


_BY_HAND = "Mend that, or run without record_placements: the fleet tree records placements too."


def _check(path: Path) -> None:
    """Refuses what must not be replaced. A link stays a link; the file that it leads to is replaced."""
    real = Path(os.path.realpath(path))
    status = real.stat()
    if not stat.S_ISREG(status.st_mode):
        raise TreeError(path, "it is not a file.", _BY_HAND)
    # a file that nobody may write to is meant to stay, whoever we are
    if not status.st_mode & 0o222 or not os.access(real, os.W_OK):
        raise TreeError(path, "it may not be written to.", _BY_HAND)
    if not os.access(real.parent, os.W_OK | os.X_OK):
        raise TreeError(path, f"the folder {real.parent} may not be written to.", _BY_HAND)
    if status.st_nlink > 1:
        raise TreeError(path, "it has other names (hard links), which would keep the old text.", _BY_HAND)
    if os.geteuid() not in (0, status.st_uid):
        raise TreeError(path, "it belongs to somebody else, and the new file would not.", _BY_HAND)


def _stage(change: _Change) -> str:
    """The new file beside the old one, with the same owner, mode and attributes."""
    real = Path(os.path.realpath(change.path))
    name = ""
    try:
        handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.", suffix="~")
        with os.fdopen(handle, "wb") as file:
            file.write(change.new)
            file.flush()
            os.fsync(file.fileno())
        status = real.stat()
        if (os.stat(name).st_uid, os.stat(name).st_gid) != (status.st_uid, status.st_gid):
            os.chown(name, status.st_uid, status.st_gid)
        shutil.copystat(real, name)
        os.utime(name)
    except OSError as error:
        if name:
            with contextlib.suppress(OSError):
                os.unlink(name)
        raise TreeError(change.path, f"the new file cannot be written: {error.strerror}.", _BY_HAND) from None
    return name
