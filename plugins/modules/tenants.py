#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action tenants."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tenants
short_description: Bring the tenants of a cluster to what the inventory declares, without Git
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Compiles the inventory and applies everything that belongs on the cluster which it runs for, in one task. The
    cluster's C(cluster_delivery) must be C(live).
  - Reads with one request for each kind of object, whatever their number, and writes only what differs, with
    server-side apply as the field manager C(self-provisioning). A second run writes nothing.
  - What somebody edited by hand in an object of ours is put back. A field that another field manager applies is left
    alone and reported as a conflict, unless O(force_conflicts=true). What others add to an object stays.
  - A failure of one object or namespace stops no other. The task fails at the end and names each.
  - Before anything is written, the cluster's own facts must not name another cluster.
  - An environment whose placement is neither declared in the tenant file nor recorded in O(tree) is refused before
    anything is sent, because a later run could choose another cluster and make a second copy. In check mode this is a
    warning.
  - Runs on the controller.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.kubernetes_auth
  - k8s.self_provisioning.cluster
  - k8s.self_provisioning.cluster.tenants
  - k8s.self_provisioning.cluster.parallel
  - k8s.self_provisioning.cluster.summary
  - k8s.self_provisioning.attributes
options:
  tree:
    description:
      - Folder of a fleet tree whose recorded placements hold for environments without one in the inventory. It has to
        exist; M(k8s.self_provisioning.fleet_tree) makes it.
  tenants:
    description:
      - Only bring these tenants up to date, and leave alone what belongs to the cluster as a whole. Without it, all.
  prune:
    description:
      - Remove what is no longer declared. Only objects that this collection applied itself, and never a
        PersistentVolumeClaim.
      - A namespace that is no longer declared keeps its quotas, limits, network policies and allow-lists, loses its
        role bindings and Flux objects, and gets the label C(<label domain>/orphaned). With
        C(deletion_policy=archive) it is also frozen.
    type: bool
    default: false
  prune_limit:
    description:
      - How many deletions are too many, as a number, or as a share of what is there, of which ten are always allowed.
        Above it nothing is deleted and the task fails.
    type: str
    default: 30%
  confirm_deletion:
    description:
      - Namespaces to delete with all that is in them, if they are no longer declared and record
        C(deletion_policy=delete). Needs O(prune=true).
    type: list
    elements: str
    default: []
  force_conflicts:
    description:
      - Take fields away from other field managers.
    type: bool
    default: false
  wait:
    description:
      - Wait until new quotas are counted and deleted namespaces are gone.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait.
    type: int
    default: 120
seealso:
  - module: k8s.self_provisioning.fleet_tree
"""

EXAMPLES = r"""
# In a play on the group clusters, with connection: local and gather_facts: false, all clusters at once
- name: Apply tenants
  k8s.self_provisioning.tenants:
    prune: true
    report: summary
  when: cluster_delivery | default('gitops') == 'live'

- name: What would change
  k8s.self_provisioning.tenants:
    prune: true
  check_mode: true
  diff: true

- name: Delete the namespaces of a course that is over
  k8s.self_provisioning.tenants:
    tenants: [training]
    prune: true
    confirm_deletion: [training-k8s-basics-dev]
    wait: true
"""

RETURN = r"""
summary:
  description: How many objects were, or in check mode would be, treated in which way. V(failed) counts those that were
    skipped because of their namespace as well.
  returned: success or failure of single objects
  type: dict
  sample: {created: 14, updated: 1, unchanged: 240, deleted: 0, failed: 0}
objects:
  description:
    - Every object that is not simply unchanged. In a failed result, which Ansible prints whole, those that failed come
      first, those that were created, updated or skipped are only counted in RV(summary), and there are 500 at most.
  returned: success or failure of single objects
  type: list
  elements: dict
  contains:
    api_version:
      description: Version.
      type: str
    kind:
      description: Kind.
      type: str
    namespace:
      description: Namespace, empty for objects outside namespaces.
      type: str
    name:
      description: Name.
      type: str
    action:
      description: One of C(created), C(updated), C(deleted), C(orphaned), C(kept), C(skipped), C(failed).
      type: str
    reason:
      description: Why; for updates the fields that differed, and who had changed them.
      type: str
  sample:
    - api_version: v1
      kind: ResourceQuota
      namespace: physics-lab-sim-dev
      name: tenant-quota
      action: updated
      reason: .spec.hard.pods (changed by kubectl-edit)
notes:
  description: What else people should know, such as objects that prune would remove.
  returned: success or failure of single objects
  type: list
  elements: str
  sample: []
warnings_found:
  description: Warnings of the API server, such as running pods that a stricter Pod Security level would not allow.
  returned: success or failure of single objects
  type: list
  elements: str
  sample: []
timings:
  description: Seconds that each part took.
  returned: success or failure of single objects
  type: dict
  sample: {compile: 0.3, objects: 0.1, read: 0.1, apply: 0.5, prune: 0.0, total: 0.6}
requests:
  description: Requests that were sent, by verb; V(retry) counts repetitions, which are part of the others.
  returned: success or failure of single objects
  type: dict
  sample: {discover: 2, list: 13, patch: 15}
"""
