#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action api_endpoint_preflight."""

from __future__ import annotations

DOCUMENTATION = r"""
module: api_endpoint_preflight
short_description: Plan the API addresses of all clusters, and judge them and their hosts
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Reads every cluster of the inventory, also those that are not part of the run, and plans who holds the address of
    its API in which order, with a VRRP router id that no other cluster of the same network has.
  - Tells everything that is wrong with any of them, and with the hosts of the run, at once. Fails when anything is an
    error.
  - Runs on the controller, once for all hosts.
extends_documentation_fragment:
  - k8s.self_provisioning.preflight
  - k8s.self_provisioning.attributes
  - k8s.self_provisioning.attributes.info
options:
  hosts:
    description:
      - What M(k8s.self_provisioning.api_endpoint_info) returned, by host. Without it, the inventory alone is judged.
    type: dict
    default: {}
seealso:
  - module: k8s.self_provisioning.api_endpoint_info
"""

EXAMPLES = r"""
- name: Judge all clusters by the inventory alone
  k8s.self_provisioning.api_endpoint_preflight:
  run_once: true
"""

RETURN = r"""
findings:
  description: Everything that was found.
  returned: always
  type: list
  elements: dict
  sample:
    - host: east-prod
      check: port
      severity: error
      what: the API's port 6443 is that of the API server itself on the same hosts.
      mend: Set cluster_kubernetes.api.port to another one, such as 8443.
errors:
  description: How many of them are errors.
  returned: always
  type: int
  sample: 1
clusters:
  description: Addresses, port and router id of each cluster that has an address for its API.
  returned: always
  type: dict
  sample: {east-prod: {addresses: [10.20.0.10], port: 8443, router_id: 10, members: [hela-a01, hela-a02, hela-a03]}}
members:
  description: What each control plane node needs to know, by host.
  returned: always
  type: dict
  sample: {hela-a01: {cluster: east-prod, address: 10.20.0.11, priority: 150}}
"""
