#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action provisioner_access."""

from __future__ import annotations

DOCUMENTATION = r"""
module: provisioner_access
short_description: Give the provisioner its least rights on a cluster, and a login that ends soon
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Makes the manifest of the rights that delivery needs on a cluster, prints or writes it, and, with the kubeconfig of
    an administrator, applies it.
  - For C(cluster_delivery) V(live) these are the ServiceAccount C(provisioner) in the namespace C(self-provisioning),
    its ClusterRole, and an admission policy that confines it to namespaces of tenants. For V(gitops) it is a
    ClusterRole for Flux's kustomize-controller, to be used instead of C(cluster-admin).
  - The ClusterRoles of tenants are part of it. The API server lets nobody write a role whose rights they do not have,
    so the provisioner, which must not read secrets, cannot write them.
  - Run it again after an update of the collection, and when the inventory may grant another ClusterRole.
  - Runs on the controller.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.kubernetes_auth
  - k8s.self_provisioning.cluster
  - k8s.self_provisioning.attributes
attributes:
  diff_mode:
    support: partial
    details: Shows what O(apply) changes. A manifest is shown by O(report), a login never.
  idempotent:
    support: partial
    details: A login is written anew when half of its time is over.
options:
  kubeconfig:
    description:
      - The kubeconfig of an administrator. C(cluster_kubeconfig) of the inventory is not used, it is the provisioner's.
  manifest:
    description:
      - File to write the manifest to, for C(kubectl apply --server-side -f).
    type: path
  apply:
    description:
      - Apply it.
    type: bool
    default: false
  delete_namespaces:
    description:
      - The provisioner may delete namespaces of tenants whose C(deletion_policy) is V(delete).
    type: bool
    default: false
  access_reviews:
    description:
      - The provisioner may ask what others may do, as M(k8s.self_provisioning.access_info) does to verify its report.
    type: bool
    default: false
  login:
    description:
      - File to write a kubeconfig of the provisioner to, readable by its owner only. Its token ends by itself.
      - A kubeconfig that is there stays while its token has more than half of O(expiration_seconds) to live.
    type: path
  expiration_seconds:
    description:
      - For how long the token is good. The API server may shorten it.
    type: int
    default: 3600
  report:
    description:
      - Print the manifest.
    type: str
    choices: [none, manifest]
    default: none
seealso:
  - module: k8s.self_provisioning.tenants
  - module: k8s.self_provisioning.access_info
"""

EXAMPLES = r"""
- name: Print what an administrator should apply
  k8s.self_provisioning.provisioner_access:
    cluster: research-gpu
    report: manifest

- name: Apply it, and log in for an hour
  k8s.self_provisioning.provisioner_access:
    cluster: research-gpu
    kubeconfig: ~/.kube/research-gpu-admin.yaml
    apply: true
    login: /run/user/1000/research-gpu.yaml
"""

RETURN = r"""
objects:
  description: The manifest, in the order in which to apply it.
  returned: success
  type: list
  elements: dict
  sample:
    - {apiVersion: v1, kind: ServiceAccount, metadata: {name: provisioner, namespace: self-provisioning}}
applied:
  description: What was not there as it should be.
  returned: success
  type: list
  elements: dict
  sample:
    - {kind: ClusterRole, namespace: "", name: self-provisioning-provisioner, action: created}
login_expires_at:
  description: When the token ends that was written now; empty when none was. The token itself is never returned.
  returned: success
  type: str
  sample: "2026-11-21T05:00:00Z"
"""
