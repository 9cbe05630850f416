# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the role api_endpoint. Their defaults are read from its C(defaults/main.yml)."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

from .role_types import Entry, Options, Role

_DEFAULTS = Path(__file__).resolve().parents[3] / "roles" / "api_endpoint" / "defaults" / "main.yml"
_TEXTS: dict[str, tuple[str, str, dict[str, t.Any]]] = {
    "state": (
        "str",
        "V(absent) stops and removes HAProxy, Keepalived and everything that the role has written.",
        {"choices": ["present", "absent"]},
    ),
    "interface": ("str", "Interface for the address. By default the one that has the host's own address.", {}),
    "vrrp_mode": (
        "str",
        "How the hosts speak to each other. V(unicast) listens to hosts of the inventory only, from the same network "
        "segment; V(multicast) to everybody there.",
        {"choices": ["unicast", "multicast"]},
    ),
    "advert_interval": (
        "float",
        "Seconds between two signs of life of the holder. When five are missing, another host takes over. The same on "
        "all hosts of a cluster.",
        {},
    ),
    "preflight_severity": (
        "dict",
        "What a check of the preflight means: V(error), V(warning) or V(ignore), by the name that stands in brackets "
        "after a finding.",
        {},
    ),
    "backend_port": ("int", "Port of the API servers themselves.", {}),
    "health_port": (
        "int",
        "Port on which each host tells the others of its cluster what it sees, and its metrics (C(/metrics)).",
        {},
    ),
    "health_from": ("list", "Networks that may read it besides the cluster's machines.", {"elements": "str"}),
    "check_interval": ("int", "Milliseconds between two checks of an API server, which ask for C(/readyz).", {}),
    "check_timeout": ("int", "Milliseconds that an answer may take. Two bad ones in a row, and it gets no more.", {}),
    "connect_timeout": ("int", "Milliseconds until a connection is given to the next API server.", {}),
    "idle_timeout": ("int", "Seconds after which a connection is cut on which nothing goes either way.", {}),
    "max_connections": ("int", "Connections that HAProxy takes at once.", {}),
    "reload_grace": ("int", "Seconds that connections may go on after HAProxy has got a new configuration.", {}),
}


def _options() -> Options:
    defaults = yaml.safe_load(_DEFAULTS.read_text(encoding="utf-8"))
    found: Options = {}
    for name, (kind, text, more) in _TEXTS.items():
        full = f"api_endpoint_{name}"
        found[full] = {"type": kind, "default": defaults.pop(full), "description": [text], **more}
    if defaults:
        raise ValueError(f"roles/api_endpoint has options that are not described: {', '.join(defaults)}")
    return found


_OPTIONS = _options()
_LOOKED_AT = ("state", "interface", "preflight_severity", "backend_port", "health_port")

API_ENDPOINT = Role(
    title="The address of the API on several control plane nodes",
    entries={
        "main": Entry(
            "Bring the address of the API",
            (
                "Reads C(cluster_network.api_vip) and C(cluster_kubernetes.api) of the host's cluster. "
                "Keepalived holds the address on one control plane node, HAProxy on each of them passes connections on "
                "to API servers that are ready. Nodes of clusters without C(api_vip) are left as they are.",
                "First looks at all clusters of the inventory and at all hosts, and tells everything that is wrong. "
                "When anything is an error, nothing is changed anywhere.",
                "For Ubuntu 22.04 and 24.04 and Debian 12. Put C(any_errors_fatal: true) on the play.",
            ),
            _OPTIONS,
        ),
        "preflight": Entry(
            "Only tell what is wrong",
            ("Looks at all clusters and hosts like C(main), and ends there.",),
            {f"api_endpoint_{name}": _OPTIONS[f"api_endpoint_{name}"] for name in _LOOKED_AT},
        ),
    },
    reads_settings=False,
    example="""\
- name: Bring the addresses of the APIs
  hosts: kube_control_plane
  become: true
  gather_facts: false
  any_errors_fatal: true
  roles:
    - role: k8s.self_provisioning.api_endpoint
""",
)
