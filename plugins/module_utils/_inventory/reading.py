# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding and reading files as ansible-core does, but only regular ones, of bounded size, and inside the inventory."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from .._model.errors import ModelError

#: The suffixes of variable files, in ansible-core's order; a file without one comes first.
SUFFIXES = (".yml", ".yaml", ".json")
#: Those of files that SOPS has encrypted.
ENCRYPTED = (".sops.yml", ".sops.yaml", ".sops.json")
MOST_BYTES = 1 << 20
MOST_FILES = 20_000
VAULT_HEADER = "$ANSIBLE_VAULT"
TENANTS = "tenants"

#: Is told of what stands in the way of a file, and which one.
Tell = Callable[[Path, str, str], None]


class Unreadable(ModelError):
    """A file that is not read. I(fix) says what to do, I(data) is what could be read."""

    def __init__(self, what: str, fix: str, data: bytes = b"") -> None:
        super().__init__(what)
        self.fix, self.data = fix, data


_OUTSIDE = "it leads out of the inventory folder.", "Put the file itself there."
_NO_FILE = "it is not a regular file.", "Remove it, or put a file there."


@lru_cache(maxsize=4096)
def is_tenant_file(path: Path, roots: tuple[Path, ...]) -> bool:
    """Whether project teams write I(path): it lies in a folder C(tenants) of the inventory."""
    for root in roots:
        try:
            return TENANTS in path.relative_to(root).parts[:-1]
        except ValueError:
            continue
    return False


def outside(path: Path, roots: tuple[Path, ...]) -> bool:
    """Whether I(path), with its links followed, lies in none of I(roots)."""
    real = os.path.realpath(path)
    return not any(real == base or real.startswith(base.rstrip(os.sep) + os.sep) for base in _real(roots))


@lru_cache(maxsize=8)
def _real(roots: tuple[Path, ...]) -> tuple[str, ...]:
    return tuple(os.path.realpath(root) for root in roots)


def read_text(path: Path) -> str:
    """The text of a regular file.

    @raises Unreadable: it is something else, too large, or not UTF-8.
    """
    try:
        # not to wait for somebody who writes into a pipe
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}.", "Check its permissions.") from None
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise Unreadable(*_NO_FILE)
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Unreadable(f"it has more than {MOST_BYTES >> 20} MiB.", "Split it up.", data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("it is not UTF-8 text.", "Save it as UTF-8.", data) from None


class Finder:
    """Finds variable files as ansible-core's vars plugin C(host_group_vars) does."""

    def __init__(self, roots: tuple[Path, ...], suffixes: tuple[str, ...], tell: Tell, *, confined: bool) -> None:
        """@param confined: nothing outside I(roots) is looked at."""
        self._roots, self._suffixes, self._tell = roots, suffixes, tell
        self._confined, self._left = confined, MOST_FILES

    def files(self, base: Path) -> Iterator[Path]:
        """The variable files of I(base), a path without suffix: a file, the files of a folder, or one with a suffix;
        then those that another plugin loads, as they are encrypted."""
        yield from self._plain(base)
        for suffix in ENCRYPTED:
            path = base.with_name(base.name + suffix)
            if path.is_file() and not self._refused(path):
                yield path

    def _plain(self, base: Path) -> Iterator[Path]:
        for suffix in ("", *self._suffixes):
            path = base.with_name(base.name + suffix)
            if not path.exists():
                continue
            if self._refused(path):
                return
            if path.is_dir():
                yield from self._below(path, (os.path.realpath(path),))
            else:
                yield path
            return

    def _refused(self, path: Path) -> bool:
        if self._confined and outside(path, self._roots):
            self._tell(path, *_OUTSIDE)
            return True
        return False

    def _below(self, folder: Path, line: tuple[str, ...]) -> Iterator[Path]:
        try:
            entries = sorted(os.scandir(folder), key=lambda each: each.name)
        except OSError as error:
            self._tell(folder, f"it cannot be read: {error.strerror}.", "Check its permissions.")
            return
        for entry in entries:
            if entry.name.startswith(".") or entry.name.endswith("~"):
                continue
            self._left -= 1
            if self._left < 0:
                self._tell(folder, f"there are more than {MOST_FILES} files.", "Split the inventory.")
                return
            path = Path(entry.path)
            if entry.is_symlink() and self._refused(path):
                continue
            yield from self._entry(entry, path, line)

    def _entry(self, entry: os.DirEntry[str], path: Path, line: tuple[str, ...]) -> Iterator[Path]:
        suffix = os.path.splitext(entry.name)[1]
        mine = is_tenant_file(path, self._roots)
        if entry.is_dir():
            real = os.path.realpath(path) if entry.is_symlink() else os.path.join(line[-1], entry.name)
            if suffix:
                if mine or entry.name.startswith(TENANTS):
                    self._tell(path, "Ansible does not look into a folder with a suffix.", "Rename the folder.")
            elif real in line:
                self._tell(path, "the folder contains itself.", "Remove the link.")
            else:
                yield from self._below(path, (*line, real))
        elif not entry.is_file():
            if mine or self._confined:
                self._tell(path, *_NO_FILE)
        elif not suffix or suffix in self._suffixes:
            yield path
        elif mine and not entry.name.upper().startswith("README"):
            known = ", ".join(self._suffixes)
            self._tell(
                path, f"Ansible does not load it; it loads {known} and no suffix.", "Rename it, or move it away."
            )


def vaulted(text: str) -> bool:
    """Whether Ansible Vault encrypted the whole file."""
    return text.startswith(VAULT_HEADER)
