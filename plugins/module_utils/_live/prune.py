# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes what is no longer declared, within bounds that a mistake in the inventory cannot pass.

Only objects that we applied ourselves, of kinds that we manage. A namespace goes only when it records that it may
(C(deletion_policy: delete)) and the run names it. One that stays keeps its walls and loses its doors.
"""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from .._objects.common import PRUNE_DISABLED
from .compare import owned_fields
from .discovery import Resource
from .errors import CONFLICT, LiveError
from .kinds import LAST, MANAGER, NAMESPACE, WALLS, kind_of, wave
from .report import Report, called
from .session import APPLY, Session
from .snapshot import Snapshot, annotations_of, is_ours, labels_of, made_by_us

Object = dict[str, t.Any]

RETAIN, ARCHIVE, DELETE = "retain", "archive", "delete"
#: So few deletions are never too many.
FLOOR = 10
_NOT_FOUND = 404


@dataclass
class Plan:
    """What prune would do.

    @param delete: objects to delete, the namespaces among them last.
    @param orphan: namespaces that stay, as they should be applied.
    @param left_alone: objects with our label that we did not apply.
    @param held: namespaces that could be deleted if the run said so.
    @param known: how many objects of ours there are in scope.
    """

    delete: list[Object] = field(default_factory=list)
    orphan: list[tuple[Object, Object]] = field(default_factory=list)
    left_alone: list[Object] = field(default_factory=list)
    held: list[Object] = field(default_factory=list)
    known: int = 0


def limit(text: str, known: int) -> int:
    """How many deletions a run may make: a number, or a share that is never less than C(FLOOR).

    @raises LiveError: I(text) is neither.
    """
    number = text.strip().removesuffix("%").strip()
    if not number.isdigit():
        raise LiveError("prune_limit", f"{text!r} is no limit.", "Write a number such as 25, or a share such as 30%.")
    if text.strip().endswith("%"):
        return max(FLOOR, known * int(number) // 100)
    return int(number)


def plan(
    snapshot: Snapshot,
    *,
    domain: str,
    tenants: Collection[str],
    confirmed: Collection[str],
    declared: Collection[str] = (),
) -> Plan:
    """What is no longer declared, and what should become of it.

    @param declared: the namespaces that are declared.
    @param tenants: only objects of these tenants; empty for all.
    @param confirmed: namespaces whose deletion the run confirms.
    """
    result = Plan()
    owner = f"{domain}/tenant"
    going = {name for name, each in snapshot.namespaces.items() if _going(each)}

    def in_scope(target: Mapping[str, t.Any]) -> bool:
        return not tenants or labels_of(target).get(owner, "") in tenants

    candidates = []
    for found in snapshot.kinds.values():
        others = [item for item in found.others if in_scope(item)]
        result.known += len(found.equal) + len(others) + sum(1 for item in found.different.values() if is_ours(item))
        # what goes with its namespace needs no help
        candidates += [each for each in others if not _going(each) and each["metadata"].get("namespace") not in going]
    ours, result.left_alone = made_by_us(candidates)
    leaving = {each["metadata"]["name"]: each for each in ours if kind_of(each) == NAMESPACE}
    whole = {name for name, each in leaving.items() if name in confirmed and recorded(each, domain) == DELETE}
    for each in sorted(ours, key=lambda item: -wave(kind_of(item))):
        kind, meta = kind_of(each), each["metadata"]
        namespace = meta.get("namespace", "")
        if kind == NAMESPACE:
            _place_namespace(each, meta["name"] in whole, domain, result)
        elif namespace in whole:
            # the rest goes with the namespace; Flux objects first, while their controllers can still let go of them
            if wave(kind) == LAST:
                result.delete.append(each)
        elif namespace in declared or not _is_wall(each, owner):
            result.delete.append(each)
    return result


def _going(item: Object) -> bool:
    return bool(item["metadata"].get("deletionTimestamp"))


def _is_wall(item: Object, owner: str) -> bool:
    """Whether it protects others from a tenant's namespace, declared or not."""
    kept = PRUNE_DISABLED.items() <= annotations_of(item).items()
    return kept or (item["kind"] in WALLS and owner in labels_of(item))


def _place_namespace(live: Object, goes: bool, domain: str, result: Plan) -> None:
    if goes:
        result.delete.append(live)
        return
    how = recorded(live, domain)
    if how == DELETE:
        result.held.append(live)
    left = orphaned(live, domain, archive=how == ARCHIVE)
    if any(labels_of(live).get(key) != value for key, value in labels_of(left).items()):
        result.orphan.append((left, live))


def recorded(live: Mapping[str, t.Any], domain: str) -> str:
    """The deletion policy that the inventory gave a namespace; what somebody wrote there by hand is none."""
    key = f"{domain}/deletion-policy"
    book: Mapping[str, t.Any] = (owned_fields(live) or {}).get("f:metadata") or {}
    ours = f"f:{key}" in (book.get("f:annotations") or {})
    return annotations_of(live).get(key, RETAIN) if ours else RETAIN


