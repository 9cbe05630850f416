# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives a deliverer its rights on a cluster, with the identity of an administrator, and a login that ends soon."""

from __future__ import annotations

import base64
import datetime
import json
import time
import typing as t
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from .._objects.common import MANAGER, Object
from .discovery import Discovery
from .errors import LiveError
from .session import APPLY, MERGE, Session

_NOT_FOUND = 404
_SECONDS = 30.0
#: What the API server itself writes.
_SERVERS = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")


class Applied(t.NamedTuple):
    """What happened to an object: C(created), C(updated) or C(unchanged)."""

    kind: str
    namespace: str
    name: str
    action: str
    before: Object | None
    after: Object


def apply(
    session: Session,
    objects: Iterable[Object],
    *,
    check: bool,
    discovery: Discovery | None = None,
    fixed: Mapping[str, Iterable[str]] = MappingProxyType({}),
) -> list[Applied]:
    """Applies few objects in their order, exactly as they are: what others changed in them is put back.

    @param check: the API server tries, and keeps nothing.
    @param discovery: what the cluster serves, when the caller has read it.
    @param fixed: fields by kind that cannot be changed: an object in which one differs is deleted and made anew.
    @raises LiveError: one of them is refused.
    """
    discovery = discovery or Discovery(session)
    done: list[Applied] = []
    for target in objects:
        meta = target["metadata"]
        where = f"{target['kind']} {meta['name']}"
        found = discovery.find(target["apiVersion"], target["kind"])
        if found is None:
            raise LiveError(where, f"the API server does not know {target['apiVersion']}.", "Upgrade the cluster.")
        if target["kind"] == "ClusterRoleBinding" and not check:
            _wait_for_policies(session, discovery, done)
        path = found.path(meta.get("namespace"), meta["name"])
        before = session.get(path)
        if before and any(
            (before.get(key) or None) != (target.get(key) or None) for key in fixed.get(target["kind"], ())
        ):
            if check:
                # the API server would refuse to try it
                done.append(
                    Applied(target["kind"], meta.get("namespace", ""), meta["name"], "updated", said(before), target)
                )
                continue
            session.request("delete", "DELETE", path, ok=(_NOT_FOUND,), where=where)
        query = {"fieldManager": MANAGER, "force": "true", **({"dryRun": "All"} if check else {})}
        # In a trial the namespace of the first time is not there.
        ok = (_NOT_FOUND,) if check and before is None else ()
        answer = session.request(
            "patch", "PATCH", path, query=query, body=target, content_type=APPLY, ok=ok, where=where
        )
        after = target if answer.status == _NOT_FOUND else answer.body
        ownerless = _ownerless(after) if target["kind"] == "Secret" and answer.status != _NOT_FOUND else set()
        if ownerless:
            if not check:
                body, query = {"data": dict.fromkeys(ownerless)}, {"fieldManager": MANAGER}
                session.request("patch", "PATCH", path, query=query, body=body, content_type=MERGE, where=where)
            after["data"] = {key: value for key, value in after["data"].items() if key not in ownerless}
        same = before is not None and said(before) == said(after)
        action = "unchanged" if same else "created" if before is None else "updated"
        done.append(
            Applied(
                target["kind"], meta.get("namespace", ""), meta["name"], action, before and said(before), said(after)
            )
        )
    return done


def _ownerless(secret: Mapping[str, t.Any]) -> set[str]:
    """The keys of a Secret that nobody declares any more. What was applied as C(stringData), as older releases of the
    collection did, stays behind in C(data) when it is left out, and Flux would go on using it."""
    owned: set[str] = set()
    for entry in secret["metadata"].get("managedFields") or ():
        for field in ("f:data", "f:stringData"):
            owned.update(entry.get("fieldsV1", {}).get(field, ()))
    return {key for key in secret.get("data") or () if f"f:{key}" not in owned}


def said(live: Mapping[str, t.Any]) -> Object:
    """An object without what the API server itself writes."""
    result = {key: value for key, value in live.items() if key != "status"}
    result["metadata"] = {key: value for key, value in live["metadata"].items() if key not in _SERVERS}
    return result


def _wait_for_policies(session: Session, discovery: Discovery, done: Iterable[Applied]) -> None:
    """Nobody gets rights before the policy that confines them is in force."""
    for each in done:
        if each.kind != "ValidatingAdmissionPolicy" or each.action == "unchanged":
            continue
        found = discovery.find("admissionregistration.k8s.io/v1", each.kind)
        if found is None:
            continue
        end = time.monotonic() + _SECONDS
        while True:
            live = session.get(found.path(None, each.name)) or {}
            if live.get("status", {}).get("observedGeneration") == live.get("metadata", {}).get("generation"):
                break
            if time.monotonic() > end:
                raise LiveError(
                    f"{each.kind} {each.name}",
                    f"the cluster has not looked at it within {_SECONDS:.0f} s, so no rights were given.",
                    "Check that kube-controller-manager works, then run again.",
                )
            time.sleep(0.2)


class Login(t.NamedTuple):
    """A token, and when it ends."""

    token: str
    ends: datetime.datetime


def request_token(session: Session, namespace: str, name: str, seconds: int) -> Login:
    """A token of a ServiceAccount that ends by itself. The API server may shorten the time."""
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": seconds},
    }
    where = f"token of {namespace}/{name}"
    status = session.request("create", "POST", path, body=body, where=where).body["status"]
    ends = datetime.datetime.fromisoformat(str(status["expirationTimestamp"]).replace("Z", "+00:00"))
    return Login(str(status["token"]), ends)


def kubeconfig(session: Session, cluster: str, user: str, token: str) -> Object:
    """A kubeconfig that holds all it needs; the way to the cluster is that of the session."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": session.endpoint}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": user}}],
        "current-context": cluster,
    }


def seconds_left(config: t.Any, endpoint: Mapping[str, t.Any], now: float) -> float:
    """For how long a kubeconfig that C(kubeconfig) made still opens that way; 0 when it does not."""
    try:
        if config["clusters"][0]["cluster"] != dict(endpoint):
            return 0.0
        part = config["users"][0]["user"]["token"].split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["exp"]) - now
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return 0.0
