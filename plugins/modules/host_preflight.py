#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action host_preflight."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_preflight
short_description: Judge hosts before anything is changed on them
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Judges what M(k8s.self_provisioning.host_info) has seen on all hosts, each by itself and all together, and tells
    everything that is wrong at once, with how to mend it. Fails when anything is an error.
  - Runs on the controller, once for all hosts.
extends_documentation_fragment:
  - k8s.self_provisioning.preflight
  - k8s.self_provisioning.attributes
  - k8s.self_provisioning.attributes.info
options:
  hosts:
    description:
      - What host_info returned, by host. A host whose result has no C(seen) is one that could not be looked at.
    type: dict
    required: true
seealso:
  - module: k8s.self_provisioning.host_info
"""

EXAMPLES = r"""
- name: Judge all hosts
  k8s.self_provisioning.host_preflight:
    hosts: "{{ dict(ansible_play_hosts_all | zip(ansible_play_hosts_all | map('extract', hostvars, 'look'))) }}"
  run_once: true
"""

RETURN = r"""
findings:
  description: Everything that was found, by host in the order of the inventory.
  returned: always
  type: list
  elements: dict
  sample:
    - host: node1
      check: memory
      severity: error
      what: has 900 MiB of memory; a host of kube_node needs 1800.
      mend: Add memory, take the host out of kube_node, or lower host_baseline_minimums.
errors:
  description: How many of them are errors.
  returned: always
  type: int
  sample: 1
"""
