# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of modules on the storage of one cluster."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment."""

    DOCUMENTATION = r"""
options:
  service:
    description:
      - V(ceph-csi) for the classes over Ceph, V(nfs-csi) for all others.
    type: str
    choices: [ceph-csi, nfs-csi]
    required: true
  keys:
    description:
      - Keys of users of Ceph by name, with or without C(client.).
    type: dict
    default: {}
  chap:
    description:
      - Logins of SANs with C(chap=true), C(username) and C(password) by the name of the SAN.
    type: dict
    default: {}
"""
