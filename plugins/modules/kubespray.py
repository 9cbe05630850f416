#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action kubespray."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubespray
short_description: Build, grow, upgrade, repair and remove one cluster with Kubespray
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Runs the playbooks of the Kubespray of the cluster's release line on an inventory that is written from this one, and
    shows plays and tasks as they pass.
  - Kubespray is fetched at a pinned commit, and runs in an environment of its own with its own ansible-core.
  - Everything of a cluster lies in C(<path>/<cluster>), for its owner only, C(inventory), C(credentials), C(artifacts),
    C(facts), C(logs) and C(kubeconfig). No two clusters share anything that is written.
  - When the run is interrupted, everything that it started is ended with it.
  - In check mode it shows the difference of the inventory and the steps, and runs none.
extends_documentation_fragment:
  - k8s.self_provisioning.attributes
options:
  action:
    description:
      - V(create) builds the cluster, adds machines of the control plane, and applies changed settings. It does nothing
        when neither the machines, the settings, O(variables) nor O(arguments) changed since it last succeeded.
      - V(scale) adds workers.
      - V(upgrade) walks to the wanted Kubernetes version, one minor version at a time.
      - V(remove_node) drains and removes machines, V(reset) removes the cluster, and V(recover_control_plane) replaces
        lost machines of the control plane. These need O(confirm).
      - V(kubeconfig) runs nothing of Kubespray, and renews the administrator's kubeconfig, see O(admin_hours).
    type: str
    choices: [create, scale, upgrade, remove_node, reset, recover_control_plane, kubeconfig]
    required: true
  path:
    description:
      - The folder that holds a folder for each cluster. It has to outlive the run.
    type: path
    required: true
  cluster:
    description:
      - The cluster. By default the host that the task runs for.
    type: str
  source:
    description:
      - Where Kubespray comes from, a Git address or the path of a Git repository.
    type: str
    default: https://github.com/kubernetes-sigs/kubespray.git
  commits:
    description:
      - What tags of O(source) must be, by tag, when it is a fork. By default the commits of the release lines.
    type: dict
    default: {}
  requirements:
    description:
      - Files with pinned requirements, by tag, to install instead of Kubespray's own.
    type: dict
    default: {}
  python:
    description:
      - The Python for Kubespray's environment. By default the first one found that the release works with.
    type: str
  pip_arguments:
    description:
      - More arguments for pip, such as C(--index-url).
    type: list
    elements: str
    default: []
  nodes:
    description:
      - The machines that the action is about; needed by V(remove_node) and V(recover_control_plane).
    type: list
    elements: str
    default: []
  snapshot:
    description:
      - For V(recover_control_plane), the path of an etcd snapshot on the first machine of the control plane.
    type: str
  from_version:
    description:
      - The Kubernetes version that the cluster runs, when it was not built from here.
    type: str
  confirm:
    description:
      - The name of the cluster, for actions that take something away.
    type: str
  override_freeze:
    description:
      - The reason for doing it although the cluster is in one of its C(cluster_freeze_windows).
    type: str
  resume:
    description:
      - Continue the last run of this action after the steps that it finished.
    type: bool
    default: false
  force:
    description:
      - Run V(create) although nothing changed.
    type: bool
    default: false
  become:
    description:
      - Become root on the machines.
    type: bool
    default: true
  forks:
    description:
      - Machines of this cluster at once.
    type: int
    default: 10
  variables:
    description:
      - Extra variables for Kubespray. They win over everything.
    type: dict
    default: {}
  arguments:
    description:
      - More arguments for C(ansible-playbook).
    type: list
    elements: str
    default: []
  progress:
    description:
      - Seconds after which the running task is told. Plays and failures are always told.
    type: int
    default: 15
  admin_hours:
    description:
      - For how long the certificate in the administrator's kubeconfig is good. It is asked of the cluster with
        kubeadm's own, which lives for a year and stays in the folder of the cluster. A cluster that gives none is a
        warning, and kubeadm's is used.
      - It is renewed when half of the time is over, by V(action=kubeconfig), and by V(action=create) also when there is
        nothing else to do.
      - V(0) hands out kubeadm's own.
    type: int
    default: 168
  today:
    description:
      - The day, as C(YYYY-MM-DD), on which freeze windows count. By default today in UTC.
    type: str
seealso:
  - module: k8s.self_provisioning.kubespray_inventory
"""

EXAMPLES = r"""
- name: Build the cluster
  k8s.self_provisioning.kubespray:
    action: create
    path: /var/lib/self-provisioning/clusters

- name: Take a broken worker out
  k8s.self_provisioning.kubespray:
    action: remove_node
    path: /var/lib/self-provisioning/clusters
    nodes: [hela-a07]
    confirm: east-prod
"""

RETURN = r"""
cluster:
  description: The cluster.
  returned: success
  type: str
  sample: east-prod
directory:
  description: The folder that holds everything of the cluster.
  returned: success
  type: str
  sample: /var/lib/self-provisioning/clusters/east-prod
kubeconfig:
  description: The administrator's kubeconfig, readable for its owner only.
  returned: success
  type: str
  sample: /var/lib/self-provisioning/clusters/east-prod/kubeconfig
steps:
  description: The playbook runs that were left to do, in order.
  returned: success
  type: list
  elements: str
  sample: [upgrade_cluster 1.31.12 v2.28.1, upgrade_cluster 1.32.8 v2.28.1]
logs:
  description: The log of each run.
  returned: when something ran
  type: list
  elements: str
  sample: [/var/lib/self-provisioning/clusters/east-prod/logs/20261121T070000Z-cluster.log]
"""
