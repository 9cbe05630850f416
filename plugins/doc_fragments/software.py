# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of modules that bring software to a cluster."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment."""

    DOCUMENTATION = r"""
options:
  state:
    description:
      - Whether it shall be there.
    type: str
    choices: [present, absent]
    default: present
  confirm:
    description:
      - The name of the cluster, once more; needed with O(state=absent). Without it the task tells who loses what.
    type: str
"""

    MANIFEST = r"""
options:
  manifest:
    description:
      - The released manifest, a file or an address. Its version must be the one of the inventory or the release line.
    type: str
    required: true
  checksum:
    description:
      - What the manifest must have, as C(sha256:) and hex digits. Needed for an address.
    type: str
"""

    MANIFESTS = r"""
options:
  manifests:
    description:
      - Released manifests.
    type: list
    elements: dict
    default: []
    suboptions:
      service:
        description:
          - The service that it brings, such as V(metallb) or V(ceph-csi-operator).
        type: str
        required: true
      manifest:
        description:
          - A file or an address.
        type: str
        required: true
      checksum:
        description:
          - What it must have, as C(sha256:) and hex digits. Needed for an address.
        type: str
"""

    WAIT = r"""
options:
  wait_timeout:
    description:
      - Seconds for the software to run.
    type: int
    default: 300
"""
