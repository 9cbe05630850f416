#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action foundation."""

from __future__ import annotations

DOCUMENTATION = r"""
module: foundation
short_description: Bring a platform service to a cluster that has no Flux
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Applies the released manifest of a service with server-side apply, waits until it runs, then applies what the
    inventory makes of it, such as the address pools of MetalLB, and removes what is no longer declared.
  - Looks first whether the cluster is fit for it, and tells everything that is not, before anything is changed.
  - With O(state=absent), takes the service away. Definitions and the namespace stay, as others' objects would go with
    them.
  - On clusters with C(cluster_delivery=gitops) Flux does this, from what M(k8s.self_provisioning.fleet_tree) writes.
  - Runs on the controller, with the kubeconfig of an administrator.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.kubernetes_auth
  - k8s.self_provisioning.cluster
  - k8s.self_provisioning.software
  - k8s.self_provisioning.software.manifest
  - k8s.self_provisioning.software.wait
  - k8s.self_provisioning.attributes
options:
  cluster:
    description:
      - The cluster, by default the host that the task runs for. Its C(cluster_delivery) must be V(live).
  service:
    description:
      - The service, such as V(metallb). It must be in C(fleet_services), and in C(cluster_services) unless it is to
        go.
    type: str
    required: true
seealso:
  - module: k8s.self_provisioning.fleet_tree
"""

EXAMPLES = r"""
- name: Install MetalLB with its pools
  k8s.self_provisioning.foundation:
    service: metallb
    kubeconfig: ~/.kube/east-prod-admin.yaml
    manifest: files/metallb-native-0.16.1.yaml
"""

RETURN = r"""
version:
  description: The version of the service.
  returned: always
  type: str
  sample: 0.16.1
objects:
  description: What was not there as it should be, or was removed.
  returned: always
  type: list
  elements: dict
  sample:
    - {kind: IPAddressPool, namespace: metallb-system, name: shared, action: created}
findings:
  description: What people should know. A finding that stops is an error, and nothing is changed.
  returned: always
  type: list
  elements: dict
  sample:
    - where: Service lms-web-prod/web
      what: its address 10.20.1.70 is in no declared pool any more.
      fix: It gets another one, or none; tell whom it concerns, and change DNS.
      stops: false
"""
