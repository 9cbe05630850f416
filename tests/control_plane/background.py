# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A control plane that goes on when its starter has ended: C(python -m tests.control_plane.background).

start FOLDER [OPTION...]   run C(python -m tests.control_plane OPTION...) and wait until FOLDER/kubeconfig opens it
read FOLDER PATH...        what the API server has at these paths, as JSON; what is not there is left out
stop FOLDER                end it, and remove the folder

FOLDER also gets the pid, the log, and in C(control-plane) the data. Under C(molecule test) it ends with that at the
latest. Start and stop can be repeated, and clean up after one that was killed.
"""

from __future__ import annotations

import argparse
import contextlib
import http
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from .client import Client
from .guard import start_time
from .pki import Pair

ROOT = Path(__file__).resolve().parents[2]
#: Programs may have to be built first.
START_SECONDS = 3600.0
#: Four programs are asked to end, one after the other.
STOP_SECONDS = 60.0
_PAUSE = 0.1
_TAIL_LINES = 40


class Background:
    """One control plane in a folder."""

    def __init__(self, folder: Path) -> None:
        """Nothing is done yet."""
        self.folder = folder.absolute()
        self.kubeconfig = self.folder / "kubeconfig"
        self._pid = self.folder / "pid"
        self._log = self.folder / "log"

    @property
    def running(self) -> bool:
        """Whether its process is there: the very one, not a later one with its pid."""
        return self._process() is not None

    def start(self, options: Sequence[str]) -> None:
        """Start it, and wait until it is ready.

        @raises RuntimeError: it has ended.
        """
        if self.running and self.kubeconfig.exists():
            return
        self.stop()
        self.folder.mkdir(parents=True)
        owner = _molecule()
        line = [sys.executable, "-m", "tests.control_plane", "--folder", str(self.folder / "control-plane")]
        line += ["--kubeconfig", str(self.kubeconfig), *(["--owner", str(owner)] if owner else []), *options]
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                line, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self._pid.write_text(f"{process.pid} {start_time(process.pid)}", encoding="utf-8")
        end = time.monotonic() + START_SECONDS
        while not self.kubeconfig.exists():
            if process.poll() is not None:
                raise RuntimeError(f"it ended with code {process.returncode}; the end of {self._log}:\n{self._tail()}")
            if time.monotonic() > end:
                raise RuntimeError(f"not ready after {START_SECONDS:.0f} s; the end of {self._log}:\n{self._tail()}")
            time.sleep(_PAUSE)

    def read(self, paths: Sequence[str]) -> dict[str, Any]:
        """Ask the API server as its administrator.

        @raises RuntimeError: it says neither what is there nor that nothing is.
        """
        pki = self.folder / "control-plane" / "pki"
        config = yaml.safe_load(self.kubeconfig.read_text(encoding="utf-8"))
        port = urlsplit(config["clusters"][0]["cluster"]["server"]).port or 0
        client = Client(port, pki / "ca.crt", Pair(pki / "admin.crt", pki / "admin.key"))
        found = {}
        for path in paths:
            status, answer = client.request("GET", path)
            if status == http.HTTPStatus.OK:
                found[path] = answer
            elif status != http.HTTPStatus.NOT_FOUND:
                raise RuntimeError(f"{path}: {status} {answer}")
        return found

    def stop(self) -> None:
        """End it, wait, and remove its folder."""
        for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
            end = time.monotonic() + seconds
            if pid := self._process():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            while self.running and time.monotonic() < end:
                time.sleep(_PAUSE)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _process(self) -> int | None:
        try:
            pid, born = self._pid.read_text(encoding="utf-8").split()
        except (OSError, ValueError):
            return None
        return int(pid) if start_time(int(pid)) == born else None

    def _tail(self) -> str:
        with self._log.open(encoding="utf-8", errors="replace") as handle:
            return "".join(deque(handle, _TAIL_LINES)).rstrip()


def _molecule() -> int | None:
    """The C(molecule test) that this was started by."""
    pid = os.getppid()
    while pid > 1:
        words = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
        if "test" in words and any(Path(word).name == "molecule" for word in words[:2]):
            return pid
        pid = int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
    return None


def main() -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.control_plane.background",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["start", "read", "stop"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    found = Background(arguments.folder)
    try:
        if arguments.action == "start":
            found.start(arguments.rest)
        elif arguments.action == "read":
            print(json.dumps(found.read(arguments.rest)))
        else:
            found.stop()
    except (OSError, RuntimeError) as error:
        print(f"control plane: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
