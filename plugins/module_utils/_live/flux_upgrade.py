# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one release of Flux to the next: objects leave the API versions that the next one no longer serves.

A definition cannot lose a version while objects may be stored in it. So each definition that loses some first serves
both, as the releases in between did; every object is written once, which stores it in the new version; only then do the
old ones go. The API server also refuses to apply an object whose managers are noted in a version that is gone, so these
notes are moved as well: what C(flux migrate) does, with the step between that lets a release be skipped.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import time
import typing as t
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from .._objects.common import MANAGED_BY, MANAGER, Object
from . import bootstrap
from .bootstrap import Applied
from .discovery import Resource, root
from .errors import LiveError
from .foundation import is_established
from .listing import list_all
from .session import MERGE, Session

_SUFFIX = ".fluxcd.io"
_DEFINITION = "CustomResourceDefinition"
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_PATCH = "application/json-patch+json"
_NOT_FOUND, _CONFLICT, _INVALID = 404, 409, 422
_TRIES = 5
_SECONDS, _PAUSE = 60.0, 0.2
#: One API server says that it stores in the new version; the others get to know by then, as Kubernetes itself reckons.
_OTHER_SERVERS = 5.0
_HASH_BYTES = 8
#: Who applies from Git by himself, again and again, and would fail; Flux's own notes on objects come by themselves.
_APPLIERS = ("kustomize-controller", "helm-controller")
_BY = "kustomize.toolkit.fluxcd.io"


@dataclass(frozen=True)
class Move:
    """A definition that loses API versions.

    @param before: it as it is on the cluster.
    @param after: it as the manifest has it.
    """

    before: Object
    after: Object

    @property
    def name(self) -> str:
        return str(self.after["metadata"]["name"])

    @property
    def storage(self) -> str:
        """The version in which objects are stored afterwards."""
        return next(str(each["name"]) for each in self.after["spec"]["versions"] if each["storage"])

    @property
    def lost(self) -> list[str]:
        """The versions that it no longer has."""
        return sorted(_versions(self.before) - _versions(self.after))

    @property
    def stored(self) -> list[str]:
        """Those of them in which an object may be stored."""
        return sorted({*(self.before.get("status") or {}).get("storedVersions", ())} & {*self.lost})

    def resource(self, version: str) -> Resource:
        """Its objects, in a version."""
        spec = self.after["spec"]
        names = spec["names"]
        return Resource(f"{spec['group']}/{version}", names["kind"], names["plural"], spec["scope"] == "Namespaced")

    @property
    def present(self) -> Resource:
        """Its objects, in a version that is served now: the new one when it is."""
        served = [each["name"] for each in self.before["spec"]["versions"] if each["served"]]
        return self.resource(self.storage if self.storage in served else served[0])

    def bridge(self, *, moved: bool) -> Object:
        """The definition with the versions of both.

        @param moved: it stores in the new one.
        """
        both = copy.deepcopy(self.after)
        versions = both["spec"]["versions"]
        lost = [copy.deepcopy(each) for each in self.before["spec"]["versions"] if each["name"] in self.lost]
        versions += [{**each, "served": True} for each in lost]
        old = next(str(each["name"]) for each in self.before["spec"]["versions"] if each["storage"])
        for each in versions:
            each["storage"] = each["name"] == (self.storage if moved else old)
        return both


