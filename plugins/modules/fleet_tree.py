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
  - When the inventory has an error, nothing is written. Nor is it when an option cannot be meant, when the repository
    is in no state to be committed to, or when more would be removed than O(prune_limit) lets a run remove.
  - In check mode, the result and its RV(ignore:changed) are those of the real run. Why a real run would stop is then a
    warning. With O(push=true) the remote is asked, but gets nothing.
  - Runs on the controller and opens no connection.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.software.manifests
  - k8s.self_provisioning.attributes
options:
  path:
    description:
      - The folder of the tree, as a whole path. It may be a Git repository, or a folder inside one, and must not lie
        in the inventory.
    type: path
    required: true
  clusters:
    description:
      - Only write the folders of these clusters; those of the others stay as they are. Without it, all.
      - An environment that moves between one of them and another cluster is an error, before anything is written,
        because it would stand on two clusters or on none. What only concerns other clusters waits, with a warning.
    type: list
    elements: str
    default: []
  commit:
    description:
      - Commit what was written. Other changes in the repository stay out of the commit, and staged ones stay staged.
      - What an earlier run has written and not committed is committed too.
      - The folder must belong to a Git repository, unless O(init=true).
      - Hooks and the configuration of the repository are in force. When a hook refuses, the files are written, and the
        next run commits them.
    type: bool
    default: false
  init:
    description:
      - Make the folder a Git repository when it belongs to none. Needs O(commit=true).
    type: bool
    default: false
  push:
    description:
      - Push the branch that is checked out, also when there was nothing to commit. Needs O(commit=true).
      - When the push fails, the commits stay, and the next run pushes them.
    type: bool
    default: false
  remote:
    description:
      - Where to push, the name of a remote of the repository, or an address. Addresses that run a program, such as
        C(ext::…), are refused.
    type: str
    default: origin
  branch:
    description:
      - The branch that has to be checked out. Another one is an error, before anything is written. Without it,
        whichever is checked out.
      - Also the first branch of a new repository, by default V(main).
    type: str
    default: ""
  author_name:
    description:
      - Author of the commit, by default whom Git is configured with, else V(k8s.self_provisioning).
    type: str
    default: ""
  author_email:
    description:
      - Address of the author, by default what Git is configured with, else V(self-provisioning@localhost).
    type: str
    default: ""
  prune_limit:
    description:
      - How many tenants, environments and clusters a run may remove from the tree, of each; as a number, or as a share
        of those that are there, of which one tenant, one cluster and three environments are always allowed. Above it
        nothing is written and the task fails. With O(clusters) those count that the run may touch.
      - An inventory source that fails quietly looks like an inventory in which all was removed on purpose.
    type: str
    default: 30%
  confirm_deletion:
    description:
      - Tenants, namespaces and clusters that may go and do not count; a tenant or a cluster stands for its
        environments too.
      - That no tenant or no cluster would be left always needs to be confirmed by their names.
    type: list
    elements: str
    default: []
  record_placements:
    description:
      - Write placements that were decided now into the tenant files of the inventory as well, keeping their comments.
        They are recorded in the tree in any case.
      - All files are checked before anything is written, the tree included; when one cannot take its placement the task
        fails and names every such file.
    type: bool
    default: false
  lock_timeout:
    description:
      - Seconds to wait for another run on the same tree, V(0) for not at all.
    type: int
    default: 60
  manifests:
    description:
      - Released manifests of services that have no C(repository) in C(fleet_services). The tree keeps them in
        C(vendor/), so that later runs need none. The roles of these services give them.
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

- name: Take a department that has been dissolved out of the tree
  k8s.self_provisioning.fleet_tree:
    path: /srv/fleet
    commit: true
    confirm_deletion: [physics]

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
  description: Files of ours that somebody had changed or removed by hand; they are put back.
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
  description: Whether the remote got something new, or in check mode would get it.
  returned: always
  type: bool
  sample: false
committed:
  description: Whether there was something to commit, or in check mode would be.
  returned: always
  type: bool
  sample: true
left_out:
  description: Clusters whose folders stayed as they were because of O(clusters).
  returned: always
  type: list
  elements: str
  sample: []
refusals:
  description: In check mode, why the real run would fail; empty otherwise.
  returned: always
  type: list
  elements: str
  sample: []
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
  description: The new commit, empty when there is none, and in check mode.
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
  sample: {gather: 0.1, open: 0.0, compile: 0.2, deliver: 0.3}
diff:
  description: The changes as a unified diff under C(prepared).
  returned: with C(--diff), when files change and O(report=none); otherwise it is printed before the report
  type: dict
  sample: {prepared: "--- a/ledger.csv …"}
"""
