# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs Flux on a cluster, and takes it away without taking what it has applied."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote

from .._objects.common import FLUX_NAMESPACE, Object
from . import bootstrap, flux_upgrade
from .bootstrap import Applied
from .discovery import Discovery
from .errors import LiveError
from .foundation import is_established
from .listing import list_all
from .session import MERGE, Session

_DEFINITION = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
_SUFFIX = ".fluxcd.io"
_SECONDS = 60.0
_PAUSE = 0.3
_NOT_FOUND = 404
#: Kinds whose controller deletes what it has applied when one of them goes, unless it is suspended.
_APPLIERS = ("HelmRelease", "Kustomization")


def install(
    session: Session,
    manifest: Iterable[Object],
    sync: Iterable[Object],
    moves: Iterable[flux_upgrade.Move] = (),
    *,
    check: bool,
) -> list[Applied]:
    """Flux's own objects, then, once their definitions are served, those by which it reads the tree.

    @param moves: definitions that lose API versions, which go first.
    @param check: the API server tries, and keeps nothing.
    @raises LiveError: one of them is refused.
    """
    manifest, moves = list(manifest), list(moves)
    done = flux_upgrade.foretold(moves) if check else flux_upgrade.move(session, moves)
    moved = {each.name for each in moves}
    rest = [each for each in manifest if each["kind"] != _DEFINITION[1] or each["metadata"]["name"] not in moved]
    done += bootstrap.apply(session, rest, check=check)
    definitions = [each["metadata"]["name"] for each in manifest if each["kind"] == _DEFINITION[1]]
    if not check:
        _wait(lambda: all(is_established(session, name) for name in definitions), "its definitions are served")
    for each in sync:
        discovery = Discovery(session)
        if check and discovery.find(each["apiVersion"], each["kind"]) is None:
            # Its definition would come with this run, so nobody can be asked.
            meta = each["metadata"]
            done.append(Applied(each["kind"], meta["namespace"], meta["name"], "created", None, each))
            continue
        done += bootstrap.apply(session, [each], check=check)
    return done


def stored_key(session: Session, name: str, key: str) -> str:
    """The value of a Secret in Flux's namespace, as base64; empty when there is none."""
    found = session.get(f"/api/v1/namespaces/{FLUX_NAMESPACE}/secrets/{name}") or {}
    return str((found.get("data") or {}).get(key, ""))


def remove(session: Session, manifest: Iterable[Object], *, check: bool) -> list[Applied]:
    """Takes Flux away. What it has applied stays as it is: everything is suspended first, so that a controller which
    still runs deletes nothing. The namespace stays, with its Secrets: one of them opens what is encrypted.

    @raises LiveError: something cannot be removed.
    """
    manifest = list(manifest)
    discovery = Discovery(session)
    gone: list[Applied] = []
    custom = _custom(session, discovery, manifest)
    for path, each in custom:
        if each["kind"] in _APPLIERS and not (each.get("spec") or {}).get("suspend") and not check:
            _patch(session, path, {"spec": {"suspend": True}})
    for each in manifest:
        if each["kind"] == "Deployment":
            gone += _delete(session, discovery, each, check=check)
    if not check:
        _wait(lambda: not _pods(session), "its controllers have ended")
    for path, each in custom:
        if not check:
            _patch(session, path, {"metadata": {"finalizers": None}})
        meta = each["metadata"]
        gone.append(Applied(each["kind"], meta.get("namespace", ""), meta["name"], "deleted", each, {}))
    for each in reversed(manifest):
        if each["kind"] not in ("Deployment", "Namespace"):
            gone += _delete(session, discovery, each, check=check)
    return gone


def _custom(session: Session, discovery: Discovery, manifest: Iterable[Object]) -> list[tuple[str, Object]]:
    """Every object of a kind that Flux defines."""
    found = []
    for each in manifest:
        if each["kind"] != _DEFINITION[1] or not each["spec"]["group"].endswith(_SUFFIX):
            continue
        version = next(v["name"] for v in each["spec"]["versions"] if v["storage"])
        resource = discovery.find(f"{each['spec']['group']}/{version}", each["spec"]["names"]["kind"])
        if resource is not None:
            for item in list_all(session, resource, selector=""):
                meta = item["metadata"]
                found.append((resource.path(meta["namespace"], meta["name"]), item))
    return found


def _delete(session: Session, discovery: Discovery, target: Mapping[str, t.Any], *, check: bool) -> list[Applied]:
    meta = target["metadata"]
    resource = discovery.find(target["apiVersion"], target["kind"])
    if resource is None:
        return []
    path = resource.path(meta.get("namespace"), meta["name"])
    before = session.get(path)
    if before is None:
        return []
    if not check:
        session.request("delete", "DELETE", path, ok=(_NOT_FOUND,), where=f"{target['kind']} {meta['name']}")
    return [Applied(target["kind"], meta.get("namespace", ""), meta["name"], "deleted", before, {})]


def _patch(session: Session, path: str, body: Object) -> None:
    session.request("patch", "PATCH", path, body=body, content_type=MERGE, ok=(_NOT_FOUND,), where=path)


def _pods(session: Session) -> list[t.Any]:
    selector = quote("app.kubernetes.io/part-of=flux")
    found = session.get(f"/api/v1/namespaces/{FLUX_NAMESPACE}/pods?labelSelector={selector}") or {}
    return list(found.get("items") or ())


def _wait(test: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + _SECONDS
    while not test():
        if time.monotonic() > end:
            raise LiveError(
                "Flux", f"still not so after {_SECONDS:.0f} s: {what}.", "Look at its pods, then run again."
            )
        time.sleep(_PAUSE)
