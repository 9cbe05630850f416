# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the schema that repeats at every level of the hierarchy (defaults, size, tenant, project, environment).

Draft-07 keywords only. C(x-merge) names the inheritance rule of a field (see C(inheritance.RULES)), C(x-hint) is the
sentence shown when a pattern does not match, C(x-names) says what kind of name a value is, for suggestions.
"""

from __future__ import annotations

import typing as t

from . import names

Schema = dict[str, t.Any]

SECURITY_DOMAINS = {
    "internet_facing": "exposed to the Internet, high risk",
    "internal_only": "reachable from the organisation's network only",
    "vpn_required": "sensitive administration systems, reachable through the VPN only",
}
SLA_TIERS = {
    "tier_1_critical": "99.99 % uptime; two clusters in different failure domains",
    "tier_2_important": "99.9 % uptime",
    "tier_3_standard": "99.5 % uptime",
}
STAGES = {"dev": "development", "staging": "the last stop before production", "prod": "production"}
STATES = {
    "active": "runs",
    "frozen": "runs, but nobody except the platform changes anything",
    "hibernated": "keeps its data; its compute quota is zero",
    "archived": "keeps its data; its compute quota is zero and its people may only look",
}
POD_SECURITY = ("privileged", "baseline", "restricted")
#: What an environment says that takes no size, not even that of the defaults.
NO_SIZE = "none"

HINT_LABEL = "Use lower-case letters, digits and dashes; start and end with a letter or digit; at most 63 characters."
HINT_DATE = "Write a date as YYYY-MM-DD."
DATE = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"


def text(description: str, **more: t.Any) -> Schema:
    return {"type": "string", "description": description, **more}


def choice(description: str, values: t.Iterable[str], **more: t.Any) -> Schema:
    return {"type": "string", "enum": list(values), "description": description, **more}


def array(description: str, items: Schema, **more: t.Any) -> Schema:
    return {"type": "array", "items": items, "description": description, **more}


def obj(description: str, properties: Schema, required: t.Iterable[str] = (), **more: t.Any) -> Schema:
    """A mapping with known keys; keys that start with an underscore are free for users."""
    schema: Schema = {
        "type": "object",
        "description": description,
        "properties": properties,
        "patternProperties": {"^_": {"description": "Free for your own use; ignored."}},
        "additionalProperties": False,
    }
    if required:
        schema["required"] = list(required)
    return {**schema, **more}


def mapping(description: str, values: Schema, **more: t.Any) -> Schema:
    return {"type": "object", "description": description, "additionalProperties": values, **more}


def payload(description: str, **more: t.Any) -> Schema:
    """Kubernetes' own words, handed on as they are."""
    return {"type": "object", "description": description + " Handed to Kubernetes as written.", **more}


def ref(name: str, description: str = "") -> Schema:
    return {"$ref": f"#/definitions/{name}", **({"description": description} if description else {})}


LABEL_ID = {"type": "string", "pattern": names.LABEL, "maxLength": names.MAX_LABEL, "x-hint": HINT_LABEL}
QUANTITY = {
    "type": ["string", "number"],
    "description": "A Kubernetes quantity: C(500m), C(4), C(16Gi).",
    "x-quantity": True,
}

