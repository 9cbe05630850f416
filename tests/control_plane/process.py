# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One program of the control plane: started, watched and ended by its own pid."""

from __future__ import annotations

import random
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from .guard import Guard

TAIL_LINES = 30
POLL_SECONDS = 0.05

PORTS = range(20000, 32000)
"""Below the ports that the kernel gives to outgoing connections, so that nothing takes one during a restart."""


class ControlPlaneError(RuntimeError):
    """A part of the control plane did not start or died."""


def free_ports(count: int) -> list[int]:
    """Return loopback ports that nothing listens on."""
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise ControlPlaneError("no free port on 127.0.0.1")


class Component:
    """A program with its arguments, its log file and its readiness test."""

    def __init__(
        self, name: str, line: Sequence[str], log: Path, guard: Guard, *, ready: Callable[[], bool], grace: float = 20.0
    ) -> None:
        """Describe the program; `start` runs it."""
        self.name = name
        self.line = list(line)
        self.log = log
        self.grace = grace
        self._guard = guard
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Pid while the program runs."""
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        """Whether the program runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def died(self) -> bool:
        """Whether the program ended without being asked to."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Start the program, in a session of its own so that Ctrl-C reaches only its owner."""
        if self.running:
            raise ControlPlaneError(f"{self.name} runs already")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.line,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.log.parent,
                start_new_session=True,
            )
        self._guard.add(self._process.pid)

    def wait_ready(self, deadline: float) -> None:
        """Wait until the program serves; `deadline` is a monotonic instant."""
        while not self._ready():
            if self._process is None or self._process.poll() is not None:
                code = self._process.returncode if self._process else None
                raise ControlPlaneError(f"{self.name} ended with code {code}{self.tail()}")
            if time.monotonic() > deadline:
                raise ControlPlaneError(f"{self.name} is not ready in time{self.tail()}")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Ask the program to end, then make it end."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(self.grace)
            except subprocess.TimeoutExpired:
                self.kill()
        self._forget()

    def kill(self) -> None:
        """End the program at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._forget()

    def _forget(self) -> None:
        if self._process is not None:
            self._guard.remove(self._process.pid)
            self._process = None

    def tail(self) -> str:
        """Return the last lines of the log, for an error message."""
        try:
            with self.log.open(encoding="utf-8", errors="replace") as handle:
                lines = deque(handle, TAIL_LINES)
        except OSError:
            return ""
        return f"; the end of {self.log.name}:\n{''.join(lines).rstrip()}"
