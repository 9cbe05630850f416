#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a host that is to hold the address of an API."""

from __future__ import annotations

DOCUMENTATION = r"""
module: api_endpoint_info
short_description: Look at a control plane node before it shares the address of its API
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Returns the interfaces and listeners of a host, whether HAProxy and Keepalived are installed or used by somebody
    else, and who answers for the addresses, for M(k8s.self_provisioning.api_endpoint_preflight) to judge.
  - Needs nothing on the host but Python, and changes nothing.
extends_documentation_fragment:
  - k8s.self_provisioning.preflight.look
  - k8s.self_provisioning.attributes
  - k8s.self_provisioning.attributes.info
options:
  vips:
    description:
      - Addresses that nobody should have yet.
    type: list
    elements: str
    default: []
  settings:
    description:
      - Settings of the role on this host. Returned as they are, for the preflight.
    type: dict
    default: {}
seealso:
  - module: k8s.self_provisioning.api_endpoint_preflight
"""

EXAMPLES = r"""
- name: Look at the host
  k8s.self_provisioning.api_endpoint_info:
    vips: [10.20.0.10]
  register: look
"""

RETURN = r"""
seen:
  description: What was seen.
  returned: success
  type: dict
  sample: {root: true, packages: {haproxy: 2.6.12-1}, answers: {10.20.0.10: ""}}
settings:
  description: The option of that name.
  returned: success
  type: dict
  sample: {health_port: 8444}
unseen:
  description: Why the host cannot be looked at, with O(fail=false). There is no RV(seen) then.
  returned: when it cannot
  type: str
  sample: "Connection timed out"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.k8s.self_provisioning.plugins.module_utils._endpoint import look


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "vips": {"type": "list", "elements": "str", "default": []},
            "settings": {"type": "dict", "default": {}},
            "services": {"type": "dict", "default": {}},
            "fail": {"type": "bool", "default": True},  # read by the action
        },
        supports_check_mode=True,
    )
    given = module.params
    module.exit_json(changed=False, seen=look.look(given["vips"], given["services"]), settings=given["settings"])


if __name__ == "__main__":
    main()
