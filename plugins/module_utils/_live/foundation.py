# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a platform service to a cluster without Flux: its software, then what it reads, once it can read it."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType

from .._objects.common import Object
from .._objects.foundation import workloads
from . import bootstrap
from .bootstrap import Applied
from .discovery import Discovery
from .errors import LiveError
from .kinds import Kind, kind_of
from .listing import list_all
from .session import Session
from .snapshot import key_of, made_by_us

_DEFINITION = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
_NAMESPACE = ("v1", "Namespace")
_PAUSE = 0.3
_NOT_FOUND = 404
#: With them would go what others have made.
_KEPT = (_DEFINITION, _NAMESPACE)
#: What the API server says while the program behind a webhook is not there yet, or not trusted yet.
_WEBHOOK = "failed calling webhook"
#: How a webhook says no.
_REFUSED = (400, 403, 422)

Mine = Callable[[Object], bool]
_Apply = Callable[[list[Object]], list[Applied]]


def everything(_each: Object) -> bool:
    return True


def bring(
    session: Session,
    software: Iterable[Object],
    configuration: Iterable[Object],
    kinds: Collection[Kind],
    *,
    check: bool,
    timeout: float,
    mine: Mine = everything,
    discovery: Discovery | None = None,
    fixed: Mapping[str, Iterable[str]] = MappingProxyType({}),
) -> list[Applied]:
    """Applies the software, waits until it works, applies the configuration, and removes what is no longer declared.

    @param kinds: the kinds of the configuration; what we have applied of them and is not declared goes.
    @param check: the API server tries, and keeps nothing.
    @param timeout: seconds for the software to work.
    @param mine: of these kinds, what belongs to this configuration, when another one has the same kinds.
    @param discovery: what the cluster serves, when the caller has read it.
    @param fixed: fields by kind that cannot be changed: an object in which one differs is deleted and made anew.
    @raises LiveError: something is refused, or does not work in time.
    """
    software, configuration = list(software), list(configuration)
    end = time.monotonic() + timeout
    known = discovery or Discovery(session)
    early = [each for each in software if kind_of(each) in _KEPT]
    done = bootstrap.apply(session, early, check=check, discovery=known)
    if not check:
        _wait_for_definitions(session, early, end)
    done += _apply_known(session, known, [each for each in software if kind_of(each) not in _KEPT], check=check)
    if not check:
        _wait_for_workloads(session, known, software, end)
        if any(each.action != "unchanged" for each in done):
            known.forget()
    # First what goes: its addresses may be wanted by what comes.
    declared = {key_of(each) for each in configuration}
    gone = [(path, each) for path, each in owned(session, known, kinds, mine) if key_of(each) not in declared]
    done += [_delete(session, path, each, check=check) for path, each in gone]

    def apply(objects: list[Object]) -> list[Applied]:
        return _apply_known(session, known, objects, check=check, fixed=fixed)

    configured, refused = _configure(apply, configuration, end, check=check)
    return [*done, *configured, *(_foretold(session, known, each) for each in refused)]


def take(
    session: Session, software: Iterable[Object], kinds: Collection[Kind], *, check: bool, mine: Mine = everything
) -> list[Applied]:
    """Removes the configuration, then the software. Definitions and namespaces stay, as others' objects would go with
    them.

    @raises LiveError: something cannot be removed.
    """
    discovery = Discovery(session)
    done = [_delete(session, path, each, check=check) for path, each in owned(session, discovery, kinds, mine)]
    for each in reversed(list(software)):
        if kind_of(each) in _KEPT:
            continue
        meta = each["metadata"]
        resource = discovery.find(each["apiVersion"], each["kind"])
        path = resource.path(meta.get("namespace"), meta["name"]) if resource else ""
        found = session.get(path) if path else None
        if found is not None:
            done.append(_delete(session, path, found, check=check))
    return done


def owned(
    session: Session, discovery: Discovery, kinds: Collection[Kind], mine: Mine = everything
) -> list[tuple[str, Object]]:
    """What we have applied of these kinds, with its path."""
    found = []
    for kind in kinds:
        resource = discovery.find(*kind)
        if resource is None:
            continue
        items = [{**each, "apiVersion": kind[0], "kind": kind[1]} for each in list_all(session, resource)]
        for each in made_by_us(items)[0]:
            meta = each["metadata"]
            if not meta.get("deletionTimestamp") and mine(each):
                found.append((resource.path(meta.get("namespace"), meta["name"]), each))
    return found


