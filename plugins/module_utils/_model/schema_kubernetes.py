# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the schema that says how a cluster is built: Kubernetes itself, and its machines.

The words are ours and the same for every release line; C(_kubespray) turns them into the words of a Kubespray release.
"""

from __future__ import annotations

from . import names
from .schema_layer import LABEL_ID, POD_SECURITY, Schema, array, choice, mapping, obj, ref, text

NETWORK_PLUGINS = (
    "calico",
    "cilium",
    "flannel",
    "kube-ovn",
    "kube-router",
    "weave",
    "macvlan",
    "cni",
    "custom_cni",
    "none",
)
TAINT = r"^[A-Za-z0-9][-A-Za-z0-9_./]*(=[-A-Za-z0-9_.]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$"
_URL = {"pattern": r"^https?://\S+$", "x-hint": "Use an address that starts with https://."}


def _switch(description: str, default: bool | None = None) -> Schema:
    return {"type": "boolean", "description": description, **({} if default is None else {"default": default})}


def _whole(description: str, least: int, most: int, default: int | None = None) -> Schema:
    node: Schema = {"type": "integer", "minimum": least, "maximum": most, "description": description}
    return node if default is None else {**node, "default": default}


KUBERNETES = obj(
    "How Kubernetes is built.",
    {
        "version": text(
            "Kubernetes version, when it is not that of the release line: a later patch, or a step of an upgrade.",
            pattern=r"^1\.\d+\.\d+$",
            **{"x-hint": "Write it in full and without a v, such as 1.30.3."},
        ),
        "network_plugin": choice("What connects the pods.", NETWORK_PLUGINS, default="calico"),
        "proxy_mode": choice("How Services are reached.", ("ipvs", "iptables", "nftables"), default="ipvs"),
        "node_prefix": _whole("Prefix length of each machine's share of the pod addresses.", 16, 30, 24),
        "node_prefix_v6": _whole(
            "The same for IPv6. Default: the prefix length of the pod addresses plus eight.", 32, 124
        ),
        "max_pods": _whole("Most pods on a machine.", 1, 1000, 110),
        "reserve_resources": _switch("Keep processor time and memory back for the kubelet and the system.", True),
        "hardening": choice(
            "C(cis) adds what the CIS benchmark asks for: no anonymous access, strong ciphers, rate limits, rotated "
            "kubelet certificates, and Pod Security C(restricted) as the default.",
            ("none", "cis"),
            default="none",
        ),
        "api": obj(
            "How the API is reached.",
            {
                "port": _whole("Port of the virtual address C(cluster_network.api_vip).", 1, 65535, 6443),
                "domain_name": text(
                    "Name of the virtual address. Every machine must be able to resolve it.",
                    pattern=names.SUBDOMAIN,
                    **{"x-hint": "Use a DNS name, such as api.east-prod.example.edu."},
                ),
                "balancer": choice(
                    "How machines reach it: through the virtual address, or through a proxy on each machine, which "
                    "does not depend on the address.",
                    ("vip", "local"),
                    default="vip",
                ),
                "extra_names": array("More names and addresses for its certificate.", {"type": "string"}),
            },
        ),
        "oidc": obj(
            "Who signs people in.",
            {
                "issuer": text(
                    "Address of the issuer.", pattern=r"^https://\S+$", **{"x-hint": "It starts with https://."}
                ),
                "client_id": text("The client that Kubernetes is to the issuer."),
                "username_claim": text("Claim that holds the user name.", default="sub"),
                "username_prefix": text("What goes before user names.", default="oidc:"),
                "groups_claim": text("Claim that holds the groups.", default="groups"),
                "groups_prefix": text("What goes before group names.", default="oidc:"),
                "ca_file": text("File on the control plane with the certificate of the issuer's authority."),
            },
            ("issuer", "client_id"),
        ),
        "audit": obj(
            "The log of who asked the API for what.",
            {
                "enabled": _switch("Keep it.", True),
                "max_age": _whole("Days to keep it.", 1, 3660, 30),
                "max_backups": _whole("Files to keep.", 1, 10000, 10),
                "max_size": _whole("MiB after which a new file is begun.", 1, 10000, 100),
                "webhook": text("Address that gets every entry as well.", **_URL),
            },
        ),
        "encryption": obj(
            "Encryption of what etcd holds.",
            {
                "enabled": _switch("Encrypt it.", True),
                "algorithm": choice("How.", ("secretbox", "aescbc", "aesgcm"), default="secretbox"),
                "resources": array("What is encrypted.", {"type": "string"}, default=["secrets"]),
            },
        ),
        "pod_security": obj(
            "Pod Security of namespaces that say nothing themselves.",
            {
                "enforce": choice("Pods that break it are refused.", POD_SECURITY, default="baseline"),
                "audit": choice("Pods that break it are noted in the audit log.", POD_SECURITY, default="restricted"),
                "warn": choice("Who creates them is warned.", POD_SECURITY, default="restricted"),
                "exempt_namespaces": array("Namespaces without rules.", LABEL_ID, default=["kube-system"]),
            },
        ),
        "dns": obj(
            "Name resolution.",
            {
                "domain": text("Domain of Services.", pattern=names.SUBDOMAIN, default="cluster.local"),
                "upstream": array("Servers for all other names.", {"type": "string", "x-address": True}),
            },
        ),
        "etcd": obj(
            "The database of the control plane.",
            {
                "deployment": choice("As a service of the machine, or as a pod.", ("host", "kubeadm"), default="host"),
                "quota_gib": _whole("GiB that it may hold.", 1, 8, 2),
            },
        ),
        "registry_mirrors": mapping(
            "Where images of a registry are fetched instead, by registry; the first one that answers counts.",
            array("Mirrors.", text("Address of a mirror.", **_URL), minItems=1),
        ),
        "offline": obj(
            "Machines without the Internet: where everything comes from.",
            {
                "registry": text("Registry that holds all images.", pattern=names.REGISTRY),
                "files": text("Server that holds all files, in folders named like the hosts they come from.", **_URL),
            },
            ("registry", "files"),
        ),
        "gpu": obj(
            "Machines with C(node_gpu).",
            {
                "taint": _switch(
                    "Keep pods away that ask for no GPU. Pods that do ask need no toleration of their own.",
                    True,
                ),
            },
        ),
        "upgrade": obj(
            "How machines are upgraded. Control-plane machines always go one by one.",
            {
                "at_once": {
                    "type": ["integer", "string"],
                    "description": "Workers at the same time, as a number or a share.",
                    "default": "20%",
                },
                "drain_timeout": _whole("Seconds in which pods must have moved away.", 1, 86400, 360),
                "drain_grace_period": _whole("Seconds that a pod gets to end.", 1, 86400, 300),
                "pause": _whole("Seconds to wait after each machine.", 0, 86400, 0),
            },
        ),
        "variables": {
            "type": "object",
            "description": "Variables of Kubespray for which there is no key here. Handed on as written; they win.",
            "propertyNames": {"pattern": r"^[a-z_][a-z0-9_]*$", "x-hint": "Use a variable name."},
        },
    },
)

#: Variables of a machine.
NODE: Schema = {
    "node_ip": text("Address that Kubernetes binds to; default C(ansible_host).", **{"x-address": True}),
    "node_access_ip": text("Address at which the other machines reach it.", **{"x-address": True}),
    "node_labels": ref("labels", "Labels of the node."),
    "node_taints": array(
        "Taints of the node.",
        {
            "type": "string",
            "pattern": TAINT,
            "x-hint": "Write it as key=value:effect; the effect is NoSchedule, PreferNoSchedule or NoExecute.",
        },
        uniqueItems=True,
    ),
    "node_gpu": choice(
        "Whose GPUs it has. The node is labelled, and tainted unless told otherwise.", ("nvidia", "amd", "intel")
    ),
    "node_variables": {
        "type": "object",
        "description": "Variables of Kubespray for this machine. Handed on as written.",
        "propertyNames": {"pattern": r"^[a-z_][a-z0-9_]*$", "x-hint": "Use a variable name."},
    },
}
