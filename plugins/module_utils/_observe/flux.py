# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Flux has made of the fleet tree on a cluster: which commit is live for whom, and what failed and why."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from .._live.discovery import Discovery
from .._live.kinds import Kind
from .._live.listing import list_all
from .._live.session import Session
from .._model.fleet import Fleet
from .._model.release_lines import RELEASE_LINES
from .._objects.alerts import alert_objects
from .._objects.common import FLUX_NAMESPACE
from .._objects.flux_cluster import cluster_kustomizations, tenant_kustomization
from .._objects.flux_install import SYNC
from .._objects.flux_tenant import NAME as TENANT_NAME
from .._objects.platform import RELEASE_API

Object = Mapping[str, t.Any]
Row = dict[str, t.Any]

_SOURCES = "source.toolkit.fluxcd.io/v1"
REPOSITORY: Kind = (_SOURCES, "GitRepository")
CHARTS: Kind = (_SOURCES, "HelmRepository")
KUSTOMIZATION: Kind = ("kustomize.toolkit.fluxcd.io/v1", "Kustomization")
RELEASE: Kind = (RELEASE_API, "HelmRelease")

#: What is wrong for now and mends itself, and what somebody has to look at.
GOOD, PENDING, BAD = ("ready", "suspended"), ("behind", "progressing", "waiting"), ("failed", "missing")
_WAITS = ("DependencyNotReady",)
_NO_SOURCE = "Source artifact not found"
_ORDER = {state: place for place, state in enumerate((*BAD, *PENDING, *GOOD))}


def flux_state(
    session: Session, fleet: Fleet, name: str, now: datetime.datetime, *, tenants: Collection[str] = ()
) -> Row:
    """The state of a cluster, as Flux's conditions tell it.

    @param tenants: only these; empty for all, and what belongs to the cluster as a whole.
    @raises LiveError: the objects of Flux cannot be read.
    """
    return assess(
        _read(session, RELEASE_LINES[fleet.clusters[name].release_line].oci_repository), fleet, name, now, tenants
    )


def _read(session: Session, oci: str) -> dict[Kind, list[Object]]:
    kinds = (REPOSITORY, KUSTOMIZATION, CHARTS, (oci, "OCIRepository"), RELEASE)
    discovery = Discovery(session)
    discovery.load(kinds)

    def read(kind: Kind) -> list[Object]:
        resource = discovery.find(*kind, refresh=False)
        return list(list_all(session, resource, selector="")) if resource else []

    with ThreadPoolExecutor(max_workers=len(kinds)) as pool:
        return dict(zip(kinds, pool.map(read, kinds), strict=True))


def assess(
    found: Mapping[Kind, Iterable[Object]],
    fleet: Fleet,
    name: str,
    now: datetime.datetime,
    tenants: Collection[str] = (),
) -> Row:
    """The same, of objects that have been read."""
    cluster = fleet.clusters[name]
    here = [each for each in fleet.on_cluster(name) if not tenants or each.tenant.id in tenants]
    applied = {(_home(each), each["metadata"]["name"]): each for each in found[KUSTOMIZATION]}
    ours = {each: item for (namespace, each), item in applied.items() if namespace == FLUX_NAMESPACE}
    repositories = {(_home(each), each["metadata"]["name"]): each for each in found[REPOSITORY]}
    source = repositories.get((FLUX_NAMESPACE, SYNC))
    seen = _revision((source or {}).get("status", {}).get("artifact", {}).get("revision", ""))

    owners = {tenant_kustomization(each.tenant.id): each.tenant.id for each in here}
    declared = [
        each["metadata"]["name"]
        for each in cluster_kustomizations(
            cluster,
            owners.values(),
            fleet.settings,
            bool(cluster.services),
            cluster.get("apps") or (),
            has_alerts=bool(alert_objects(cluster, owners.values(), fleet.settings)),
        )
    ]
    names = sorted(owners) if tenants else [SYNC, *declared, *sorted(set(ours) - {SYNC, *declared})]
    rows = [_row("GitRepository", SYNC, source, now)]
    for each in names:
        # an operator's own may have another source, whose revisions are not the fleet tree's
        follows = seen if _is_of_tree(ours.get(each)) else ""
        rows.append(_row("Kustomization", each, ours.get(each), now, commit=follows))
    for row in rows:
        row["tenant"] = owners.get(row["name"], "")
    if not tenants:
        for kind, items in found.items():
            if kind not in (REPOSITORY, KUSTOMIZATION):
                mine = (each for each in items if _home(each) == FLUX_NAMESPACE)
                rows += [{**_row(kind[1], each["metadata"]["name"], each, now), "tenant": ""} for each in mine]
    # a tenant's own repository is the tenant's business, so it is told apart
    projects = []
    for environment in here:
        key = (environment.namespace, TENANT_NAME)
        if environment.values.get("gitops"):
            git = repositories.get(key)
            commit = _revision((git or {}).get("status", {}).get("artifact", {}).get("revision", ""))
            for row in (
                _row("GitRepository", TENANT_NAME, git, now),
                _row("Kustomization", TENANT_NAME, applied.get(key), now, commit=commit),
            ):
                about = {"namespace": environment.namespace, "tenant": environment.tenant.id}
                projects.append({**row, **about, "environment": environment.key})
    result: Row = {
        "cluster": name,
        "commit": seen,
        "fetched_at": (source or {}).get("status", {}).get("artifact", {}).get("lastUpdateTime", ""),
        "objects": rows,
        "repositories": projects,
        "tenants": _tenants(rows, projects),
        "healthy": all(row["state"] in GOOD for row in rows),
        "repositories_healthy": all(row["state"] in GOOD for row in projects),
        "pending": any(row["state"] in PENDING for row in rows),
    }
    return result


