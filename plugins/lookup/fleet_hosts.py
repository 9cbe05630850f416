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
options: {}
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
"""

RETURN = r"""
_raw:
  description: A host pattern.
  type: list
  elements: str
"""

import datetime
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import read_source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report.fleet import problems
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._gather import folder_of

display = Display()


class LookupModule(LookupBase):  # type: ignore[misc]
    """Reads the variable files, then names the hosts."""

    def run(self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **kwargs: t.Any) -> list[str]:
        folder = folder_of(variables or {})
        if folder.broken:
            for root in folder.roots:
                source, files = read_source(root)
                fleet = compile_fleet(source, today=datetime.datetime.now(datetime.timezone.utc).date())
                display.display("\n".join(problems([*files.problems, *fleet.problems], files.locate)))
            raise AnsibleError("The inventory has files that cannot be read; every problem is listed above.")
        return ["localhost:clusters"]
