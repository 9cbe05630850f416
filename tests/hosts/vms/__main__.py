# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container cannot show, on virtual machines: C(python -m tests.hosts.vms).

A node that the playbook hosts prepares, and a storage server with two networks to it. Every step is told with its time;
the first that fails ends the run, with what Ansible and the consoles said.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from tests.hosts import machine
from tests.hosts.machine import RigError, say

from . import disk, vm

ROOT = Path(__file__).resolve().parents[3]
PLAYBOOKS = Path(__file__).with_name("playbooks")
PREFIX = "iqn.2026-01.edu.example"
#: No check of the preflight is ignored: these are machines.
HOSTS: dict[str, t.Any] = {
    "host_baseline_profile": "hardened",
    "host_baseline_cluster": "vms_test",
    "host_baseline_api_address": "10.77.0.100",
    "host_baseline_storage_clients": ["nfs", "iscsi", "multipath"],
    "host_baseline_iscsi_initiator_prefix": PREFIX,
}
#: What answers on a node to a machine outside of its cluster, written down by hand.
PORTS = [22, 111, 179, 2379, 3260, 5473, 6443, 7946, 9100, 10250, 10256, 30000, 32767]
OPEN = [22, 30000, 32767]
SITE: dict[str, t.Any] = {
    "storage_target": f"{PREFIX}:disk",
    "storage_initiator": f"{PREFIX}:node",
    "check_tools": str(ROOT / "extensions/molecule/host_baseline/files"),
    "check_ports": PORTS,
    "check_open": OPEN,
}


class Run:
    """The steps of one run."""

    def __init__(self, rig: vm.Rig) -> None:
        self._rig = rig

    def play(self, name: str, variables: dict[str, t.Any], *arguments: str) -> dict[str, int]:
        """Run a playbook, and return what it did on the node."""
        times = self._rig.folder / "times.json"
        environment = {
            **os.environ,
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/hosts/callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "task_times",
            "TASK_TIMES": str(times),
        }
        command = [str(Path(sys.executable).with_name("ansible-playbook")), name, "-i", str(self._rig.inventory)]
        command += ["-e", json.dumps(variables), *arguments]
        result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if result.returncode:
            raise RigError(f"{name} failed:\n{result.stdout[-8000:]}{result.stderr[-2000:]}")
        found = json.loads(times.read_text(encoding="utf-8"))["hosts"]
        return {key: int(value) for key, value in found.get("node", {}).items()}

    def hosts(self, *arguments: str) -> dict[str, int]:
        return self.play("k8s.self_provisioning.hosts", HOSTS, *arguments)

    def own(self, name: str, **variables: str) -> dict[str, int]:
        return self.play(str(PLAYBOOKS / f"{name}.yml"), {**SITE, **variables})

    def boots(self) -> int:
        """How often the node has started, by its console."""
        return self._rig.console(self._rig.machines[1]).count(vm.FIRST_WORD)


def steps(run: Run) -> list[tuple[str, t.Callable[[], str]]]:
    """What is done, in this order; each returns a word on what it saw."""

    def unchanged() -> str:
        boots = run.boots()
        recap = run.hosts()
        if recap["changed"]:
            raise RigError(f"a run that had nothing to do changed {recap['changed']}")
        if run.boots() != boots:
            raise RigError("a run that had nothing to do rebooted the node")
        return f"{recap['ok']} tasks, 0 changed, no reboot"

    def rebooted() -> str:
        boots = run.boots()
        recap = run.hosts()
        if (recap["changed"], run.boots()) != (1, boots + 1):
            raise RigError(
                f"changed {recap['changed']}, {run.boots() - boots} reboots; expected one reboot, and no more"
            )
        return "1 reboot, nothing else changed"

    def own(name: str, said: str = "", **variables: str) -> t.Callable[[], str]:
        def step() -> str:
            run.own(name, **variables)
            return said

        return step

    proven = "modules, settings, swap, ipvs, audit, NFS, iSCSI over two paths, open ports over IPv4 and IPv6"
    return [
        ("preflight", lambda: f"{run.hosts('--tags', 'host_baseline_preflight')['ok']} tasks, nothing is wrong"),
        ("the playbook hosts", lambda: f"{run.hosts()['changed']} changed"),
        ("the playbook hosts again", unchanged),
        ("storage", own("storage")),
        ("mounts and logins", own("mount")),
        ("what holds", own("check", proven)),
        # Whichever path is in use, it is one of them.
        *((f"the path over {link} cut", own("paths", "the disk goes on", paths_cut=link)) for link in ("eth1", "eth2")),
        ("a kernel's upgrade asks for a reboot", own("kernel")),
        ("the playbook hosts reboots", rebooted),
        ("what holds after the reboot", own("check", proven)),
        ("the playbook hosts afterwards", unchanged),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hosts.vms", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--accelerator", choices=["kvm", "tcg"], default="", help="kvm where it works, unless given")
    parser.add_argument("--keep", action="store_true", help="leave the machines running until Ctrl-C when a step fails")
    args = parser.parse_args()
    start = time.monotonic()
    try:
        machine.install_programs({**disk.PROGRAMS, **vm.PROGRAMS})
        with tempfile.TemporaryDirectory(prefix="vms-") as name:
            machines = [
                vm.Machine("storage", 1, disk.disk("nfs-kernel-server tgt"), memory=768),
                vm.Machine("node", 2, disk.disk(), memory=2560, cores=2),
            ]
            with vm.Rig(Path(name), machines, args.accelerator) as rig:
                rig.start()
                _all(Run(rig), rig, args.keep)
    except RigError as error:
        print(f"vms: {error}", file=sys.stderr)
        return 1
    print(f"everything in {time.monotonic() - start:.0f} s, with {rig.accelerator}")
    return 0


def _all(run: Run, rig: vm.Rig, keep: bool) -> None:
    for name, step in steps(run):
        begin = time.monotonic()
        try:
            said = step()
        except RigError:
            if keep:
                say(f"{name} failed; the machines are in {rig.inventory} until Ctrl-C")
                _until_interrupted()
            raise
        print(f"{name:38} {time.monotonic() - begin:5.0f} s  {said}", flush=True)


def _until_interrupted() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    sys.exit(main())
