# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines on two networks of their own, with a way out for packages and a port on loopback for SSH.

Nothing of the machine that they run on is changed: QEMU does the networks itself. A machine dies with the process that
has started it.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import signal
import socket
import subprocess
import tarfile
import time
import typing as t
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.hosts.machine import RigError, say

PROGRAMS = {"qemu-system-x86_64": "qemu-system-x86", "ssh-keygen": "openssh-client"}
#: The networks between the machines, as two storage heads have two.
LINKS = ("a", "b")
_KVM = Path("/dev/kvm")
#: What a kernel says first. Where KVM is there and does not work, a machine hangs before that.
FIRST_WORD = "Linux version"
_KVM_SECONDS = 30
_BOOT_SECONDS = 900
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


@dataclass
class Machine:
    """One virtual machine; I(number) is the last part of its addresses."""

    name: str
    number: int
    disk: Path
    memory: int = 1024
    cores: int = 1
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def address(self, link: str, version: int = 4) -> str:
        return f"10.77.{LINKS.index(link)}.{self.number}" if version == 4 else f"fd77:{link}::{self.number}"


@dataclass
class Rig:
    """Two machines in a folder with their inventory, key, known hosts and consoles."""

    folder: Path
    machines: list[Machine]
    #: tcg or kvm; empty: kvm where it works.
    accelerator: str = ""

    @property
    def inventory(self) -> Path:
        return self.folder / "hosts.yml"

    def console(self, machine: Machine) -> str:
        path = self.folder / f"{machine.name}.console"
        return path.read_text(encoding="utf-8", errors="replace").replace("\r", "") if path.exists() else ""

    def start(self) -> None:
        """Start all machines, and return when each can be reached."""
        begin = time.monotonic()
        for machine in self.machines:
            self._identity(machine)
        self._inventory()
        first, *others = self.machines
        if not self.accelerator:
            self.accelerator = "kvm" if self._kvm_works(first) else "tcg"
        for machine in [first, *others] if self.accelerator == "tcg" or not first.process else others:
            self._run(machine)
        for machine in self.machines:
            self._wait(machine)
        say(f"{len(self.machines)} machines with {self.accelerator} after {time.monotonic() - begin:.0f} s")

    def stop(self) -> None:
        for machine in self.machines:
            if machine.process:
                machine.process.kill()
                machine.process.wait()
                machine.process = None

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def _kvm_works(self, machine: Machine) -> bool:
        if not _KVM.exists():
            return False
        self.accelerator = "kvm"
        self._run(machine)
        deadline = time.monotonic() + _KVM_SECONDS
        while time.monotonic() < deadline and machine.process and machine.process.poll() is None:
            if FIRST_WORD in self.console(machine):
                return True
            time.sleep(0.5)
        say(f"KVM is there, but no kernel starts with it within {_KVM_SECONDS} s: emulating, which is slow")
        self.stop()
        self._unplug()
        return False

    def _unplug(self) -> None:
        for link in LINKS:
            (self.folder / f"{link}.sock").unlink(missing_ok=True)

    def _run(self, machine: Machine) -> None:
        server = machine is self.machines[0]
        deadline = time.monotonic() + 10
        while not server and time.monotonic() < deadline and not all(map(self._plugged, LINKS)):
            time.sleep(0.1)
        command = [
            "qemu-system-x86_64",
            "-accel",
            self.accelerator,
            "-cpu",
            "max" if self.accelerator == "tcg" else "host",
        ]
        command += ["-name", machine.name, "-uuid", str(uuid.uuid5(uuid.NAMESPACE_DNS, machine.name))]
        command += ["-smp", str(machine.cores), "-m", str(machine.memory), "-nodefaults", "-display", "none"]
        command += ["-serial", f"file:{self.folder / machine.name}.console", "-device", "virtio-rng-pci"]
        # What is written goes to a file without a name, which is gone with the process.
        command += ["-drive", f"file={machine.disk},format=raw,if=virtio,snapshot=on,cache=unsafe"]
        command += ["-drive", f"file={self.folder / machine.name}.tar,format=raw,if=virtio,readonly=on"]
        forward = f"hostfwd=tcp:127.0.0.1:{machine.port}-:22"
        for index, net in enumerate([f"user,id=out,{forward}", *(self._link(link, server) for link in LINKS)]):
            mac = f"52:54:00:77:{index:02x}:{machine.number:02x}"
            command += ["-netdev", net, "-device", f"virtio-net-pci,netdev={('out', *LINKS)[index]},mac={mac}"]
        log = (self.folder / f"{machine.name}.qemu").open("wb")
        with log:
            machine.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_die_with_parent
            )

    def _plugged(self, link: str) -> bool:
        return (self.folder / f"{link}.sock").exists()

    def _link(self, link: str, server: bool) -> str:
        """A cable between the machines: frames through a socket."""
        side = "on" if server else "off"
        return f"stream,id={link},server={side},addr.type=unix,addr.path={self.folder / link}.sock"

    def _wait(self, machine: Machine) -> None:
        deadline = time.monotonic() + _BOOT_SECONDS
        while time.monotonic() < deadline:
            if machine.process is None or machine.process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", machine.port), timeout=5) as peer:
                if peer.recv(4) == b"SSH-":
                    return
            time.sleep(1)
        said = (self.folder / f"{machine.name}.qemu").read_text(encoding="utf-8") + self.console(machine)[-3000:]
        raise RigError(f"{machine.name} cannot be reached:\n{said}")

    def _identity(self, machine: Machine) -> None:
        """What makes a machine itself, as an archive that it unpacks when it first starts."""
        key, host = self.folder / "id_ed25519", self.folder / f"{machine.name}.key"
        for path in (key, host):
            if not path.exists():
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
        network = "[Match]\nName={name}\n[Network]\nLinkLocalAddressing=ipv6\n{more}\n"
        files = {
            "etc/hostname": f"{machine.name}\n",
            "etc/hosts": f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {machine.name}\n",
            "etc/resolv.conf": "nameserver 10.0.2.3\n",
            "etc/systemd/network/eth0.network": network.format(name="eth0", more="DHCP=ipv4"),
            "home/ansible/.ssh/authorized_keys": key.with_suffix(".pub").read_text(encoding="utf-8"),
            "etc/ssh/ssh_host_ed25519_key": host.read_text(encoding="utf-8"),
            "etc/ssh/ssh_host_ed25519_key.pub": host.with_suffix(".key.pub").read_text(encoding="utf-8"),
        }
        for index, link in enumerate(LINKS, 1):
            addresses = f"Address={machine.address(link)}/24\nAddress={machine.address(link, 6)}/64"
            files[f"etc/systemd/network/eth{index}.network"] = network.format(name=f"eth{index}", more=addresses)
        with tarfile.open(self.folder / f"{machine.name}.tar", "w") as archive:
            for name, text in files.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = (
                    len(text.encode()),
                    0o600 if ".ssh/" in name or name.endswith("_key") else 0o644,
                )
                archive.addfile(entry, io.BytesIO(text.encode()))

    def _inventory(self) -> None:
        for machine in self.machines:
            machine.port = machine.port or _free_port()
        known = [
            f"[127.0.0.1]:{machine.port} " + (self.folder / f"{machine.name}.key.pub").read_text(encoding="utf-8")
            for machine in self.machines
        ]
        (self.folder / "known_hosts").write_text("".join(known), encoding="utf-8")
        common: dict[str, t.Any] = {
            "ansible_host": "127.0.0.1",
            "ansible_user": "ansible",
            "ansible_ssh_private_key_file": str(self.folder / "id_ed25519"),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={self.folder / 'known_hosts'}"
            " -o StrictHostKeyChecking=yes",
            "ansible_pipelining": True,
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_timeout": 60,
        }
        hosts = {
            machine.name: {
                "ansible_port": machine.port,
                "ip": machine.address("a"),
                "ip6": machine.address("a", 6),
                "portals": [machine.address(link) for link in LINKS],
            }
            for machine in self.machines
        }
        groups = {"kube_node": {"hosts": {"node": {}}}, "vms_test": {"hosts": {"node": {}}}}
        tree = {"all": {"children": {"rig": {"hosts": hosts, "vars": common}, **groups}}}
        self.inventory.write_text(yaml.safe_dump(tree), encoding="utf-8")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
