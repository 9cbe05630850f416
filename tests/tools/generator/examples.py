# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The smallest complete inventory, one piece for each reference page. Together they are a fleet without a problem."""

from __future__ import annotations

import datetime

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.yaml_data import load
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import compile_fleet

TENANT = """\
---
# group_vars/all/tenants/physics.yml
tenant__physics:
  id: physics
  display_name: Physics department
  owners:
    - {kind: Group, name: physics-leads}
  budget:
    hard: {requests.cpu: "16", requests.memory: 64Gi}
  projects:
    - id: lab-sim
      environments:
        - {name: dev, size: small}
"""

CLUSTER = """\
---
# host_vars/shared-dev.yml
cluster_environment: dev
cluster_security_domain: internal_only
cluster_sla_tier: tier_3_standard
cluster_capacity: {cpu: "64", memory: 256Gi}
"""

FLEET = """\
---
# group_vars/all/fleet.yml
fleet_name: Example University
fleet_label_domain: platform.example.edu
fleet_sizes:
  small:
    description: A service with a handful of pods.
    resource_quota:
      hard: {requests.cpu: "4", requests.memory: 16Gi, pods: "40"}
"""


def check() -> None:
    """The examples hold what they promise."""
    source = Source(load(FLEET), load(TENANT), {"shared-dev": load(CLUSTER)})
    fleet = compile_fleet(source, today=datetime.date(2026, 12, 1))
    found = [problem.render() for problem in fleet.problems]
    if found or len(fleet.environments) != 1:
        raise SystemExit("the examples of the reference are not a sound fleet:\n" + "\n".join(found))
