# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses of a cluster, for people."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .table import table

_WORDS = {
    "ok": "",
    "full": "full: who asks next gets none",
    "missing": "declared, but not on the cluster: run the playbook of its delivery",
    "differs": "other addresses than declared: run the playbook of its delivery",
    "undeclared": "no longer declared; the next run removes it",
    "unknown": "not declared in the inventory, and not made by this collection",
}


def lines(state: Mapping[str, t.Any]) -> list[str]:
    """A table of the pools, then what waits."""
    rows = [
        [
            each["name"],
            each["advertise"],
            ", ".join(each["tenants"]) or "everybody",
            f"{each['assigned']} of {each['size']}",
            _WORDS[each["state"]],
        ]
        for each in state["pools"]
    ]
    told = [headline(state), *table(("pool", "by", "for", "used", ""), rows)]
    told += [
        f"  {each['namespace']}/{each['name']} has no address: {each['why']}"
        + (f" (tenant {each['tenant']})" if each["tenant"] else "")
        for each in state["waiting"]
    ]
    return told + [f"  MetalLB does not take its configuration: {each}" for each in state["invalid"]]


def headline(state: Mapping[str, t.Any]) -> str:
    """One line."""
    full = [each["name"] for each in state["pools"] if each["state"] == "full"]
    parts = [f"{len(state['pools'])} pools of addresses", f"{state['assigned']} Services have one"]
    if state["waiting"]:
        parts.append(f"{len(state['waiting'])} wait for one")
    if full:
        parts.append(f"full: {', '.join(full)}")
    return f"{state['cluster']}: {'; '.join(parts)}"
