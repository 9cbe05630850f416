# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three control plane nodes with the role api_endpoint, and what can happen to them."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
import time
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.hosts import rig
from tests.hosts.engine import podman
from tests.hosts.machine import RigError

ROOT = Path(__file__).resolve().parents[3]
SCENARIO = ROOT / "extensions/molecule/api_endpoint"
PROBE = Path(__file__).with_name("probe.py")
PORT = 8443
EVERY = 0.05
NODES = ("node1", "node2", "node3")
SIX = "fd98::100"
_CPU = Path("/sys/fs/cgroup/cpu")
#: So that hosts are not starved by other work on the machine, which would be measured instead.
_SHARES = 20480
_EVENT = re.compile(r"\[(\S+)\] (Deleted )?\d+: \S+\s+inet6? (\S+)/\d+")


@dataclass
class Watch:
    """What was seen during one case: probes that were answered, and who had the address when."""

    good: dict[str, list[float]] = field(default_factory=dict)
    owners: list[tuple[str, float, float]] = field(default_factory=list)
    start: float = 0.0
    end: float = 0.0

    def gap(self, kind: str) -> int:
        """The longest time without an answer in ms, over the usual distance of two probes."""
        longest = 0.0
        for name, times in self.good.items():
            if name.startswith(kind):
                known = [self.start, *times, self.end]
                longest = max(longest, *(after - before for before, after in itertools.pairwise(known)))
        return round(max(0.0, longest - EVERY) * 1000)

    def several(self) -> int:
        """How long more than one host had an address, in ms."""
        total = 0.0
        edges = sorted({edge for _host, start, end in self.owners for edge in (start, end)})
        for left, right in itertools.pairwise(edges):
            holders = {host for host, start, end in self.owners if start <= left and right <= end}
            total += right - left if len(holders) > 1 else 0.0
        return round(total * 1000)


