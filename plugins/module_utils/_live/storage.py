# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What storage needs of a cluster, who uses it, and what cannot be changed in place."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from .._model import storage as model
from .._model.fleet import Fleet
from .._objects import storage
from .._objects.common import Object
from .bootstrap import Applied, said
from .discovery import Discovery
from .finding import Finding
from .kinds import kind_of
from .listing import list_all
from .session import Session

_NOT_FOUND = 404
_VOLUME = ("v1", "PersistentVolume")
_FIXED = ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode")
_FIXED_SNAPSHOT = ("driver", "parameters", "deletionPolicy")
_CLASSES = ("StorageClass", "VolumeSnapshotClass")


def findings(session: Session, fleet: Fleet, name: str, service: str, software: Iterable[Object]) -> list[Finding]:
    """What stands against the classes on a cluster, or is told to whom it concerns."""
    cluster = fleet.clusters[name]
    discovery = Discovery(session)
    coming = {
        (f"{each['spec']['group']}/{version['name']}", each["spec"]["names"]["kind"])
        for each in software
        if each["kind"] == "CustomResourceDefinition"
        for version in each["spec"]["versions"]
    }
    made = (storage.ceph_objects if service == storage.CEPH_SERVICE else storage.nas_objects)(fleet, name)
    found = []
    for kind in sorted({kind_of(each) for each in made}):
        if kind not in coming and discovery.find(*kind) is None:
            found.append(Finding(f"{kind[1]} of {kind[0]}", "the cluster does not serve it.", _remedy(kind[0])))
    bases = storage.CEPH if service == storage.CEPH_SERVICE else storage.NAS
    found += _drivers(session, discovery, {_driver(each): each.name for each in model.classes(cluster, *bases)})
    found += _strangers(session, discovery, made)
    return found + _defaults(session, discovery, made)


def _driver(each: model.StorageClass) -> str:
    return storage.PROVISIONERS.get(each.base, each.backend)


def _remedy(version: str) -> str:
    if version == storage.SNAPSHOT_API:
        return (
            "Install the snapshot controller with its definitions (kubernetes-csi/external-snapshotter), or set "
            "snapshots: false in cluster_storage.classes for this cluster."
        )
    return "Install the Ceph CSI operator first: give its released manifest in ceph_csi_manifests."


def _drivers(session: Session, discovery: Discovery, drivers: Mapping[str, str]) -> list[Finding]:
    resource = discovery.find("storage.k8s.io/v1", "CSIDriver")
    there = {each["metadata"]["name"] for each in list_all(session, resource, selector="")} if resource else set()
    return [
        Finding(
            f"StorageClass {name}",
            f"no CSI driver {driver} is on the cluster yet, so claims of the class wait.",
            "Install it; docs/guides/storage.md says how.",
            stops=False,
        )
        for driver, name in sorted(drivers.items())
        if driver not in there and driver != storage.PROVISIONERS[model.ISCSI_KIND]
    ]


def _strangers(session: Session, discovery: Discovery, made: Iterable[Object]) -> list[Finding]:
    """A class of the same name that somebody else has made, of another driver."""
    found = []
    for each in made:
        live = _live(session, discovery, each) if each["kind"] == "StorageClass" else None
        if live and live["provisioner"] != each["provisioner"]:
            found.append(
                Finding(
                    f"StorageClass {each['metadata']['name']}",
                    f"it is there already, of {live['provisioner']}, and shall be of {each['provisioner']}.",
                    "Give ours another name, or delete the one that is there.",
                )
            )
    return found


def _defaults(session: Session, discovery: Discovery, made: Iterable[Object]) -> list[Finding]:
    key = "storageclass.kubernetes.io/is-default-class"
    ours = {each["metadata"]["name"]: each for each in made if each["kind"] == "StorageClass"}
    chosen = [name for name, each in ours.items() if each["metadata"]["annotations"].get(key) == "true"]
    resource = discovery.find(storage.CLASS_API, "StorageClass")
    if not chosen or resource is None:
        return []
    others = [
        each["metadata"]["name"]
        for each in list_all(session, resource, selector="")
        if (each["metadata"].get("annotations") or {}).get(key) == "true" and each["metadata"]["name"] not in ours
    ]
    return [
        Finding(
            f"StorageClass {name}",
            f"it is the default class of the cluster, and {chosen[0]} is to be: the newest would win.",
            f"Run kubectl annotate storageclass {name} {key}-, or take default: true from {chosen[0]}.",
        )
        for name in others
    ]


def in_use(session: Session, service: str) -> list[str]:
    """The volumes that need the drivers of a service, with their claims."""
    resource = Discovery(session).find(*_VOLUME)
    found = []
    for each in list_all(session, resource, selector="") if resource else ():
        spec = each["spec"]
        driver = (spec.get("csi") or {}).get("driver", "")
        ceph = driver in (storage.PROVISIONERS[model.CEPHFS], storage.PROVISIONERS[model.RBD])
        claim = spec.get("claimRef") or {}
        # a LUN that nobody has claimed is nobody's
        nas = driver == storage.PROVISIONERS[model.NFS_KIND] or ("iscsi" in spec and bool(claim))
        if ceph if service == storage.CEPH_SERVICE else nas:
            who = f" of {claim['namespace']}/{claim['name']}" if claim else ""
            found.append(f"PersistentVolume {each['metadata']['name']}{who}")
    return found


def replace(session: Session, made: Iterable[Object], *, check: bool) -> tuple[list[Applied], list[Object]]:
    """Classes whose fixed fields are to be others are deleted, so that they can be made anew; volumes stay as they are.

    @returns: what would be made anew, in a trial only, and what is left to apply.
    """
    discovery = Discovery(session)
    done, rest = [], []
    for each in made:
        live = _live(session, discovery, each) if each["kind"] in _CLASSES else None
        fixed = _FIXED if each["kind"] == "StorageClass" else _FIXED_SNAPSHOT
        differs = live is not None and any((live.get(key) or None) != (each.get(key) or None) for key in fixed)
        if live is None or not differs:
            rest.append(each)
        elif check:
            done.append(Applied(each["kind"], "", each["metadata"]["name"], "updated", said(live), each))
        else:
            resource = discovery.find(*kind_of(each))
            name = each["metadata"]["name"]
            if resource is not None:
                session.request(
                    "delete", "DELETE", resource.path(None, name), ok=(_NOT_FOUND,), where=f"{each['kind']} {name}"
                )
            rest.append(each)
    return done, rest


def _live(session: Session, discovery: Discovery, each: Object) -> dict[str, t.Any] | None:
    resource = discovery.find(*kind_of(each))
    return session.get(resource.path(None, each["metadata"]["name"])) if resource else None
