#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action storage_secrets."""

from __future__ import annotations

DOCUMENTATION = r"""
module: storage_secrets
short_description: Write the keys of storage into the fleet tree, encrypted
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Writes one Secret for each storage class that needs a key into C(clusters/<cluster>/secrets/), encrypted with SOPS
    for the cluster's C(cluster_age_recipients). Needs no private key. What is secret goes to SOPS through a pipe.
  - A file is written again only when its content or its recipients are others; a salted digest in it tells.
  - Removes its files of classes that are no longer declared. The Secret on the cluster stays, as volumes may need it.
  - A key that is not given leaves the file as it is.
  - Runs on the controller, and contacts no cluster.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.cluster
  - k8s.self_provisioning.storage
  - k8s.self_provisioning.attributes
options:
  path:
    description:
      - The folder of the fleet tree.
    type: path
    required: true
  commit:
    description:
      - Commit what was written or removed, also by an earlier run that did not commit it.
    type: bool
    default: false
  push:
    description:
      - Push the branch, also when only an earlier commit is to be pushed. Needs O(commit).
    type: bool
    default: false
  remote:
    description:
      - Where to push to.
    type: str
    default: origin
  sops:
    description:
      - The program SOPS, 3.8 or newer.
    type: str
    default: sops
seealso:
  - module: k8s.self_provisioning.tree_secrets
  - module: k8s.self_provisioning.storage
"""

EXAMPLES = r"""
- name: Keep the keys of the classes over Ceph in Git
  k8s.self_provisioning.storage_secrets:
    service: ceph-csi
    path: /srv/fleet
    keys: "{{ vault_ceph_keys }}"
    commit: true
"""

RETURN = r"""
written:
  description: Files that were written, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [clusters/east-prod/secrets/ceph-csi-cephfs-ceph.yaml]
removed:
  description: Files that were removed.
  returned: success
  type: list
  elements: str
  sample: []
missing:
  description: What was not given.
  returned: success
  type: list
  elements: str
  sample: []
commit:
  description: Id of the commit, empty when there was none.
  returned: success
  type: str
  sample: ""
pushed:
  description: Whether the remote got something new, or would in check mode.
  returned: success
  type: bool
  sample: true
"""
