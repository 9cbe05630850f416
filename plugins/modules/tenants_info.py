#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action tenants_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tenants_info
short_description: Tell what the tenants of a live cluster use, and what differs from the inventory
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Compiles the inventory, reads the cluster which it runs for, and returns how much of its quota every environment and
    tenant uses, which objects differ from the inventory and who changed them, which are missing, which nobody declares
    any more, and which objects of others hold next to ours.
  - Only reads, with one request for each kind of object (more for more than 500 of a kind). Does not fail because of
    what it finds; look at RV(in_sync).
  - Works for both deliveries. With C(cluster_delivery=gitops) the objects are compared with what Flux has applied, and
    what Flux brings besides tenants is left out.
  - Runs on the controller.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.kubernetes_auth
  - k8s.self_provisioning.cluster
  - k8s.self_provisioning.cluster.tenants
  - k8s.self_provisioning.cluster.parallel
  - k8s.self_provisioning.cluster.summary
  - k8s.self_provisioning.attributes
  - k8s.self_provisioning.attributes.info
seealso:
  - module: k8s.self_provisioning.tenants
"""

EXAMPLES = r"""
# In a play on the group clusters, with connection: local and gather_facts: false, all clusters at once
- name: Look at every cluster
  k8s.self_provisioning.tenants_info:
    report: summary
  register: state

- name: Tell who changed quotas by hand
  ansible.builtin.debug:
    msg: "{{ item.namespace }}: {{ item.fields | map(attribute='managers') | flatten | map(attribute='manager') }}"
  loop: "{{ state.drift | selectattr('kind', 'eq', 'ResourceQuota') }}"
  loop_control:
    label: "{{ item.namespace }}"

- name: Who uses more than nine tenths of the memory
  ansible.builtin.debug:
    msg: "{{ item.key }}"
  loop: "{{ state.usage.tenants | dict2items }}"
  when: (item.value.resources['requests.memory'].share | default(0, true)) > 0.9
"""

RETURN = r"""
in_sync:
  description: Whether everything could be read, nothing differs or is missing, and nothing undeclared of ours is left.
  returned: success
  type: bool
  sample: false
cluster:
  description: The cluster.
  returned: success
  type: str
  sample: east-prod
headline:
  description: The state in one sentence.
  returned: success
  type: str
  sample: "east-prod: 12 environments, 190 objects: 1 object differs"
summary:
  description: How many environments and objects are declared, and how many rows each part below has.
  returned: success
  type: dict
  sample: {environments: 12, objects: 190, drift: 1, missing: 0, orphans: 0, extras: 0, namespaces: 0, unreadable: 0}
usage:
  description: What is used of the quotas, as the cluster counts it.
  returned: success
  type: dict
  contains:
    environments:
      description: >-
        By C(tenant/project/environment), the amounts of every quota. C(counted) is false while the cluster has not
        counted yet; C(over) lists what is used beyond a quota that was lowered later.
      type: dict
    tenants:
      description: The main quotas of all environments of a tenant, summed.
      type: dict
  sample:
    environments:
      physics/lab-sim/dev:
        namespace: physics-lab-sim-dev
        tenant: physics
        quotas: {tenant-quota: {pods: {hard: "20", used: "5", share: 0.25}}}
        counted: true
        over: []
    tenants:
      physics: {environments: 3, resources: {pods: {hard: "100", used: "25", share: 0.25}}}
drift:
  description: >-
    Objects that differ from the inventory. C(managed) is false when our label is missing. Each of C(fields) has its
    C(path), the values C(declared) and C(live), the C(managers) that own the value with operation and time, and, when
    nobody owns it because it was removed, the C(last_writer) of the object. The path C(.) means that the object was
    never applied from the inventory.
  returned: success
  type: list
  elements: dict
  sample:
    - api_version: v1
      kind: ResourceQuota
      namespace: physics-lab-sim-dev
      name: tenant-quota
      managed: true
      fields:
        - path: .spec.hard.pods
          declared: "20"
          live: "200"
          managers: [{manager: kubectl-edit, operation: Update, time: "2026-11-20T09:14:02Z"}]
          last_writer:
missing:
  description: Declared objects that are not there, and why, when the cluster does not serve the kind.
  returned: success
  type: list
  elements: dict
  sample: [{api_version: v1, kind: LimitRange, namespace: physics-lab-sim-dev, name: tenant-limits, why: ""}]
orphans:
  description: >-
    Objects with our label that nothing declares, namespaces included; those have their C(deletion_policy), and
    C(marked) when a run has seen them. C(applied_by_us) is false for objects that only carry our label.
  returned: success
  type: list
  elements: dict
  sample:
    - api_version: v1
      kind: Namespace
      namespace: ""
      name: physics-old-dev
      tenant: physics
      applied_by_us: true
      deletion_policy: retain
      marked: false
    - api_version: v1
      kind: ConfigMap
      namespace: physics-lab-sim-dev
      name: copied
      tenant: ""
      applied_by_us: false
extras:
  description: ResourceQuotas and LimitRanges of others in our namespaces, and what they do to ours.
  returned: success
  type: list
  elements: dict
  sample:
    - api_version: v1
      kind: LimitRange
      namespace: physics-lab-sim-dev
      name: defaults
      what: "two LimitRanges: which default a container gets is arbitrary, for default.memory (1Gi or 512Mi)."
      managers: [{manager: kubectl-create, operation: Update, time: "2026-11-20T09:14:02Z"}]
namespaces:
  description: Our namespaces that are being deleted or have a condition that holds, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - namespace: physics-lab-sim-dev
      environment: physics/lab-sim/dev
      phase: Terminating
      terminating_since: "2026-11-20T09:14:02Z"
      conditions: []
      what: it is being deleted since 2026-11-20T09:14:02Z.
unreadable:
  description: Kinds that could not be read, and why.
  returned: success
  type: list
  elements: dict
  sample: []
requests:
  description: Requests that were sent, by verb.
  returned: success
  type: dict
  sample: {discover: 2, list: 13}
timings:
  description: Seconds that each part took.
  returned: success
  type: dict
  sample: {compile: 0.3, look: 0.1}
"""
