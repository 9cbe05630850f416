# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole rack: the playbook hosts on 5 and on 25 test hosts, task by task (python -m tests.hosts.rack).

Fails when a run fails, when facts of a host are gathered more than once, or when a task takes longer than its share:
five times the hosts may take five times as long, and not more.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
from pathlib import Path

import yaml

from .engine import podman
from .machine import RigError, say
from .rig import LABEL, Rig

ROOT = Path(__file__).resolve().parents[2]
#: More time than the number of hosts explains, before it is called growth; other work on the machine is noise.
TOLERANCE = 1.5
#: Below this, starting processes is all there is to see.
LEAST_SECONDS = 5.0
#: Where podman puts hosts, with cgroups of version 1 and 2.
_CGROUPS = (Path("/sys/fs/cgroup/memory/libpod_parent"), Path("/sys/fs/cgroup/libpod_parent"))
FACTS = ("setup", "gather_facts", "host_info")
RANGES = {"pod_cidr": "10.128.0.0/16", "service_cidr": "10.129.0.0/18"}
#: What containers on one shared disk cannot pass.
VARIABLES = {
    "host_baseline_storage_clients": ["nfs", "iscsi", "multipath"],
    "host_baseline_iscsi_initiator_prefix": "iqn.2026-01.edu.example",
    "host_baseline_preflight_severity": dict.fromkeys(("container", "cgroup", "etcd_disk", "systemd"), "ignore"),
    "host_baseline_reboot": "never",
}


class Measured(t.NamedTuple):
    """One run of the playbook. I(memory) is the most that all hosts used at once, in MiB."""

    hosts: int
    seconds: float
    memory: int
    tasks: list[dict[str, t.Any]]
    recap: dict[str, dict[str, int]]


def platforms(count: int, memory: str) -> list[dict[str, t.Any]]:
    """A cluster: three hosts of the control plane, and workers."""
    groups = [["kube_control_plane", "etcd", "rack_test"]] * 3 + [["kube_node", "rack_test"]] * (count - 3)
    return [{"name": f"node{n:02}", "groups": each, "memory": memory} for n, each in enumerate(groups, 1)]


def cluster(rig: Rig) -> Path:
    """Writes an inventory of the cluster that the hosts are for, with an address of its API in their network."""
    prefix = yaml.safe_load(rig.inventory.read_text(encoding="utf-8"))["all"]["vars"]["rig_prefix"]
    network = {"node_cidr": f"{prefix}.0/24", "api_vip": f"{prefix}.200", **RANGES}
    facts = {
        "ansible_connection": "local",
        "cluster_environment": "dev",
        "cluster_security_domain": "internal_only",
        "cluster_sla_tier": "tier_3_standard",
        "cluster_network": network,
    }
    facts["cluster_kubernetes"] = {"api": {"domain_name": "api.rack.example.edu", "port": 8443}}
    path = rig.folder / "clusters.yml"
    tree = {"all": {"children": {"clusters": {"hosts": {"rack-test": facts}}}}}
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return path


def measure(folder: Path, count: int, forks: int, memory: str, tags: str) -> list[Measured]:
    """Runs the playbook twice on new hosts."""
    rig = Rig(folder / f"rack{count}")
    rig.create(platforms(count, memory), os.getpid())
    try:
        return [_run(rig, folder, count, forks, tags) for _time in range(2)]
    finally:
        rig.destroy()


def _run(rig: Rig, folder: Path, count: int, forks: int, tags: str) -> Measured:
    times, log = folder / "times.json", folder / f"run{count}.log"
    times.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/hosts/callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "task_times",
        "TASK_TIMES": str(times),
    }
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "k8s.self_provisioning.hosts"]
    command += ["-i", str(rig.inventory), "-i", str(cluster(rig)), "--forks", str(forks), "-e", json.dumps(VARIABLES)]
    command += ["--tags", tags] if tags else []
    done = threading.Event()
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(rig, done, peak))
    watcher.start()
    start = time.monotonic()
    try:
        with log.open("a", encoding="utf-8") as out:
            code = subprocess.run(command, cwd=ROOT, env=environment, stdout=out, stderr=out, check=False).returncode
    finally:
        done.set()
        watcher.join()
    seconds = time.monotonic() - start
    if code or not times.exists():
        raise RigError(f"the playbook failed on {count} hosts:\n" + log.read_text(encoding="utf-8")[-6000:])
    found = json.loads(times.read_text(encoding="utf-8"))
    say(f"{count} hosts, {forks} forks: {seconds:.0f} s")
    return Measured(count, seconds, peak[0], found["tasks"], found["hosts"])


