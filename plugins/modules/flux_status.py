#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action flux_status."""

from __future__ import annotations

DOCUMENTATION = r"""
module: flux_status
short_description: Tell which commit of the fleet tree is live on a cluster, for whom, and what failed and why
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Reads the conditions of Flux's objects on the cluster which it runs for, and returns for every tenant and every part
    of the platform which commit is applied, since when, and if not, what Flux says about it.
  - Compares with the inventory, so a Kustomization that should be there and is not is told as well.
  - Only reads, with one request for each kind of object.
  - Runs on the controller.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.kubernetes_auth
  - k8s.self_provisioning.cluster
  - k8s.self_provisioning.cluster.tenants
  - k8s.self_provisioning.attributes
  - k8s.self_provisioning.attributes.info
options:
  commit:
    description:
      - The commit that has to be live, or the beginning of its id. The task fails when another one is.
    type: str
  wait_timeout:
    description:
      - How many seconds to wait until everything is as committed; with O(fail_on=anything), tenants' own repositories
        as well.
    type: int
    default: 0
  fail_on:
    description:
      - When to fail. V(platform) is what the fleet tree declares; V(anything) includes what tenants' own repositories
        declare, which is their business.
    type: str
    choices: [nothing, platform, anything]
    default: nothing
  json:
    description:
      - File to write the result to, as JSON.
    type: path
  report:
    description:
      - What to print.
    type: str
    choices: [none, table, json]
    default: none
seealso:
  - module: k8s.self_provisioning.tenants_info
  - module: k8s.self_provisioning.fleet_tree
"""

EXAMPLES = r"""
- name: Tell how the cluster is, and fail when it is not as committed
  k8s.self_provisioning.flux_status:
    report: table
    fail_on: platform

- name: Wait until a commit is live
  k8s.self_provisioning.flux_status:
    cluster: east-prod
    commit: "{{ tenants_result.commit }}"
    wait_timeout: 300
    fail_on: platform
"""

RETURN = r"""
healthy:
  description: Whether everything that the fleet tree declares is applied at the commit that Flux has fetched.
  returned: always
  type: bool
  sample: true
repositories_healthy:
  description: The same for the repositories of tenants.
  returned: always
  type: bool
  sample: true
pending:
  description: Whether something is still under way, or waits for something else.
  returned: always
  type: bool
  sample: false
verdict:
  description: What is not as O(fail_on) and O(commit) want it; empty when all is.
  returned: always
  type: str
  sample: "east-prod: not as committed: Kustomization flux-system/tenant-physics (failed)."
cluster:
  description: The cluster.
  returned: always
  type: str
  sample: east-prod
commit:
  description: The commit that Flux has fetched.
  returned: always
  type: str
  sample: 4f1c0a7be2
fetched_at:
  description: When it was fetched.
  returned: always
  type: str
  sample: "2026-11-21T06:00:00Z"
tenants:
  description: By tenant, its state, its commit, since when, and the states of its own repositories by environment.
  returned: always
  type: dict
  sample:
    physics:
      state: ready
      commit: 4f1c0a7be2
      since: "2026-11-21T06:00:05Z"
      age: 320
      message: "Applied revision: main@sha1:4f1c0a7be2"
      repositories: {physics/lab-sim/dev: ready}
objects:
  description: >-
    Every object of Flux in its namespace. C(state) is C(ready), C(suspended), C(behind) (an older commit is applied),
    C(progressing), C(waiting) (for another one), C(failed) or C(missing).
  returned: always
  type: list
  elements: dict
  sample:
    - kind: Kustomization
      namespace: flux-system
      name: tenant-physics
      tenant: physics
      state: ready
      reason: ReconciliationSucceeded
      message: "Applied revision: main@sha1:4f1c0a7be2"
      commit: 4f1c0a7be2
      since: "2026-11-21T06:00:05Z"
      age: 320
repositories:
  description: The same for the repositories of tenants.
  returned: always
  type: list
  elements: dict
  sample: []
"""
