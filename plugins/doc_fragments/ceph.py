# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How modules reach a Ceph cluster."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment."""

    DOCUMENTATION = r"""
options:
  command:
    description:
      - How to run C(ceph). With cephadm V(["cephadm", "shell", "--", "ceph"]).
    type: list
    elements: str
    default: ["ceph"]
  conf:
    description:
      - Configuration file, by default Ceph's own.
    type: path
  keyring:
    description:
      - Keyring with the key of O(name), by default where Ceph looks.
    type: path
  name:
    description:
      - The user to be.
    type: str
    default: client.admin
  timeout:
    description:
      - Seconds to wait for a monitor.
    type: int
    default: 10
"""
