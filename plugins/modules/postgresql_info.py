#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a database host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_info
short_description: Look at a host that is to hold databases
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Returns what a host is and what of a database cluster it has, for M(k8s.self_provisioning.postgresql_preflight) to
    judge. Returns no secrets, only digests to compare them by.
  - Needs nothing on the host but Python, and changes nothing.
extends_documentation_fragment:
  - k8s.self_provisioning.preflight.look
  - k8s.self_provisioning.attributes
  - k8s.self_provisioning.attributes.info
options:
  expect:
    description:
      - What the host is expected to be, such as its C(address). Returned as it is. The controller adds
        C(controller_time_after), when the host had answered.
    type: dict
    default: {}
  packages:
    description:
      - Packages whose versions to return, installed and available.
    type: list
    elements: str
    default: []
  paths:
    description:
      - Paths whose file systems to look at. They need not exist.
    type: list
    elements: str
    default: []
seealso:
  - module: k8s.self_provisioning.postgresql_preflight
"""

EXAMPLES = r"""
- name: Look at a host
  k8s.self_provisioning.postgresql_info:
    packages: [postgresql-15, postgresql-16]
    paths: [/var/lib/postgresql]
  register: host
"""

RETURN = r"""
seen:
  description: What was seen.
  returned: success
  type: dict
  sample: {cores: 8, memory_mib: 32000, candidates: {postgresql-15: 15.8-0+deb12u1}}
expect:
  description: The option of that name.
  returned: success
  type: dict
  sample: {address: 10.0.0.1}
unseen:
  description: Why the host cannot be looked at, with O(fail=false). There is no RV(seen) then.
  returned: when it cannot
  type: str
  sample: "Connection timed out"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql import look


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "expect": {"type": "dict", "default": {}},
            "packages": {"type": "list", "elements": "str", "default": []},
            "paths": {"type": "list", "elements": "str", "default": []},
            "services": {"type": "dict", "default": {}},
            "fail": {"type": "bool", "default": True},  # read by the action
        },
        supports_check_mode=True,
    )
    given = module.params
    seen = look.look(given["expect"], given["packages"], given["paths"], given["services"])
    module.exit_json(changed=False, seen=seen, expect=given["expect"])


if __name__ == "__main__":
    main()
