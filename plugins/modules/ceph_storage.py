#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings pools, file systems and users of a Ceph cluster to what storage classes need."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ceph_storage
short_description: Pools, file systems and users of Ceph for storage classes
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Creates pools, CephFS file systems with their subvolume groups, and users with exactly the given rights, through
    C(ceph) on a host that has an administrator's keyring.
  - Looks at everything first, and changes nothing when anything is wrong. Never removes anything that holds data.
  - Never sees a key in an argument, and returns none; M(k8s.self_provisioning.ceph_keys) reads them.
extends_documentation_fragment:
  - k8s.self_provisioning.attributes
  - k8s.self_provisioning.ceph
attributes:
  action:
    support: none
    details: Runs on the host, where Ceph's command line is.
options:
  pools:
    description:
      - Pools for RBD images. Each has C(name), and may have C(application) (V(rbd)), C(size) (copies) and C(pg_num).
      - A pool that belongs to another application is an error.
    type: list
    elements: dict
    default: []
  filesystems:
    description:
      - CephFS file systems. Each has C(name), C(metadata_pool) and C(data_pool), and may have C(data_pools),
        C(subvolume_groups), C(size) and C(pg_num). A file system that is there keeps the pools that it has.
    type: list
    elements: dict
    default: []
  users:
    description:
      - Users. Each has C(name), such as V(client.csi-rbd), and C(caps), the rights by daemon. Other rights that a user
        has are taken away.
    type: list
    elements: dict
    default: []
  state:
    description:
      - V(absent) removes the users, and nothing else.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: k8s.self_provisioning.ceph_keys
"""

EXAMPLES = r"""
- name: A pool for virtual disks, and a user who can use no other
  k8s.self_provisioning.ceph_storage:
    pools:
      - {name: k8s-rbd, size: 3}
    users:
      - name: client.csi-rbd
        caps:
          mon: profile rbd
          mgr: profile rbd pool=k8s-rbd
          osd: profile rbd pool=k8s-rbd
  delegate_to: ceph-mon1
"""

RETURN = r"""
changes:
  description: What was done, or would be in check mode, in its order.
  returned: always
  type: list
  elements: str
  sample: ["pool k8s-rbd created", "user client.csi-rbd created"]
findings:
  description: Why nothing was done.
  returned: always
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.k8s.self_provisioning.plugins.module_utils._ceph import wanted
from ansible_collections.k8s.self_provisioning.plugins.module_utils._ceph.command import ARGUMENTS, Ceph, CephError

_NEEDED = {
    "pools": ("name",),
    "filesystems": ("name", "metadata_pool", "data_pool"),
    "users": ("name", "caps"),
}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "pools": {"type": "list", "elements": "dict", "default": []},
            "filesystems": {"type": "list", "elements": "dict", "default": []},
            "users": {"type": "list", "elements": "dict", "default": []},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            **ARGUMENTS,
        },
        supports_check_mode=True,
    )
    given = module.params
    for part, needed in _NEEDED.items():
        for number, each in enumerate(given[part]):
            missing = [key for key in needed if not each.get(key)]
            if missing and not (part == "users" and given["state"] == "absent" and missing == ["caps"]):
                module.fail_json(msg=f"{part}[{number}]: {', '.join(missing)} is missing.", changes=[], findings=[])
    ceph = Ceph.of(lambda line: module.run_command(line, handle_exceptions=True), given)
    done: list[str] = []
    try:
        if given["state"] == "present":
            plan = wanted.plan(ceph, given["pools"], given["filesystems"], given["users"])
        else:
            plan = wanted.removal(ceph, given["users"])
        if plan.findings:
            told = "\n".join(f"- {each}" for each in plan.findings)
            module.fail_json(msg=f"Nothing was changed on Ceph:\n{told}", changes=[], findings=plan.findings)
        for step in plan.steps:
            if not module.check_mode:
                step.run()
            done.append(step.what)
    except CephError as error:
        before = f" Done before: {', '.join(done)}." if done else ""
        module.fail_json(msg=f"{error}{before}", changed=bool(done), changes=done, findings=[])
    diff = {
        "before_header": "Ceph",
        "after_header": "Ceph",
        "before": "".join(step.before for step in plan.steps),
        "after": "".join(step.after for step in plan.steps),
    }
    module.exit_json(changed=bool(done), changes=done, findings=[], diff=diff)


if __name__ == "__main__":
    main()
