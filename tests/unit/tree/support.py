# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the fleet tree share: folders as data, and processes that die at a chosen moment."""

from __future__ import annotations

import contextlib
import os
import signal
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import paths
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.emit import Content

#: What changes a file system, or waits for it.
CALLS = ("open", "write", "fsync", "sync", "rename", "unlink", "mkdir", "rmdir", "chmod", "fchmod")


def document(name: str, **more: t.Any) -> dict[str, t.Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **more}


def files(*names: str, **changed: str) -> dict[str, Content]:
    """A file for each name; in I(changed), a name with two underscores for each slash, with other content."""
    wanted: dict[str, Content] = {name: [document(name)] for name in names}
    return {**wanted, **{name.replace("__", "/") + ".yaml": [document(value)] for name, value in changed.items()}}


def disk(root: Path, *, staging: bool = False) -> dict[str, bytes]:
    """Every file of a folder, without Git's and, unless asked for, without the staging folder's."""
    hidden = {".git"} if staging else {".git", paths.STAGING}
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not hidden & set(path.relative_to(root).parts)
    }


def stamps(root: Path) -> dict[str, tuple[int, int, int]]:
    """Modification time, inode and mode of everything below a folder."""
    found = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        found[path.relative_to(root).as_posix()] = (status.st_mtime_ns, status.st_ino, status.st_mode)
    return found


@contextlib.contextmanager
def hooked(before: Callable[[str, tuple[t.Any, ...]], None]) -> Iterator[None]:
    """Calls I(before) before each call that changes a file system."""
    real = {name: getattr(os, name) for name in CALLS}

    def wrap(name: str) -> Callable[..., t.Any]:
        def call(*arguments: t.Any, **options: t.Any) -> t.Any:
            if name != "open" or arguments[1] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                before(name, arguments)
            return real[name](*arguments, **options)

        return call

    for name in CALLS:
        setattr(os, name, wrap(name))
    try:
        yield
    finally:
        for name, call in real.items():
            setattr(os, name, call)


def steps(action: Callable[[], object]) -> int:
    """How many calls that change a file system I(action) makes."""
    count = 0

    def before(_name: str, _arguments: tuple[t.Any, ...]) -> None:
        nonlocal count
        count += 1

    with hooked(before):
        action()
    return count


def killed_at(number: int, action: Callable[[], object]) -> bool:
    """Runs I(action) in a child that is killed right before its call I(number). Of a write, half is done before.

    Returns False when the child got to its end.
    """
    child = os.fork()
    if not child:
        try:
            _die_at(number, action)
            os._exit(0)
        except BaseException:  # the child must never return into pytest
            os._exit(2)
    _pid, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.waitstatus_to_exitcode(status) == 0, "the child failed instead of dying"
    return False


def _die_at(number: int, action: Callable[[], object]) -> None:
    count = 0
    write = os.write

    def before(name: str, arguments: tuple[t.Any, ...]) -> None:
        nonlocal count
        count += 1
        if count > number:
            if name == "write":
                write(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)

    with hooked(before):
        action()
