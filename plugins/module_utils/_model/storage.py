# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage classes: which a cluster offers, what each is made of, and whether somebody provides all of them."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .entities import Cluster, Settings, Values
from .errors import Problems, Where, show, suggest
from .schema_storage import CEPH, ISCSI, NFS, REQUIRED, STORAGE_CLASS

CEPHFS, RBD, NFS_KIND, ISCSI_KIND, OTHER, FOREIGN = "cephfs", "rbd", "nfs", "iscsi", "other", "foreign"
#: What a class may be made of, and the keys that only make sense with it.
_BASES = ("ceph", "nfs", "iscsi", "provisioner", "provided_by")
_BACKENDS: Mapping[str, t.Any] = {"ceph": CEPH, "nfs": NFS, "iscsi": ISCSI}
_ONLY_WITH = {
    "ceph": ("filesystem", "pool", "subvolume_group", "user", "image_features"),
    "nfs": ("on_delete",),
}


@dataclass(frozen=True)
class StorageClass:
    """A class as it is on one cluster.

    @param base: one of C(cephfs), C(rbd), C(nfs), C(iscsi), C(other) and C(foreign); nothing is made for the last.
    @param backend: name of what it is made of.
    @param given: its settings with their defaults.
    @param origin: the settings of the backend with their defaults.
    """

    name: str
    base: str
    backend: str
    given: Values
    origin: Values
    reclaim_policy: str

    @property
    def user(self) -> str:
        """Its user of Ceph: one for each class, so that the key of one opens no other."""
        return str(self.given.get("user") or f"csi-{self.name}")

    @property
    def subvolume_group(self) -> str:
        return str(self.given.get("subvolume_group") or self.origin["subvolume_group"])

    @property
    def cluster_id(self) -> str:
        """How Ceph CSI calls the Ceph cluster. One name stands for one subvolume group."""
        if self.base == CEPHFS and self.subvolume_group != self.origin["subvolume_group"]:
            return f"{self.backend}-{self.subvolume_group}"
        return self.backend


def classes(cluster: Cluster, *bases: str) -> list[StorageClass]:
    """The classes that a cluster offers and that are declared soundly, by name; only of I(bases) if given."""
    storage = cluster.storage
    found = []
    for name in sorted(set(cluster.get("storage_classes") or ())):
        given = storage["classes"].get(name)
        made = _class(name, given, storage) if given is not None else None
        if made and (not bases or made.base in bases):
            found.append(made)
    return found


def _class(name: str, given: Values, storage: Mapping[str, t.Any]) -> StorageClass | None:
    named = [each for each in _BASES if each in given]
    if len(named) != 1:
        return None
    key = named[0]
    origin: Values = {}
    if key in _BACKENDS:
        if given[key] not in storage[key]:
            return None
        origin = {**_defaults(_BACKENDS[key]), **storage[key][given[key]]}
        if not set(REQUIRED[key]) <= set(origin):
            return None
    base = {"nfs": NFS_KIND, "iscsi": ISCSI_KIND, "provisioner": OTHER, "provided_by": FOREIGN}.get(key, "")
    if key == "ceph":
        if not {"filesystem", "pool"} & set(given):
            return None
        base = CEPHFS if "filesystem" in given else RBD
    policy = given.get("reclaim_policy") or _strictest(given.get("data") or (), storage["reclaim_policies"])
    if base == ISCSI_KIND:
        # nobody makes these volumes, so nobody can delete them
        policy = "Retain"
    values = {**_defaults(STORAGE_CLASS), **given}
    return StorageClass(name, base, str(given[key]), values, origin, policy)


def _strictest(data: Iterable[str], policies: Mapping[str, str]) -> str:
    return "Retain" if any(policies.get(each) == "Retain" for each in data) else "Delete"


