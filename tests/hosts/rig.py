# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of hosts in a network of their own: made, found again, and removed.

A rig belongs to a folder, into which its inventory, key and known hosts are written. Several rigs can exist at once.
One whose folder or owner is gone was left behind by a run that was killed, and is removed when the next one starts.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import ipaddress
import json
import shutil
import socket
import subprocess
import time
import typing as t
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from . import machine
from .engine import RUN, listed, podman
from .image import image
from .machine import RigError, cache_root, say

LABEL = "k8s-self-provisioning.rig"
_BOOT_SECONDS = 60
#: Everything that a machine's root can do, but not to the machine: no clock, no kernel modules, no reboot.
_RIGHTS = (
    *("--systemd=always", "--cap-add=ALL", "--cap-drop=SYS_TIME,SYS_MODULE,SYS_BOOT"),
    *("--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined", "--security-opt=unmask=ALL"),
)


@dataclass(frozen=True)
class Rig:
    """One set of hosts."""

    folder: Path

    @property
    def id(self) -> str:
        """A short name, in which podman's objects of different rigs differ."""
        return "sp-" + hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]

    @property
    def key(self) -> Path:
        return self.folder / "id_ed25519"

    @property
    def inventory(self) -> Path:
        return self.folder / "hosts.yml"

    @property
    def shared(self) -> Path:
        """What hosts of the rig see where their C(shared) says, as they would see a file server's folder."""
        return self.folder / "shared"

    def create(self, platforms: list[dict[str, t.Any]], owner: int | None) -> None:
        """Make and start all hosts, and write the inventory when each can be reached."""
        start = time.monotonic()
        machine.install_programs()
        name = image()
        with _locked():
            sweep()
            _remove(self)
            machine.prepare(_note())
            _register(self, owner)
            podman("network", "create", "--label", f"{LABEL}={self.id}", self.id)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key.unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.id, "-f", str(self.key)], check=True)
        network = ipaddress.ip_network(listed("network", "inspect", self.id)[0]["subnets"][0]["subnet"])
        addresses = {each["name"]: str(network[11 + number]) for number, each in enumerate(platforms)}
        with ThreadPoolExecutor(max_workers=8) as pool:
            known = list(pool.map(lambda each: self._start(name, each, addresses[each["name"]]), platforms))
        (self.folder / "known_hosts").write_text("".join(known), encoding="utf-8")
        self.inventory.write_text(yaml.safe_dump(self._inventory(platforms, addresses)), encoding="utf-8")
        say(f"{len(platforms)} hosts in {network} after {time.monotonic() - start:.1f} s")

    def renew(self, platforms: list[dict[str, t.Any]], host: str) -> None:
        """Install a host afresh: what it had is gone, its name and address stay."""
        inventory = yaml.safe_load(self.inventory.read_text(encoding="utf-8"))
        address = inventory["all"]["children"]["rig"]["hosts"][host]["ansible_host"]
        podman("rm", "--force", "--volumes", "--time=0", f"{self.id}-{host}")
        known = self._start(image(), next(each for each in platforms if each["name"] == host), address)
        path = self.folder / "known_hosts"
        others = [line for line in path.read_text(encoding="utf-8").splitlines() if line.split()[0] != address]
        path.write_text("\n".join([*others, known]), encoding="utf-8")
        _reach(address)

    def destroy(self) -> None:
        """Remove the hosts, their network and what they changed on the machine; fine when there is nothing."""
        machine.install_programs()
        with _locked():
            _remove(self)
            sweep()

    def _start(self, name: str, platform: dict[str, t.Any], address: str) -> str:
        """Start a host, and return its line of known_hosts."""
        host = str(platform["name"])
        container = f"{self.id}-{host}"
        limits = [f"--memory={platform['memory']}"] if "memory" in platform else []
        if "shared" in platform:
            self.shared.mkdir(exist_ok=True)
            self.shared.chmod(0o1777)
            limits.append(f"--volume={self.shared}:{platform['shared']}")
        podman(
            *("run", "--detach", "--name", container, "--hostname", host, "--label", f"{LABEL}={self.id}"),
            *("--network", f"{self.id}:ip={address}", "--restart=always", *limits, *_RIGHTS, name),
        )
        public = self.key.with_suffix(".pub").read_text(encoding="utf-8")
        _inside(
            container, "install -m 0600 -o ansible -g ansible /dev/stdin /home/ansible/.ssh/authorized_keys", public
        )
        state = _booted(container)
        if state != "running":
            failed = _inside(container, "systemctl --failed --no-legend --plain; systemctl list-jobs --no-legend")
            raise RigError(f"{host} is {state or 'not answering'} after its start:\n{failed}")
        kind, key = _inside(container, "cat /etc/ssh/ssh_host_ed25519_key.pub").split()[:2]
        return f"{address} {kind} {key}\n"

    def _inventory(self, platforms: list[dict[str, t.Any]], addresses: dict[str, str]) -> dict[str, t.Any]:
        options = f"-o UserKnownHostsFile={self.folder / 'known_hosts'} -o StrictHostKeyChecking=yes"
        common = {
            "rig_inventory": str(self.inventory),
            "ansible_user": "ansible",
            "ansible_ssh_private_key_file": str(self.key),
            "ansible_ssh_common_args": options,
            "ansible_pipelining": True,
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        hosts = {each["name"]: {"ansible_host": addresses[each["name"]], **each.get("vars", {})} for each in platforms}
        groups: dict[str, t.Any] = {}
        for each in platforms:
            for group in each.get("groups", []):
                groups.setdefault(group, {"hosts": {}})["hosts"][each["name"]] = {}
        prefix = next(iter(addresses.values())).rpartition(".")[0]
        return {
            "all": {"vars": {"rig_prefix": prefix}, "children": {"rig": {"hosts": hosts, "vars": common}, **groups}}
        }


def sweep() -> None:
    """Remove rigs that nobody can want any more, and restore the machine when none is left."""
    for rig, owner in _rigs().items():
        if not rig.folder.exists() or (owner and _started(owner[0]) != owner[1]):
            say(f"removing hosts that a run in {rig.folder} has left behind")
            _remove(rig)
    if not _rigs():
        machine.restore(_note())


def clean() -> None:
    """Remove what is left behind."""
    with _locked():
        sweep()


def ancestor(program: str, argument: str) -> int | None:
    """Return the nearest process above this one that runs I(program) with I(argument)."""
    pid = "self"
    while pid != "0":
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        if argument in words and any(Path(word).name == program for word in words[:2]):
            return int(pid)
        pid = _fields(pid)[1]
    return None


def _remove(rig: Rig) -> None:
    containers = podman("ps", "--all", "--quiet", "--filter", f"label={LABEL}={rig.id}").split()
    if containers:
        podman("rm", "--force", "--volumes", "--time=0", *containers)
    podman("network", "rm", "--force", rig.id, check=False)
    (RUN / "rigs" / rig.id).unlink(missing_ok=True)
    shutil.rmtree(rig.shared, ignore_errors=True)
    for path in (rig.inventory, rig.key, rig.key.with_suffix(".pub"), rig.folder / "known_hosts"):
        path.unlink(missing_ok=True)


def _register(rig: Rig, owner: int | None) -> None:
    (RUN / "rigs").mkdir(parents=True, exist_ok=True)
    entry = {"folder": str(rig.folder), "owner": [owner, _started(owner)] if owner else None}
    (RUN / "rigs" / rig.id).write_text(json.dumps(entry), encoding="utf-8")


def _rigs() -> dict[Rig, list[t.Any] | None]:
    """All rigs that exist, with the process that each belongs to."""
    entries = [json.loads(path.read_text(encoding="utf-8")) for path in (RUN / "rigs").glob("sp-*")]
    return {Rig(Path(entry["folder"])): entry["owner"] for entry in entries}


def _note() -> Path:
    RUN.mkdir(parents=True, exist_ok=True)
    return RUN / "settings.json"


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    cache_root().mkdir(parents=True, exist_ok=True)
    with (cache_root() / "rigs.lock").open("w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _inside(container: str, command: str, given: str | None = None) -> str:
    """Run a shell command in a host; systemd may need a moment until it answers."""
    deadline = time.monotonic() + _BOOT_SECONDS
    while True:
        try:
            return podman("exec", "--interactive", container, "sh", "-c", command, given=given)
        except RigError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _reach(address: str) -> None:
    """Wait until an address leads to the new host: for a while, neighbours remember the card of the old one."""
    deadline = time.monotonic() + _BOOT_SECONDS
    while True:
        try:
            socket.create_connection((address, 22), timeout=2).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def _booted(container: str) -> str:
    """Wait until systemd has started everything, and return its state."""
    deadline = time.monotonic() + _BOOT_SECONDS
    state = ""
    while state not in ("running", "degraded", "maintenance") and time.monotonic() < deadline:
        time.sleep(0.2)
        state = _inside(container, "systemctl is-system-running 2>&1 || true")
    return state


def _fields(pid: int | str) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _started(pid: int) -> str:
    """Return the start time of a process, which tells it from a later one of the same number; empty when it is gone."""
    try:
        fields = _fields(pid)
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def forget_all() -> None:
    """Remove every rig, the image and the storage."""
    with _locked():
        for rig in _rigs():
            _remove(rig)
        sweep()
        podman("system", "reset", "--force", check=False)
    shutil.rmtree(cache_root(), ignore_errors=True)
