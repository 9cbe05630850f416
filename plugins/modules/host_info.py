#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Look at a host before it becomes a Kubernetes node
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Returns what a host is and what state it is in, for M(k8s.self_provisioning.host_preflight) to judge.
  - Needs nothing on the host but Python. Writes nothing that stays; the file that measures the disk of etcd never has a
    name.
extends_documentation_fragment:
  - k8s.self_provisioning.preflight.look
  - k8s.self_provisioning.attributes
  - k8s.self_provisioning.attributes.info
options:
  expect:
    description:
      - What the host is expected to be. Returned as it is, so that the preflight has it together with what was seen.
        The controller adds C(controller_time_after), when the host had answered.
    type: dict
    default: {}
  packages:
    description:
      - Packages whose installed version to return.
    type: list
    elements: str
    default: []
  sysctls:
    description:
      - Kernel settings and their values. Those that differ are returned, without those that the kernel does not have.
    type: dict
    default: {}
  modules:
    description:
      - Kernel modules to look for, loaded or built in.
    type: list
    elements: str
    default: []
  users:
    description:
      - Accounts to look for, and whether they have a password.
    type: list
    elements: str
    default: []
  paths:
    description:
      - Paths whose file systems to look at. They need not exist.
    type: list
    elements: str
    default: []
  etcd_path:
    description:
      - Where etcd is going to write.
    type: str
    default: /var/lib/etcd
  etcd_writes:
    description:
      - How many synchronous writes to time there; V(0) for none.
    type: int
    default: 0
  names:
    description:
      - Names to resolve.
    type: list
    elements: str
    default: []
  peers:
    description:
      - Addresses of other hosts by name, to connect to on O(port).
    type: dict
    default: {}
  port:
    description:
      - The port to reach peers on. A refused connection counts as reached.
    type: int
    default: 22
  urls:
    description:
      - Addresses of servers that have to answer, whatever they answer.
    type: list
    elements: str
    default: []
  proxy:
    description:
      - Proxy for O(urls).
    type: str
    default: ""
  timeout:
    description:
      - Seconds to wait for a peer or a server.
    type: int
    default: 3
seealso:
  - module: k8s.self_provisioning.host_preflight
"""

EXAMPLES = r"""
- name: Look at a host
  k8s.self_provisioning.host_info:
    paths: [/var/lib/containerd]
    names: [registry.example.edu]
  register: host
"""

RETURN = r"""
seen:
  description: What was seen.
  returned: success
  type: dict
  sample: {hostname: node1, cores: 8, memory_mib: 32000, cgroup: 2}
expect:
  description: The option of that name.
  returned: success
  type: dict
  sample: {name: node1}
unseen:
  description: Why the host cannot be looked at, with O(fail=false). There is no RV(seen) then.
  returned: when it cannot
  type: str
  sample: "Connection timed out"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.k8s.self_provisioning.plugins.module_utils._hosts import (
    look_network,
    look_storage,
    look_system,
    services,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "expect": {"type": "dict", "default": {}},
            "packages": {"type": "list", "elements": "str", "default": []},
            "sysctls": {"type": "dict", "default": {}},
            "modules": {"type": "list", "elements": "str", "default": []},
            "users": {"type": "list", "elements": "str", "default": []},
            "services": {"type": "dict", "default": {}},
            "paths": {"type": "list", "elements": "str", "default": []},
            "etcd_path": {"type": "str", "default": "/var/lib/etcd"},
            "etcd_writes": {"type": "int", "default": 0},
            "names": {"type": "list", "elements": "str", "default": []},
            "peers": {"type": "dict", "default": {}},
            "port": {"type": "int", "default": 22},
            "urls": {"type": "list", "elements": "str", "default": []},
            "proxy": {"type": "str", "default": ""},
            "timeout": {"type": "int", "default": 3},
            "fail": {"type": "bool", "default": True},  # read by the action
        },
        supports_check_mode=True,
    )
    given = module.params
    seen = {
        **look_system.look(given["expect"].get("user", ""), given["packages"], given["sysctls"], given["modules"]),
        "passwords": look_system.passwords(given["users"]),
        "services": services.states(given["services"]),
        **look_network.look(
            given["names"], given["peers"], given["urls"], given["port"], given["proxy"], given["timeout"]
        ),
        **look_storage.look(given["paths"], given["etcd_path"], given["etcd_writes"]),
    }
    module.exit_json(changed=False, seen=seen, expect=given["expect"])


if __name__ == "__main__":
    main()
