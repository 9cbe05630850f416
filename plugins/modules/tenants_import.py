#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action tenants_import."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tenants_import
short_description: Write tenant files for namespaces that were made by hand
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Reads the namespaces of live clusters, or of a folder of manifests, and writes tenant files that render to the same
    quotas, limits, rights, network rules, Pod Security levels, labels and annotations.
  - Everything that the inventory has no words for is listed with the object, the field, why, and what to do. It stays
    on the cluster as it is.
  - What the new inventory would change on the cluster is listed too, because it is compiled, rendered, and compared
    with what is in force. Where nothing isolates a namespace today, the baseline network policies would.
  - Never writes to a cluster, and never over a file unless O(overwrite=true).
  - The clusters have to be in the inventory already. Environments get a placement there.
  - A tenant gets C(adoption_policy=if_identical) when nothing that is in force would change, else
    C(adoption_policy=never), and the report names the line to change when that is accepted.
  - A namespace gets the size that adds nothing to its quota and limits; where every size would, it gets C(size=none).
  - Runs on the controller.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.kubernetes_auth
  - k8s.self_provisioning.cluster.summary
  - k8s.self_provisioning.attributes
options:
  clusters:
    description:
      - The clusters, by default the host that the task runs for. A namespace that is equal on several of them becomes
        one environment on all of them.
    type: list
    elements: str
    default: []
  manifests:
    description:
      - A folder with YAML or JSON manifests to read instead of the cluster, such as the output of
        C(kubectl get -o yaml). It should hold all namespaces, because network rules select them by their labels.
      - A file that cannot be read is reported and left out, and no tenant is adopted before it is mended. The task
        fails only when no file can be read.
    type: path
  namespaces:
    description:
      - Names of namespaces to import, in which C(*) stands for any text. Without it, all but those of the system, of
        the platform services and of the inventory.
    type: list
    elements: str
    default: []
  selector:
    description:
      - A label selector that namespaces have to meet, such as C(team in (physics,chemistry),!legacy).
    type: str
    default: ""
  mapping:
    description:
      - What namespaces are, as a dictionary of their names and C(tenant/project/environment), or the path of a YAML
        file that holds one. It comes before all other ways.
      - Next come our own labels, O(group_labels), O(name_pattern), tenants that the inventory knows and
        O(default_tenant) as the beginning of the name, and last the name split at dashes when it ends in a stage, the
        first part being the tenant.
      - Namespaces cannot be renamed, so their name has to be C(<tenant>-<project>-<environment>) in any case. Others
        are reported.
    type: raw
  group_labels:
    description:
      - Keys of the namespaces' labels that say what they are. What is not given comes from the name.
    type: dict
    suboptions:
      tenant:
        description: Key of the label with the tenant.
        type: str
      project:
        description: Key of the label with the project.
        type: str
      environment:
        description: Key of the label with the environment.
        type: str
  name_pattern:
    description:
      - A regular expression over the whole name, with groups named C(tenant), C(project) and C(environment), or some of
        them.
    type: str
    default: ""
  default_tenant:
    description:
      - The tenant of namespaces that do not say one.
    type: str
    default: ""
  owner_cluster_roles:
    description:
      - ClusterRoles whose holders become the owners of a tenant, where all its namespaces share them. The first one
        that is shared counts.
    type: list
    elements: str
    default: [tenant-admin, admin]
  path:
    description:
      - The inventory folder to write to, by default that of this run. Files go to C(group_vars/all/tenants).
    type: path
  overwrite:
    description:
      - Replace files that are there, and import namespaces again that the inventory declares. A tenant with
        environments that the import does not hold is kept even so.
    type: bool
    default: false
  write_invalid:
    description:
      - Write tenants, too, with which the inventory has errors. Until they are mended, nothing can be delivered.
    type: bool
    default: false
seealso:
  - module: k8s.self_provisioning.tenants
  - module: k8s.self_provisioning.tenants_info
"""

EXAMPLES = r"""
- name: Look at what an import would give
  k8s.self_provisioning.tenants_import:
    clusters: [east-prod]
    default_tenant: physics
    report: summary
  check_mode: true
  diff: true

- name: Import by the labels that the teams use
  k8s.self_provisioning.tenants_import:
    clusters: [east-prod, west-prod]
    selector: managed-by-platform=true
    group_labels: {tenant: department, project: app}

- name: Import from manifests
  k8s.self_provisioning.tenants_import:
    clusters: [east-prod]
    manifests: /srv/dump/east-prod
    name_pattern: (?P<tenant>[a-z]+)-(?P<project>.+)-(?P<environment>dev|prod)
    mapping: {ai-lab-vision-prod: ai-lab/vision/prod}
"""

RETURN = r"""
files:
  description: >-
    For each tenant its file and C(action), one of V(created), V(overwritten), V(unchanged), V(kept), V(refused), and
    why. C(held_back) is the line with C(adoption_policy=never), which is to be changed once what would change is
    accepted; 0 when nothing would.
  returned: success
  type: list
  elements: dict
  sample:
    - tenant: physics
      path: /srv/inventories/example/group_vars/all/tenants/physics.yml
      action: created
      why: ""
      held_back: 7
tenants:
  description: What was, or in check mode would be, written, by tenant.
  returned: success
  type: dict
  sample: {physics: {id: physics, projects: []}}
additions:
  description: The same of tenants that were not written, to be added by hand.
  returned: success
  type: dict
  sample: {}
environments:
  description: What was taken over, with its namespace and clusters.
  returned: success
  type: list
  elements: dict
  sample: [{key: physics/lab/prod, tenant: physics, namespace: physics-lab-prod, clusters: [east-prod]}]
findings:
  description: Everything that the tenant files do not say, or would change.
  returned: success
  type: list
  elements: dict
  contains:
    code:
      description: >-
        V(unreadable), a file of O(manifests) is left out; V(invalid), the inventory has an error with it;
        V(not-expressed), it stays on the cluster and is not declared; V(would-change), applying the inventory changes
        it; V(not-adoptable), the namespace would be refused; V(note).
      type: str
      sample: not-expressed
    cluster:
      description: The cluster, empty for what is about a tenant.
      type: str
      sample: east-prod
    namespace:
      description: The namespace.
      type: str
      sample: physics-lab-prod
    kind:
      description: The kind of the object, or C(Tenant).
      type: str
      sample: RoleBinding
    name:
      description: Its name.
      type: str
      sample: deployers
    field:
      description: The field.
      type: str
      sample: roleRef
    what:
      description: Why.
      type: str
      sample: it grants the Role deployer of the namespace; the inventory only binds ClusterRoles.
    fix:
      description: What to do.
      type: str
      sample: It stays as it is. To declare it, make a ClusterRole with the same rules and bind that.
incomplete:
  description: >-
    What people have to say about each written tenant, because no cluster knows it: keys that are there as comments.
  returned: success
  type: dict
  sample: {physics: [owners, contacts, billing.cost_center]}
superseded:
  description: >-
    Hand-made objects whose whole content is declared now. Once the inventory is applied they only stand beside ours and
    can be deleted.
  returned: success
  type: list
  elements: dict
  sample: [{cluster: east-prod, kind: ResourceQuota, namespace: physics-lab-prod, name: compute}]
left_out:
  description: Namespaces that were not looked at, and why.
  returned: success
  type: list
  elements: dict
  sample: [{cluster: east-prod, namespace: kube-system, why: of the system}]
check:
  description: Whether nothing was written because of check mode.
  returned: success
  type: bool
  sample: false
requests:
  description: Requests that were sent to clusters, by verb.
  returned: success
  type: dict
  sample: {discover: 2, list: 6}
"""
