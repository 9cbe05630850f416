#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action tenant_databases."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tenant_databases
short_description: Databases that tenants declare, and their Secrets in the fleet tree
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Compiles the inventory and returns the databases that projects declare under C(databases), one for each environment,
    with their passwords when O(secret) is given. Put C(no_log) on the task then.
  - With O(state=delivered), also writes a Secret for each into the fleet tree, encrypted by SOPS for the cluster that
    the environment lives on. Nothing is written in clear text, not even for a moment. A file is written again when its
    content or its recipients are others. Secrets of databases that nobody declares any more are removed, and those of
    clusters that are delivered live. Commit the tree afterwards.
  - Runs on the controller and contacts neither databases nor clusters.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.attributes
options:
  state:
    description:
      - Whether to list only, or to write Secrets as well.
    type: str
    choices: [listed, delivered]
    default: listed
  tree:
    description:
      - Folder of the fleet tree. Its recorded placements hold.
    type: path
  secret:
    description:
      - What the passwords follow from.
    type: str
  endpoint:
    description:
      - What the Secrets say besides. C(host), C(port), C(read_only_port) and C(ca), the certificate of the authority.
    type: dict
    default: {}
  sops:
    description:
      - The program SOPS, 3.8 or newer.
    type: str
    default: sops
seealso:
  - module: k8s.self_provisioning.postgresql_databases
  - module: k8s.self_provisioning.tree_secrets
"""

EXAMPLES = r"""
- name: List the databases of all tenants
  k8s.self_provisioning.tenant_databases:
  register: tenants
"""

RETURN = r"""
databases:
  description: The databases, by name.
  returned: success
  type: list
  elements: dict
  sample:
    - name: physics_lab_sim_prod__results
      owner: physics_lab_sim_prod__results
      tenant: physics
      project: lab-sim
      environment: prod
      namespace: physics-lab-sim-prod
      secret_name: postgresql-results
      clusters: [east-prod]
      extensions: []
      connection_limit: 20
      password_generation: 1
      login: true
written:
  description: Files of the tree that were written or removed.
  returned: success
  type: list
  elements: str
  sample: [clusters/east-prod/secrets/databases/physics-lab-sim-prod.postgresql-results.yaml]
undelivered:
  description:
    - Secrets that have no way to their cluster, with the reason. A file that is there already stays, unless the cluster
      is delivered live.
  returned: success
  type: list
  elements: str
  sample: ["physics-lab-sim-prod/postgresql-results on lab: it is delivered live"]
"""
