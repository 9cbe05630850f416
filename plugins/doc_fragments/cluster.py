# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of modules on one cluster of the fleet."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment."""

    DOCUMENTATION = r"""
options:
  cluster:
    description:
      - The cluster, by default the host that the task runs for.
    type: str
"""

    TENANTS = r"""
options:
  tree:
    description:
      - Folder of a fleet tree whose recorded placements hold for environments without one in the inventory.
    type: path
  tenants:
    description:
      - Only look at these tenants. Without it, at all, and at what belongs to the cluster as a whole.
    type: list
    elements: str
    default: []
"""

    PARALLEL = r"""
options:
  parallel:
    description:
      - How many requests to have under way at once.
    type: int
    default: 8
"""

    SUMMARY = r"""
options:
  report:
    description:
      - What to print for people.
    type: str
    choices: [none, summary]
    default: none
"""
