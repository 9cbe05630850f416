#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action release_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_info
short_description: Tell the versions of release lines, and which clusters are past the end of theirs
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Returns every version of every release line, and the line of each cluster.
  - Warns once for each line in use whose Kubernetes gets no more security fixes, with the way to a line that does.
  - It contacts nothing and writes nothing.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.attributes
  - k8s.self_provisioning.attributes.info
options:
  clusters:
    description:
      - Only these clusters. By default all of the inventory.
    type: list
    elements: str
    default: []
seealso:
  - module: k8s.self_provisioning.fleet_info
"""

EXAMPLES = r"""
- name: Read the versions
  k8s.self_provisioning.release_info:
  register: release

- name: Show the Kubernetes version of a cluster
  ansible.builtin.debug:
    msg: "{{ release.lines[release.clusters['east-prod']].kubernetes }}"
"""

RETURN = r"""
lines:
  description: For each release line its versions.
  returned: always
  type: dict
  sample: {"1.30": {kubernetes: 1.30.3, etcd: 3.5.22, end_of_life: "2025-07-15", kubespray: {tag: v2.28.1}}}
clusters:
  description: The release line of each cluster.
  returned: always
  type: dict
  sample: {east-prod: "1.30"}
ended:
  description: A sentence for each line in use that is past its end of life.
  returned: always
  type: list
  elements: str
  sample: []
"""