@dataclass(frozen=True)
class Outdated:
    """An object that somebody applies in a version that will be gone.

    @param applied_by: the Kustomization that brings it, C(<namespace>/<name>), or the field manager.
    @param ours: the fleet tree brings it, which has the new version as soon as it is written for the new release.
    """

    kind: str
    namespace: str
    name: str
    version: str
    applied_by: str
    ours: bool

    @property
    def text(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {place}, applied as {self.version} by {self.applied_by}"


def _versions(definition: Mapping[str, t.Any]) -> set[str]:
    return {str(each["name"]) for each in definition["spec"]["versions"]}


def moves(session: Session, manifest: Iterable[Object]) -> list[Move]:
    """The definitions on the cluster that lose API versions with this manifest."""
    found = []
    for each in manifest:
        if each["kind"] == _DEFINITION and str(each["spec"]["group"]).endswith(_SUFFIX):
            before = session.get(f"{_DEFINITIONS}/{each['metadata']['name']}")
            move = Move(before, each) if before else None
            if move and move.lost:
                found.append(move)
    return found


def served(manifest: Iterable[Object]) -> dict[tuple[str, str], list[str]]:
    """The API versions that a manifest serves, by group and kind."""
    return {
        (each["spec"]["group"], each["spec"]["names"]["kind"]): [
            f"{each['spec']['group']}/{v['name']}" for v in each["spec"]["versions"] if v["served"]
        ]
        for each in manifest
        if each["kind"] == _DEFINITION and str(each["spec"]["group"]).endswith(_SUFFIX)
    }


def outdated(session: Session, found: Iterable[Move]) -> list[Outdated]:
    """Objects on the cluster that are applied from Git in a version that will be gone."""
    result = []
    for move in found:
        gone = {f"{move.after['spec']['group']}/{name}" for name in move.lost}
        for each in list_all(session, move.present, selector=""):
            meta = each["metadata"]
            for entry in meta.get("managedFields", ()):
                if entry["apiVersion"] in gone and entry["manager"] in _APPLIERS and entry["operation"] == "Apply":
                    labels = meta.get("labels") or {}
                    by = "/".join(labels.get(f"{_BY}/{key}", "") for key in ("namespace", "name")).strip("/")
                    ours = labels.get(MANAGED_BY) == MANAGER
                    space = meta.get("namespace", "")
                    result.append(
                        Outdated(each["kind"], space, meta["name"], entry["apiVersion"], by or entry["manager"], ours)
                    )
    return result


def move(session: Session, found: Iterable[Move]) -> list[Applied]:
    """Moves all objects, and the definitions.

    @raises LiveError: an object would lose something, or the API server refuses. What is moved by then stays usable by
      the old release, and by another run.
    """
    found = list(found)
    both = [each for each in found if each.stored]
    for each in both:
        bootstrap.apply(session, [each.bridge(moved=False)], check=False)
    for each in both:
        _served(session, each)
    losses = [text for each in both for text in _losses(session, each)]
    if losses:
        raise LiveError(
            "API versions",
            "objects have what the new version does not know: " + "; ".join(losses) + ".",
            "Nothing is lost yet. Remove it from where they are declared, let Flux apply that, then run again.",
        )
    for each in both:
        bootstrap.apply(session, [each.bridge(moved=True)], check=False)
    for each in both:
        _stores(session, each)
    if both:
        time.sleep(_OTHER_SERVERS)
    done = []
    for each in found:
        _rewrite(session, each, all_of_them=bool(each.stored))
        if each.stored:
            path = f"{_DEFINITIONS}/{each.name}"
            body = {"status": {"storedVersions": [each.storage]}}
            session.request(
                "patch", "PATCH", f"{path}/status", body=body, content_type=MERGE, where=f"{_DEFINITION} {each.name}"
            )
        bootstrap.apply(session, [each.after], check=False)
        # The old controllers may have made notes in the old version until it was gone.
        _rewrite(session, each, all_of_them=False)
        done.append(_applied(each))
    return done


def foretold(found: Iterable[Move]) -> list[Applied]:
    """What C(move) would do."""
    return [_applied(each) for each in found]


def _applied(each: Move) -> Applied:
    return Applied(_DEFINITION, "", each.name, "updated", bootstrap.said(each.before), each.after)


def _served(session: Session, each: Move) -> None:
    """Waits until both versions are served."""
    paths = [each.resource(version).path() for version in (each.storage, *each.stored)]
    _wait(each, lambda: is_established(session, each.name) and all(session.get(f"{path}?limit=1") for path in paths))


def _stores(session: Session, each: Move) -> None:
    """Waits until objects are stored in the new version: what is written before would be lost with the old one."""
    resource = each.resource(each.storage)
    text = f"{resource.api_version}/{resource.kind}"
    wanted = base64.b64encode(hashlib.sha256(text.encode()).digest()[:_HASH_BYTES]).decode()

    def test() -> bool:
        listed = (session.get(root(resource.api_version)) or {}).get("resources", ())
        return any(r["name"] == resource.plural and r.get("storageVersionHash") == wanted for r in listed)

    _wait(each, test)


def _wait(each: Move, test: Callable[[], bool]) -> None:
    end = time.monotonic() + _SECONDS
    while not test():
        if time.monotonic() > end:
            raise LiveError(
                f"{_DEFINITION} {each.name}",
                f"after {_SECONDS:.0f} s the API server does not use both the old and the new version.",
                "Look at the conditions of the definition, then run again.",
            )
        time.sleep(_PAUSE)


def _losses(session: Session, each: Move) -> Iterator[str]:
    """What objects have in the old version and not in the new one."""
    for version in each.stored:
        before = {_key(item): item for item in list_all(session, each.resource(version), selector="")}
        after = {_key(item): item for item in list_all(session, each.resource(each.storage), selector="")}
        for key, item in before.items():
            missing = sorted(_missing(item.get("spec"), (after.get(key) or item).get("spec"), "spec"))
            if missing:
                yield f"{item['kind']} {key[0]}/{key[1]}: {', '.join(missing)}"


def _missing(old: t.Any, new: t.Any, path: str) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key, value in old.items():
            yield from _missing(value, new.get(key), f"{path}.{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (value, other) in enumerate(zip(old, new, strict=True)):
            yield from _missing(value, other, f"{path}[{index}]")
    elif old != new:
        yield path


def _key(item: Mapping[str, t.Any]) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _rewrite(session: Session, each: Move, *, all_of_them: bool) -> None:
    """Writes objects, which stores them in the new version, with their managers noted in it.

    @param all_of_them: also those whose managers are all right.
    """
    resource = each.resource(each.storage)
    gone = {f"{each.after['spec']['group']}/{name}" for name in each.lost}
    for item in list_all(session, resource, selector=""):
        _rewrite_one(session, resource, item, gone, anyway=all_of_them)


def _rewrite_one(session: Session, resource: Resource, item: Object, gone: set[str], *, anyway: bool) -> None:
    path = resource.path(item["metadata"].get("namespace"), item["metadata"]["name"])
    where = f"{resource.kind} {'/'.join(filter(None, _key(item)))}"
    ok = (_NOT_FOUND, _CONFLICT, _INVALID)
    for _try in range(_TRIES):
        meta = item["metadata"]
        notes = _notes(meta.get("managedFields", ()), gone, resource.api_version)
        if notes is None and not anyway:
            return
        if notes is None:
            answer = session.request("patch", "PATCH", path, body={}, content_type=MERGE, ok=ok, where=where)
        else:
            # with the version that was looked at, so that nobody's change in between is undone
            steps = [
                {"op": "test", "path": "/metadata/resourceVersion", "value": meta["resourceVersion"]},
                {"op": "replace", "path": "/metadata/managedFields", "value": notes},
            ]
            answer = session.request("patch", "PATCH", path, body=steps, content_type=_PATCH, ok=ok, where=where)
        if answer.status not in (_CONFLICT, _INVALID):
            return
        fresh = session.get(path)
        if fresh is None:
            return
        if answer.status == _INVALID and fresh["metadata"]["resourceVersion"] == meta["resourceVersion"]:
            # not the test above: nobody has changed it
            raise LiveError(
                where,
                f"{resource.api_version} refuses it: {str(answer.body.get('message', '')).rstrip('.')}.",
                "Correct the object where it is declared, let it be applied, then run again.",
            )
        item = fresh
    raise LiveError(where, "it is changed all the time.", "Run again.")


def _notes(entries: Iterable[Object], gone: set[str], version: str) -> list[Object] | None:
    """The notes on managers with the new version; None when none is in an old one. Of two that become the same, one is
    left that has the fields of both."""
    entries = list(entries)
    if not any(each["apiVersion"] in gone for each in entries):
        return None
    found: dict[str, Object] = {}
    for each in copy.deepcopy(entries):
        if each["apiVersion"] in gone:
            each["apiVersion"] = version
        key = json.dumps([each.get(name) for name in ("manager", "operation", "subresource", "apiVersion")])
        if key in found:
            found[key]["fieldsV1"] = _joined(found[key].get("fieldsV1") or {}, each.get("fieldsV1") or {})
        else:
            found[key] = each
    return list(found.values())


def _joined(one: Object, other: Object) -> Object:
    return {key: _joined(one.get(key) or {}, other.get(key) or {}) for key in sorted({*one, *other})}
