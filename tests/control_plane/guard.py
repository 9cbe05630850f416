# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""End what a control plane started when its owner dies without stopping it.

Run as a process of its own. Each line of standard input is `+<pid>` for a process that was started or `-<pid>` for
one that has ended; the end of the input means that the owner is gone. What is left is then ended, newest first, and
the folder given as the only argument, if any, is removed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

GRACE_SECONDS = 10.0


class Guard:
    """The owner's side."""

    def __init__(self, folder: Path | None) -> None:
        """Start the guard process."""
        line = [sys.executable, "-I", str(Path(__file__).resolve()), *([str(folder)] if folder else [])]
        self._process = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def add(self, pid: int) -> None:
        """Guard a process."""
        self._tell(f"+{pid}")

    def remove(self, pid: int) -> None:
        """Guard a process no more: it has ended."""
        self._tell(f"-{pid}")

    def close(self) -> None:
        """End the guard; the owner has ended everything itself."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def _tell(self, text: str) -> None:
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.write(f"{text}\n".encode())
            self._process.stdin.flush()


def start_time(pid: int) -> str:
    """Return the start time, which tells a process from a later one of the same pid; empty when it is gone."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
    except OSError:
        return ""
    fields = after_name.split()
    return "" if fields[0] == "Z" else fields[19]


def _end(pid: int, started: str) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if start_time(pid) != started:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline and start_time(pid) == started:
            time.sleep(0.05)


def main() -> None:
    """Watch standard input until it ends."""
    watched: dict[int, str] = {}
    for line in sys.stdin:
        pid = int(line[1:])
        if line.startswith("+"):
            watched[pid] = start_time(pid)
        else:
            watched.pop(pid, None)
    for pid, started in reversed(watched.items()):
        if started:
            _end(pid, started)
    for folder in sys.argv[1:]:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
