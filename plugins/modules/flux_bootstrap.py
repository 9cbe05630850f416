#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action flux_bootstrap."""

from __future__ import annotations

DOCUMENTATION = r"""
module: flux_bootstrap
short_description: Install Flux on a cluster, locked down for many tenants, and let it read the fleet tree
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Takes the manifest that C(flux install --export) prints, of the version that the release line of the cluster names,
    adds the flags that Flux asks for on clusters of several tenants, and applies it with server-side apply.
  - Then applies the GitRepository and the Kustomization by which Flux reads the folder of the cluster in the fleet
    tree. The rights to push to the repository are not needed.
  - When the manifest is of another release than the cluster has, first moves all objects of Flux to the API versions of
    the new one, as C(flux migrate) does, also over several releases at once. It refuses, and names everything, when
    something is still declared in a version that goes, or when Kubernetes is too old.
  - With O(state=absent), takes Flux away and leaves everything that it has applied, and its namespace with the Secrets.
  - Runs on the controller, with the kubeconfig of an administrator.
extends_documentation_fragment:
  - k8s.self_provisioning.fleet
  - k8s.self_provisioning.kubernetes_auth
  - k8s.self_provisioning.cluster
  - k8s.self_provisioning.software
  - k8s.self_provisioning.software.manifest
  - k8s.self_provisioning.attributes
options:
  cluster:
    description:
      - The cluster, by default the host that the task runs for. Its C(cluster_delivery) must be V(gitops).
  confirm:
    description:
      - The name of the cluster, once more; needed with O(state=absent).
  manifest:
    description:
      - The manifest, a file or an address. Its version must be that of the release line.
  url:
    description:
      - Where this cluster reads the fleet tree, instead of C(fleet_git.url).
    type: str
  provider:
    description:
      - How Flux logs in, such as V(github) for a GitHub App.
    type: str
  git:
    description:
      - "How Flux logs in to the repository: C(identity), C(identity_public) and C(known_hosts) for a deploy key;
        C(username) and C(password), or C(bearer_token); C(github_app_id), C(github_app_installation_id) and
        C(github_app_private_key); C(ca) for a private authority. Kept in a Secret of Flux, never written into Git."
    type: dict
    default: {}
  age_key_file:
    description:
      - File with the key that opens what SOPS has encrypted. When neither the file nor the cluster has one, a key is
        made; the file and the Secret C(sops-age) then hold it. Keep a copy where the cluster cannot burn with it.
        Clusters of one run may share a file.
    type: path
  flags:
    description:
      - More flags, by the name of the controller in the manifest, each a list such as V([--concurrent=10]).
      - They replace the flags of the same name in the manifest. Those that lock Flux down cannot be replaced.
    type: dict
    default: {}
  environment:
    description:
      - Variables of every controller, such as C(HTTPS_PROXY).
    type: dict
    default: {}
  registry:
    description:
      - Where the images are, instead of the place that the manifest names.
    type: str
    default: ""
  ca_file:
    description:
      - File with certificates that the controllers trust besides the system's. When they change, the controllers start
        anew.
    type: path
  alerts:
    description:
      - "What opens the way to those whom C(fleet_alerts) names, by the name of the alert: C(address), C(token),
        C(username), C(password), C(headers), C(proxy). Kept in the Secret C(alert-<name>) of Flux, never written into
        Git. Leave it out when the Secret is in the fleet tree, encrypted."
    type: dict
    default: {}
  tree:
    description:
      - The fleet tree. Those of its files that the cluster applies are looked at as well before API versions go.
    type: path
  allow_outdated:
    description:
      - Whether to go on when something is declared in an API version that the Flux of the release line does not serve,
        by others than the fleet tree's own files. What is there stays; its next change fails until it is declared anew.
    type: bool
    default: false
seealso:
  - module: k8s.self_provisioning.flux_status
"""

EXAMPLES = r"""
- name: Install Flux with a deploy key
  k8s.self_provisioning.flux_bootstrap:
    kubeconfig: ~/.kube/east-prod-admin.yaml
    manifest: files/flux-2.9.4.yaml
    checksum: sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0
    git:
      identity: "{{ lookup('ansible.builtin.file', 'deploy-key') }}"
      known_hosts: "{{ lookup('ansible.builtin.file', 'known_hosts') }}"
    age_key_file: ~/keys/east-prod.agekey
"""

RETURN = r"""
version:
  description: The version of Flux.
  returned: always
  type: str
  sample: v2.9.4
objects:
  description: What was not there as it should be, or was removed.
  returned: always
  type: list
  elements: dict
  sample:
    - {kind: Deployment, namespace: flux-system, name: source-controller, action: created}
outdated:
  description: What is declared in an API version that goes with this release, on the cluster or in O(tree).
  returned: always
  type: list
  elements: dict
  sample:
    - kind: HelmRelease
      namespace: physics-lab-sim-dev
      name: cache
      version: helm.toolkit.fluxcd.io/v2beta2
      applied_by: physics-lab-sim-dev/tenant
age_recipients:
  description:
    - The public keys of O(age_key_file), with which everybody may encrypt for this cluster. Empty in check mode when
      the key would be made.
  returned: always
  type: list
  elements: str
  sample: [age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj]
"""
