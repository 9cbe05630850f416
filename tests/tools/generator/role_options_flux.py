# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the role flux_bootstrap. Defaults are those of C(defaults/main.yml)."""

from __future__ import annotations

from .role_types import Entry, Options, Role

_OPTIONS: Options = {
    "flux_bootstrap_manifest": {
        "type": "str",
        "default": "",
        "description": [
            "What C(flux install --export) prints, a file or an address. It has to be set, and to be of the version "
            "that the release line of the cluster names.",
        ],
    },
    "flux_bootstrap_checksum": {
        "type": "str",
        "default": "",
        "description": ["Checksum of the manifest, as C(sha256:) and hex digits. Needed for an address."],
    },
    "flux_bootstrap_kubeconfig": {
        "type": "str",
        "default": "",
        "description": ["Kubeconfig of an administrator. By default C(cluster_kubeconfig) of the cluster."],
    },
    "flux_bootstrap_inventory": {
        "type": "path",
        "default": "",
        "description": ["An inventory folder to read instead of the variables of this run."],
    },
    "flux_bootstrap_url": {
        "type": "str",
        "default": "",
        "description": ["Where this cluster reads the fleet tree, by default C(fleet_git.url)."],
    },
    "flux_bootstrap_git": {
        "type": "dict",
        "default": {},
        "description": [
            "How Flux logs in to the repository. C(identity), C(identity_public), C(known_hosts) for a deploy key; "
            "C(username) and C(password), or C(bearer_token); C(github_app_id), C(github_app_installation_id), "
            "C(github_app_private_key); C(ca) for a private authority. Take them from a vault.",
        ],
    },
    "flux_bootstrap_provider": {
        "type": "str",
        "default": "",
        "description": ["Provider of the repository, V(github) with a GitHub App."],
    },
    "flux_bootstrap_age_key_file": {
        "type": "path",
        "default": "",
        "description": [
            "File on the controller with the age key that opens what SOPS has encrypted for this cluster. It is made "
            "once, when neither the file nor the cluster has one. Empty for no SOPS.",
        ],
    },
    "flux_bootstrap_flags": {
        "type": "dict",
        "default": {},
        "description": [
            "More flags, by the name of the controller in the manifest, each a list such as V([--concurrent=10]).",
        ],
    },
    "flux_bootstrap_environment": {
        "type": "dict",
        "default": {},
        "description": ["Variables of every controller, such as those of a proxy."],
    },
    "flux_bootstrap_registry": {
        "type": "str",
        "default": "",
        "description": ["Where the images are, by default where the manifest says."],
    },
    "flux_bootstrap_ca_file": {
        "type": "str",
        "default": "",
        "description": [
            "File with certificates that the controllers trust besides the system's. When they change, the controllers "
            "start anew.",
        ],
    },
    "flux_bootstrap_alerts": {
        "type": "dict",
        "default": {},
        "description": [
            "What opens the way to those whom C(fleet_alerts) names, by the name of the alert: C(address), C(token), "
            "C(username), C(password), C(headers), C(proxy). Take it from a vault; leave it out when the Secret is in "
            "the fleet tree, encrypted.",
        ],
    },
    "flux_bootstrap_tree": {
        "type": "path",
        "default": "",
        "description": [
            "The fleet tree. Those of its files that the cluster applies are looked at as well before API versions go."
        ],
    },
    "flux_bootstrap_allow_outdated": {
        "type": "bool",
        "default": False,
        "description": [
            "Goes on when something is declared in an API version that the Flux of the release line does not serve, by "
            "others than the fleet tree's own files. What is there stays; its next change fails until it is declared "
            "anew.",
        ],
    },
    "flux_bootstrap_state": {
        "type": "str",
        "choices": ["present", "absent"],
        "default": "present",
        "description": [
            "V(absent) takes Flux away and leaves what it has applied, and its namespace with the Secrets.",
        ],
    },
    "flux_bootstrap_confirm": {
        "type": "str",
        "default": "",
        "description": ["The name of the cluster, once more, for V(absent)."],
    },
}

FLUX_BOOTSTRAP = Role(
    title="Flux on a cluster, locked down for many tenants",
    entries={
        "main": Entry(
            "Install Flux and let it read the fleet tree",
            (
                "Applies the released manifest with the flags that several tenants need, then the objects by which "
                "Flux reads the folder of the cluster. Needs an administrator's kubeconfig, and no rights to push.",
            ),
            _OPTIONS,
        ),
    },
    reads_settings=False,
    example="""\
- name: Install Flux
  hosts: clusters
  connection: local
  gather_facts: false
  tasks:
    - name: Bring Flux to the cluster
      ansible.builtin.include_role:
        name: k8s.self_provisioning.flux_bootstrap
      vars:
        flux_bootstrap_manifest: "{{ playbook_dir }}/files/flux-2.9.4.yaml"
        flux_bootstrap_git:
          username: flux
          password: "{{ vault_flux_token }}"
      when: cluster_delivery | default('gitops') == 'gitops'
""",
)
