# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines of libvirt, from what C(virsh) prints."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable
from xml.etree import ElementTree

from .look import Section, days
from .machine import KVM, RUNNING, STOPPED, Machine, gib, os_name

#: States of C(virsh domstate).
_STATES = {
    "running": RUNNING,
    "idle": RUNNING,
    "in shutdown": RUNNING,
    "shut off": STOPPED,
    "crashed": STOPPED,
    "paused": "suspended",
    "pmsuspended": "suspended",
}
#: Bytes of the units of memory in libvirt's documents.
_UNITS = {
    **dict.fromkeys(("b", "bytes"), 1),
    **{"k": 1 << 10, "kib": 1 << 10, "m": 1 << 20, "mib": 1 << 20, "g": 1 << 30, "gib": 1 << 30, "t": 1 << 40},
    **{"tib": 1 << 40, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12},
}
_OSINFO = "{http://libosinfo.org/xmlns/libvirt/domain/1.0}os"


def machines(host: str, answer: Iterable[Section]) -> tuple[list[Machine], list[str]]:
    """The machines of a host, and what could not be read."""
    parts: dict[str, dict[str, Section]] = {}
    for section in answer:
        if section.title[0] in ("state", "xml", "blocks", "files") and len(section.title) > 1:
            parts.setdefault(section.title[1], {})[section.title[0]] = section
    found, problems = [], []
    for uuid, told in parts.items():
        machine, problem = _machine(host, uuid, told)
        found.append(machine)
        problems += [f"machine {machine.name}: {problem}"] if problem else []
    return found, problems


def _machine(host: str, uuid: str, told: dict[str, Section]) -> tuple[Machine, str]:
    machine = Machine(uuid, uuid, KVM, host, sources=[host])
    state = told.get("state", Section([])).text.strip()
    machine.state = _STATES.get(state, "unknown")
    document = told.get("xml", Section([]))
    domain = _parsed(document.text)
    if domain is None:
        why = document.errors[0] if document.errors else "it is no XML"
        return machine, f"its definition cannot be read: {why}."
    machine.name = _text(domain, "name") or uuid
    machine.note = " ".join((_text(domain, "title") or _text(domain, "description")).split())
    memory = domain.find("memory")
    if memory is not None and (memory.text or "").strip().isdigit():
        factor = _UNITS.get(memory.get("unit", "KiB").lower(), 1 << 10)
        machine.memory_gib = gib(int(memory.text or 0) * factor / (1 << 20))
    cpus = domain.find("vcpu")
    count = "" if cpus is None else cpus.get("current") or (cpus.text or "").strip()
    machine.cpus = int(count) if count.isdigit() else None
    system = domain.find(f"metadata//{_OSINFO}")
    machine.os = os_name(system.get("id", "")) if system is not None else ""
    machine.devices = [_device(each) for each in domain.iterfind("devices/hostdev")]
    machine.devices += ["network card" for _each in domain.iterfind("devices/interface[@type='hostdev']")]
    _birth(machine, domain, told.get("files", Section([])))
    return machine, _disks(machine, domain, told.get("blocks", Section([])))


def _parsed(text: str) -> ElementTree.Element | None:
    if "<!" in text.replace("<!--", "").replace("<![CDATA[", ""):
        return None  # libvirt writes no document types, which could make a short text a very long one
    try:
        return ElementTree.fromstring(text.strip())  # noqa: S314
    except ElementTree.ParseError:
        return None


def _text(parent: ElementTree.Element, name: str) -> str:
    return (parent.findtext(name) or "").strip()


def _device(node: ElementTree.Element) -> str:
    address = node.find("source/address")
    where = "" if address is None else " ".join(str(value) for value in address.attrib.values())
    return f"{node.get('type', 'device')} {where}".strip()


def _birth(machine: Machine, domain: ElementTree.Element, files: Section) -> None:
    """The oldest sign of the machine."""
    for node in domain.iterfind("metadata//"):
        if node.tag.rpartition("}")[2] == "creationTime" and "openstack" in node.tag and node.text:
            with contextlib.suppress(ValueError):
                told = datetime.date.fromisoformat(node.text.strip()[:10])
                machine.created, machine.created_from = told.isoformat(), "OpenStack"
                return
    times = days([word for line in files.lines for word in line.split()[:2]])
    if times:
        machine.created, machine.created_from = day(min(times)), "files"


def day(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).date().isoformat()


def _disks(machine: Machine, domain: ElementTree.Element, blocks: Section) -> str:
    """Sets the size of all disks, and returns why one is not known."""
    wanted = []
    for disk in domain.iterfind("devices/disk"):
        target = disk.find("target")
        if disk.get("device", "disk") == "disk" and target is not None:
            wanted.append(target.get("dev", ""))
    sizes: dict[str, int] = {}
    current = ""
    for line in blocks.lines:
        words = line.split()
        if words[:1] == ["disk"] and len(words) > 1:  # before a block of "Capacity: ..." of an old virsh
            current = words[1]
        elif len(words) > 1 and words[0] == "Capacity:" and words[1].isdigit():
            sizes[current] = int(words[1])
        elif len(words) > 2 and words[1].isdigit():
            sizes[words[0]] = int(words[1])
    missing = [name for name in wanted if name not in sizes]
    if missing:
        why = f" ({blocks.errors[0]})" if blocks.errors else ""
        return f"the size of {', '.join(missing)} is not known{why}."
    machine.disk_gib = gib(sum(sizes[name] for name in wanted) / (1 << 20))
    return ""
