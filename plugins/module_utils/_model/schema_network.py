# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the schema about addresses for Services, and how the network learns where they are."""

from __future__ import annotations

from .schema_layer import LABEL_ID, Schema, array, choice, mapping, obj, payload, ref, text

POOL = obj(
    "Addresses for Services of type LoadBalancer.",
    {
        "name": {**LABEL_ID, "description": "Name of the pool."},
        "addresses": array("Ranges: C(10.1.2.0/28) or C(10.1.2.10-10.1.2.20).", {"type": "string"}, minItems=1),
        "tenants": array("Tenants that may use it; without it, everybody.", {"type": "string", "x-names": "tenant"}),
        "auto_assign": {
            "type": "boolean",
            "default": True,
            "description": "Services may get an address without asking for this pool.",
        },
        "priority": {
            "type": "integer",
            "minimum": 1,
            "description": "Of several pools of a tenant, the one with the lowest number is used first.",
        },
        "avoid_buggy_addresses": {
            "type": "boolean",
            "description": "Never gives out addresses that end in .0 or .255, which old devices take for broadcast.",
        },
        "advertise": choice("How the network learns where the addresses are.", ("layer2", "bgp"), default="layer2"),
        "node_labels": ref("labels", "Only nodes with these labels announce the addresses; without it, all."),
        "interfaces": array(
            "For C(layer2): only these interfaces of the nodes answer.", {"type": "string"}, minItems=1
        ),
        "peers": array(
            "For C(bgp): only these peers of C(bgp.peers) learn the addresses.",
            {"type": "string", "x-names": "peer"},
            minItems=1,
        ),
        "communities": array(
            "For C(bgp): communities of the routes, by name in C(bgp.communities) or as C(64500:100).",
            {"type": "string"},
            minItems=1,
        ),
        "local_preference": {
            "type": "integer",
            "minimum": 0,
            "maximum": 2**32 - 1,
            "description": "For C(bgp): preference inside the own autonomous system; the higher wins.",
        },
        "aggregation_length": {
            "type": "integer",
            "minimum": 1,
            "maximum": 32,
            "description": "For C(bgp): prefix length of IPv4 routes; by default 32, one route for each address.",
        },
        "aggregation_length_v6": {
            "type": "integer",
            "minimum": 1,
            "maximum": 128,
            "description": "For C(bgp): prefix length of IPv6 routes, by default 128.",
        },
    },
    ("name", "addresses"),
)

_ASN: Schema = {"type": "integer", "minimum": 1, "maximum": 2**32 - 1}
_SECONDS = {
    "type": "string",
    "pattern": r"^([0-9]+(ms|s|m|h))+$",
    "x-hint": "Write a time such as 90s.",
}

BGP = obj(
    "The routers to which MetalLB announces pools with C(advertise: bgp).",
    {
        "asn": {**_ASN, "description": "The cluster's own autonomous system."},
        "peers": array(
            "The routers.",
            obj(
                "One router.",
                {
                    "name": {**LABEL_ID, "description": "Its name."},
                    "address": {"type": "string", "description": "Its address.", "x-address": True},
                    "asn": {**_ASN, "description": "Its autonomous system."},
                    "port": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": 65535,
                        "description": "Its port; default 179.",
                    },
                    "hold_time": {**_SECONDS, "description": "When a silent session counts as dead, such as C(90s)."},
                    "source_address": {"type": "string", "description": "Address of the nodes.", "x-address": True},
                    "multi_hop": {"type": "boolean", "description": "It is more than one hop away."},
                    "graceful_restart": {
                        "type": "boolean",
                        "description": "Routes stay while the session restarts. Needs the FRR manifest.",
                    },
                    "password_secret": {
                        **LABEL_ID,
                        "description": "Secret of type C(kubernetes.io/basic-auth) in MetalLB's namespace with the "
                        "session's password; yours, encrypted in the tree or applied by hand.",
                    },
                    "bfd_profile": text("A profile of C(bfd_profiles). Needs the FRR manifest."),
                    "node_labels": ref("labels", "Only nodes with these labels talk to it; without it, all."),
                },
                ("name", "address", "asn"),
            ),
            minItems=1,
        ),
        "communities": mapping("Names of communities, such as C(no-export: 65535:65281).", {"type": "string"}),
        "bfd_profiles": mapping(
            "Profiles for the fast detection of dead paths, as MetalLB's BFDProfile takes them.",
            payload("Such as C(receiveInterval), C(transmitInterval) and C(detectMultiplier)."),
        ),
    },
    ("asn", "peers"),
)
