#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action vm_inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_inventory
short_description: Put the virtual machines of hypervisors and tables together
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Reads what the script of the role C(k8s.self_provisioning.vm_inventory) has printed on hypervisors, and tables in
    CSV, decides by rules what is to become of each machine, and writes all of it into a file that the inventory plugin
    of the same name reads.
  - When a table or a rule has a mistake, everything that is wrong is told at once, with file and line, and nothing is
    written.
  - A hypervisor that cannot be looked at is a warning. Its machines stay as they were seen last.
  - Runs on the controller.
extends_documentation_fragment:
  - k8s.self_provisioning.attributes
options:
  file:
    description:
      - The file to write. What hypervisors have told before is read from it.
    type: path
    required: true
  looks:
    description:
      - For each hypervisor the result of the task that ran the script.
    type: dict
    default: {}
  hosts:
    description:
      - All hypervisors of the inventory. Machines of others are dropped from the file.
    type: list
    elements: str
    default: []
  tables:
    description:
      - Tables of machines that people keep, with a line of column names. The columns are C(name), C(id), C(kind),
        C(host), C(state), C(cpus), C(memory_gib) or C(memory_mib), C(disk_gib), C(os), C(owner), C(workload),
        C(created), C(address), C(note), C(decision), C(reason), and any C(label.<name>). Only C(name) is needed.
      - A row that a hypervisor knows by C(id), or by name, adds to what it says; others become machines of their own.
        For owner, workload, day of creation, operating system and note, the table counts more.
      - C(decision) with a C(reason) counts before all rules.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The file, UTF-8.
        type: path
        required: true
      columns:
        description: What the file calls a column of ours, where that is something else, such as C(name=VM name).
        type: dict
        default: {}
      delimiter:
        description: By default the one of comma, semicolon, tab and bar that the first line has most of.
        type: str
        default: ""
  rules:
    description:
      - The rules. The first one decides whose C(when) fits; each has a C(name), a C(decision) (V(containerise),
        V(kubevirt) or V(keep)) and C(why).
      - C(when) has fields and what they have to be, all of them. Texts (C(name), C(owner), C(kind), C(host), C(state),
        C(os), C(workload), C(size), C(age), C(label.<name>)) take a text with C(*), or a list of them. Amounts
        (C(cpus), C(memory_gib), C(disk_gib), C(age_years)) take a number, or C(at_least) and C(at_most).
        C(passthrough) takes V(true) or V(false).
      - A field that is not known fits nothing.
    type: list
    elements: raw
    default: []
  owners:
    description:
      - Who owns a machine of which nothing else says so, by its name, as a list of C(match) and C(owner).
    type: list
    elements: raw
    default: []
  sizes:
    description:
      - Names of sizes, and for each the most of C(cpus), C(memory_gib) and C(disk_gib) that fits in. The first that
        fits counts.
    type: dict
    default: {}
  ages:
    description:
      - Names of ages, and for each the years below which it counts, or null.
    type: dict
    default: {}
  construct:
    description:
      - Options of the inventory plugin that are written into the file.
    type: dict
    suboptions:
      prefix:
        description: Stands before the name of each host.
        type: str
      strict:
        description: Whether a mistake in one of the following is an error.
        type: bool
      compose:
        description: Variables from expressions.
        type: dict
      groups:
        description: Groups by conditions.
        type: dict
      keyed_groups:
        description: Groups by values.
        type: list
        elements: dict
  today:
    description:
      - The day, as C(YYYY-MM-DD), from which ages are counted. By default today in UTC.
    type: str
    default: ""
  report:
    description:
      - What to print for people.
    type: str
    choices: [none, summary]
    default: summary
"""

EXAMPLES = r"""
- name: Make an inventory of a table
  k8s.self_provisioning.vm_inventory:
    file: inventories/vms.yml
    tables:
      - path: vms.csv
        columns: {name: VM name, memory_mib: RAM (MB)}
    rules:
      - name: windows
        when: {os: "win*"}
        decision: kubevirt
        why: Windows needs a kernel of its own.
"""

RETURN = r"""
machines:
  description: All machines, with what becomes of them.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 1d0e5a3c-6c3f-4c6e-9f3c-1c52b3f3d0aa
      name: phys-web01
      kind: kvm
      host: kvm01
      state: running
      cpus: 2
      memory_gib: 4
      disk_gib: 40
      os: ubuntu-22.04
      owner: physics
      size: small
      age: recent
      age_years: 3.1
      sources: [kvm01, "vms.csv:14"]
      decision: containerise
      decision_rule: stateless
      decision_why: It keeps no data of its own. (workload web)
      decision_unknown: []
tables:
  description: Sums by C(owner), C(size) and C(age).
  returned: success
  type: dict
  sample: {owner: [{owner: physics, vms: 31, running: 29, cpus: 84, memory_gib: 210, disk_gib: 3100, containerise: 20}]}
rules:
  description: How many machines each rule has decided.
  returned: success
  type: list
  elements: dict
  sample: [{name: stateless, decision: containerise, why: It keeps no data of its own., vms: 211}]
problems:
  description: Everything that is wrong, errors and warnings.
  returned: always
  type: list
  elements: dict
  sample:
    - code: vm-table
      severity: error
      file: vms.csv
      line: 14
      host: ""
      path: memory_gib
      what: "'8 GB' is no number above 0."
      fix: Write a plain number without a unit, such as 7.5.
file:
  description: The file.
  returned: success
  type: str
  sample: inventories/vms.yml
"""
