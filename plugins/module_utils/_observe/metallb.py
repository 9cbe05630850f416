# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the addresses of a cluster are: what is left in each pool, and which Services wait for one and why."""

from __future__ import annotations

import typing as t

from .._live.discovery import Discovery
from .._live.kinds import Kind
from .._live.listing import list_all
from .._live.metallb import POOL, address_set, addresses_of, balanced, confusing
from .._live.session import Session
from .._live.snapshot import is_ours
from .._model.fleet import Fleet
from .._objects import metallb

Row = dict[str, t.Any]

_EVENT: Kind = ("v1", "Event")
_STATE: Kind = (metallb.API, "ConfigurationState")
_FAILED = "AllocationFailed"
_UNTOLD = "MetalLB has not said why; look whether its controller runs"


def address_state(session: Session, fleet: Fleet, name: str) -> Row:
    """The state of a cluster's pools and Services.

    @raises LiveError: Services or pools cannot be read.
    """
    cluster = fleet.clusters[name]
    declared = {str(each["name"]): each for each in metallb.pools(cluster)}
    found = {each["metadata"]["name"]: each for each in _all(session, POOL)}
    services = balanced(session)
    used = address_set(address for each in services for address in addresses_of(each))
    pools = []
    for pool in sorted({*declared, *found}):
        live, wanted = found.get(pool), declared.get(pool)
        spec = (live or {}).get("spec") or {}
        ranges = spec.get("addresses") or (wanted or {}).get("addresses", ())
        addresses = address_set(ranges)
        size = addresses.size
        if spec.get("avoidBuggyIPs"):
            size -= confusing(addresses)
        assigned = (addresses & used).size
        pools.append(
            {
                "name": pool,
                "addresses": list(ranges),
                "tenants": (wanted or {}).get("tenants", []),
                "advertise": (wanted or {}).get("advertise", "layer2"),
                "size": size,
                "assigned": assigned,
                "state": _pool_state(live, wanted, size - assigned),
            }
        )
    waiting = _waiting(session, fleet, name, [each for each in services if not addresses_of(each)])
    invalid = [
        f"{each['metadata']['name']}: {each['status'].get('errorSummary', '')}"
        for each in _all(session, _STATE)
        if (each.get("status") or {}).get("result") == "Invalid"
    ]
    bad = [each for each in pools if each["state"] in ("missing", "unknown")]
    return {
        "cluster": name,
        "pools": pools,
        "assigned": sum(1 for each in services if addresses_of(each)),
        "waiting": waiting,
        "invalid": invalid,
        "healthy": not (bad or waiting or invalid),
    }


def _pool_state(live: t.Any, wanted: t.Any, left: int) -> str:
    if live is None:
        return "missing"
    if wanted is None:
        return "undeclared" if is_ours(live) else "unknown"
    if live["spec"].get("addresses") != wanted["addresses"]:
        return "differs"
    return "ok" if left > 0 else "full"


def _waiting(session: Session, fleet: Fleet, name: str, services: list[t.Any]) -> list[Row]:
    """Services without an address, with what MetalLB said last."""
    if not services:
        return []
    owners = {each.namespace: each.tenant.id for each in fleet.on_cluster(name)}
    reasons: dict[tuple[str, str], tuple[str, str]] = {}
    for event in _all(session, _EVENT):
        about = event.get("involvedObject") or {}
        if event.get("reason") == _FAILED and about.get("kind") == "Service":
            key = (about.get("namespace", ""), about.get("name", ""))
            when = str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])
            reasons[key] = max(reasons.get(key, ("", "")), (when, str(event.get("message", ""))))
    rows = []
    for each in services:
        meta = each["metadata"]
        told = reasons.get((meta["namespace"], meta["name"]), ("", ""))[1]
        rows.append(
            {
                "namespace": meta["namespace"],
                "name": meta["name"],
                "tenant": owners.get(meta["namespace"], ""),
                "since": meta.get("creationTimestamp", ""),
                # it begins with the name of the Service once more
                "why": told.partition('": ')[2] or told or _UNTOLD,
            }
        )
    return sorted(rows, key=lambda row: (row["namespace"], row["name"]))


def _all(session: Session, kind: Kind) -> list[t.Any]:
    resource = Discovery(session).find(*kind)
    return list_all(session, resource, selector="") if resource else []
