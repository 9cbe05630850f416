#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action fleet_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_info
short_description: Check an inventory and report on the fleet it declares
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Compiles the tenants, clusters and settings of the inventory, and returns every problem, every effective value with
    its origin, every placement with its reasons, and the account.
  - It contacts nothing and writes nothing. It does not fail because of the inventory; look at RV(valid).
  - Tenant files are data. They are never templated, whatever they hold.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.attributes
  - k8s.self_provisioning.attributes.info
options:
  tree:
    description:
      - A fleet tree of an earlier run. Placements recorded in it hold, and what it retains is counted.
      - Without it, every placement that does not stand in a tenant file is decided anew, and the answer may be another
        one than that of M(k8s.self_provisioning.fleet_tree).
    type: path
  report:
    description:
      - What to print for people. V(problems) prints every problem, V(summary) clusters, tenants and placements too.
    type: str
    choices: [none, problems, summary]
    default: none
  gather:
    description:
      - What to return, besides RV(valid) and RV(summary). Effective values of a large fleet are a lot of text.
    type: list
    elements: str
    choices: [problems, clusters, environments, retained, ledger]
    default: [problems, clusters, environments, retained, ledger]
seealso:
  - module: k8s.self_provisioning.fleet_tree
"""

EXAMPLES = r"""
- name: Check the inventory of this run
  k8s.self_provisioning.fleet_info:
    report: problems
    gather: [problems]
  register: checked

- name: Check somebody's inventory without loading it into Ansible
  k8s.self_provisioning.fleet_info:
    inventory: /srv/review/inventories/example
  register: proposed

- name: Read what the inventory declares
  k8s.self_provisioning.fleet_info:
    gather: [environments]
  register: fleet

- name: Show where the quota of an environment comes from
  ansible.builtin.debug:
    msg: "{{ fleet.environments['physics/lab-sim/prod'].provenance }}"
"""

RETURN = r"""
valid:
  description: Whether the inventory has no error.
  returned: always
  type: bool
  sample: true
summary:
  description: How many errors and warnings there are.
  returned: always
  type: str
  sample: 1 error, 2 warnings
problems:
  description: Every error and warning.
  returned: when O(gather) names it
  type: list
  elements: dict
  contains:
    code:
      description: A stable name of the kind of problem.
      type: str
      sample: unknown-key
    severity:
      description: V(error) or V(warning).
      type: str
      sample: error
    file:
      description: The file, when it is known.
      type: str
      sample: inventories/example/group_vars/all/tenants/physics.yml
    line:
      description: The line, 0 when it is not known.
      type: int
      sample: 14
    host:
      description: The cluster, for cluster variables.
      type: str
      sample: ""
    path:
      description: The variable and the keys below it.
      type: str
      sample: tenant__physics.projects[lab-sim].environments[dev].size
    what:
      description: What is wrong.
      type: str
      sample: "'smal' is not a size of fleet_sizes."
    fix:
      description: How to mend it.
      type: str
      sample: "Did you mean 'small'?"
clusters:
  description: For each cluster its stage, release line, delivery, and the keys of its environments.
  returned: when O(gather) names it
  type: dict
  sample: {east-prod: {stage: prod, release_line: "1.30", delivery: gitops, environments: [physics/lab-sim/prod]}}
environments:
  description:
    - For each environment, by C(tenant/project/environment), its namespace, effective C(values), their C(provenance),
      its C(quota), and its C(placement) with all C(candidates).
  returned: when O(gather) names it
  type: dict
  sample: {physics/lab-sim/prod: {namespace: physics-lab-sim-prod, quota: {requests.cpu: "16"}}}
retained:
  description:
    - Environments that are no longer declared and whose namespaces stay, by C(tenant/project/environment). Each has its
      C(namespace), C(clusters), the day C(since) which it is retained, its C(deletion_policy), and its last C(quota).
  returned: when O(gather) names it
  type: dict
  sample: {physics/old/dev: {namespace: physics-old-dev, clusters: [east-dev], since: "2026-11-21"}}
ledger:
  description:
    - Account rows of environments, tenants and clusters; amounts are Kubernetes quantities, C(month) is money.
  returned: when O(gather) names it
  type: list
  elements: dict
  sample:
    - scope: tenant
      name: physics
      month: "1200.00"
      resources: {requests.cpu: {budget: "64", committed: "18", free: "46"}}
"""
