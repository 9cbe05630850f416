# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options by which a module reaches a cluster; the names are those of kubernetes.core."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment."""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig, several paths separated by colons, or its content as a dictionary.
      - By default C(cluster_kubeconfig) of the cluster, then the environment variable E(K8S_AUTH_KUBECONFIG).
    type: raw
  context:
    description:
      - The context of the kubeconfig to use, by default its current one. Environment variable E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description:
      - URL of the API server. With it, no kubeconfig is needed. Environment variable E(K8S_AUTH_HOST).
    type: str
  api_key:
    description:
      - A bearer token. Environment variable E(K8S_AUTH_API_KEY).
    type: str
  username:
    description:
      - For a proxy in front of the API server that asks for a name and a password. Environment variable
        E(K8S_AUTH_USERNAME).
    type: str
  password:
    description:
      - The password for O(username). Environment variable E(K8S_AUTH_PASSWORD).
    type: str
  validate_certs:
    description:
      - Whether to check the API server's certificate. Environment variable E(K8S_AUTH_VERIFY_SSL).
    type: bool
    aliases: [verify_ssl]
  ca_cert:
    description:
      - File with the authorities that the API server's certificate is checked with. Environment variable
        E(K8S_AUTH_SSL_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  client_cert:
    description:
      - File with a client certificate. Environment variable E(K8S_AUTH_CERT_FILE).
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - File with the key of O(client_cert). Environment variable E(K8S_AUTH_KEY_FILE).
    type: path
    aliases: [key_file]
  proxy:
    description:
      - URL of a proxy. Environment variable E(K8S_AUTH_PROXY).
    type: str
  no_proxy:
    description:
      - Hosts, separated by commas, for which the proxy is not used. Environment variable E(K8S_AUTH_NO_PROXY).
    type: str
  proxy_headers:
    description:
      - Headers for the proxy. Environment variables E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH),
        E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH) and E(K8S_AUTH_PROXY_HEADERS_USER_AGENT).
    type: dict
    suboptions:
      basic_auth:
        description: Name and password, separated by a colon.
        type: str
      proxy_basic_auth:
        description: Name and password for the proxy, separated by a colon.
        type: str
      user_agent:
        description: Name of the program.
        type: str
  persist_config:
    description:
      - Whether to write a token that was refreshed into the kubeconfig. Environment variable
        E(K8S_AUTH_PERSIST_CONFIG). By default not.
    type: bool
  impersonate_user:
    description:
      - User to act as. Environment variable E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description:
      - Groups to act as. Environment variable E(K8S_AUTH_IMPERSONATE_GROUPS), separated by commas.
    type: list
    elements: str
notes:
  - Needs the Python library C(kubernetes) on the controller.
  - The environment is the same for every cluster of a run. So with O(kubeconfig), O(host) or C(cluster_kubeconfig), of
    the variables C(K8S_AUTH_*) only those of O(proxy), O(no_proxy), O(proxy_headers) and O(persist_config) count.
  - Tokens, passwords and the content of kubeconfigs are never part of a message or a result.
"""
