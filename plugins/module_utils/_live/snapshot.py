# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on the cluster, next to what is declared: one LIST per kind, compared page by page and then forgotten."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from .._collector import without_gc
from .._objects.cluster import FACTS
from .._objects.common import MANAGED_BY, MANAGER
from .compare import Comparer, owned_fields
from .discovery import Discovery, Resource
from .errors import LiveError
from .kinds import MANAGED, NAMESPACE, SELECTOR, Kind, kind_of
from .listing import pages
from .session import Session

Object = dict[str, t.Any]
Key = tuple[Kind, str, str]


def key_of(target: Mapping[str, t.Any]) -> Key:
    """What identifies an object."""
    meta = target["metadata"]
    return kind_of(target), meta.get("namespace", ""), meta["name"]


def labels_of(target: Mapping[str, t.Any]) -> Mapping[str, str]:
    return target["metadata"].get("labels") or {}


def annotations_of(target: Mapping[str, t.Any]) -> Mapping[str, str]:
    return target["metadata"].get("annotations") or {}


def is_ours(target: Mapping[str, t.Any]) -> bool:
    """Whether it has our label."""
    return labels_of(target).get(MANAGED_BY) == MANAGER


@dataclass
class Found:
    """What the list of one kind says.

    @param equal: how many declared objects are as declared.
    @param different: declared objects that are not, by key.
    @param others: objects of ours that are not declared, without their content unless it was asked for.
    @param rest: names of other objects; only of namespaces.
    """

    resource: Resource | None = None
    equal: set[Key] = field(default_factory=set)
    different: dict[Key, Object] = field(default_factory=dict)
    others: list[Object] = field(default_factory=list)
    rest: dict[str, Object] = field(default_factory=dict)
    error: LiveError | None = None


@dataclass
class Snapshot:
    """The cluster at the beginning of the run."""

    kinds: dict[Kind, Found]

    @property
    def namespaces(self) -> dict[str, Object]:
        """Every namespace there is."""
        return self.kinds[NAMESPACE].rest

    def resource(self, kind: Kind) -> Resource | None:
        return self.kinds[kind].resource


def take(
    session: Session, discovery: Discovery, desired: Mapping[Key, Object], *, parallel: int, whole: bool
) -> Snapshot:
    """Reads every kind that is declared or that we manage.

    @param whole: keep the content of objects that are not declared.
    @raises LiveError: the namespaces cannot be read.
    """
    wanted = {kind for kind, _namespace, _name in desired}
    kinds = sorted(wanted | {*MANAGED, NAMESPACE})
    discovery.load(kinds)
    comparer = Comparer()

    def read(kind: Kind) -> Found:
        return _read(session, discovery, kind, desired, kind in wanted, whole, comparer)

    with without_gc(), ThreadPoolExecutor(max_workers=parallel) as pool:
        found = dict(zip(kinds, pool.map(read, kinds), strict=True))
    error = found[NAMESPACE].error
    if error:
        raise error
    return Snapshot(found)


def _read(
    session: Session,
    discovery: Discovery,
    kind: Kind,
    desired: Mapping[Key, Object],
    wanted: bool,
    whole: bool,
    comparer: Comparer,
) -> Found:
    found = Found()
    try:
        found.resource = discovery.find(*kind, refresh=wanted)
        if found.resource is None:
            return found
        # namespaces of others are read too: one of them may have a name that is declared here
        selector = "" if kind == NAMESPACE else SELECTOR
        seen: set[Key] = set()
        for items in pages(session, found.resource, selector=selector):
            for item in items:
                key = key_of(item)
                if key not in seen:
                    seen.add(key)
                    _sort(found, key, item, desired.get(key), whole, comparer)
    except LiveError as error:
        found.error = error
    return found


def _sort(found: Found, key: Key, item: Object, declared: Object | None, whole: bool, comparer: Comparer) -> None:
    if key[0] == NAMESPACE:
        found.rest[key[2]] = _slim(item, keep=("status",))
    if declared is not None:
        if is_ours(item) and not item["metadata"].get("deletionTimestamp") and comparer.equal(declared, item):
            found.equal.add(key)
        else:
            found.different[key] = item
    elif is_ours(item):
        # the facts say which cluster this is
        keep = ("data",) if key[2] == FACTS else ()
        found.others.append(item if whole else _slim(item, keep))


def _slim(item: Object, keep: Collection[str] = ()) -> Object:
    meta = dict(item["metadata"])
    if item["kind"] != "Namespace" and meta.get("managedFields"):
        meta["managedFields"] = [each for each in meta["managedFields"] if each["manager"] == MANAGER]
    return {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": meta, **{k: item.get(k) for k in keep}}


def made_by_us(items: Iterable[Object]) -> tuple[list[Object], list[Object]]:
    """Those that we applied, and those that only carry our label: somebody copied it, or another tool applied them."""
    ours: list[Object] = []
    copied: list[Object] = []
    for item in items:
        meta = item["metadata"]
        genuine = owned_fields(item) is not None and not meta.get("ownerReferences")
        (ours if genuine else copied).append(item)
    return ours, copied
