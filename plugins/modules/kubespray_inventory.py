#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action kubespray_inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubespray_inventory
short_description: Check the machines of clusters, and write their inventories for Kubespray
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Turns the machines of this inventory, C(cluster_kubernetes) and C(fleet_kubernetes) into an inventory for the
    Kubespray of each cluster's release line.
  - Before anything is written, it makes every check that Kubespray itself would make without contact to a machine, and
    more, for all clusters at once. A problem is told with the file and the key of this inventory.
  - Clusters whose group has no machines are left alone; somebody else built them.
extends_documentation_fragment:
  - k8s.self_provisioning.attributes
options:
  path:
    description:
      - The folder that holds a folder for each cluster. The inventory of a cluster is in C(<cluster>/inventory).
      - Without it everything is checked, and nothing is written.
    type: path
  clusters:
    description:
      - Only these clusters. By default all of the inventory.
    type: list
    elements: str
    default: []
  fail:
    description:
      - Whether an error is a failure. Otherwise look at RV(valid), and only problems that
        M(k8s.self_provisioning.fleet_info) does not know are told.
    type: bool
    default: true
  report:
    description:
      - Whether to print problems for people.
    type: str
    choices: [none, problems]
    default: problems
  gather:
    description:
      - What to return, besides RV(valid). The machines of a large fleet are a lot of text.
    type: list
    elements: str
    choices: [problems, clusters]
    default: [problems, clusters]
  today:
    description:
      - The day, as C(YYYY-MM-DD), for which the inventory is read. By default today in UTC.
    type: str
seealso:
  - module: k8s.self_provisioning.kubespray
"""

EXAMPLES = r"""
- name: Check all machines
  k8s.self_provisioning.kubespray_inventory:
  run_once: true

- name: Show what would change in the inventory of a cluster
  k8s.self_provisioning.kubespray_inventory:
    path: /var/lib/self-provisioning/clusters
    clusters: [east-prod]
  check_mode: true
  diff: true
"""

RETURN = r"""
valid:
  description: Whether there was no error.
  returned: success
  type: bool
  sample: true
problems:
  description: Every warning about machines and clusters, and every error without O(fail).
  returned: when O(gather) names it
  type: list
  elements: dict
  sample: []
clusters:
  description: For each cluster its versions, its machines with what they do, and whether its inventory changed.
  returned: when O(gather) names it
  type: dict
  sample:
    east-prod:
      kubernetes: 1.30.3
      kubespray: v2.28.1
      release_line: "1.30"
      machines: {hela-a01: [etcd, kube_control_plane]}
      changed: true
      inventory: /var/lib/self-provisioning/clusters/east-prod/inventory
"""