def _apply_known(
    session: Session,
    discovery: Discovery,
    objects: list[Object],
    *,
    check: bool,
    fixed: Mapping[str, Iterable[str]] = MappingProxyType({}),
) -> list[Applied]:
    """In a trial, what needs a definition that would come with this run cannot be asked about."""
    if not check:
        return bootstrap.apply(session, objects, check=False, discovery=discovery, fixed=fixed)
    done: list[Applied] = []
    for each in objects:
        if discovery.find(each["apiVersion"], each["kind"]) is None:
            meta = each["metadata"]
            done.append(Applied(each["kind"], meta.get("namespace", ""), meta["name"], "created", None, each))
        else:
            done += bootstrap.apply(session, [each], check=True, discovery=discovery, fixed=fixed)
    return done


def _configure(apply: _Apply, objects: list[Object], end: float, *, check: bool) -> tuple[list[Applied], list[Object]]:
    """In their order; but one that is refused is tried again after the others, which may take back what it needs.

    @returns: what was done, and in a trial what is refused as long as the others have taken nothing back.
    """
    done: list[Applied] = []
    waiting = objects
    while waiting:
        refused: list[tuple[Object, LiveError]] = []
        for each in waiting:
            try:
                done += _apply_patiently(apply, each, end, check=check)
            except LiveError as error:
                if error.status not in _REFUSED:
                    raise
                refused.append((each, error))
        if len(refused) == len(waiting):
            if not check:
                raise refused[0][1]
            return done, [each for each, _error in refused]
        waiting = [each for each, _error in refused]
    return done, []


def _apply_patiently(apply: _Apply, target: Object, end: float, *, check: bool) -> list[Applied]:
    while True:
        try:
            return apply([target])
        except LiveError as error:
            # the first seconds of a webhook: its program runs, and its certificate is not known yet
            if check or _WEBHOOK not in str(error) or time.monotonic() > end:
                raise
            time.sleep(_PAUSE)


def _foretold(session: Session, discovery: Discovery, target: Object) -> Applied:
    resource = discovery.find(target["apiVersion"], target["kind"])
    meta = target["metadata"]
    before = session.get(resource.path(meta.get("namespace"), meta["name"])) if resource else None
    action = "updated" if before else "created"
    shown = bootstrap.said(before) if before else None
    return Applied(target["kind"], meta.get("namespace", ""), meta["name"], action, shown, target)


def _delete(session: Session, path: str, target: Object, *, check: bool) -> Applied:
    meta = target["metadata"]
    if not check:
        session.request("delete", "DELETE", path, ok=(_NOT_FOUND,), where=f"{target['kind']} {meta['name']}")
    return Applied(target["kind"], meta.get("namespace", ""), meta["name"], "deleted", bootstrap.said(target), {})


def _wait_for_definitions(session: Session, objects: Iterable[Object], end: float) -> None:
    names = [each["metadata"]["name"] for each in objects if kind_of(each) == _DEFINITION]

    def missing() -> list[str]:
        return [name for name in names if not is_established(session, name)]

    _wait(missing, end, "the API server does not serve", "Look at their conditions, then run again.")


def is_established(session: Session, definition: str) -> bool:
    """Whether the API server serves what a CustomResourceDefinition defines."""
    found = session.get(f"/apis/{_DEFINITION[0]}/customresourcedefinitions/{definition}") or {}
    conditions = (found.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def _wait_for_workloads(session: Session, discovery: Discovery, software: Iterable[Object], end: float) -> None:
    running = workloads(software)

    def missing() -> list[str]:
        return [text for each in running if (text := _waits(session, discovery, each))]

    _wait(missing, end, "it does not run", "Look at the pods and events of its namespace, then run again.")


def _waits(session: Session, discovery: Discovery, target: Object) -> str:
    """Why a workload does not run; empty when it does."""
    meta = target["metadata"]
    resource = discovery.find(target["apiVersion"], target["kind"])
    found = session.get(resource.path(meta["namespace"], meta["name"])) if resource else None
    if found is None:
        return f"{target['kind']} {meta['name']} is gone"
    status: t.Any = found.get("status") or {}
    if found["kind"] == "DaemonSet":
        wanted, ready = status.get("desiredNumberScheduled", 0), status.get("numberAvailable", 0)
    else:
        wanted, ready = (found.get("spec") or {}).get("replicas", 1), status.get("availableReplicas", 0)
    if status.get("observedGeneration", 0) < found["metadata"]["generation"]:
        return f"{found['kind']} {meta['name']}: its controller has not looked at it"
    return "" if ready >= wanted else f"{found['kind']} {meta['name']}: {ready} of {wanted} pods are available"


def _wait(missing: Callable[[], list[str]], end: float, what: str, fix: str) -> None:
    while True:
        left = missing()
        if not left:
            return
        if time.monotonic() > end:
            raise LiveError(", ".join(left), f"{what} in time.", fix)
        time.sleep(_PAUSE)
