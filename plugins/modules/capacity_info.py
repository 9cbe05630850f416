#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action capacity_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: capacity_info
short_description: Measure what live clusters offer to tenants
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Adds up what the machines of a cluster can give to pods, less what pods outside of tenants' namespaces ask for, in
    the form of C(cluster_capacity).
  - The playbooks C(tenants) and C(plan) use it for clusters that declare no C(cluster_capacity) and have a
    C(cluster_kubeconfig), all of them at once.
  - It only reads. Storage is not counted; no machine says how much of it there is.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.kubernetes_auth
  - k8s.self_provisioning.attributes
  - k8s.self_provisioning.attributes.info
options:
  cluster:
    description:
      - The cluster. By default all that declare no C(cluster_capacity) and have a C(cluster_kubeconfig), whether they
        are in the play or not; they are measured at the same time.
    type: str
  fail:
    description:
      - Whether a cluster that cannot be reached is a failure. Otherwise it is a warning after a few seconds, and it is
        not among RV(clusters).
    type: bool
    default: true
seealso:
  - module: k8s.self_provisioning.fleet_info
"""

EXAMPLES = r"""
- name: Measure the cluster
  k8s.self_provisioning.capacity_info:
    cluster: "{{ inventory_hostname }}"
  register: measured

- name: Place by it in this run
  ansible.builtin.set_fact:
    cluster_capacity: "{{ measured.clusters[inventory_hostname].capacity }}"
"""

RETURN = r"""
clusters:
  description: What was measured, by cluster.
  returned: always
  type: dict
  sample: {hela: {capacity: {cpu: "236500m", memory: 1893Gi, requests.nvidia.com/gpu: "16"}, machines: 4}}
  contains:
    capacity:
      description: Amounts by resource.
      returned: always
      type: dict
      sample: {cpu: "236500m", memory: 1893Gi, requests.nvidia.com/gpu: "16"}
    machines:
      description: How many machines it comes from.
      returned: always
      type: int
      sample: 4
"""
