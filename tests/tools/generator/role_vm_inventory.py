# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the role vm_inventory. Their defaults are read from its C(defaults/main.yml)."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

from .role_types import Entry, Options, Role

_DEFAULTS = Path(__file__).resolve().parents[3] / "roles" / "vm_inventory" / "defaults" / "main.yml"

_TEXTS: dict[str, tuple[str, str, dict[str, t.Any]]] = {
    "file": (
        "path",
        "The file to write, an inventory source with a name that ends in C(.yml). What hypervisors told before is read "
        "from it, so that those that are not asked in a run keep their machines. It has to be set.",
        {},
    ),
    "group": ("str", "The group of the hypervisors.", {}),
    "libvirt_uri": ("str", "What C(virsh) connects to on a hypervisor. Only reading connections are made.", {}),
    "tables": (
        "list",
        "Tables of machines in CSV that people keep: C(path), C(columns) (what the file calls a column of ours) and "
        "C(delimiter). See O(vm_inventory_rules) and M(k8s.self_provisioning.vm_inventory).",
        {"elements": "dict"},
    ),
    "rules": (
        "list",
        "What is to become of a machine. The first rule whose C(when) fits decides; each has a C(name), a C(decision) "
        "(V(containerise), V(kubevirt) or V(keep)) and C(why). The default is a start; make it yours.",
        {"elements": "dict"},
    ),
    "owners": (
        "list",
        "Who owns a machine of which no table says so: C(match), a name with C(*), and C(owner).",
        {"elements": "dict"},
    ),
    "sizes": ("dict", "Names of sizes, and the most that fits in. The first that fits counts.", {}),
    "ages": ("dict", "Names of ages, and the years below which they count.", {}),
    "construct": (
        "dict",
        "Options of the inventory plugin: C(prefix) of all host names, and C(compose), C(groups), C(keyed_groups) and "
        "C(strict) as in other inventory plugins.",
        {},
    ),
    "today": ("str", "The day, as C(YYYY-MM-DD), from which ages are counted. By default today in UTC.", {}),
    "report": ("str", "What to print for people.", {"choices": ["none", "summary"]}),
}


def _options() -> Options:
    defaults = yaml.safe_load(_DEFAULTS.read_text(encoding="utf-8"))
    found: Options = {}
    for name, (kind, text, more) in _TEXTS.items():
        full = f"vm_inventory_{name}"
        found[full] = {"type": kind, "default": defaults.pop(full), "description": [text], **more}
    if defaults:
        raise ValueError(f"roles/vm_inventory has options that are not described: {', '.join(defaults)}")
    return found


VM_INVENTORY = Role(
    title="Legacy virtual machines as inventory",
    entries={
        "main": Entry(
            "List the virtual machines of KVM and OpenVZ hosts",
            (
                "Asks the hypervisors of a group over SSH with C(virsh) and C(vzlist), without Python and without "
                "changing anything there, reads tables that people keep, decides by rules whether a machine becomes "
                "containers, moves into KubeVirt or stays, and writes an inventory that shows why.",
                "Run it for the hypervisors and localhost, which counts when there is only a table.",
            ),
            _options(),
        ),
    },
    reads_settings=False,
    example="""\
- name: List virtual machines
  hosts: hypervisors:localhost
  gather_facts: false
  become: true
  roles:
    - role: k8s.self_provisioning.vm_inventory
      vars:
        vm_inventory_file: inventories/vms.yml
        vm_inventory_tables: [{path: inventories/vms.csv}]
""",
)