DEFINITIONS: Schema = {
    "quantity": QUANTITY,
    "quantities": mapping(
        "Resource names and amounts.",
        ref("quantity"),
        propertyNames={
            "pattern": names.LABEL_KEY,
            "x-hint": "Use a resource name, such as requests.cpu or requests.nvidia.com/gpu.",
        },
        **{"x-quantities": True},
    ),
    "date": {
        "type": "string",
        "pattern": DATE,
        "x-hint": HINT_DATE,
        "x-date": True,
        "description": "A date, YYYY-MM-DD.",
    },
    "labels": {
        "type": "object",
        "description": "Kubernetes labels.",
        "additionalProperties": {
            "type": "string",
            "pattern": names.LABEL_VALUE,
            "maxLength": 63,
            "x-hint": "At most 63 letters, digits, dashes, dots and underscores; quote numbers and booleans.",
        },
        "propertyNames": {
            "pattern": names.LABEL_KEY,
            "x-hint": "Use letters, digits, dashes, dots and underscores, with an optional DNS prefix and a slash.",
        },
    },
    "annotations": mapping("Kubernetes annotations.", {"type": "string"}),
    "subject": obj(
        "Somebody who gets rights.",
        {
            "kind": choice("What it is.", ("User", "Group", "ServiceAccount")),
            "name": text("Its name, as the API server sees it.", minLength=1),
            "namespace": text("Only for a ServiceAccount.", pattern=names.LABEL, **{"x-hint": HINT_LABEL}),
        },
        ("kind", "name"),
    ),
    "role_binding": obj(
        "A ClusterRole granted inside the namespaces below this level.",
        {
            "cluster_role": text("The ClusterRole; it must be in C(allowed.cluster_roles).", minLength=1),
            "subjects": array("Who gets it.", ref("subject"), minItems=1),
        },
        ("cluster_role", "subjects"),
    ),
    "peer": obj(
        "The other end of allowed traffic: another environment of the fleet, or an address range.",
        {
            "tenant": text("A tenant.", **{"x-names": "tenant"}),
            "project": text("One of its projects; without it, all of them."),
            "environment": text("One of its environments; without it, all of them."),
            "cidr": text("An address range.", **{"x-cidr": True}),
            "except": array("Parts of the range that stay closed.", text("An address range.", **{"x-cidr": True})),
            "ports": array(
                "Ports; without it, every port.",
                {
                    "type": ["integer", "string"],
                    "minimum": 1,
                    "maximum": 65535,
                    "pattern": names.PORT_NAME,
                    "x-hint": "Write a number from 1 to 65535 without quotes, or the name of a port.",
                },
            ),
            "protocol": choice("The protocol of the ports.", ("TCP", "UDP", "SCTP"), default="TCP"),
            "reason": text("Why; kept for auditors."),
        },
        oneOf=[{"required": ["tenant"]}, {"required": ["cidr"]}],
        **{"x-hint": "Name either a tenant or a cidr, not both."},
    ),
    "resource_quota": obj(
        "What an environment may use in all.",
        {
            "hard": ref("quantities", "Limits by resource name, as in a ResourceQuota."),
            "scoped": array(
                "Further ResourceQuotas that count only some pods.",
                obj(
                    "One scoped quota.",
                    {
                        "name": text("Its name.", pattern=names.LABEL, **{"x-hint": HINT_LABEL}),
                        "hard": ref("quantities", "Limits by resource name."),
                        "scopes": array("Kubernetes quota scopes.", {"type": "string"}),
                        "scopeSelector": payload("A Kubernetes scope selector."),
                    },
                    ("name", "hard"),
                ),
            ),
        },
    ),
    "limit_range": obj(
        "Defaults and bounds of single containers, pods and claims.",
        {"limits": array("The items of a LimitRange, one per type.", payload("One item.", required=["type"]))},
    ),
    "contacts": obj(
        "Who to talk to.",
        {
            "owner": text("The person who answers for it."),
            "technical": array("Who to call when it breaks.", {"type": "string"}),
            "security": text("Who to call about an incident."),
        },
    ),
    "classification": obj(
        "Why it may live only on some clusters.",
        {
            "data": array(
                "Kinds of regulated data it holds.", {"type": "string", "x-names": "data class"}, uniqueItems=True
            ),
            "security_domain": choice("From where it can be reached.", SECURITY_DOMAINS),
            "sla_tier": choice("How much downtime it may have.", SLA_TIERS),
        },
    ),
    "allowed": obj(
        "What people below may use. A level can only narrow it; no list, no limit; an empty list allows nothing.",
        {
            "registries": array(
                "Image registries, as prefixes of image names.",
                {
                    "type": "string",
                    "pattern": names.REGISTRY,
                    "x-hint": "Write a registry and folders in it, such as registry.example.com/team, without https://.",
                },
            ),
            "storage_classes": array("Storage classes.", {"type": "string", "minLength": 1}),
            "ingress": obj(
                "How it may be reached from outside.",
                {
                    "classes": array("Ingress classes.", {"type": "string", "minLength": 1}),
                    "hostnames": array(
                        "Host names; a leading C(*.) stands for any name below.",
                        {
                            "type": "string",
                            "pattern": names.HOSTNAME,
                            "x-hint": "Write a host name in lower case, such as www.example.com or *.example.com.",
                        },
                    ),
                },
            ),
            "priority_classes": array("Priority classes that pods may name.", {"type": "string"}),
            "cluster_roles": array("ClusterRoles that bindings may grant.", {"type": "string"}),
            "service_types": array(
                "Types of Services.", choice("A type.", ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"))
            ),
        },
    ),
    "gitops": obj(
        "The Git repository that Flux applies to the namespace, with the rights of the namespace's own reconciler.",
        {
            "url": text(
                "Address of the repository.",
                pattern=r"^https://[^\s@]+$|^ssh://([^\s:@/]+@)?[^\s@]+$",
                **{"x-hint": "Use an https:// or ssh:// address without a password in it."},
            ),
            "branch": text("Branch."),
            "tag": text("Tag; wins over the branch."),
            "path": text("Folder inside the repository; C({environment}) stands for the environment's name."),
            "interval": text(
                "How often to look.", pattern=r"^([0-9]+(ms|s|m|h))+$", **{"x-hint": "Write a duration, such as 5m."}
            ),
            "secret": text("Name of the Secret in the namespace that holds the credentials."),
        },
    ),
}

#: The fields that every level may set, with their inheritance rules.
LAYER: Schema = {
    "labels": {**ref("labels", "Labels of the namespaces."), "x-merge": "labels"},
    "annotations": {**ref("annotations", "Annotations of the namespaces."), "x-merge": "keys"},
    "contacts": {**ref("contacts"), "x-merge": {"owner": "override", "technical": "add", "security": "override"}},
    "classification": {**ref("classification"), "x-merge": "keys"},
    "resource_quota": {**ref("resource_quota"), "x-merge": {"hard": "quota keys", "scoped": "by name"}},
    "limit_range": {**ref("limit_range"), "x-merge": {"limits": "by type"}},
    "pod_security": {
        **obj(
            "Pod Security levels; the stricter of two levels wins. A time-boxed grant can relax it.",
            {
                "enforce": choice("Pods that break it are refused.", POD_SECURITY),
                "audit": choice("Pods that break it are noted in the audit log.", POD_SECURITY),
                "warn": choice("Who creates them is warned.", POD_SECURITY),
                "version": text(
                    "The version of the rules: C(latest) or C(v1.30).",
                    pattern=r"^(latest|v1\.\d+)$",
                    **{"x-hint": "Write latest, or a version such as v1.30."},
                ),
            },
        ),
        "x-merge": {"enforce": "stricter", "audit": "stricter", "warn": "stricter", "version": "override"},
    },
    "allowed": {
        **ref("allowed"),
        "x-merge": {
            "registries": "narrow paths",
            "storage_classes": "narrow",
            "ingress": {"classes": "narrow", "hostnames": "narrow hosts"},
            "priority_classes": "narrow",
            "cluster_roles": "narrow",
            "service_types": "narrow",
        },
    },
    "role_bindings": {**array("Rights besides those of the owners.", ref("role_binding")), "x-merge": "add"},
    "network": {
        **obj(
            "Allowed traffic. Everything else is denied both ways, except DNS and the namespace itself.",
            {
                "allow_from": array("Who may connect to it.", ref("peer")),
                "egress": array("What it may connect to.", ref("peer")),
                "ingress_controller": {"type": "boolean", "description": "Ingress controllers may connect."},
                "monitoring": {"type": "boolean", "description": "The monitoring system may connect."},
            },
        ),
        "x-merge": {"allow_from": "add", "egress": "add", "ingress_controller": "override", "monitoring": "override"},
    },
    "requires": {
        **obj(
            "What a cluster must offer.",
            {
                "features": array("Features that the cluster must have.", {"type": "string"}, uniqueItems=True),
                "regions": array("Regions that will do.", {"type": "string"}, uniqueItems=True),
            },
        ),
        "x-merge": {"features": "add", "regions": "narrow"},
    },
    "priority_class": {**text("Priority class that pods should name; shown to the teams."), "x-merge": "override"},
    "pod_disruption_budget": {
        **payload("Spec of a PodDisruptionBudget over all pods of the namespace."),
        "x-merge": "override",
    },
    "adoption_policy": {
        **choice("What happens to an existing namespace of that name.", ("never", "if_identical", "always")),
        "x-merge": "override",
    },
    "deletion_policy": {
        **choice("What happens to the namespace when it leaves the inventory.", ("retain", "archive", "delete")),
        "x-merge": "override",
    },
}
