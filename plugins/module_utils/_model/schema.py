# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one schema of the inventory: tenants, clusters, and the organisation's settings.

It is the source of validation, defaults, reference documentation, the editor schema files and role argument specs.
"""

from __future__ import annotations

import typing as t

from . import names
from .release_lines import RELEASE_LINES
from .schema_alerts import ALERT
from .schema_kubernetes import KUBERNETES, NODE
from .schema_layer import (
    DEFINITIONS,
    HINT_LABEL,
    LABEL_ID,
    LAYER,
    SECURITY_DOMAINS,
    SLA_TIERS,
    STAGES,
    Schema,
    array,
    choice,
    mapping,
    obj,
    payload,
    ref,
    text,
)
from .schema_network import BGP, POOL
from .schema_storage import STORAGE
from .schema_tenant import NUMBER, TENANT

DRAFT = "http://json-schema.org/draft-07/schema#"

_ADDRESSES = {
    "type": ["string", "array"],
    "items": {"type": "string"},
    "description": "One address range, or two for dual stack.",
    "x-addresses": True,
}

_RECIPIENT: Schema = {
    "type": "string",
    "pattern": "^age1[a-z0-9]+$",
    "x-hint": "Use a public key of age, which begins with age1; flux_bootstrap tells it.",
}

CLUSTER: Schema = {
    "cluster_description": text("What it is for."),
    "cluster_environment": choice("The stage that it serves.", STAGES),
    "cluster_region": text("Where it stands."),
    "cluster_failure_domain": text("What fails together with it: a rack, a room, a power feed."),
    "cluster_labels": ref("labels", "Labels of the cluster, shown in its facts."),
    "cluster_classifications": array(
        "Kinds of regulated data that may live on it.", {"type": "string", "x-names": "data class"}, uniqueItems=True
    ),
    "cluster_security_domain": choice("From where it can be reached.", SECURITY_DOMAINS),
    "cluster_sla_tier": choice("The uptime that it is built for.", SLA_TIERS),
    "cluster_features": array("What it offers besides.", {"type": "string"}, uniqueItems=True),
    "cluster_dedicated_to": array(
        "Tenants it is reserved for, with the tenants below them.", {"type": "string", "x-names": "tenant"}
    ),
    "cluster_capacity": ref("quantities", "What its nodes offer to tenants."),
    "cluster_overcommit": mapping(
        "How many times the capacity may be promised, by resource.",
        {"type": "number", "exclusiveMinimum": 0, "maximum": 1000},
    ),
    "cluster_prices": mapping("Prices that differ from the organisation's, by resource.", NUMBER),
    "cluster_freeze_windows": array(
        "Times in which nothing new is placed on it.",
        obj(
            "One window.",
            {"from": ref("date", "First day."), "to": ref("date", "Last day."), "reason": text("Why.")},
            ("from", "to", "reason"),
        ),
    ),
    "cluster_delivery": choice("How objects reach it.", ("gitops", "live"), default="gitops"),
    "cluster_kubeconfig": text("Path of its kubeconfig; only for delivery C(live)."),
    "cluster_age_recipients": array(
        "Public keys of age that open the secrets of this cluster in the fleet tree.", _RECIPIENT, uniqueItems=True
    ),
    "cluster_release_line": choice("Its tested set of versions; default C(fleet_release_line).", RELEASE_LINES),
    "cluster_kubernetes": {
        **KUBERNETES,
        "description": "How Kubernetes is built, where it differs from C(fleet_kubernetes).",
    },
    "cluster_storage_classes": array("Its storage classes.", {"type": "string"}, uniqueItems=True),
    "cluster_storage": {
        **STORAGE,
        "description": "Where volumes come from, where it differs from C(fleet_storage), setting by setting.",
    },
    "cluster_network": obj(
        "Its addresses.",
        {
            "node_cidr": {
                **_ADDRESSES,
                "description": "The network of its nodes. Clusters with the same one share a network.",
            },
            "api_vip": {"type": "string", "description": "Address of its API.", "x-address": True},
            "api_extra_vips": array(
                "More addresses of its API, such as one of the other family. They are always where C(api_vip) is.",
                {"type": "string", "x-address": True},
                uniqueItems=True,
            ),
            "api_router_id": {
                "type": "integer",
                "minimum": 1,
                "maximum": 255,
                "description": "VRRP router id of C(api_vip), unlike those of all others in its network. Default: the "
                "last byte of the address.",
            },
            "pod_cidr": {**_ADDRESSES, "description": "Addresses of pods."},
            "service_cidr": {**_ADDRESSES, "description": "Addresses of Services."},
            "load_balancer_pools": array("Addresses for Services of type LoadBalancer.", POOL),
            "bgp": BGP,
        },
    ),
    "cluster_dns": obj(
        "Where pods resolve names.",
        {
            "namespace": text("Namespace of the DNS pods.", default="kube-system"),
            "labels": ref("labels", "Labels of the DNS pods."),
            "ports": array("Ports the DNS pods listen on.", {"type": "integer"}, default=[53]),
            "node_local": text("Address of the node-local cache.", **{"x-address": True}),
        },
    ),
    "cluster_services": mapping(
        "Platform services it runs, by name in C(fleet_services), with what differs here.",
        obj(
            "What differs on this cluster.",
            {
                "version": text("Another chart version."),
                "values": payload("Chart values laid over the organisation's."),
            },
        ),
    ),
    "cluster_apps": array(
        "Applications from C(apps/) in the fleet tree; the overlay is the cluster's stage.", LABEL_ID
    ),
}

SERVICE = obj(
    "A platform service: a Helm chart that Flux installs, or, without C(repository), what a released manifest holds.",
    {
        "namespace": {**LABEL_ID, "description": "Its namespace; default its name."},
        "pod_security": choice(
            "Pod Security level of the namespace.", ("privileged", "baseline", "restricted"), default="baseline"
        ),
        "repository": text(
            "https:// address of a Helm repository, or oci:// address of a chart. Without it the service comes from "
            "a released manifest, which the service's role takes.",
            pattern=r"^(https|oci)://\S+$",
            **{"x-hint": "Use an https:// Helm repository or an oci:// chart."},
        ),
        "chart": text("Name of the chart; default its name."),
        "version": text("Version of the chart or the manifest."),
        "versions": mapping("The same by release line.", {"type": "string"}),
        "registry": text("For a released manifest: where its images are, instead of where it says."),
        "depends_on": array("Services that must be ready before.", {"type": "string"}),
        "values": payload("Chart values."),
    },
)

FLEET: Schema = {
    "fleet_name": text("The organisation.", default="fleet"),
    "fleet_label_domain": text(
        "Prefix of our own labels and annotations.",
        pattern=names.SUBDOMAIN,
        default="self-provisioning.internal",
        **{"x-hint": "Use a DNS name, such as platform.example.edu."},
    ),
    "fleet_release_line": choice(
        "The tested set of versions of clusters that do not choose one.", RELEASE_LINES, default="1.30"
    ),
    "fleet_defaults": obj(
        "What every environment starts from.",
        {
            **LAYER,
            "size": text("Size of environments that name none.", **{"x-names": "size"}),
            "owner_cluster_role": text("ClusterRole that owners get.", default="tenant-admin"),
        },
        default={},
    ),
    "fleet_sizes": mapping(
        "Named bundles of quota and defaults.",
        obj("One size.", {"description": text("For whom it is."), **LAYER}),
        default={},
        propertyNames={"pattern": names.LABEL, "x-hint": HINT_LABEL},
    ),
    "fleet_prices": obj(
        "What a month costs.",
        {
            "currency": text("Currency.", default="EUR"),
            "effective_from": ref("date", "Since when."),
            "month": mapping("Price of one unit for one month, by quota key: a core, a GiB, a device.", NUMBER),
            "environment_month": {
                **NUMBER,
                "description": "Base price of an environment on one cluster.",
                "default": 0,
            },
        },
        default={},
    ),
    "fleet_data_classes": mapping("Kinds of regulated data, with what regulates them.", {"type": "string"}, default={}),
    "fleet_protected_labels": array(
        "Label keys that a level below cannot change once set. C(*) stands for any text.",
        {"type": "string"},
        default=[],
    ),
    "fleet_policies": obj(
        "Rules that the API server itself enforces in every tenant namespace.",
        {
            "action": choice("What happens to an object that breaks one.", ("Deny", "Warn", "Audit"), default="Deny"),
            "forbid_latest_tag": {
                "type": "boolean",
                "default": True,
                "description": "Images need a tag other than latest, or a digest.",
            },
            "required_labels": array(
                "Labels that every workload must have.", {"type": "string"}, default=["app.kubernetes.io/name"]
            ),
            "platform_users": array(
                "Users who keep full rights, such as a break-glass account.", {"type": "string"}, default=[]
            ),
            "platform_groups": array("Groups who keep full rights.", {"type": "string"}, default=[]),
        },
        default={},
    ),
    "fleet_platform": obj(
        "Where platform parts run, for network rules.",
        {
            "ingress_namespace": text("Namespace of the ingress controllers.", default="ingress-nginx"),
            "monitoring_namespace": text("Namespace of the monitoring system.", default="monitoring"),
        },
        default={},
    ),
    "fleet_git": obj(
        "The repository that holds the fleet tree, as Flux sees it.",
        {
            "url": text("Its address.", default="ssh://git@git.example.internal/platform/fleet.git"),
            "branch": text("Its branch.", default="main"),
            "poll_interval": text("How often Flux asks the Git server for a new commit.", default="1m"),
            "interval": text("How often Flux puts right what differs on the cluster.", default="5m"),
            "retry_interval": text("How soon it tries again.", default="2m"),
            "timeout": text("How long one try may take.", default="5m"),
        },
        default={},
    ),
    "fleet_alerts": mapping(
        "Whom Flux tells of what goes wrong on clusters, by a name of your own.",
        ALERT,
        default={},
        propertyNames={"pattern": names.LABEL, "x-hint": HINT_LABEL},
    ),
    "fleet_age_recipients": array(
        "Public keys of age that open the secrets of every cluster: your recovery keys.",
        _RECIPIENT,
        uniqueItems=True,
        default=[],
    ),
    "fleet_kubernetes": {**KUBERNETES, "default": {}},
    "fleet_storage": {**STORAGE, "default": {}},
    "fleet_services": mapping("Platform services that clusters can run.", SERVICE, default={}),
}


def document(title: str, schema: Schema) -> Schema:
    """I(schema) as a document of its own."""
    return {"$schema": DRAFT, "title": title, "definitions": DEFINITIONS, **schema}


def expand(schema: Schema) -> Schema:
    """The same document with every reference replaced by what it names."""
    definitions = schema["definitions"]

    def walk(node: t.Any) -> t.Any:
        if isinstance(node, dict):
            if "$ref" in node:
                target = definitions[node["$ref"].rsplit("/", 1)[1]]
                return walk({**target, **{k: v for k, v in node.items() if k != "$ref"}})
            return {k: walk(v) for k, v in node.items()}
        return [walk(item) for item in node] if isinstance(node, list) else node

    return {k: walk(v) for k, v in schema.items() if k != "definitions"}


TENANT_SCHEMA = document("A tenant", TENANT)
CLUSTER_SCHEMA = document("A cluster", obj("Variables of a host of the group C(clusters).", CLUSTER))
FLEET_SCHEMA = document("The organisation", obj("Organisation-wide variables.", FLEET))
NODE_SCHEMA = document("A machine", obj("Variables of a machine of a cluster.", NODE))
#: The file of a tenant, for editors.
TENANT_FILE_SCHEMA = document(
    "A tenant file",
    {
        "type": "object",
        "patternProperties": {r"^tenant__[a-z0-9_]+$": TENANT},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    },
)
