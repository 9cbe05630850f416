# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the role kubespray. Defaults are those of its C(defaults/main.yml)."""

from __future__ import annotations

from .role_types import Entry, Options, Role

_KUBESPRAY: Options = {
    "kubespray_action": {
        "type": "str",
        "choices": ["create", "scale", "upgrade", "remove_node", "reset", "recover_control_plane", "kubeconfig"],
        "default": "create",
        "description": ["What to do. See M(k8s.self_provisioning.kubespray)."],
    },
    "kubespray_directory": {
        "type": "path",
        "default": "~/.local/share/k8s.self_provisioning/clusters",
        "description": [
            "The folder that holds a folder for each cluster, with its inventory, credentials, logs and kubeconfig. "
            "It has to outlive the run; under AWX it has to be set."
        ],
    },
    "kubespray_source": {
        "type": "str",
        "default": "https://github.com/kubernetes-sigs/kubespray.git",
        "description": ["Where Kubespray comes from, a Git address or the path of a Git repository."],
    },
    "kubespray_commits": {
        "type": "dict",
        "default": {},
        "description": ["What tags of O(kubespray_source) must be, by tag, when it is a fork."],
    },
    "kubespray_requirements": {
        "type": "dict",
        "default": {},
        "description": ["Files with pinned requirements, by tag, to install instead of Kubespray's own."],
    },
    "kubespray_python": {
        "type": "str",
        "default": "",
        "description": [
            "The Python for Kubespray's environment. By default the first one found that the release works with."
        ],
    },
    "kubespray_pip_arguments": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": ["More arguments for pip, such as C(--index-url)."],
    },
    "kubespray_nodes": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": [
            "The machines that the action is about; needed by V(remove_node) and V(recover_control_plane)."
        ],
    },
    "kubespray_snapshot": {
        "type": "str",
        "default": "",
        "description": [
            "For V(recover_control_plane), the path of an etcd snapshot on the first machine of the control plane."
        ],
    },
    "kubespray_from_version": {
        "type": "str",
        "default": "",
        "description": ["The Kubernetes version that the cluster runs, when it was not built from here."],
    },
    "kubespray_confirm": {
        "type": "str",
        "default": "",
        "description": ["The name of the cluster, for actions that take something away."],
    },
    "kubespray_override_freeze": {
        "type": "str",
        "default": "",
        "description": ["The reason for doing it although the cluster is in one of its C(cluster_freeze_windows)."],
    },
    "kubespray_resume": {
        "type": "bool",
        "default": False,
        "description": ["Continue the last run of this action after the steps that it finished."],
    },
    "kubespray_force": {
        "type": "bool",
        "default": False,
        "description": ["Run V(create) although nothing changed."],
    },
    "kubespray_become": {
        "type": "bool",
        "default": True,
        "description": ["Become root on the machines."],
    },
    "kubespray_forks": {
        "type": "int",
        "default": 10,
        "description": ["Machines of one cluster at once."],
    },
    "kubespray_variables": {
        "type": "dict",
        "default": {},
        "description": ["Extra variables for Kubespray. They win over everything."],
    },
    "kubespray_arguments": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": ["More arguments for C(ansible-playbook)."],
    },
    "kubespray_progress": {
        "type": "int",
        "default": 15,
        "description": ["Seconds after which the running task is told. Plays and failures are always told."],
    },
    "kubespray_admin_hours": {
        "type": "int",
        "default": 168,
        "description": [
            "For how long the certificate in the administrator's kubeconfig is good; V(0) for kubeadm's own, which "
            "lives for a year. It is renewed by V(create) and V(kubeconfig) when half of the time is over."
        ],
    },
    "kubespray_today": {
        "type": "str",
        "default": "",
        "description": ["The day, as C(YYYY-MM-DD), on which freeze windows count. By default today in UTC."],
    },
    "kubespray_clusters_at_once": {
        "type": "int",
        "default": 0,
        "description": ["Clusters at once; V(0) for as many as C(--forks) allows."],
    },
}

KUBESPRAY = Role(
    title="Clusters with Kubespray, from the same inventory as everything else",
    entries={
        "main": Entry(
            "Build, grow, upgrade, repair or remove a cluster",
            (
                "Runs for a host of the group C(clusters). Checks the machines of all clusters first, shows the "
                "difference of Kubespray's inventory, and runs Kubespray in an environment of its own.",
                "Does nothing for a cluster that has no machines in the inventory.",
                "The guide is in C(docs/guides/clusters.md).",
            ),
            _KUBESPRAY,
        ),
    },
    reads_settings=False,
    example="""\
- name: Build the clusters
  hosts: clusters
  connection: local
  gather_facts: false
  roles:
    - role: k8s.self_provisioning.kubespray
      vars:
        kubespray_directory: /var/lib/self-provisioning/clusters
""",
)