def _defaults(schema: Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {key: node["default"] for key, node in schema["properties"].items() if "default" in node}


def check(clusters: Mapping[str, Cluster], settings: Settings, problems: Problems) -> None:
    """Whether every class that a cluster offers is provided by somebody, and what is declared fits together."""
    if any(each.where.variable == "fleet_storage" for each in problems.errors):
        # what refers to the broken part is not wrong
        return
    told: set[tuple[str, str]] = set()
    for name in sorted(clusters):
        _check_cluster(clusters[name], settings, problems, told)


def _check_cluster(cluster: Cluster, settings: Settings, problems: Problems, told: set[tuple[str, str]]) -> None:
    storage = cluster.storage
    own = (cluster.get("storage") or {}).get("classes") or {}
    _check_backends(cluster, problems, told)
    if not storage["classes"]:
        return
    here = Where("cluster_storage_classes", host=cluster.name)
    offered = list(cluster.get("storage_classes") or ())
    for index, name in enumerate(offered):
        if name not in storage["classes"]:
            problems.error(
                "unknown-name",
                here / index,
                f"nobody provides the storage class {show(name)}: it is not in fleet_storage.classes.",
                f"{suggest(name, storage['classes'])} If something else brings it, declare it there with provided_by.",
            )
    for name, given in storage["classes"].items():
        where = Where("cluster_storage", host=cluster.name) if name in own else Where("fleet_storage")
        if name not in own and ("fleet", name) in told:
            continue
        told.add(("fleet" if name not in own else cluster.name, name))
        _check_class(where / "classes" / name, given, storage, settings, problems)
    _check_defaults(here, [each for each in classes(cluster) if each.given["default"]], problems)
    _check_luns(here, classes(cluster, ISCSI_KIND), problems)
    _check_shared(cluster, problems, told)


def _check_backends(cluster: Cluster, problems: Problems, told: set[tuple[str, str]]) -> None:
    for key, needed in REQUIRED.items():
        own = (cluster.get("storage") or {}).get(key) or {}
        for name, backend in cluster.storage[key].items():
            missing = [each for each in needed if each not in backend]
            where = Where("cluster_storage", host=cluster.name) if name in own else Where("fleet_storage")
            mark = (f"{where.host}/{key}", name)
            if not missing or mark in told:
                continue
            told.add(mark)
            others = [each for each in cluster.storage[key] if each != name]
            fix = f"Set it, or correct the name: {suggest(name, others)}" if name in own and others else "Set it."
            what = "is set neither here nor in fleet_storage" if name in own else "is not set"
            problems.error("missing-key", where / key / name, f"{' and '.join(missing)} {what}.", fix)


def _check_class(
    at: Where, given: Values, storage: Mapping[str, t.Any], settings: Settings, problems: Problems
) -> None:
    named = [each for each in _BASES if each in given]
    if len(named) != 1:
        found = f"it names {' and '.join(named)}" if named else "it says nothing about where its volumes come from"
        problems.error("bad-value", at, f"{found}.", f"Give exactly one of {', '.join(_BASES)}.")
        return
    key = named[0]
    if key in _BACKENDS and given[key] not in storage[key]:
        what = f"{show(given[key])} is not declared in {key} of fleet_storage."
        problems.error("unknown-name", at / key, what, suggest(given[key], storage[key]))
    if key == "ceph" and not {"filesystem", "pool"} & set(given):
        problems.error(
            "missing-key", at, "neither a file system nor a pool is named.", "Set filesystem (CephFS) or pool (RBD)."
        )
    for needed, keys in _ONLY_WITH.items():
        for each in keys:
            if each in given and key != needed:
                problems.error("bad-value", at / each, f"it means something only with {needed}.", "Take it out.")
    for index, each in enumerate(given.get("data") or ()):
        if each not in settings.data_classes and "fleet_data_classes" not in settings.broken:
            what = f"{show(each)} is not a data class of fleet_data_classes."
            problems.error("unknown-name", at / "data" / index, what, suggest(each, settings.data_classes))
    if given.get("reclaim_policy") == "Delete":
        kept = [each for each in given.get("data") or () if storage["reclaim_policies"].get(each) == "Retain"]
        if kept:
            problems.error(
                "bad-value",
                at / "reclaim_policy",
                f"it is Delete, and volumes with {', '.join(kept)} have to be retained.",
                "Take it out, or make another class for data that may go.",
            )
    if key == "nfs" and given[key] in storage["nfs"]:
        _check_heads(at, storage["nfs"][given[key]], problems)


def _check_heads(at: Where, service: Values, problems: Problems) -> None:
    heads = [each.rpartition(":")[0] if each.count(":") == 1 else each for each in service.get("heads") or ()]
    if service.get("server") in heads:
        problems.warn(
            "no-failover",
            at / "nfs",
            f"the server {service['server']} is one of the heads, so its volumes stand still when that head does.",
            "Use the name or address that moves between the heads.",
        )


def _check_defaults(where: Where, found: list[StorageClass], problems: Problems) -> None:
    if len(found) > 1:
        names = ", ".join(each.name for each in found)
        problems.error("bad-value", where, f"{names} are all the default class.", "Keep default: true on one of them.")


def _check_luns(where: Where, found: Iterable[StorageClass], problems: Problems) -> None:
    seen: dict[str, str] = {}
    for each in found:
        other = seen.setdefault(each.backend, each.name)
        if other != each.name:
            problems.error(
                "bad-value",
                where,
                f"{other} and {each.name} are both made of the LUNs of {each.backend}, and a LUN is one volume.",
                "Declare the SAN twice in iscsi, each time with the LUNs of one class.",
            )


def _check_shared(cluster: Cluster, problems: Problems, told: set[tuple[str, str]]) -> None:
    """Two classes on the same pool or file system: the keys of Ceph do not keep them apart."""
    seen: dict[tuple[str, str, str], StorageClass] = {}
    users: dict[tuple[str, str], StorageClass] = {}
    for each in classes(cluster, CEPHFS, RBD):
        place = each.given["filesystem"] if each.base == CEPHFS else each.given["pool"]
        first = seen.setdefault((each.base, each.backend, place), each)
        at = Where("fleet_storage") / "classes" / each.name
        unlike = set(first.given.get("data") or ()) != set(each.given.get("data") or ())
        if unlike and (place, each.name) not in told:
            told.add((place, each.name))
            what = "file system" if each.base == CEPHFS else "pool"
            problems.warn(
                "shared-storage",
                at,
                f"{first.name} and {each.name} hold different kinds of data in one {what}, {place}: "
                "whoever has the key of one can read the other.",
                f"Give each a {what} of its own.",
            )
        other = users.setdefault((each.backend, each.user), each)
        if other is not each and (each.user, each.name) not in told:
            told.add((each.user, each.name))
            problems.error(
                "bad-value",
                at / "user",
                f"{other.name} has the user {each.user} already, and a user has the rights of one class.",
                "Leave user out, or give each class one of its own.",
            )
