#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action metallb_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: metallb_info
short_description: Tell how the addresses of a cluster are
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Reads the pools of MetalLB and the Services of type LoadBalancer, and tells how much of each pool is used, which
    Services wait for an address and what MetalLB says why, and where the cluster differs from the inventory.
  - Needs the rights to list Services, Events and the objects of MetalLB.
  - Runs on the controller and changes nothing.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.kubernetes_auth
  - k8s.self_provisioning.cluster
  - k8s.self_provisioning.cluster.summary
  - k8s.self_provisioning.attributes
options:
  fail:
    description:
      - Whether a cluster that cannot be read is a failure. Otherwise the task succeeds, and RV(unseen) says why.
    type: bool
    default: true
seealso:
  - module: k8s.self_provisioning.foundation
"""

EXAMPLES = r"""
- name: How many addresses are left
  k8s.self_provisioning.metallb_info:
    report: summary
  register: addresses

- name: Warn before a pool is full
  ansible.builtin.debug:
    msg: "{{ item.name }} has {{ item.size - item.assigned }} addresses left"
  loop: "{{ addresses.pools | selectattr('state', 'in', ['ok', 'full']) }}"
  when: item.size - item.assigned < 5
"""

RETURN = r"""
pools:
  description:
    - Every pool. Its C(state) is V(ok), V(full), V(missing), V(differs), V(undeclared) for one of ours that is no
      longer declared, or V(unknown) for one that somebody else made.
  returned: when the cluster can be read
  type: list
  elements: dict
  sample:
    - {name: lms, addresses: [10.20.1.64/28], tenants: [lms], advertise: layer2, size: 16, assigned: 3, state: ok}
assigned:
  description: How many Services have an address.
  returned: when the cluster can be read
  type: int
  sample: 7
waiting:
  description: Services without an address, with what MetalLB said last.
  returned: when the cluster can be read
  type: list
  elements: dict
  sample:
    - namespace: physics-lab-prod
      name: web
      tenant: physics
      since: "2026-11-21T09:00:00Z"
      why: no available IPs
invalid:
  description: What MetalLB does not take of its configuration.
  returned: when the cluster can be read
  type: list
  elements: str
  sample: []
healthy:
  description: Whether no Service waits, every pool is there, and MetalLB takes its configuration.
  returned: when the cluster can be read
  type: bool
  sample: true
headline:
  description: The same in one line.
  returned: when the cluster can be read
  type: str
  sample: "east-prod: 2 pools of addresses; 7 Services have one"
unseen:
  description: Why the cluster cannot be read, with O(fail=false). There is nothing else then.
  returned: when it cannot
  type: str
  sample: "services: the API server forbids it."
"""
