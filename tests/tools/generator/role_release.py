# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the role release. Defaults are those of its C(defaults/main.yml)."""

from __future__ import annotations

from .role_types import Entry, Options, Role

_RELEASE: Options = {
    "release_clusters": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": ["Only these clusters; by default all of the inventory."],
    },
    "release_today": {
        "type": "str",
        "default": "",
        "description": ["The day, as C(YYYY-MM-DD), on which ends of life count. By default today in UTC."],
    },
}

RELEASE = Role(
    title="The versions of each release line, and their end of life",
    entries={
        "main": Entry(
            "Read the versions, and warn about lines past their end of life",
            (
                "Registers C(release_result) with C(lines), C(clusters) and C(ended), as "
                "M(k8s.self_provisioning.release_info) returns them. No other role knows a version.",
                "Warns once for each line that gets no more security fixes, with the upgrade path.",
            ),
            _RELEASE,
        ),
    },
    reads_settings=False,
    example="""\
- name: Show the Kubernetes version of every cluster
  hosts: clusters
  connection: local
  gather_facts: false
  roles:
    - k8s.self_provisioning.release
  tasks:
    - name: Show it
      ansible.builtin.debug:
        msg: "{{ release_result.lines[release_result.clusters[inventory_hostname]].kubernetes }}"
""",
)