def unheeded(
    snapshot: Snapshot, what: Plan, *, domain: str, confirmed: Iterable[str], declared: Collection[str]
) -> Iterator[str]:
    """Why a namespace stays whose deletion the run confirms."""
    going = {each["metadata"]["name"] for each in what.delete if kind_of(each) == NAMESPACE}
    for name in sorted(set(confirmed) - going):
        live = snapshot.namespaces.get(name)
        if live is None:
            yield f"confirm_deletion names {name}, which is not on this cluster."
        elif name in declared:
            yield f"confirm_deletion names {name}, which is still declared, so it stays."
        elif owned_fields(live) is None or not is_ours(live):
            yield f"confirm_deletion names {name}, which is not ours, so it stays."
        elif not _going(live):
            policy = recorded(live, domain)
            why = "belongs to a tenant that this run leaves out" if policy == DELETE else f"records {policy}"
            yield f"confirm_deletion names {name}, which {why}, so it stays."


def orphaned(live: Object, domain: str, *, archive: bool) -> Object:
    """A namespace that nobody declares any more: what we own of it, and the mark."""
    book: Mapping[str, t.Any] = (owned_fields(live) or {}).get("f:metadata") or {}
    parts = {}
    for name, part in (("labels", labels_of), ("annotations", annotations_of)):
        mine = book.get(f"f:{name}") or {}
        parts[name] = {key: value for key, value in part(live).items() if f"f:{key}" in mine}
    parts["labels"][f"{domain}/orphaned"] = "true"
    if archive:
        parts["labels"][f"{domain}/state"] = "archived"
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": live["metadata"]["name"], **{k: v for k, v in parts.items() if v}},
    }


class Pruner:
    """Carries a plan out."""

    def __init__(self, session: Session, snapshot: Snapshot, report: Report, *, check: bool, parallel: int) -> None:
        self._session, self._snapshot, self._report = session, snapshot, report
        self._check, self._parallel = check, parallel
        self.deleted_namespaces: list[str] = []

    def run(self, what: Plan) -> None:
        """Namespaces that stay get their mark first, then doors close, then namespaces go."""
        ordered: list[list[Object]] = [[] for _unused in range(LAST + 1)]
        for each in what.delete:
            ordered[wave(kind_of(each))].append(each)
        with ThreadPoolExecutor(max_workers=self._parallel) as pool:
            list(pool.map(lambda pair: self._orphan(*pair), what.orphan))
            for each_wave in reversed(ordered):
                for _done in pool.map(self._delete, each_wave):
                    self._report.step("objects deleted", len(what.delete))

    def _resource(self, target: Object) -> Resource:
        resource = self._snapshot.resource(kind_of(target))
        if resource is None:
            raise LiveError(target["kind"], "the cluster no longer serves it.")
        return resource

    def _orphan(self, left: Object, live: Object) -> None:
        query = {"fieldManager": MANAGER, **({"dryRun": "All"} if self._check else {})}
        name = left["metadata"]["name"]
        try:
            answer = self._session.request(
                "patch",
                "PATCH",
                self._resource(left).path(None, name),
                query={**query, "force": "true"} if _was_edited(left, live) else query,
                body=left,
                content_type=APPLY,
                where=called(NAMESPACE, "", name),
            )
        except LiveError as error:
            self._report.add(left, "failed", error.brief)
            return
        reason = "no longer declared; the walls stay, rights and Flux objects go"
        self._report.add(left, "orphaned", reason, before=live, after=answer.body)

    def _delete(self, target: Object) -> None:
        kind, meta = kind_of(target), target["metadata"]
        namespace, name = meta.get("namespace", ""), meta["name"]
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            # what somebody has changed since it was listed is not what was decided upon
            "preconditions": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]},
            **({"dryRun": ["All"]} if self._check else {}),
        }
        try:
            answer = self._session.request(
                "delete",
                "DELETE",
                self._resource(target).path(namespace, name),
                body=options,
                ok=(_NOT_FOUND,),
                where=called(kind, namespace, name),
            )
        except LiveError as error:
            changed = "it changed while this run looked at it, so it stays. Run again."
            self._report.add(target, "failed", changed if error.status == CONFLICT else error.brief)
            return
        if answer.status == _NOT_FOUND:
            self._report.unchanged()
            return
        if kind == NAMESPACE:
            self.deleted_namespaces.append(name)
        self._report.add(target, "deleted", "no longer declared", before=target)


def _was_edited(left: Object, live: Object) -> bool:
    """Whether a label that we set now belongs to somebody who edited it."""
    mine = ((owned_fields(live) or {}).get("f:metadata") or {}).get("f:labels") or {}
    return any(key in labels_of(live) and f"f:{key}" not in mine for key in labels_of(left))


def names(items: Iterable[Object]) -> str:
    """Names for a message."""
    found = sorted(each["metadata"]["name"] for each in items)
    return ", ".join(found)
