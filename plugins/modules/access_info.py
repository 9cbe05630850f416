#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action access_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: access_info
short_description: Tell who can do what where, and check it against the clusters
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Tells for each user, group and ServiceAccount of the inventory which role it has in which environment, since which
    place of the inventory says so, and until when.
  - With O(verify=true) every row is checked against the authorizer of its cluster with SubjectAccessReviews. So is that
    nobody has rights where the report gives none.
  - The check is about RBAC. What admission policies refuse, such as changes in a frozen environment, counts as allowed
    here.
  - Members of groups are not in the inventory, so a group is checked as such.
  - Runs on the controller and changes nothing on any cluster.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.attributes
attributes:
  diff_mode:
    support: none
    details: Only O(csv) is ever written.
options:
  tree:
    description:
      - A fleet tree of an earlier run. Placements recorded in it hold.
    type: path
  subject:
    description:
      - Only tell about this one, by its name, as C(kind/name), or for a ServiceAccount as C(namespace/name). With
        O(verify=true) all are checked nevertheless.
    type: str
  clusters:
    description:
      - Only these clusters. Without it, all.
    type: list
    elements: str
    default: []
  csv:
    description:
      - File to write the rows to, readable by its owner and group. Cells that a spreadsheet would take for a formula
        are preceded by an apostrophe.
    type: path
  verify:
    description:
      - Check the rows against the clusters. The identity needs to create SubjectAccessReviews, which the provisioner
        may with O(k8s.self_provisioning.provisioner_access#module:access_reviews=true).
    type: bool
    default: false
  kubeconfigs:
    description:
      - For each cluster the path of a kubeconfig, or its content. By default C(cluster_kubeconfig) of the inventory.
    type: dict
    default: {}
  pairs:
    description:
      - About how many pairs of a subject and a namespace where it has no right to ask each cluster, at most. When there
        are more, a sample is taken, the same one each time, and the result says so.
    type: int
    default: 5000
  parallel:
    description:
      - How many questions each cluster gets at once.
    type: int
    default: 8
  report:
    description:
      - What to print for people.
    type: str
    choices: [none, table]
    default: none
seealso:
  - plugin: k8s.self_provisioning.access
    plugin_type: filter
  - module: k8s.self_provisioning.provisioner_access
"""

EXAMPLES = r"""
- name: Write the report for auditors
  k8s.self_provisioning.access_info:
    csv: /srv/audit/access.csv

- name: What can this group do, and do the clusters agree?
  k8s.self_provisioning.access_info:
    subject: physics-leads
    verify: true
    report: table
"""

RETURN = r"""
rows:
  description: One for each right of each subject in each environment on each cluster.
  returned: success, and failure because a cluster differs
  type: list
  elements: dict
  sample:
    - tenant: physics
      project: lab-sim
      environment: prod
      namespace: physics-lab-sim-prod
      cluster: east-prod
      state: active
      subject_kind: User
      subject_name: carol
      subject_namespace: ""
      role: tenant-editor
      can: edit
      origin: tenant__physics.projects[lab-sim].environments[prod].grants[0]
      until: "2026-12-24"
      reason: migration, GH-7
      verified: "yes"
verified:
  description: For each cluster what its authorizer said; empty without O(verify=true).
  returned: success, and failure because a cluster differs
  type: dict
  sample:
    east-prod:
      checks: 240
      scope: every row; all 96 pairs of a subject and a namespace where it has no right
      sampled: false
      error: ""
      mismatches:
        - check: "Group auditors: get secrets in physics-lab-sim-prod"
          expected: denied
          answer: allowed
          reason: 'RBAC: allowed by RoleBinding "x/physics-lab-sim-prod" of ClusterRole "edit" to Group "auditors"'
          text: "Group auditors: get secrets in physics-lab-sim-prod is allowed, and should be denied"
"""
