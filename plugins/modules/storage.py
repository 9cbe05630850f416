#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action storage."""

from __future__ import annotations

DOCUMENTATION = r"""
module: storage
short_description: Bring storage classes to a cluster that has no Flux
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Applies the drivers' released manifests if given, the Secrets with keys, what the drivers have to know, and the
    storage classes, with server-side apply; removes classes of ours that are no longer declared, and never a volume.
  - A class whose fixed fields are to be others is deleted and at once made anew, after the software and the keys; no
    volume notices. One of the same name that somebody else has made stops the run.
  - Looks first whether the cluster is fit for it, and tells everything that is not, before anything is changed.
  - On clusters with C(cluster_delivery=gitops) Flux does this, from what M(k8s.self_provisioning.fleet_tree) and
    M(k8s.self_provisioning.storage_secrets) write.
  - Runs on the controller, with the kubeconfig of an administrator.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.kubernetes_auth
  - k8s.self_provisioning.cluster
  - k8s.self_provisioning.storage
  - k8s.self_provisioning.software
  - k8s.self_provisioning.software.manifests
  - k8s.self_provisioning.software.wait
  - k8s.self_provisioning.attributes
options:
  state:
    description:
      - V(absent) removes the classes, their Secrets and the software of the manifests. Refused while volumes need them.
  manifests:
    description:
      - Released manifests of drivers, each of the version of the inventory or of the release line. Without any,
        somebody else installs them.
seealso:
  - module: k8s.self_provisioning.storage_info
  - module: k8s.self_provisioning.storage_secrets
"""

EXAMPLES = r"""
- name: Bring the classes over Ceph
  k8s.self_provisioning.storage:
    service: ceph-csi
    kubeconfig: ~/.kube/east-prod-admin.yaml
    keys: "{{ vault_ceph_keys }}"
"""

RETURN = r"""
objects:
  description: What was not there as it should be, or was removed.
  returned: success
  type: list
  elements: dict
  sample:
    - {kind: StorageClass, namespace: "", name: cephfs, action: created}
findings:
  description: What people should know. A finding that stops is an error, and nothing is changed.
  returned: success
  type: list
  elements: dict
  sample: []
"""
