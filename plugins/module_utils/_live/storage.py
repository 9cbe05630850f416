# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What storage needs of a cluster, who uses it, and what cannot be changed in place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .._model import storage as model
from .._model.fleet import Fleet
from .._objects import storage
from .._objects.common import Object
from .discovery import Discovery
from .finding import Finding
from .kinds import SELECTOR, Kind, kind_of
from .listing import list_all
from .session import Session
from .snapshot import is_ours, key_of

_VOLUME = ("v1", "PersistentVolume")
_CLASS = (storage.CLASS_API, "StorageClass")
#: What cannot be changed in a class, by kind; volumes do not notice when it is made anew.
FIXED = {
    "StorageClass": ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"),
    "VolumeSnapshotClass": ("driver", "parameters", "deletionPolicy"),
}


def findings(
    session: Session, discovery: Discovery, fleet: Fleet, name: str, service: str, software: Iterable[Object]
) -> list[Finding]:
    """What stands against the classes on a cluster, or is told to whom it concerns."""
    cluster = fleet.clusters[name]
    coming = {
        (f"{each['spec']['group']}/{version['name']}", each["spec"]["names"]["kind"])
        for each in software
        if each["kind"] == "CustomResourceDefinition"
        for version in each["spec"]["versions"]
    }
    made = (storage.ceph_objects if service == storage.CEPH_SERVICE else storage.nas_objects)(fleet, name)
    found = []
    kinds = sorted({kind_of(each) for each in made})
    for kind in kinds:
        if kind not in coming and discovery.find(*kind) is None:
            found.append(Finding(f"{kind[1]} of {kind[0]}", "the cluster does not serve it.", _remedy(kind[0])))
    bases = storage.CEPH if service == storage.CEPH_SERVICE else storage.NAS
    found += _drivers(session, discovery, {_driver(each): each.name for each in model.classes(cluster, *bases)})
    there = {kind: _listed(session, discovery, kind) for kind in kinds if kind[1] in FIXED}
    found += _strangers(there, made)
    return found + _defaults(there.get(_CLASS, []), made)


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
    there = {each["metadata"]["name"] for each in _listed(session, discovery, (storage.CLASS_API, "CSIDriver"))}
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


def _strangers(there: Mapping[Kind, list[Object]], made: Iterable[Object]) -> list[Finding]:
    """Classes of the same names that somebody else has made; ours would take their place."""
    ours = {key_of(each) for each in made}
    return [
        Finding(
            f"{kind[1]} {each['metadata']['name']}",
            f"it is there already, of {each.get('provisioner') or each.get('driver')}, and not ours.",
            "Give ours another name, delete the one that is there, or hand it over: "
            f"kubectl label {kind[1].lower()} {each['metadata']['name']} {SELECTOR} --overwrite.",
        )
        for kind, classes in there.items()
        for each in classes
        if key_of(each) in ours and not is_ours(each)
    ]


def _defaults(classes: Iterable[Object], made: Iterable[Object]) -> list[Finding]:
    key = "storageclass.kubernetes.io/is-default-class"
    ours = {each["metadata"]["name"]: each for each in made if each["kind"] == "StorageClass"}
    chosen = [name for name, each in ours.items() if each["metadata"]["annotations"].get(key) == "true"]
    if not chosen:
        return []
    others = [
        each["metadata"]["name"]
        for each in classes
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
    found = []
    for each in _listed(session, Discovery(session), _VOLUME):
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


def _listed(session: Session, discovery: Discovery, kind: Kind) -> list[Object]:
    resource = discovery.find(*kind)
    return list_all(session, resource, selector="") if resource else []