def _tenants(rows: Iterable[Row], projects: Iterable[Row]) -> dict[str, Row]:
    result: dict[str, Row] = {}
    for row in rows:
        if row["tenant"]:
            result[row["tenant"]] = {
                "state": row["state"],
                "commit": row["commit"],
                "since": row["since"],
                "age": row["age"],
                "message": row["message"],
                "repositories": {},
            }
    for row in projects:
        states = result.setdefault(row["tenant"], {"repositories": {}})["repositories"]
        states[row["environment"]] = min(states.get(row["environment"], "ready"), row["state"], key=_ORDER.__getitem__)
    return dict(sorted(result.items()))


def _row(kind: str, name: str, found: Object | None, now: datetime.datetime, *, commit: str = "") -> Row:
    """What one object says about itself.

    @param commit: what its source offers; another one that is applied is behind.
    """
    row: Row = {"kind": kind, "namespace": FLUX_NAMESPACE, "name": name}
    if found is None:
        return {**row, "state": "missing", "reason": "", "message": "it is not on the cluster.", "commit": "",
                "since": "", "age": None}  # fmt: skip
    status, meta = found.get("status") or {}, found["metadata"]
    ready: Object = next((each for each in status.get("conditions") or () if each["type"] == "Ready"), {})
    live = status.get("lastAppliedRevision") or (status.get("artifact") or {}).get("revision") or ""
    state = _state(found, ready)
    if state == "ready" and commit and _revision(live) != commit:
        state = "behind"
    since = ready.get("lastTransitionTime", meta.get("creationTimestamp", ""))
    return {
        **row,
        "state": state,
        "reason": ready.get("reason", ""),
        "message": str(ready.get("message", "")),
        "commit": _revision(live),
        "since": since,
        "age": _age(since, now),
    }


def _state(found: Object, ready: Object) -> str:
    if (found.get("spec") or {}).get("suspend"):
        return "suspended"
    status = found.get("status") or {}
    if not ready:
        # a repository of charts in a registry has nothing to do, so it says nothing
        return "ready" if (found.get("spec") or {}).get("type") == "oci" else "progressing"
    seen = ready.get("observedGeneration", status.get("observedGeneration", 0))
    if seen != found["metadata"].get("generation", seen):
        return "progressing"
    if ready["status"] == "False":
        waits = ready.get("reason") in _WAITS or str(ready.get("message", "")).startswith(_NO_SOURCE)
        return "waiting" if waits else "failed"
    return "ready" if ready["status"] == "True" else "progressing"


def _is_of_tree(found: Object | None) -> bool:
    source = ((found or {}).get("spec") or {}).get("sourceRef") or {}
    place = (source.get("kind"), source.get("namespace") or FLUX_NAMESPACE, source.get("name"))
    return place == (REPOSITORY[1], FLUX_NAMESPACE, SYNC)


def _home(found: Object) -> str:
    return str(found["metadata"].get("namespace", ""))


def _revision(text: str) -> str:
    """The commit of C(main@sha1:1f0e…); of a chart, its version."""
    return text.rpartition("@")[2].rpartition(":")[2] if "@sha" in text else text


def _age(since: str, now: datetime.datetime) -> int | None:
    try:
        then = datetime.datetime.fromisoformat(since.replace("Z", "+00:00"))
    except ValueError:
        return None
    return max(0, int((now - then).total_seconds()))
