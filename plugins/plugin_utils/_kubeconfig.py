# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fetched kubeconfig under the cluster's own name.

Kubespray calls every cluster C(cluster.local) and every administrator alike, so that two of its files cannot be used
together. Private to the collection.
"""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.yaml_data import YamlError, load
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import emit


def adopt(text: str, cluster: str) -> str:
    """The kubeconfig with its cluster, its user and its context named after I(cluster).

    @raises AnsibleActionFail: it is no kubeconfig with one cluster.
    """
    try:
        value = load(text)
        (target,), (user,) = value["clusters"], value["users"]
        adopted: dict[str, t.Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": cluster, "cluster": target["cluster"]}],
            "users": [{"name": f"admin@{cluster}", "user": user["user"]}],
            "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": f"admin@{cluster}"}}],
            "current-context": cluster,
        }
    except (YamlError, KeyError, TypeError, ValueError):
        raise AnsibleActionFail(f"{cluster}: Kubespray left no usable kubeconfig.") from None
    return emit.render([adopted], "Kubespray's admin.conf").decode()
