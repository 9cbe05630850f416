# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guarded access to the folder that holds the tree.

Nothing here follows a symbolic link below the root or leaves it: whoever can push to the tree's repository could
otherwise make the next run write elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
import typing as t
from collections.abc import Iterator

from . import paths
from .errors import TreeError


class InTheWay(TreeError):
    """Something at a wanted path that is not a file of ours."""


def check_path(path: str, where: object) -> None:
    """Refuses a path that is not plainly below the root.

    @param where: what names the path, for the message.
    """
    steps = path.split("/")
    odd = any(step in ("", ".", "..") or step.lower() == ".git" for step in steps)
    if odd or "\0" in path or steps[0] == paths.STAGING:
        raise TreeError(
            where, f"it names the path {path!r}, which is not one of a file in the tree.", "Take it back from Git."
        )


class Disk:
    """The files below a root.

    @param root: the folder; it may be missing.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.path.realpath(root)
        self._folders: set[str] = set()
        self._writable: set[str] = set()
        #: What completing an interrupted run will change: path to the staged file with its content, None when it goes.
        self.overlay: dict[str, str | None] = {}
        if os.path.lexists(self.root) and not os.path.isdir(self.root):
            raise TreeError(self.root, "it is a file, and the tree needs a folder.", "Choose another folder.")

    @property
    def exists(self) -> bool:
        return os.path.isdir(self.root)

    def full(self, path: str) -> str:
        return f"{self.root}/{path}" if path else self.root

    def read(self, path: str) -> bytes | None:
        """The content of a file, None when there is none.

        @raises InTheWay: a link, a folder or a device stands there.
        """
        if path in self.overlay:
            staged = self.overlay[path]
            if staged is None:
                return None
            if os.path.lexists(self.full(staged)):
                path = staged
        self.guard(path)
        try:
            # a pipe must not make us wait
            fd = os.open(self.full(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise self._link(path) from None
            raise self.unreadable(path, error) from None
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise InTheWay(self.full(path), "it is not a file.", "Move it away.")
            return _read(fd, status.st_size)
        except OSError as error:
            raise self.unreadable(path, error) from None
        finally:
            os.close(fd)

    def guard(self, path: str) -> None:
        """Refuses a path that a symbolic link leads away from the root."""
        parent = path.rpartition("/")[0]
        if not parent or parent in self._folders:
            return
        self.guard(parent)
        try:
            mode = os.lstat(self.full(parent)).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return
        if stat.S_ISLNK(mode):
            raise self._link(parent)
        if stat.S_ISDIR(mode):
            self._folders.add(parent)

    def blocked(self, path: str, leaving: t.Container[str]) -> str:
        """The file that stands where a folder on the way to I(path) must be, unless it is I(leaving)."""
        parent = path.rpartition("/")[0]
        if not parent or parent in self._folders:
            return ""
        return self.blocked(parent, leaving) or (
            parent
            if os.path.lexists(self.full(parent)) and not os.path.isdir(self.full(parent)) and parent not in leaving
            else ""
        )

    def writable(self, path: str) -> None:
        """Refuses a path whose nearest existing folder cannot be written to."""
        folder = os.path.dirname(self.full(path))
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        if folder not in self._writable and not os.access(folder, os.W_OK | os.X_OK):
            raise TreeError(folder, "this user may not write there; nothing was written.", "Mend its owner or mode.")
        self._writable.add(folder)

    def strangers(self, ours: t.Collection[str]) -> list[str]:
        """What stands in our folders and is not ours. A folder without anything of ours counts as one, with a slash."""
        folders = {folder for path in ours for folder in _parents(path)}
        found: list[str] = []

        def look(folder: str) -> None:
            with os.scandir(self.full(folder)) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        if path == paths.cluster_folder(*path.split("/")[1:2], paths.SECRETS):
                            continue  # what is encrypted there is other people's
                        if path in folders:
                            look(path)
                        elif entry.name != paths.BOOTSTRAP and not self._leaves(path):
                            found.append(path + "/")
                    elif path not in ours and self.overlay.get(path, "") is not None:
                        found.append(path)

        # at the root, other people's files are no surprise
        for folder in sorted(f for f in folders if "/" not in f):
            self.guard(f"{folder}/")
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                look(folder)
        return sorted(found)

    def _leaves(self, folder: str) -> bool:
        """Whether completing an interrupted run will remove a folder."""
        if not any(path.startswith(f"{folder}/") and staged is None for path, staged in self.overlay.items()):
            return False
        below = (os.path.join(at, name) for at, _folders, names in os.walk(self.full(folder)) for name in names)
        return all(self.overlay.get(path[len(self.root) + 1 :], "") is None for path in below)

    @contextlib.contextmanager
    def locked(self, wait: float, *, shared: bool = False) -> Iterator[None]:
        """Keeps other runs out. The kernel lets go of it when the process ends, however it ends.

        @param wait: how many seconds another run may take.
        @param shared: for reading only.
        """
        try:
            fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise self.unreadable("", error) from None
        try:
            self._acquire(fd, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, wait)
            yield
        finally:
            os.close(fd)

    def _acquire(self, fd: int, kind: int, wait: float) -> None:
        end = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(fd, kind | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise TreeError(
                        self.root,
                        f"another run has been working on it for {wait:g} seconds.",
                        "Wait for its end and run again.",
                    ) from None
                time.sleep(0.05)
            except OSError as error:
                raise TreeError(
                    self.root, f"it cannot be locked: {error.strerror}.", "Put the tree on a local file system."
                ) from None

    def _link(self, path: str) -> InTheWay:
        return InTheWay(self.full(path), "it is a symbolic link, and links are never followed.", "Remove it.")

    def unreadable(self, path: str, error: OSError) -> TreeError:
        """What to raise for an error of the system."""
        return TreeError(self.full(path), f"it cannot be read: {error.strerror}.", "Mend its owner or mode.")


def _read(fd: int, size: int) -> bytes:
    chunks = [os.read(fd, size + 1)]
    if len(chunks[0]) == size:
        return chunks[0]
    while chunks[-1]:
        chunks.append(os.read(fd, 1 << 20))
    return chunks[0] if len(chunks) == 2 else b"".join(chunks)


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