class Lab:
    def __init__(self, folder: Path) -> None:
        self.rig = rig.Rig(folder)
        self.prefix = ""
        self.pids: dict[str, int] = {}
        #: Hosts that are off at the moment do not count as owners.
        self.off: dict[str, list[tuple[float, float]]] = {}

    @property
    def addresses(self) -> list[str]:
        return [f"{self.prefix}.100", SIX]

    def create(self) -> None:
        platforms = yaml.safe_load((SCENARIO / "molecule.yml").read_text(encoding="utf-8"))["platforms"]
        self.rig.create(platforms, os.getpid())
        self.known()
        for name in ("prepare", "converge", "backends"):
            self.play(name)

    def known(self) -> None:
        inventory = yaml.safe_load(self.rig.inventory.read_text(encoding="utf-8"))
        self.prefix = inventory["all"]["vars"]["rig_prefix"]
        for host in (*NODES, "client"):
            self._favour(host)

    def _favour(self, host: str) -> None:
        pid = int(podman("inspect", "--format", "{{.State.Pid}}", self.container(host)))
        self.pids[host] = pid
        group = next((line for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines() if ":cpu" in line), "")
        if not group or not _CPU.is_dir():
            return
        own = _CPU / group.split(":", 2)[2].lstrip("/")
        ahead = _CPU / self.rig.id
        ahead.mkdir(exist_ok=True)
        (ahead / "cpu.shares").write_text(str(_SHARES))
        for _again in range(3):
            for each in (own / "cgroup.procs").read_text().split():
                with contextlib.suppress(OSError):
                    (ahead / "cgroup.procs").write_text(each)

    def destroy(self) -> None:
        self.rig.destroy()
        with contextlib.suppress(OSError):
            (_CPU / self.rig.id).rmdir()

    def container(self, host: str) -> str:
        return f"{self.rig.id}-{host}"

    def on(self, host: str, command: str) -> str:
        return podman("exec", self.container(host), "sh", "-c", command)

    def inside(self, host: str, *command: str) -> str:
        """Run a program of the machine in the network of a host."""
        argv = ["nsenter", f"--target={self.pids[host]}", "--net", *command]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    def play(self, name: str, *more: str) -> None:
        program = Path(sys.executable).with_name("ansible-playbook")
        inventories = ["-i", str(self.rig.inventory), "-i", str(SCENARIO / "inventory")]
        command = [str(program), *inventories, str(SCENARIO / f"{name}.yml"), *more]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if result.returncode:
            raise RigError(f"{' '.join(command)} failed:\n{result.stdout[-4000:]}{result.stderr}")

    # --- what can happen -----------------------------------------------------------------------------------------
    def holder(self) -> str:
        found = [host for host in NODES if host not in self._gone() and f"{self.prefix}.100/" in self._addresses(host)]
        if len(found) != 1:
            raise RigError(f"{found or 'nobody'} holds the address")
        return found[0]

    def _gone(self) -> list[str]:
        return [host for host, times in self.off.items() if times and times[-1][1] == float("inf")]

    def _addresses(self, host: str) -> str:
        return self.inside(host, "ip", "-o", "address", "show", "dev", "eth0")

    def settle(self, wanted: str = "", seconds: float = 60) -> None:
        """Wait until all is well, then move the address to I(wanted)."""
        deadline = time.monotonic() + seconds
        states: dict[str, str] = {}
        while time.monotonic() < deadline:
            states = {
                host: self.on(host, "cat /run/api-endpoint/fault /run/api-endpoint/not-ready | tr -d '\\n'")
                for host in NODES
            }
            with contextlib.suppress(RigError):
                if set(states.values()) == {"00"} and (not wanted or self.holder() == wanted):
                    time.sleep(1)
                    return
                if set(states.values()) == {"00"} and wanted:
                    for host in NODES:
                        if host != wanted:
                            self.on(host, "systemctl restart keepalived")
                    time.sleep(1.5)
            time.sleep(0.3)
        raise RigError(f"not well again after {seconds} s: {states}")

    def kill(self, host: str) -> None:
        """Power off: from one moment to the next nothing comes any more."""
        self._unplug(host)
        podman("kill", "--signal=KILL", self.container(host))

    def start(self, host: str) -> None:
        podman("start", self.container(host))
        self._favour(host)
        number = 11 + NODES.index(host)
        self.inside(host, "sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=0")
        self.inside(host, "ip", "address", "add", f"fd98::{number}/64", "dev", "eth0", "nodad")
        self._back(host)
        self.on(host, "systemctl is-system-running --wait || true")
        self._favour(host)
        self.backend(host, "ok")

    def pause(self, host: str) -> None:
        """A virtual machine that is frozen: the kernel of a container would go on answering, so its cable is out."""
        self._unplug(host)
        podman("pause", self.container(host))

    def resume(self, host: str) -> None:
        podman("unpause", self.container(host))
        self._plug(host)
        self._back(host)

    def _unplug(self, host: str) -> None:
        self._cable(host, "down")
        self.off.setdefault(host, []).append((time.time(), float("inf")))

    def _plug(self, host: str) -> None:
        self._cable(host, "up")

    def _back(self, host: str) -> None:
        self.off[host][-1] = (self.off[host][-1][0], time.time())

    def _cable(self, host: str, state: str) -> None:
        shown = json.loads(self.inside(host, "ip", "-json", "link", "show", "dev", "eth0"))[0]
        outside = json.loads(subprocess.run(["ip", "-json", "link"], check=True, capture_output=True, text=True).stdout)
        name = next(each["ifname"] for each in outside if each["ifindex"] == shown["link_index"])
        subprocess.run(["ip", "link", "set", name, state], check=True)

    def cut(self, one: str, other: str, what: str = "-I") -> None:
        for host, far in ((one, other), (other, one)):
            address = f"{self.prefix}.{11 + NODES.index(far)}"
            self.inside(host, "iptables", what, "INPUT", "-s", address, "-j", "DROP")

    def backend(self, host: str, state: str) -> None:
        """C(ok), C(failing), C(mute) or C(gone)."""
        if state == "gone":
            self.on(host, "systemctl stop backend")
            return
        self.on(host, f"mkdir -p /run/backend; echo {state} > /run/backend/state")
        start = "systemd-run --quiet --collect --unit=backend --property=Nice=-5 python3 /usr/local/sbin/backend.py"
        self.on(host, f"systemctl is-active --quiet backend || {start}")

    # --- what is seen --------------------------------------------------------------------------------------------
    @contextlib.contextmanager
    def watched(self) -> Iterator[Watch]:
        """Probe from the client, and note who has the addresses."""
        seen = Watch()
        self.off = {}
        logs: dict[str, subprocess.Popen[str]] = {}
        before = {host: self._addresses(host) for host in NODES}
        for host in NODES:
            argv = ["nsenter", f"--target={self.pids[host]}", "--net", "ip", "-ts", "-o", "monitor", "address"]
            logs[host] = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        argv = ["nsenter", f"--target={self.pids['client']}", "--net", "nice", "-n", "-15", sys.executable, str(PROBE)]
        client = subprocess.Popen(
            [*argv, str(PORT), *self.addresses], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        time.sleep(1.5)
        seen.start = time.time()
        yield seen
        seen.end = time.time()
        seen.good = json.loads(client.communicate("\n")[0])
        seen.start = max(seen.start, min((times[0] for times in seen.good.values() if times), default=seen.start))
        for host, log in logs.items():
            log.terminate()
            events = log.communicate()[0]
            seen.owners += self._held(host, f"{self.prefix}.100/" in before[host], events, seen)

    def _held(self, host: str, had: bool, events: str, seen: Watch) -> list[tuple[str, float, float]]:
        found, since = [], seen.start if had else None
        for stamp, gone, address in _EVENT.findall(events):
            if address != f"{self.prefix}.100":
                continue
            when = time.mktime(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")) + float(f"0{stamp[19:]}")
            if gone and since is not None:
                found.append((host, since, when))
                since = None
            elif not gone and since is None:
                since = when
        if since is not None:
            found.append((host, since, seen.end))
        for start, end in self.off.get(host, []):
            found = [piece for each in found for piece in _without(each, start, end)]
        return found


def _without(held: tuple[str, float, float], start: float, end: float) -> t.Iterator[tuple[str, float, float]]:
    host, since, until = held
    if since < start:
        yield host, since, min(until, start)
    if end < until:
        yield host, max(since, end), until
