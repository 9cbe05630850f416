#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads keys of users of Ceph."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ceph_keys
short_description: Read the keys of users of Ceph
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Returns keys, so give the task C(no_log).
extends_documentation_fragment:
  - k8s.self_provisioning.attributes
  - k8s.self_provisioning.attributes.info
  - k8s.self_provisioning.ceph
attributes:
  action:
    support: none
    details: Runs on the host, where Ceph's command line is.
options:
  users:
    description:
      - Names of users, such as V(client.csi-rbd).
    type: list
    elements: str
    required: true
  missing:
    description:
      - V(fail) when one of them is not there, or V(ignore) it, as in check mode before the user is made.
    type: str
    choices: [fail, ignore]
    default: fail
seealso:
  - module: k8s.self_provisioning.ceph_storage
"""

EXAMPLES = r"""
- name: Read the key of a user
  k8s.self_provisioning.ceph_keys:
    users: [client.csi-rbd]
  delegate_to: ceph-mon1
  no_log: true
  register: ceph_keys
"""

RETURN = r"""
keys:
  description: The key of each user that is there.
  returned: always
  type: dict
  sample: {client.csi-rbd: a key}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.k8s.self_provisioning.plugins.module_utils._ceph import wanted
from ansible_collections.k8s.self_provisioning.plugins.module_utils._ceph.command import ARGUMENTS, Ceph, CephError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "users": {"type": "list", "elements": "str", "required": True},
            "missing": {"type": "str", "choices": ["fail", "ignore"], "default": "fail"},
            **ARGUMENTS,
        },
        supports_check_mode=True,
    )
    given = module.params
    ceph = Ceph.of(lambda line: module.run_command(line, handle_exceptions=True), given)
    try:
        found, missing = wanted.keys(ceph, given["users"])
    except CephError as error:
        module.fail_json(msg=str(error), keys={})
    if missing and given["missing"] == "fail":
        module.fail_json(
            msg=f"Ceph has no user {', '.join(missing)}. Create it with ceph_storage, or set ceph_csi_manage: true.",
            keys={},
        )
    module.exit_json(changed=False, keys=found)


if __name__ == "__main__":
    main()
