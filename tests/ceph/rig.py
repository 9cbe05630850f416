# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Ceph cluster: one monitor, manager, metadata server for each file system, and OSDs that keep all in memory.

Plain processes on loopback from Debian's packages, in a folder of their own, with ports that nothing else has. They end
with their owner. Nothing of a Ceph that the machine may have is read or touched.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from ..control_plane.guard import Guard
from ..control_plane.process import Component, free_ports

PACKAGES = {
    "ceph": "ceph-common",
    "ceph-mon": "ceph-mon",
    "ceph-mgr": "ceph-mgr",
    "ceph-osd": "ceph-osd",
    "ceph-mds": "ceph-mds",
}
SECONDS = 120.0
#: The bindings of libcephfs belong to the system's own Python.
SYSTEM_PYTHON = "/usr/bin/python3"
_CONFIG = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{v2},v1:127.0.0.1:{v1}]
public network = 127.0.0.0/8
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
mon allow pool size one = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 1073741824
mon data avail warn = 1
mon data avail crit = 0
keyring = {folder}/$name.keyring
admin socket = {folder}/$name.asok
log file = {folder}/$name.log
run dir = {folder}
crash dir = {folder}
mon data = {folder}/$name
mgr data = {folder}/$name
mds data = {folder}/$name
osd data = {folder}/$name
"""


class CephRigError(RuntimeError):
    """The cluster cannot be made; the text says why."""


class CephRig:
    """The cluster, as a context manager."""

    def __init__(self, metadata_servers: int = 2) -> None:
        self._servers = metadata_servers
        self._parts: list[Component] = []

    def __enter__(self) -> CephRig:
        _install()
        # short: the path of a socket has at most 107 letters
        self.folder = Path(tempfile.mkdtemp(prefix="sp-ceph-"))
        self._guard = Guard(self.folder)
        self.fsid = str(uuid.uuid4())
        self.v2, self.v1 = free_ports(2)
        self.conf = self.folder / "ceph.conf"
        self.conf.write_text(_CONFIG.format(fsid=self.fsid, v1=self.v1, v2=self.v2, folder=self.folder))
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        for part in reversed(self._parts):
            part.stop()
        self._guard.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def monitor(self) -> str:
        return f"127.0.0.1:{self.v1}"

    def run(self, *words: str, key: Path | None = None, user: str = "client.admin") -> subprocess.CompletedProcess[str]:
        """Run a program of Ceph as an administrator, or as somebody else with a keyring."""
        program, *rest = words
        keyring = ["--keyring", str(key)] if key else []
        line = [program, "--conf", str(self.conf), "--name", user, *keyring, *rest]
        return subprocess.run(line, capture_output=True, text=True, timeout=SECONDS, check=False)

    def ask(self, *words: str) -> Any:
        """The answer of C(ceph)."""
        done = self.run("ceph", *words, "--format", "json")
        if done.returncode:
            raise CephRigError(f"ceph {' '.join(words)}: {done.stderr}")
        return json.loads(done.stdout or "null")

    def keyring(self, user: str) -> Path:
        """A file with the key of a user."""
        path = self.folder / f"{user}.given"
        self._shell("ceph", "auth", "get", user, "-o", str(path))
        return path

    def state(self) -> Any:
        """Everything that the module may change, without what changes by itself."""
        auth = {each["entity"]: each["caps"] for each in self.ask("auth", "ls")["auth_dump"]}
        pools = {
            each["pool_name"]: (sorted(each["application_metadata"]), each["size"])
            for each in self.ask("osd", "pool", "ls", "detail")
        }
        return auth, pools, self.ask("fs", "ls")

    def _start(self) -> None:
        folder, conf = self.folder, ["--conf", str(self.conf)]
        admin, mon = folder / "client.admin.keyring", folder / "mon.keyring"
        for path, name, caps in ((admin, "client.admin", "mon osd mds mgr"), (mon, "mon.", "mon")):
            rights = [part for daemon in caps.split() for part in ("--cap", daemon, "allow *")]
            self._plain("ceph-authtool", "--create-keyring", str(path), "--gen-key", "-n", name, *rights)
        self._plain("ceph-authtool", str(mon), "--import-keyring", str(admin))
        address = f"[v2:127.0.0.1:{self.v2},v1:127.0.0.1:{self.v1}]"
        self._plain("monmaptool", "--create", "--addv", "a", address, "--fsid", self.fsid, str(folder / "monmap"))
        self._plain("ceph-mon", *conf, "--mkfs", "-i", "a", "--monmap", str(folder / "monmap"), "--keyring", str(mon))
        shutil.copy(mon, folder / "mon.a.keyring")
        self._daemon("mon", "a")
        self._until(lambda: self.run("ceph", "-s").returncode == 0, "a monitor")
        self._login("mgr.x", mon="allow profile mgr", osd="allow *", mds="allow *")
        self._daemon("mgr", "x")
        self._login("osd.0", mon="allow profile osd", mgr="allow profile osd", osd="allow *")
        disk = str(uuid.uuid4())
        self._shell("ceph", "osd", "new", disk)
        (folder / "osd.0").mkdir(exist_ok=True)
        self._plain("ceph-osd", *conf, "-i", "0", "--mkfs", "--osd-uuid", disk)
        self._daemon("osd", "0")
        for number in range(self._servers):
            name = f"mds.m{number}"
            self._login(name, mon="profile mds", mgr="profile mds", mds="allow *", osd="allow *")
            self._daemon("mds", f"m{number}")
        self._until(lambda: self.ask("osd", "stat")["num_up_osds"] == 1, "an OSD")
        self._until(lambda: self.ask("mgr", "stat")["available"], "a manager")
        self._until(lambda: self.run("ceph", "fs", "volume", "ls").returncode == 0, "the manager's volumes")

    def _login(self, name: str, **rights: str) -> None:
        words = [part for right in rights.items() for part in right]
        self._shell("ceph", "auth", "get-or-create", name, *words, "-o", str(self.folder / f"{name}.keyring"))

    def _daemon(self, kind: str, name: str) -> None:
        (self.folder / f"{kind}.{name}").mkdir(exist_ok=True)
        line = [f"ceph-{kind}", "--foreground", "--conf", str(self.conf), "--id", name]
        part = Component(f"{kind}.{name}", line, self.folder / f"{kind}.{name}.out", self._guard, ready=lambda: True)
        self._parts.append(part)
        part.start()

    def _shell(self, *words: str) -> None:
        done = self.run(*words)
        if done.returncode:
            raise CephRigError(f"{' '.join(words)}: {done.stderr}")

    def _plain(self, *line: str) -> None:
        done = subprocess.run(line, capture_output=True, text=True, timeout=SECONDS, check=False)
        if done.returncode:
            raise CephRigError(f"{' '.join(line)}: {done.stderr}")

    def _until(self, done: Any, what: str) -> None:
        end = time.monotonic() + SECONDS
        while not done():
            for part in self._parts:
                if part.died:
                    raise CephRigError(f"{part.name} ended:\n{part.log.read_text(errors='replace')[-2000:]}")
            if time.monotonic() > end:
                raise CephRigError(f"still no {what} after {SECONDS:.0f} s")
            time.sleep(0.3)


def _install() -> None:
    missing = sorted({package for program, package in PACKAGES.items() if not shutil.which(program)})
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise CephRigError(
            f"missing: {', '.join(missing)}. Install these packages, or run as root on Debian or Ubuntu."
        )
    print(f"ceph: installing {' '.join(missing)}", file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "-qq", "--no-install-recommends", *missing]
    for command in (["apt-get", "update", "-qq"], install):
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if result.returncode:
            raise CephRigError(f"{' '.join(command)} failed:\n{result.stdout}{result.stderr}")
