# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual machine, whoever told of it."""

from __future__ import annotations

import datetime
import re
import typing as t
from dataclasses import asdict, dataclass, field, fields

KVM = "kvm"
OPENVZ = "openvz"
KINDS = (KVM, OPENVZ, "other")
RUNNING = "running"
STOPPED = "stopped"
STATES = (RUNNING, STOPPED, "suspended", "unknown")
CONTAINERISE = "containerise"
KUBEVIRT = "kubevirt"
KEEP = "keep"
DECISIONS = (CONTAINERISE, KUBEVIRT, KEEP)
UNDECIDED = "undecided"

_DAYS_OF_A_YEAR = 365.25


@dataclass
class Machine:
    """One virtual machine; what nobody knows is None or empty.

    @param id: the UUID, for OpenVZ the container's number and its host, else the name.
    @param disk_gib: what it may use, not what it does.
    @param created: a day on which it was there already; it may be older.
    @param created_from: how that is known.
    @param devices: hardware of the host that was passed through.
    @param sources: who told of it: hypervisors, and files with their lines.
    """

    id: str
    name: str
    kind: str = "other"
    host: str = ""
    state: str = "unknown"
    cpus: int | None = None
    memory_gib: float | None = None
    disk_gib: float | None = None
    os: str = ""
    owner: str = ""
    workload: str = ""
    created: str = ""
    created_from: str = ""
    addresses: list[str] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    note: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)

    def row(self) -> dict[str, t.Any]:
        return asdict(self)


_NAMES = tuple(each.name for each in fields(Machine))


def machine_of(row: t.Mapping[str, t.Any]) -> Machine:
    """What C(row) wrote; keys of a later version are left out."""
    return Machine(**{name: row[name] for name in _NAMES if name in row})


def gib(mebibytes: float) -> float:
    """Gibibytes of mebibytes, with as many digits as people read."""
    return round(mebibytes / 1024, 2)


def age_years(created: str, today: datetime.date) -> float | None:
    """Years since I(created); nothing when that is not known, or is yet to come."""
    if not created:
        return None
    days = (today - datetime.date.fromisoformat(created)).days
    return round(days / _DAYS_OF_A_YEAR, 1) if days >= 0 else None


_ARCHITECTURE = re.compile(r"[-_. ](x86_64|amd64|x86|i[3-6]86|arm64|aarch64)\b.*$")


def os_name(text: str) -> str:
    """A short name of an operating system: C(ubuntu-22.04) from C(http://ubuntu.com/ubuntu/22.04).

    Also from OpenVZ's C(centos-6-x86_64-minimal) and C(.ubuntu-16.04-x86_64).
    """
    parts = [part for part in text.strip().lower().split("/") if part]
    short = "-".join(parts[-2:]) if text.lower().startswith(("http:", "https:")) else text.strip().lower()
    return _ARCHITECTURE.sub("", short.lstrip(".")).replace(" ", "-")
