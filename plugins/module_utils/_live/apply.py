# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings objects to the API server with server-side apply, wave by wave, many at a time."""

from __future__ import annotations

import re
import time
import typing as t
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .compare import differences, holds, owned_fields, owners, same
from .discovery import Resource
from .errors import LiveError
from .kinds import LAST, MANAGER, NAMESPACE, POLICY, POLICY_BINDING, kind_of, wave
from .report import Report, called, cleaned
from .session import APPLY, Session
from .snapshot import is_ours

Object = dict[str, t.Any]

_CREATED, _FORBIDDEN = 201, 403
#: C("name" using v1), as the server calls a manager that edited; one that applied is only C("name").
_EDITED = re.compile(r'"(?P<name>.*)" (?:with subresource .* )?using ')
_MANAGER = re.compile(r'"(?P<name>[^"]*)"')
_MOST_PATHS = 4
#: How long the API server's own copy of a namespace may be behind.
_STALE_PAUSES = (0.1, 0.2, 0.4, 0.8)
_THERE = "it was there already, without our label"


@dataclass
class Work:
    """An object to apply.

    @param live: what was listed, None when nothing was.
    @param takeover: its owner let us have it, whoever made it.
    """

    desired: Object
    resource: Resource
    live: Object | None = None
    takeover: bool = False


class Applier:
    """Applies with one field manager.

    @param namespaces: those that exist.
    @param blocked: namespaces into which nothing goes, with the reason; it grows when a namespace fails.
    """

    def __init__(
        self,
        session: Session,
        report: Report,
        *,
        check: bool,
        force: bool,
        parallel: int,
        namespaces: Iterable[str],
        blocked: dict[str, str],
    ) -> None:
        self._session, self._report = session, report
        self._check, self._force, self._parallel = check, force, parallel
        self._there = set(namespaces)
        #: What would exist if this were not check mode: nobody can ask the API server about things that need it.
        self._coming: set[str] = set()
        self._coming_policies: set[str] = set()
        #: Namespaces that would get another label: what is refused inside today may be allowed then.
        self._changing: set[str] = set()
        self._blocked = blocked

    def run(self, work: Iterable[Work]) -> None:
        """Applies everything; failures are in the report."""
        waves: list[list[Work]] = [[] for _unused in range(LAST + 1)]
        for each in work:
            waves[wave(kind_of(each.desired))].append(each)
        whole = sum(map(len, waves))
        with ThreadPoolExecutor(max_workers=self._parallel) as pool:
            for each_wave in waves:
                for _done in pool.map(self._one, each_wave):
                    self._report.step("objects applied", whole)

    def _one(self, work: Work) -> None:
        meta = work.desired["metadata"]
        namespace, kind = meta.get("namespace", ""), kind_of(work.desired)
        if namespace in self._blocked:
            self._report.add(work.desired, "skipped", self._blocked[namespace])
            return
        if namespace and namespace not in self._there:
            if namespace in self._coming:
                self._created(work.desired)
            else:
                self._report.add(
                    work.desired, "failed", f"the namespace {namespace} does not exist. Install what brings it first."
                )
            return
        if kind == POLICY_BINDING and work.desired["spec"]["policyName"] in self._coming_policies:
            self._created(work.desired)
            return
        try:
            try:
                self._apply(work)
            except LiveError as error:
                if error.status != _FORBIDDEN or namespace not in self._changing:
                    raise
                if self._check:
                    self._foretell(work)
                else:
                    self._insist(work)
        except LiveError as error:
            self._report.add(work.desired, "failed", error.brief)
            if kind == NAMESPACE:
                self._blocked[meta["name"]] = f"the namespace {meta['name']} failed: {error.brief}"
        else:
            if kind == NAMESPACE:
                self._settle(meta["name"])

    def _settle(self, namespace: str) -> None:
        if namespace in self._there:
            self._changing.add(namespace)
        else:
            (self._coming if self._check else self._there).add(namespace)

    def _insist(self, work: Work) -> None:
        """Admission may look at a namespace as it was a moment ago."""
        for pause in (*_STALE_PAUSES, None):
            try:
                return self._apply(work)
            except LiveError as error:
                if error.status != _FORBIDDEN or pause is None:
                    raise
                time.sleep(pause)
        return None

    def _apply(self, work: Work) -> None:
        forced = self._force
        try:
            status, after = self._send(work, force=forced)
        except LiveError as error:
            if error.status == _FORBIDDEN and work.live is not None and holds(work.desired, work.live):
                # somebody with more rights has applied it, as with the roles that the provisioner may not write
                self._report.unchanged()
                return
            if not error.is_conflict or forced:
                raise
            if not self._may_put_back(work, error):
                raise _explained(work, error) from None
            forced = True
            status, after = self._send(work, force=True)
        if status == _CREATED:
            self._created(work.desired)
            if self._check and kind_of(work.desired) == POLICY:
                self._coming_policies.add(work.desired["metadata"]["name"])
        elif work.live is None:
            self._report.add(work.desired, "updated", _THERE, after=after)
        elif self._is_changed(work.live, after):
            self._report.add(work.desired, "updated", _reason(work), before=work.live, after=after)
        else:
            self._report.unchanged()

    def _foretell(self, work: Work) -> None:
        """Without a trial, as with a namespace that is taken over: until it has a tenant, the provisioner may not write
        in it, not even in a trial."""
        meta = work.desired["metadata"]
        live = work.live or self._session.get(work.resource.path(meta["namespace"], meta["name"]))
        if live is None:
            self._created(work.desired)
        else:
            reason = _reason(work) if work.live else _THERE
            self._report.add(work.desired, "updated", reason, before=work.live, after=_overlaid(live, work.desired))

    def _created(self, desired: Object) -> None:
        # what the server fills in is left out: in a namespace that is not there yet, nobody could ask for it
        self._report.add(desired, "created", after=desired)

    def _send(self, work: Work, *, force: bool) -> tuple[int, Object]:
        meta = work.desired["metadata"]
        namespace, name = meta.get("namespace", ""), meta["name"]
        query = {"fieldManager": MANAGER, "fieldValidation": "Strict"}
        if force:
            query["force"] = "true"
        if self._check:
            query["dryRun"] = "All"
        answer = self._session.request(
            "patch",
            "PATCH",
            work.resource.path(namespace, name),
            query=query,
            body=work.desired,
            content_type=APPLY,
            where=called(kind_of(work.desired), namespace, name),
        )
        return answer.status, answer.body

    def _may_put_back(self, work: Work, error: LiveError) -> bool:
        """Somebody's edit of an object of ours is undone; what another manager applies is its own."""
        if work.takeover:
            return True
        edited = all(_EDITED.search(str(cause.get("message", ""))) for cause in error.causes)
        return edited and work.live is not None and is_ours(work.live) and owned_fields(work.live) is not None

    def _is_changed(self, before: Mapping[str, t.Any], after: Mapping[str, t.Any]) -> bool:
        if not self._check:
            return bool(before["metadata"].get("resourceVersion") != after["metadata"].get("resourceVersion"))
        # a dry run keeps the version, so look at what the write would store
        return not same(cleaned(before), cleaned(after)) or not same(_book(before), _book(after))