def _watch(rig: Rig, done: threading.Event, peak: list[int]) -> None:
    """Notes the most memory that the processes of all hosts hold, without what the kernel can give back."""
    ids = podman("ps", "--quiet", "--no-trunc", "--filter", f"label={LABEL}={rig.id}").split()
    while not done.wait(5):
        held = 0
        for container in ids:
            for path in (folder / f"libpod-{container}" / "memory.stat" for folder in _CGROUPS):
                lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
                values = dict(line.split() for line in lines)
                held += int(values.get("total_rss") or values.get("anon") or 0) >> 20
        peak[0] = max(peak[0], held)


def compared(few: Measured, many: Measured) -> list[tuple[str, float, float]]:
    """Each task with its seconds on few and on many hosts, the slowest first."""

    def by_name(run: Measured) -> dict[tuple[str, str], float]:
        found: dict[tuple[str, str], float] = {}
        for each in run.tasks:
            key = each["play"], each["name"].removeprefix("k8s.self_provisioning.host_baseline : ")
            found[key] = found.get(key, 0) + each["seconds"]
        return found

    first, second = by_name(few), by_name(many)
    both = [(key[1], first.get(key, 0.0), seconds) for key, seconds in second.items()]
    return sorted(both, key=lambda each: -each[2])


def grown(few: Measured, many: Measured) -> dict[str, str]:
    """Tasks that took more than their share, and how long."""
    share = many.hosts / few.hosts
    return {
        name: f"{name}: {small:.1f} s on {few.hosts} hosts, {large:.1f} s on {many.hosts}"
        for name, small, large in compared(few, many)
        # one that takes next to nothing on a few hosts says nothing about many
        if large > LEAST_SECONDS and large > share * TOLERANCE * max(small, LEAST_SECONDS / share)
    }


def faults(few: list[Measured], many: list[Measured]) -> list[str]:
    """What does not hold. Growth shows in both runs; what shows in one was something else on the machine."""
    first, second = (grown(one, other) for one, other in zip(few, many, strict=True))
    found = [text for name, text in second.items() if name in first]
    for run in (*few, *many):
        gathered = sum(each["hosts"] for each in run.tasks if each["action"].rpartition(".")[2] in FACTS)
        if gathered != run.hosts:
            found.append(f"facts were gathered {gathered} times on {run.hosts} hosts")
    for run in (few[1], many[1]):
        if any(each["changed"] for each in run.recap.values()):
            found.append(f"the second run changed something on {run.hosts} hosts")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hosts.rack", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--few", type=int, default=5)
    parser.add_argument("--many", type=int, default=25)
    parser.add_argument("--forks", type=int, default=10)
    parser.add_argument("--memory", default="240m", help="of each host")
    parser.add_argument("--tags", default="", help="only these tags of the playbook")
    parser.add_argument("--tasks", type=int, default=25, help="how many of the slowest tasks to show")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rack-") as name:
        try:
            runs = {
                count: measure(Path(name), count, args.forks, args.memory, args.tags) for count in (args.few, args.many)
            }
        except RigError as error:
            print(f"rack: {error}", file=sys.stderr)
            return 1
    few, many = runs[args.few], runs[args.many]
    print(f"\n{args.forks} forks          {args.few:>6} hosts  {args.many:>6} hosts   times")
    for which, title in enumerate(("first run", "second run")):
        one, other = few[which], many[which]
        print(f"{title:16} {one.seconds:10.0f} s {other.seconds:12.0f} s {other.seconds / one.seconds:7.1f}")
        changed = sum(each["changed"] for each in other.recap.values())
        print(f"  changed {changed}, memory of all hosts {one.memory} and {other.memory} MiB")
    print(f"\n{'task of the first run':58} {args.few:>6} {args.many:>8}   times")
    for name, small, large in compared(few[0], many[0])[: args.tasks]:
        print(f"{name[:58]:58} {small:6.1f} {large:8.1f} {large / max(small, 0.1):7.1f}")
    wrong = faults(few, many)
    for fault in wrong:
        print(f"rack: {fault}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
