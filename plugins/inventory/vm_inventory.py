# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines as hosts; reads what the role vm_inventory has written."""

from __future__ import annotations

DOCUMENTATION = r"""
name: vm_inventory
short_description: Virtual machines of old hypervisors as hosts
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Reads the file that the role C(k8s.self_provisioning.vm_inventory) writes, which is an inventory source of its own.
    Hypervisors are not asked.
  - Each machine becomes a host with the variables C(vm_name), C(vm_kind), C(vm_host), C(vm_state), C(vm_cpus),
    C(vm_memory_gib), C(vm_disk_gib), C(vm_os), C(vm_owner), C(vm_workload), C(vm_created), C(vm_addresses),
    C(vm_devices), C(vm_note), C(vm_labels), C(vm_sources), C(vm_size), C(vm_age), C(vm_decision), C(vm_decision_rule),
    C(vm_decision_why) and C(vm_decision_unknown). When an address is known, it is C(ansible_host).
  - All are in the group C(vms), and in C(vm_decision_<decision>), C(vm_owner_<owner>), C(vm_kind_<kind>),
    C(vm_state_<state>), C(vm_size_<size>) and C(vm_age_<age>).
  - A host is named like its machine, in lower case. When several machines share a name, C(-) and the hypervisor follow.
  - What hypervisors and tables say is never a template.
extends_documentation_fragment:
  - constructed
options:
  plugin:
    description: Says that the file is for this plugin.
    type: str
    required: true
    choices: [k8s.self_provisioning.vm_inventory]
  prefix:
    description: Stands before the name of each host, so that none can be that of another machine of the inventory.
    type: str
    default: ""
  machines:
    description: The machines, written by the role.
    type: list
    elements: dict
    default: []
  seen:
    description: What each hypervisor told last, written by the role.
    type: dict
    default: {}
"""

EXAMPLES = r"""
# vms.yml, written by the role; C(vm_inventory_construct) becomes the first keys
plugin: k8s.self_provisioning.vm_inventory
prefix: vm-
keyed_groups:
  - {key: vm_os, prefix: vm_os}
machines: []
seen: {}
"""

import ipaddress
import json
import re
import typing as t
from collections import Counter
from collections.abc import Mapping

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable

try:
    from ansible.template import trust_as_template
except ImportError:  # before ansible-core 2.19 a text is a template unless it says that it is none
    trust_as_template = None

_GROUPED = ("decision", "owner", "kind", "state", "size", "age")
#: Without one of these a text cannot be a template, whatever delimiters it sets.
_TEMPLATE = re.compile(r"[{#]")
_NO_NAME = re.compile(r"[^a-z0-9_.-]+")
_NO_GROUP = re.compile(r"[^a-z0-9_]+")


class InventoryModule(BaseInventoryPlugin, Constructable):  # type: ignore[misc]
    """Makes a host of each machine of the file."""

    NAME = "k8s.self_provisioning.vm_inventory"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and path.endswith((".yml", ".yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            with open(path, encoding="utf-8") as file:
                machines = json.load(file)["machines"]
            named = _named(machines, self.get_option("prefix"))
            for host, machine in named:
                self._add(host, machine, path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"{path} is not as the role vm_inventory writes it ({error}). Let it write the file again."
            raise AnsibleParserError(what) from None

    def _add(self, host: str, machine: Mapping[str, t.Any], path: str) -> None:
        if host in self.inventory.hosts:
            raise AnsibleParserError(
                f"{path}: the virtual machine {host} has the name of another host of the inventory. "
                "Set prefix in vm_inventory_construct, and let the role write the file again."
            )
        self.inventory.add_group("vms")
        self.inventory.add_host(host, group="vms")
        for key in _GROUPED:
            if machine.get(key):
                group = self.inventory.add_group(f"vm_{key}_{_slug(_NO_GROUP, str(machine[key]), '_')}")
                self.inventory.add_host(host, group=group)
        variables = {f"vm_{key}": _plain(value) for key, value in machine.items()}
        address = next(filter(_is_address, machine.get("addresses", [])), None)
        if address:
            variables["ansible_host"] = _plain(address)
        for name, value in variables.items():
            self.inventory.set_variable(host, name, value)
        strict = self.get_option("strict")
        known = {**variables, "inventory_hostname": host}
        self._set_composite_vars(self.get_option("compose"), known, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), known, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, host, strict=strict)


def _slug(unwanted: re.Pattern[str], text: str, instead: str) -> str:
    return unwanted.sub(instead, text.lower()).strip("-._") or "unnamed"


def _named(machines: list[dict[str, t.Any]], prefix: str) -> list[tuple[str, dict[str, t.Any]]]:
    """Machines with the names of their hosts, each another one."""
    names = [_slug(_NO_NAME, str(each["name"]), "-") for each in machines]
    shared = Counter(names)
    full = [
        f"{name}-{_slug(_NO_NAME, str(each.get('host') or each['id']), '-')}" if shared[name] > 1 else name
        for name, each in zip(names, machines, strict=True)
    ]
    again = Counter(full)
    last = [
        f"{name}-{_slug(_NO_NAME, str(each['id']), '-')}" if again[name] > 1 else name
        for name, each in zip(full, machines, strict=True)
    ]
    return [(f"{prefix}{name}", each) for name, each in zip(last, machines, strict=True)]


def _is_address(text: object) -> bool:
    try:
        ipaddress.ip_address(str(text))
    except ValueError:
        return False
    return True


def _plain(value: t.Any) -> t.Any:
    """I(value) as what no template is made of. Marks only what could be one, as ansible-inventory shows the marks."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, str):
        return value
    if trust_as_template is not None:
        return value if _TEMPLATE.search(value) else trust_as_template(value)
    from ansible.utils.unsafe_proxy import wrap_var

    return wrap_var(value) if _TEMPLATE.search(value) else value
