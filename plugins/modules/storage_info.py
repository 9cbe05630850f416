#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action storage_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: storage_info
short_description: Say what storage a cluster is to have, and what stands against it
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Returns what the storage classes of a cluster need on Ceph, and fails with everything at once that stands against
    them, such as monitors that do not answer, keys that nobody has given, and drivers that nobody installs.
  - Runs on the controller, and contacts nothing but the storage itself.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.cluster
  - k8s.self_provisioning.storage
  - k8s.self_provisioning.attributes
  - k8s.self_provisioning.attributes.info
options:
  reach:
    description:
      - Whether to see if monitors, NFS heads and iSCSI portals answer. A majority of monitors is enough, and one head
        or portal; what is missing is a warning then.
    type: bool
    default: true
  timeout:
    description:
      - Seconds to wait for each of them.
    type: int
    default: 3
  expect_keys:
    description:
      - Whether keys and logins that are not given count.
    type: bool
    default: true
  pool_size:
    description:
      - Copies that pools in RV(ceph) are to have.
    type: int
  pg_num:
    description:
      - Placement groups that pools in RV(ceph) are to have.
    type: int
seealso:
  - module: k8s.self_provisioning.ceph_storage
  - module: k8s.self_provisioning.storage
"""

EXAMPLES = r"""
- name: See what the classes of this cluster need on Ceph
  k8s.self_provisioning.storage_info:
    service: ceph-csi
    expect_keys: false
  register: storage
"""

RETURN = r"""
declared:
  description: Whether the cluster has classes of the service.
  returned: success
  type: bool
  sample: true
classes:
  description: Their names.
  returned: success
  type: list
  elements: str
  sample: [cephfs, rbd]
ceph:
  description: By Ceph cluster, the options of M(k8s.self_provisioning.ceph_storage).
  returned: success
  type: dict
  sample: {hela-san: {pools: [{name: k8s-rbd, application: rbd}], filesystems: [], users: [{name: client.csi-rbd}]}}
findings:
  description: What people should know and nothing stops for.
  returned: success
  type: list
  elements: dict
  sample: []
"""
