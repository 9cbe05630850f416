# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the role metallb. Defaults are those of C(defaults/main.yml)."""

from __future__ import annotations

from .role_types import Entry, Options, Role

_OPTIONS: Options = {
    "metallb_manifest": {
        "type": "str",
        "default": "",
        "description": [
            "A released manifest of MetalLB, such as C(config/manifests/metallb-native.yaml) of its repository, a file "
            "or an address. Its version must be that of the inventory or of the release line. Needed with "
            "C(cluster_delivery=live). With V(gitops) only the first time, and only when C(fleet_services.metallb) has "
            "no C(repository); the tree keeps it.",
        ],
    },
    "metallb_checksum": {
        "type": "str",
        "default": "",
        "description": ["Checksum of the manifest, as C(sha256:) and hex digits. Needed for an address."],
    },
    "metallb_tree": {
        "type": "path",
        "default": "",
        "description": ["The folder of the fleet tree, as a whole path. Needed with C(cluster_delivery=gitops)."],
    },
    "metallb_commit": {
        "type": "bool",
        "default": False,
        "description": ["Commit what was written into the tree."],
    },
    "metallb_push": {
        "type": "bool",
        "default": False,
        "description": ["Push it as well. Needs O(metallb_commit=true)."],
    },
    "metallb_kubeconfig": {
        "type": "str",
        "default": "",
        "description": [
            "Kubeconfig of an administrator, with C(cluster_delivery=live). By default C(cluster_kubeconfig)."
        ],
    },
    "metallb_inventory": {
        "type": "path",
        "default": "",
        "description": ["An inventory folder to read instead of the variables of this run."],
    },
    "metallb_wait_timeout": {
        "type": "int",
        "default": 300,
        "description": ["Seconds for MetalLB to run, with C(cluster_delivery=live)."],
    },
    "metallb_state": {
        "type": "str",
        "choices": ["present", "absent"],
        "default": "present",
        "description": [
            "V(absent) takes MetalLB and its pools away; its definitions and its namespace stay. C(cluster_services) "
            "must not name it any more. With V(gitops) Flux does it, and this writes the tree.",
        ],
    },
    "metallb_confirm": {
        "type": "str",
        "default": "",
        "description": [
            "The name of the cluster, once more, for V(absent) with C(cluster_delivery=live). Without it the run tells "
            "which Services would lose their address.",
        ],
    },
}

METALLB = Role(
    title="MetalLB on a cluster, with the pools of addresses that the inventory gives to tenants",
    entries={
        "main": Entry(
            "Bring MetalLB and its pools",
            (
                "Writes MetalLB and the pools of C(cluster_network) into the fleet tree, or applies them with an "
                "administrator's kubeconfig, as C(cluster_delivery) says. Live, it looks first whether the cluster is "
                "fit for it: strict ARP, addresses of nodes, pools of others, secrets of BGP sessions.",
            ),
            _OPTIONS,
        ),
    },
    reads_settings=False,
    example="""\
- name: Give Services their addresses
  hosts: clusters
  connection: local
  gather_facts: false
  tasks:
    - name: Bring MetalLB to the cluster
      ansible.builtin.include_role:
        name: k8s.self_provisioning.metallb
      vars:
        metallb_tree: /srv/fleet                                            # with cluster_delivery: gitops
        metallb_manifest: "{{ playbook_dir }}/files/metallb-native-0.16.1.yaml"
      when: "'metallb' in cluster_services"
""",
)
