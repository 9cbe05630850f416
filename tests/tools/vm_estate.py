# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The 700 virtual machines of the example organisation: python tests/tools/vm_estate.py FOLDER

Writes vms.csv, the table that somebody keeps of all of them, and one folder for each of the 28 hypervisors: node.xml
for libvirt's own test driver (virsh -c test:///FOLDER/kvm01/node.xml), or vzlist.json as vzlist -a -j prints it. The
same machines come out each time.
"""

from __future__ import annotations

import csv
import io
import random
import sys
import typing as t
import uuid
from dataclasses import dataclass
from pathlib import Path

TOTAL = 700
KVM_HOSTS, OPENVZ_HOSTS = 20, 8
OWNERS = ("physics", "chemistry", "marking", "lms", "library", "finance", "hr", "website", "video", "")
WORKLOADS = ("web", "api", "database", "batch", "desktop", "")
#: Name, and the id that libosinfo has for it.
SYSTEMS = (
    ("ubuntu-22.04", "http://ubuntu.com/ubuntu/22.04"),
    ("ubuntu-14.04", "http://ubuntu.com/ubuntu/14.04"),
    ("debian-10", "http://debian.org/debian/10"),
    ("centos-7.0", "http://centos.org/centos/7.0"),
    ("win-2k16", "http://microsoft.com/win/2k16"),
)
TEMPLATES = ("centos-6-x86_64", "debian-8.0-x86_64-minimal", "ubuntu-16.04-x86_64")
SIZES = ((1, 2, 20), (2, 4, 40), (4, 8, 100), (8, 32, 400), (32, 128, 2000))


@dataclass(frozen=True)
class Made:
    """A machine that was made up."""

    number: int
    kind: str
    host: str
    name: str
    owner: str
    workload: str
    system: tuple[str, str]
    cpus: int
    memory_gib: int
    disk_gib: int
    created: str
    state: str

    @property
    def uuid(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, self.name))


def machines(total: int = TOTAL) -> list[Made]:
    """All machines, the same each time."""
    chance = random.Random(20260121)
    found = []
    hosts = [f"kvm{number:02}" for number in range(1, KVM_HOSTS + 1)]
    hosts += [f"ovz{number:02}" for number in range(1, OPENVZ_HOSTS + 1)]
    for number in range(total):
        host = hosts[number % len(hosts)]
        kind = "kvm" if host.startswith("kvm") else "openvz"
        owner, workload = chance.choice(OWNERS), chance.choice(WORKLOADS)
        cpus, memory, disk = chance.choices(SIZES, weights=(30, 30, 25, 12, 3))[0]
        system = chance.choice(SYSTEMS) if kind == "kvm" else (chance.choice(TEMPLATES), "")
        created = f"{chance.randint(2010, 2025)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        name = f"{owner or 'old'}-{workload or 'misc'}-{number:03}"
        state = chance.choices(("running", "stopped"), weights=(9, 1))[0]
        found.append(
            Made(number, kind, host, name, owner, workload, system, cpus, memory, disk, created, state),
        )
    return found


def table(made: list[Made]) -> str:
    """What somebody has written down of them, with the column names of a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    writer.writerow(
        ["VM name", "Host", "Department", "Purpose", "In use since", "RAM (MB)", "vCPU", "Disk GB", "OS", "Asset"]
    )
    for each in made:
        system = each.system[0]
        sizes = (each.memory_gib * 1024, each.cpus, each.disk_gib)
        writer.writerow(
            [each.name, each.host, each.owner, each.workload, each.created, *sizes, system, f"A-{each.number:05}"]
        )
    return out.getvalue()


#: What the table calls our columns.
COLUMNS = {
    "name": "VM name",
    "host": "Host",
    "owner": "Department",
    "workload": "Purpose",
    "created": "In use since",
    "memory_mib": "RAM (MB)",
    "cpus": "vCPU",
    "disk_gib": "Disk GB",
    "os": "OS",
    "label.asset": "Asset",
}


def domain(each: Made) -> str:
    """The definition of a machine, as C(virsh dumpxml) shows it."""
    return f"""\
<domain type='test'>
  <name>{each.name}</name>
  <uuid>{each.uuid}</uuid>
  <title>{each.workload or "unknown"} of {each.owner or "somebody"}</title>
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <libosinfo:os id="{each.system[1]}"/>
    </libosinfo:libosinfo>
  </metadata>
  <memory unit='KiB'>{each.memory_gib << 20}</memory>
  <currentMemory unit='KiB'>{each.memory_gib << 20}</currentMemory>
  <vcpu placement='static'>{each.cpus}</vcpu>
  <os><type arch='x86_64'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <source file='/var/lib/libvirt/images/{each.name}.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>
  </devices>
</domain>
"""


def node(made: list[Made]) -> str:
    """A host for libvirt's test driver."""
    domains = "\n".join(domain(each) for each in made)
    return f"<node>\n<cpu><nodes>1</nodes><sockets>2</sockets><cores>8</cores></cpu>\n{domains}\n</node>\n"


def vzlist(made: list[Made]) -> str:
    """What vzlist -a -j prints: texts as they are, and a line for each value."""
    listed = []
    for each in made:
        pages, blocks = each.memory_gib << 18, each.disk_gib << 20
        values: dict[str, t.Any] = {
            "ctid": each.number + 101,
            "private": f'"/vz/private/{each.number + 101}"',
            "hostname": f'"{each.name}.example.edu"',
            "name": f'"{each.name}"',
            "description": f'"the "{each.workload}" of {each.owner}\\n"' if each.number % 3 else "null",
            "ostemplate": f'"{each.system[0]}"',
            "ip": f'["10.66.{each.number // 250}.{each.number % 250 + 1}"]',
            "status": f'"{each.state}"',
            "physpages": _block(held=0, maxheld=0, barrier=0, limit=pages, failcnt=0),
            "diskspace": _block(usage=0, softlimit=blocks, hardlimit=blocks),
            "laverage": "null",
            "cpus": each.cpus,
        }
        listed.append("\n  {\n" + ",\n".join(f'    "{key}": {value}' for key, value in values.items()) + "\n  }")
    return "[" + ",".join(listed) + "\n]\n"


def _block(**values: int) -> str:
    return "{\n" + ",\n".join(f'      "{key}": {value}' for key, value in values.items()) + "\n    }"


def hosts(made: list[Made]) -> dict[str, list[Made]]:
    found: dict[str, list[Made]] = {}
    for each in made:
        found.setdefault(each.host, []).append(each)
    return found


def write(folder: Path) -> None:
    made = machines()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vms.csv").write_text(table(made), encoding="utf-8")
    for host, own in hosts(made).items():
        (folder / host).mkdir(exist_ok=True)
        name, text = ("node.xml", node(own)) if own[0].kind == "kvm" else ("vzlist.json", vzlist(own))
        (folder / host / name).write_text(text, encoding="utf-8")
    print(f"{len(made)} machines on {len(hosts(made))} hypervisors in {folder}")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