def _overlaid(live: t.Any, desired: t.Any) -> t.Any:
    if isinstance(live, Mapping) and isinstance(desired, Mapping):
        return {**live, **{key: _overlaid(live.get(key), value) for key, value in desired.items()}}
    return desired


def _book(target: Mapping[str, t.Any]) -> dict[str, t.Any]:
    entries = target["metadata"].get("managedFields") or ()
    return {
        f"{e['manager']} {e['operation']} {e.get('subresource', '')} {e.get('apiVersion')}": e.get("fieldsV1")
        for e in entries
    }


def _reason(work: Work) -> str:
    paths = differences(work.desired, work.live or {})
    told = []
    for path in paths[:_MOST_PATHS]:
        others = sorted({name for name, operation in owners(work.live or {}, path) if operation == "Update"})
        told.append(f"{path} (changed by {', '.join(others)})" if others and path != "." else path)
    if paths == ["."]:
        return "it was not applied by us before"
    return ", ".join(told) + (f" and {len(paths) - _MOST_PATHS} more" if len(paths) > _MOST_PATHS else "")


def _explained(work: Work, error: LiveError) -> LiveError:
    """A conflict in our words."""
    told = []
    for cause in error.causes:
        path = str(cause.get("field", ""))
        match = _MANAGER.search(str(cause.get("message", "")))
        told.append(f"{path} belongs to the field manager {match['name'] if match else 'of somebody else'!r}")
    known = work.live is not None and is_ours(work.live)
    return LiveError(
        error.where,
        f"conflict: {'; '.join(told)}. Nothing of this object was written.",
        "Take the field out of the inventory or out of what the other applies, or run with force_conflicts."
        if known
        else "The object was there before us; remove it, or run with force_conflicts to take it over.",
        status=error.status,
        body=error.body,
    )
