# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of a play on the whole fleet."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_hosts
short_description: The hosts of a play on the whole fleet, once its variable files can be read
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - For the C(hosts) of a play that works on the whole fleet. Gives V(localhost) and the group C(clusters), so that
    such a play runs without C(--limit) and with a limit to some clusters.
  - Ansible stops at the first variable file that is not valid YAML, before any task, and does not name it. This lookup
    reads the files first, and names every file that cannot be read together with every other problem of the inventory.
  - It fails, too, when an extra variable (C(-e)) starts like those of a role or playbook of this collection and is none
    of them, as Ansible would take a misspelt name without a word. A variable of your own may start so when the
    inventory defines it as well.
  - It also fails when a tenant file defines anything besides its tenant. Ansible would take such a variable for the
    operators' own, and run what is a template in it. That is why a play on the whole fleet begins with this lookup.
options:
  _terms:
    description: The host pattern to give instead of V(localhost) and the clusters.
    type: list
    elements: str
  delivery:
    description:
      - Only clusters with this C(cluster_delivery). Each host of a play costs time, even one that skips every task.
      - A cluster whose C(cluster_delivery) is a template is among them in any case, as are all of them in the first
        play of a run, when Ansible has no variables of hosts yet. So give the task a condition, too.
    type: str
    choices: [gitops, live]
  unmeasured:
    description:
      - Only clusters that declare no C(cluster_capacity) and have a C(cluster_kubeconfig). For a condition, as it gives
        nothing when there are none, and in the first play of a run before its tasks.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Do something with the whole fleet
  hosts: "{{ lookup('k8s.self_provisioning.fleet_hosts') }}"
  connection: local
  gather_facts: false
  tasks:
    - name: Check it
      k8s.self_provisioning.fleet_info:
      run_once: true

- name: Do something with each cluster
  hosts: "{{ lookup('k8s.self_provisioning.fleet_hosts', 'clusters') }}"
  connection: local
  gather_facts: false
  tasks:
    - name: Do it
      ansible.builtin.debug:
        var: inventory_hostname
"""

RETURN = r"""
_raw:
  description: A host pattern.
  type: list
  elements: str
"""

import datetime
import typing as t
from collections.abc import Iterable, Mapping

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory import hosts
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.checks import is_template
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import (
    CLUSTERS,
    Folder,
    find_machines,
    source_in,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import Problems
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.schema import CLUSTER
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.validation import prepare
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report.fleet import problems
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _extra_variables
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._gather import folder_of, unmeasured

display = Display()


class LookupModule(LookupBase):  # type: ignore[misc]
    """Reads the variable files, then names the hosts."""

    def run(self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **kwargs: t.Any) -> list[str]:
        folder = folder_of(variables or {})
        extra = _extra_variables.unknown(load_extra_vars(self._loader))
        if extra or folder.problems.errors:
            _refuse(folder, (variables or {}).get("groups") or {}, extra)
        # every task that compiles the fleet does so in a process of its own, which is forked from this one
        prepare()
        self.set_options(var_options=variables, direct=kwargs)
        delivery = self.get_option("delivery")
        if self.get_option("unmeasured"):
            return unmeasured(variables or {})
        if delivery:
            return [_delivered(delivery, variables or {})]
        return [str(term) for term in terms] or [f"localhost:{CLUSTERS}"]


def _delivered(delivery: str, variables: Mapping[str, t.Any]) -> str:
    """A pattern; it matches no host rather than being empty, which Ansible would refuse."""
    known = variables.get("hostvars")
    if known is None:
        return CLUSTERS
    found = []
    for host in (variables.get("groups") or {}).get(CLUSTERS, ()):
        value = known.raw_get(host).get("cluster_delivery", CLUSTER["cluster_delivery"]["default"])
        if value == delivery or is_template(str(value)):
            found.append(str(host))
    return ":".join(found) or f"{CLUSTERS}:!{CLUSTERS}"


def _refuse(folder: Folder, groups: Mapping[str, t.Any], extra: Iterable[str]) -> None:
    """Tells everything that is wrong, and fails; but not for I(extra) variables that the inventory defines as well."""
    # Ansible has the groups; what the inventory files say besides is looked up once more
    inline = hosts.read(folder.roots, Folder(folder.roots, confined=False))
    order = [name for name in inline.order() if name in groups]
    groups_of = {
        str(host): [name for name in order if host in groups[name]] for members in groups.values() for host in members
    }
    find_machines(folder, groups_of)
    defined = (*folder.read.values(), *inline.group_values.values(), *inline.host_values.values())
    own = {name for values in defined for name in values}
    found = Problems([_extra_variables.problem(name) for name in extra if name not in own])
    what = ["The run sets variables that nothing reads"] if found.items else []
    if folder.problems.errors:
        bad = "cannot be read" if folder.broken else "define what they must not"
        what.append(f"The inventory has files that {bad}")
    if not what:
        return
    # without files, as under AWX, there is nothing more to look at before the first task
    if folder.read:
        clusters = [str(host) for host in groups.get(CLUSTERS, ())]
        source = source_in(folder, clusters, groups_of, inline)
        fleet = compile_fleet(source, today=datetime.datetime.now(datetime.timezone.utc).date())
        folder.precede(fleet.problems)
        found.items += fleet.problems.items
    display.display("\n".join(problems(found, folder.locate)))
    raise AnsibleError(f"{'. '.join(what)}; every problem is listed above.")
