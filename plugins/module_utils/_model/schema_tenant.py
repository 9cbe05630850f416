# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of what a tenant file declares: a tenant, its projects, environments and databases."""

from __future__ import annotations

from .schema_layer import (
    LABEL_ID,
    LAYER,
    STAGES,
    STATES,
    array,
    choice,
    obj,
    ref,
    text,
)

NUMBER = {"type": "number", "minimum": 0, "maximum": 10**12}

GRANT = obj(
    "Something given for a time. It ends by itself, and validation then reminds you to remove it.",
    {
        "kind": choice("What is given.", ("quota", "role", "pod_security", "network")),
        "hard": ref("quantities", 'For C(quota): what is added, such as C(requests.cpu: "+8").'),
        "cluster_role": text("For C(role): the ClusterRole."),
        "subjects": array("For C(role): who gets it.", ref("subject"), minItems=1),
        "level": choice(
            "For C(pod_security): the level that is enforced meanwhile.", ("privileged", "baseline", "restricted")
        ),
        "allow_from": array("For C(network): who may connect.", ref("peer")),
        "egress": array("For C(network): what it may connect to.", ref("peer")),
        "expires_at": ref("date", "The first day on which it no longer counts."),
        "reason": text("Why.", minLength=1),
        "request": text("The request or ticket it comes from."),
        "break_glass": {"type": "boolean", "description": "Marks an emergency right in reports."},
    },
    ("kind", "expires_at", "reason"),
    allOf=[
        {"if": {"required": ["kind"], "properties": {"kind": {"const": kind}}}, "then": {"required": needed}}
        for kind, needed in (("quota", ["hard"]), ("role", ["cluster_role", "subjects"]), ("pod_security", ["level"]))
    ],
)

PLACEMENT = obj(
    "Where it lives. Written by the tool; a placement that stands here is never changed silently.",
    {
        "clusters": array("The clusters.", {"type": "string", "x-names": "cluster"}, minItems=1, uniqueItems=True),
        "decided_at": ref("date"),
        "reason": text("Why there."),
    },
    ("clusters",),
)

ENVIRONMENT = obj(
    "An environment: one namespace on one or more clusters.",
    {
        "name": {**LABEL_ID, "description": "Its name; part of the namespace's name."},
        "description": text("What it is for."),
        "stage": choice("Which clusters it belongs on. Default: the name, when that is a stage.", STAGES),
        "size": text(
            "One of C(fleet_sizes), or C(none): only what C(fleet_defaults) and the levels themselves say.",
            **{"x-names": "size"},
        ),
        "state": choice("What it does now.", STATES, default="active"),
        "expires_at": ref("date", "The day after which it is no longer needed."),
        "placement": PLACEMENT,
        "grants": array("What it has for a time.", GRANT),
        "gitops": ref("gitops"),
        **LAYER,
    },
    ("name",),
)

DATABASE = obj(
    "A PostgreSQL database outside the clusters, one for each environment, with a role that owns it and a Secret.",
    {
        "name": {
            **LABEL_ID,
            "description": "Its name; the Secret in the namespace is C(postgresql-<name>). It never changes.",
        },
        "environments": array(
            "Only for these environments; without it, for each.", {"type": "string"}, uniqueItems=True
        ),
        "extensions": array("Extensions it has.", {"type": "string", "pattern": r"^[a-z][a-z0-9_-]*$"}),
        "connection_limit": {
            "type": "integer",
            "minimum": 1,
            "default": 20,
            "description": "How many connections it may have at once.",
        },
        "password_generation": {
            "type": "integer",
            "minimum": 1,
            "default": 1,
            "description": "A higher number is a new password.",
        },
    },
    ("name",),
)

PROJECT = obj(
    "A project: one piece of work of a tenant, with its environments.",
    {
        "id": {**LABEL_ID, "description": "Its name; part of the namespaces' names. It never changes."},
        "display_name": text("Its name for people."),
        "description": text("What it is for."),
        "owners": array("Who may administer its environments.", ref("subject")),
        "billing": obj("Who pays.", {"cost_center": text("Cost centre; default the tenant's.")}),
        "budget": obj("What its environments may use together.", {"hard": ref("quantities")}),
        "gitops": ref("gitops"),
        "environments": array("Its environments.", ENVIRONMENT),
        "databases": array("Its databases.", DATABASE),
        **LAYER,
    },
    ("id",),
)

TENANT = obj(
    "A tenant: a department, a team or a customer that gets its own share of the fleet.",
    {
        "id": {**LABEL_ID, "description": "Its name; part of the namespaces' names. It never changes."},
        "display_name": text("Its name for people."),
        "description": text("What it does."),
        "parent": text("The tenant whose budget it shares.", **{"x-names": "tenant"}),
        "owners": array("Who may administer all its environments, and those of the tenants below.", ref("subject")),
        "owner_cluster_role": text(
            "ClusterRole that owners get in its environments and those of the tenants below. "
            "Default C(fleet_defaults.owner_cluster_role)."
        ),
        "billing": obj(
            "Who pays.",
            {
                "cost_center": text("Cost centre."),
                "budget_month": {**NUMBER, "description": "Money per month; going over it is reported."},
            },
        ),
        "budget": obj("What it and the tenants below may use together.", {"hard": ref("quantities")}),
        "limits": obj(
            "How many things it and the tenants below may have.",
            {
                "projects": {"type": "integer", "minimum": 0, "description": "Projects."},
                "namespaces": {"type": "integer", "minimum": 0, "description": "Environments."},
            },
        ),
        "projects": array("Its projects.", PROJECT),
        **LAYER,
    },
    ("id",),
)
