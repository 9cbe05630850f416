#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action fleet_tree."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_tree
short_description: Write the tree that Flux reads, for all clusters at once
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Compiles the inventory and brings a folder, usually a Git repository, to exactly what it declares, in one task for
    any number of clusters and tenants.
  - Files that are already right are not touched, files of ours that are no longer wanted are removed, files of others
    are left alone and reported.
  - When the inventory has an error, nothing is written.
  - Runs on the controller and opens no connection.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.attributes
options:
  path:
    description:
      - The folder of the tree. It may be a Git repository, or a folder inside one.
    type: path
    required: true
  clusters:
    description:
      - Only write the folders of these clusters; those of the others stay as they are. Without it, all.
    type: list
    elements: str
    default: []
  commit:
    description:
      - Commit what was written. Other changes in the repository stay out of the commit.
      - The folder must belong to a Git repository, unless O(init=true).
    type: bool
    default: false
  init:
    description:
      - Make the folder a Git repository when it belongs to none.
    type: bool
    default: false
  push:
    description:
      - Push after committing.
    type: bool
    default: false
  remote:
    description:
      - Where to push.
    type: str
    default: origin
  branch:
    description:
      - The branch to push to, and the first branch of a new repository.
    type: str
    default: main
  author_name:
    description:
      - Author of the commit.
    type: str
    default: k8s.self_provisioning
  author_email:
    description:
      - Address of the author.
    type: str
    default: self-provisioning@localhost
  record_placements:
    description:
      - Write placements that were decided now into the tenant files of the inventory as well, keeping their comments.
        They are recorded in the tree in any case.
    type: bool
    default: false
  lock_timeout:
    description:
      - Seconds to wait for another run on the same tree.
    type: int
    default: 60
  report:
    description:
      - What to print for people. V(summary) sums up the fleet, V(plan) tells what changes for whom, what it costs and
        what is left.
    type: str
    choices: [none, plan, summary]
    default: none
seealso:
  - module: k8s.self_provisioning.fleet_info
"""

EXAMPLES = r"""
- name: Bring the fleet repository up to date and push
  k8s.self_provisioning.fleet_tree:
    path: /srv/fleet
    commit: true
    push: true
    report: summary

- name: What would change
  k8s.self_provisioning.fleet_tree:
    path: /srv/fleet
    report: plan
  check_mode: true
  diff: true
"""

RETURN = r"""
created:
  description: New files.
  returned: always
  type: list
  elements: str
  sample: [clusters/east-dev/tenants/physics/physics-lab-sim-dev.yaml]
updated:
  description: Files with new content.
  returned: always
  type: list
  elements: str
  sample: [ledger.csv, placements.yaml]
repaired:
  description: Files of ours that somebody had changed by hand.
  returned: always
  type: list
  elements: str
  sample: []
removed:
  description: Files that are no longer wanted.
  returned: always
  type: list
  elements: str
  sample: []
foreign:
  description: Files in our folders that somebody else put there; left alone.
  returned: always
  type: list
  elements: str
  sample: []
recorded:
  description: Tenant files that got a placement, with O(record_placements=true).
  returned: always
  type: list
  elements: str
  sample: []
pushed:
  description: Whether the remote got something new.
  returned: always
  type: bool
  sample: false
unchanged:
  description: Number of files that were right already.
  returned: always
  type: int
  sample: 143
message:
  description: What changed for whom; the commit message.
  returned: always
  type: str
  sample: "physics: lab-sim-dev created on east-dev"
commit:
  description: The new commit, empty when there is none.
  returned: always
  type: str
  sample: 3f2c9d0a1b2c3d4e5f60718293a4b5c6d7e8f901
warnings_found:
  description: Warnings about the inventory.
  returned: always
  type: list
  elements: str
  sample: []
timings:
  description: Seconds that each part took.
  returned: always
  type: dict
  sample: {gather: 0.1, compile: 0.2, objects: 0.1, write: 0.1, commit: 0.1}
"""
