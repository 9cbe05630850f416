# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything there is to say about the tenants of a live cluster."""

from __future__ import annotations

import typing as t
from collections.abc import Collection

from .._live.kinds import MANAGER, NAMESPACE
from .._live.session import Session
from .._live.snapshot import is_ours, key_of, labels_of
from .._model.fleet import Fleet
from .._objects.cluster_bundle import cluster_bundle
from .._objects.common import HOME_NAMESPACE, build
from .._objects.environment import environment_objects
from .._objects.provisioner import provisioner_objects
from .drift import fields
from .leftovers import extras, orphans, row_of, troubled
from .look import QUOTA, Object, look
from .usage import usage

_FLUX = "kustomize-controller"
Row = dict[str, t.Any]


def observe(session: Session, fleet: Fleet, name: str, *, tenants: Collection[str] = (), parallel: int = 8) -> Row:
    """The state of a cluster.

    @param tenants: only these; empty for all, and what belongs to the cluster as a whole.
    @raises LiveError: it cannot be read.
    """
    cluster, settings = fleet.clusters[name], fleet.settings
    manager = MANAGER if cluster.delivery == "live" else _FLUX
    here = [each for each in fleet.on_cluster(name) if not tenants or each.tenant.id in tenants]
    if tenants:
        objects = [each for environment in here for each in environment_objects(environment, cluster, settings)]
    else:
        objects = cluster_bundle(fleet, name)
        if cluster.delivery == "live":
            objects = [build("v1", "Namespace", HOME_NAMESPACE), *objects]
    desired = {key_of(each): each for each in objects}
    seen = look(session, {kind for kind, _namespace, _name in desired}, parallel=parallel)
    found = {key_of(item): item for each in seen.values() for item in each.items}
    drift, missing = [], []
    for key, each in desired.items():
        error = seen[key[0]].error
        if error is None and key not in found:
            served = seen[key[0]].served
            why = "" if served else f"the cluster does not serve {key[0][1]} of {key[0][0]}."
            missing.append(row_of(each, why=why))
        elif error is None and key != (NAMESPACE, "", HOME_NAMESPACE):
            drift += _drift(each, found[key], manager)
    # an administrator makes these
    known = {*desired, *(key_of(each) for each in provisioner_objects(fleet, name))}
    keys = {each.namespace: each.key for each in here}
    domain = settings.label_domain
    ours = {
        item["metadata"]["name"]
        for item in seen[NAMESPACE].items
        if is_ours(item) and (not tenants or labels_of(item).get(f"{domain}/tenant") in tenants)
    }
    mine = {*keys, *ours}
    result: Row = {
        "cluster": name,
        "usage": usage(here, (item for item in seen[QUOTA].items if is_ours(item))),
        "drift": drift,
        "missing": missing,
        "orphans": orphans(seen, known, domain, tenants=tenants, manager=manager),
        "extras": extras(seen, mine),
        "namespaces": troubled((item for item in seen[NAMESPACE].items if item["metadata"]["name"] in mine), keys),
        "unreadable": [
            {"api_version": kind[0], "kind": kind[1], "why": str(each.error)}
            for kind, each in seen.items()
            if each.error
        ],
        "requests": dict(session.requests),
    }
    result["summary"] = {
        "environments": len(here),
        "objects": len(desired),
        **{part: len(result[part]) for part in _PARTS},
    }
    result["in_sync"] = not any(result[part] for part in ("drift", "missing", "orphans", "unreadable"))
    return result


_PARTS = ("drift", "missing", "orphans", "extras", "namespaces", "unreadable")


def _drift(desired: Object, live: Object, manager: str) -> list[Row]:
    rows = fields(desired, live, manager)
    managed = is_ours(live)
    if not rows and managed:
        return []
    return [row_of(live, managed=managed, fields=rows)]
