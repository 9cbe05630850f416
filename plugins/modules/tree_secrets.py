#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action tree_secrets."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tree_secrets
short_description: Find Secrets in clear text in a fleet tree, and encrypt it for other keys
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Fails when a file of the tree holds a Secret with a value that SOPS has not encrypted. C(fleet_tree) refuses to
    commit such a tree as well; this is for the pipelines of people who commit secrets.
  - With O(state=rotated), encrypts the secrets of a cluster for the recipients that C(.sops.yaml) names now, each file
    with a new data key, and proves that the new key opens every file and the old one none. A file that the old key
    still opens is put back and the task fails.
  - Runs on the controller and contacts no cluster.
extends_documentation_fragment:
  - k8s.self_provisioning.attributes
options:
  path:
    description:
      - The folder of the fleet tree.
    type: path
    required: true
  state:
    description:
      - Whether to look only, or to encrypt anew.
    type: str
    choices: [checked, rotated]
    default: checked
  cluster:
    description:
      - The cluster whose secrets to encrypt anew.
    type: str
  old_key_file:
    description:
      - File with the key that opens the secrets now.
    type: path
  new_key_file:
    description:
      - File with the key that shall open them. When it is not there, a key is made and nothing else is done.
    type: path
  sops:
    description:
      - The program.
    type: str
    default: sops
seealso:
  - module: k8s.self_provisioning.flux_bootstrap
  - module: k8s.self_provisioning.fleet_tree
"""

EXAMPLES = r"""
- name: Refuse secrets in clear text
  k8s.self_provisioning.tree_secrets:
    path: /srv/fleet

- name: Give a cluster another key
  k8s.self_provisioning.tree_secrets:
    path: /srv/fleet
    state: rotated
    cluster: east-prod
    old_key_file: ~/keys/east-prod.agekey
    new_key_file: ~/keys/east-prod-2027.agekey
"""

RETURN = r"""
clear_text:
  description: Values in clear text, with the file.
  returned: always
  type: list
  elements: str
  sample: ["clusters/east-prod/secrets/db.yaml: stringData.password of the Secret db is in clear text"]
rotated:
  description: Files that were encrypted anew.
  returned: always
  type: list
  elements: str
  sample: [clusters/east-prod/secrets/db.yaml]
"""
