# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command so that nothing of it outlives whoever started it.

C(python _supervise.py <command> ...). An Ansible run starts workers in sessions of their own, and those start SSH; a
signal to one process group reaches only some of them. So this process becomes the parent of every orphan below it, and
asks to be told when its own parent dies. Then, and on any signal, it ends all of them: first kindly, then for good.

It is a program of its own, and imports nothing of the collection. Private to the collection.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_SET_PARENT_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36
_PATIENCE = 10.0
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _descendants() -> list[int]:
    """Every process below this one."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _end_all() -> None:
    for number, patience in ((signal.SIGTERM, _PATIENCE), (signal.SIGKILL, 2.0)):
        until = time.monotonic() + patience
        for process in _descendants():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)
        while _descendants() and time.monotonic() < until:
            _reap()
            time.sleep(0.05)
    _reap()


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


class _Ended(BaseException):
    """A signal arrived."""


def main(command: list[str], parent: int) -> int:
    system = ctypes.CDLL(None, use_errno=True)
    system.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    system.prctl(_SET_PARENT_DEATH_SIGNAL, int(signal.SIGTERM), 0, 0, 0)

    def end(number: int, _frame: object) -> None:
        for each in _ENDING:
            signal.signal(each, signal.SIG_IGN)
        raise _Ended(number)

    for each in _ENDING:
        signal.signal(each, end)
    try:
        if os.getppid() != parent:
            return 128 + signal.SIGTERM  # it died before we could ask
        return subprocess.Popen(command, stdin=subprocess.DEVNULL).wait()
    except _Ended as ended:
        return 128 + int(ended.args[0])
    finally:
        for each in _ENDING:
            signal.signal(each, signal.SIG_IGN)
        _end_all()


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], int(sys.argv[1])))
