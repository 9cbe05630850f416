# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage classes, and what a CSI driver has to know to serve them; nothing here is secret."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterable, Mapping

from .._model import storage
from .._model.entities import Cluster, Settings
from .._model.fleet import Fleet
from .._model.release_lines import RELEASE_LINES, version
from .._model.schema_storage import ISCSI_PORT
from .._model.storage import StorageClass
from .common import MANAGED_BY, PRUNE_DISABLED, Object, build, encoded

#: The Secrets lie here on every release line: a PersistentVolume names the namespace of its Secret for good.
CEPH_NAMESPACE = "ceph-csi"
#: Where the released manifest of the operator puts itself, and the accounts of its drivers.
OPERATOR_NAMESPACE = "ceph-csi-operator-system"
OPERATOR, DRIVERS = "ceph-csi-operator", "ceph-csi-drivers"
#: The configurations, called as the roles are.
CEPH_SERVICE, NAS_SERVICE, FOLDER = "ceph-csi", "nfs-csi", "storage"
CHARTS = {storage.CEPHFS: "ceph-csi-cephfs", storage.RBD: "ceph-csi-rbd"}
PROVISIONERS = {
    storage.CEPHFS: "cephfs.csi.ceph.com",
    storage.RBD: "rbd.csi.ceph.com",
    storage.NFS_KIND: "nfs.csi.k8s.io",
    storage.ISCSI_KIND: "kubernetes.io/no-provisioner",
}
CEPH = (storage.CEPHFS, storage.RBD)
NAS = (storage.NFS_KIND, storage.ISCSI_KIND, storage.OTHER)
CEPH_API = "csi.ceph.io/v1"
CLASS_API = "storage.k8s.io/v1"
SNAPSHOT_API = "snapshot.storage.k8s.io/v1"
CHAP_TYPE = "kubernetes.io/iscsi-chap"
CONFIG_MAP = "ceph-csi-config"
_CLASS_KINDS = ((CLASS_API, "StorageClass"), (SNAPSHOT_API, "VolumeSnapshotClass"))
#: In these kinds what is ours and no longer declared is removed. Never a PersistentVolume.
CEPH_KINDS = (*_CLASS_KINDS, *((CEPH_API, kind) for kind in ("ClientProfile", "CephConnection", "Driver")))
NAS_KINDS = _CLASS_KINDS
#: The first Kubernetes of which the operator's project says that it works.
_OPERATOR_SINCE = (1, 32)
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
#: Velero takes the snapshot class of a driver that has it.
_VELERO = {"velero.io/csi-volumesnapshot-class": "true"}
#: Most fields of a class cannot be changed. Volumes do not look at it again, so Flux may make it anew.
_FORCE = {"kustomize.toolkit.fluxcd.io/force": "enabled"}
#: Reasons stand in docs/guides/storage.md.
NFS_OPTIONS = ("nfsvers=4.1", "proto=tcp", "hard", "timeo=600", "retrans=2", "noatime", "nodev", "nosuid")


class Secrets(t.NamedTuple):
    """Secrets, and words for what is missing to make others."""

    made: list[Object]
    missing: list[str]


def uses_operator(cluster: Cluster) -> bool:
    """Whether Ceph CSI is brought by its operator, or by the older charts."""
    return version(RELEASE_LINES[cluster.release_line].kubernetes)[:2] >= _OPERATOR_SINCE


def has_ceph(cluster: Cluster) -> bool:
    return bool(storage.classes(cluster, *CEPH))


def has_nas(cluster: Cluster) -> bool:
    return bool(storage.classes(cluster, *NAS))


def ceph_objects(fleet: Fleet, name: str) -> list[Object]:
    """Everything of Ceph: where its monitors are, then the classes."""
    cluster, settings = fleet.clusters[name], fleet.settings
    found = storage.classes(cluster, *CEPH)
    if not found:
        return []
    result = [] if _has_namespace(cluster, settings) else [_namespace()]
    result += _connections(found, cluster, settings) if uses_operator(cluster) else [config_map(found)]
    result += [_ceph_class(each) for each in found]
    return [*result, *_snapshot_classes(found)]


def nas_objects(fleet: Fleet, name: str) -> list[Object]:
    """Everything that is not Ceph: NFS, LUNs of a SAN, and the classes of other drivers."""
    found = storage.classes(fleet.clusters[name], *NAS)
    builders = {storage.NFS_KIND: _nfs_class, storage.ISCSI_KIND: _iscsi_class, storage.OTHER: _other_class}
    result = [builders[each.base](each) for each in found]
    for each in found:
        if each.base == storage.ISCSI_KIND:
            result += [_lun(each, volume) for volume in each.origin.get("volumes") or ()]
    return [*result, *_snapshot_classes(found)]


def is_ceph(each: Object) -> bool:
    """Whether a class, or what belongs to it, is of Ceph."""
    driver = each.get("provisioner") or each.get("driver") or ""
    return each["apiVersion"] == CEPH_API or driver in (PROVISIONERS[storage.CEPHFS], PROVISIONERS[storage.RBD])


def secrets(cluster: Cluster, service: str, keys: Mapping[str, str], chap: Mapping[str, Mapping[str, str]]) -> Secrets:
    """The Secrets of a configuration, and the names of those for which nothing was given.

    @param keys: of users of Ceph, without C(client.).
    @param chap: logins by SAN.
    """
    result = Secrets([], [])
    for each in storage.classes(cluster, *(CEPH if service == CEPH_SERVICE else (storage.ISCSI_KIND,))):
        if each.base != storage.ISCSI_KIND:
            if keys.get(each.user):
                result.made.append(ceph_secret(each, str(keys[each.user])))
            else:
                result.missing.append(f"the key of client.{each.user}, for the class {each.name}")
        elif each.origin["chap"]:
            login = chap.get(each.backend) or {}
            if login.get("username") and login.get("password"):
                result.made.append(chap_secret(each, {key: str(value) for key, value in login.items()}))
            else:
                result.missing.append(f"username and password of the SAN {each.backend}, for the class {each.name}")
    return result


def secret_names(cluster: Cluster, service: str) -> list[str]:
    """The names of all Secrets that the classes of a cluster need."""
    found = storage.classes(cluster, *(CEPH if service == CEPH_SERVICE else (storage.ISCSI_KIND,)))
    return [secret_name(each) for each in found if each.base != storage.ISCSI_KIND or each.origin["chap"]]


def secret_name(each: StorageClass) -> str:
    """Name of the Secret with the key of a class."""
    return f"{each.name}-{'chap' if each.base == storage.ISCSI_KIND else 'ceph'}"


def ceph_secret(each: StorageClass, key: str) -> Object:
    """The login of one class. Until 3.13 Ceph CSI wanted the same login of CephFS under another name too; not since."""
    return build(
        "v1",
        "Secret",
        secret_name(each),
        namespace=CEPH_NAMESPACE,
        annotations=PRUNE_DISABLED,
        type="Opaque",
        data=encoded({"userID": each.user, "userKey": key}),
    )


def chap_secret(each: StorageClass, login: Mapping[str, str]) -> Object:
    """The CHAP login of a SAN, for sessions."""
    return build(
        "v1",
        "Secret",
        secret_name(each),
        namespace="kube-system",
        annotations=PRUNE_DISABLED,
        type=CHAP_TYPE,
        data=encoded(
            {"node.session.auth.username": login["username"], "node.session.auth.password": login["password"]}
        ),
    )


def _shared(*identity: str, **body: t.Any) -> Object:
    """An object of a kind that the deliverer of the tenants looks at: without the label by which it finds its own."""
    result = build(*identity, **body)
    del result["metadata"]["labels"][MANAGED_BY]
    if not result["metadata"]["labels"]:
        del result["metadata"]["labels"]
    return result


def _has_namespace(cluster: Cluster, settings: Settings) -> bool:
    """Whether a platform service of the cluster brings the namespace."""
    used = {settings.services[name].get("namespace", name) for name in cluster.services if name in settings.services}
    return CEPH_NAMESPACE in used


def _namespace() -> Object:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return _shared("v1", "Namespace", CEPH_NAMESPACE, labels=labels, annotations=PRUNE_DISABLED)


def _cluster_ids(found: Iterable[StorageClass]) -> dict[str, StorageClass]:
    """Each cluster ID with a class of it; one of CephFS if there is one, as it knows the subvolume group."""
    result: dict[str, StorageClass] = {}
    for each in found:
        if each.base == storage.CEPHFS or each.cluster_id not in result:
            result[each.cluster_id] = each
    return dict(sorted(result.items()))


def config_map(found: Iterable[StorageClass]) -> Object:
    """Where Ceph CSI's charts read the monitors."""
    config = [
        {
            "clusterID": name,
            "monitors": list(each.origin["monitors"]),
            "cephFS": {"subvolumeGroup": each.subvolume_group},
        }
        for name, each in _cluster_ids(found).items()
    ]
    data = {"config.json": json.dumps(config, indent=2) + "\n"}
    return _shared("v1", "ConfigMap", CONFIG_MAP, namespace=CEPH_NAMESPACE, data=data)


def _connections(found: list[StorageClass], cluster: Cluster, settings: Settings) -> list[Object]:
    charted = DRIVERS in cluster.services
    namespace = OPERATOR_NAMESPACE
    if charted:
        namespace = settings.services.get(DRIVERS, {}).get("namespace", DRIVERS)
    result = []
    if not charted:
        for base in sorted({each.base for each in found}):
            snapshots = any(each.given["snapshots"] for each in found if each.base == base)
            spec: Object = {
                "controllerPlugin": {"replicas": 2},
                "snapshotPolicy": "volumeSnapshot" if snapshots else "none",
            }
            result.append(build(CEPH_API, "Driver", PROVISIONERS[base], namespace=namespace, spec=spec))
    backends = {each.backend: each for each in found}
    for name, each in sorted(backends.items()):
        spec = {"monitors": list(each.origin["monitors"])}
        result.append(build(CEPH_API, "CephConnection", name, namespace=namespace, spec=spec))
    for name, each in _cluster_ids(found).items():
        profile = {
            "cephConnectionRef": {"name": each.backend},
            "cephFs": {"subVolumeGroup": each.subvolume_group},
        }
        result.append(build(CEPH_API, "ClientProfile", name, namespace=namespace, spec=profile))
    return result


def _storage_class(each: StorageClass, parameters: Object, options: Iterable[str], **more: t.Any) -> Object:
    annotations = {**_FORCE, **({_DEFAULT_CLASS: "true"} if each.given["default"] else {})}
    body: Object = {
        "allowVolumeExpansion": each.given["expansion"],
        "provisioner": PROVISIONERS.get(each.base, each.backend),
        "reclaimPolicy": each.reclaim_policy,
        "volumeBindingMode": each.given["binding"],
        **more,
    }
    said = {key: str(value) for key, value in {**parameters, **(each.given.get("parameters") or {})}.items()}
    if said:
        body["parameters"] = said
    options = list(dict.fromkeys([*options, *(each.given.get("mount_options") or ())]))
    if options:
        body["mountOptions"] = options
    return build(CLASS_API, "StorageClass", each.name, annotations=annotations, **body)


def _ceph_class(each: StorageClass) -> Object:
    parameters: Object = {"clusterID": each.cluster_id}
    if each.base == storage.CEPHFS:
        parameters["fsName"] = each.given["filesystem"]
        if "pool" in each.given:
            parameters["pool"] = each.given["pool"]
    else:
        parameters["pool"] = each.given["pool"]
        parameters["imageFeatures"] = ",".join(each.given["image_features"])
        parameters["csi.storage.k8s.io/fstype"] = each.given["fs_type"]
    for who in ("controller-expand", "node-stage", "provisioner"):
        parameters[f"csi.storage.k8s.io/{who}-secret-name"] = secret_name(each)
        parameters[f"csi.storage.k8s.io/{who}-secret-namespace"] = CEPH_NAMESPACE
    # so that space which a file system gives up comes back to the pool
    return _storage_class(each, parameters, ("discard",) if each.base == storage.RBD else ())


def _nfs_class(each: StorageClass) -> Object:
    parameters = {"server": each.origin["server"], "share": each.origin["share"], "onDelete": each.given["on_delete"]}
    return _storage_class(each, parameters, each.origin.get("mount_options", NFS_OPTIONS))


def _iscsi_class(each: StorageClass) -> Object:
    # Nobody makes volumes: a claim waits for its pod and then takes a LUN that is large enough.
    return _storage_class(each, {}, (), volumeBindingMode="WaitForFirstConsumer", allowVolumeExpansion=False)


def _other_class(each: StorageClass) -> Object:
    filesystem = {"csi.storage.k8s.io/fstype": each.given["fs_type"]} if each.given.get("fs_type") else {}
    return _storage_class(each, filesystem, ())


def _lun(each: StorageClass, volume: Mapping[str, t.Any]) -> Object:
    """A volume for a LUN. With a portal for each head the node logs in at all of them, and multipath keeps the volume
    when one goes."""
    first, *others = (_with_port(portal, ISCSI_PORT) for portal in each.origin["portals"])
    disk: Object = {
        "fsType": each.origin["fs_type"],
        "iqn": each.origin["iqn"],
        "lun": volume["lun"],
        "targetPortal": first,
    }
    if others:
        disk["portals"] = others
    if each.origin["chap"]:
        disk["chapAuthSession"] = True
        disk["secretRef"] = {"name": secret_name(each), "namespace": "kube-system"}
    return build(
        "v1",
        "PersistentVolume",
        f"{each.backend}-{volume['name']}",
        annotations=PRUNE_DISABLED,
        spec={
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": volume["size"]},
            "iscsi": disk,
            **({"mountOptions": list(each.given["mount_options"])} if each.given.get("mount_options") else {}),
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": each.name,
            "volumeMode": volume.get("mode", "Filesystem"),
        },
    )


def _with_port(endpoint: str, port: int) -> str:
    host, given = split(endpoint, port)
    return f"[{host}]:{given}" if ":" in host else f"{host}:{given}"


def split(endpoint: str, port: int) -> tuple[str, int]:
    """Host and port of an endpoint that may name none."""
    if endpoint.startswith("["):
        host, _unused, rest = endpoint[1:].partition("]")
        return host, int(rest[1:] or port)
    host, _unused, given = endpoint.partition(":")
    return host, int(given or port)


def _snapshot_classes(found: Iterable[StorageClass]) -> list[Object]:
    result, drivers = [], set()
    for each in found:
        if not each.given["snapshots"] or each.base == storage.ISCSI_KIND:
            continue
        driver = PROVISIONERS.get(each.base, each.backend)
        parameters: Object = {}
        if each.base in CHARTS:
            parameters = {
                "clusterID": each.cluster_id,
                "csi.storage.k8s.io/snapshotter-secret-name": secret_name(each),
                "csi.storage.k8s.io/snapshotter-secret-namespace": CEPH_NAMESPACE,
            }
        labels = {} if driver in drivers else _VELERO
        drivers.add(driver)
        body: Object = {"deletionPolicy": each.reclaim_policy, "driver": driver}
        if parameters:
            body["parameters"] = parameters
        made = build(SNAPSHOT_API, "VolumeSnapshotClass", each.name, labels=labels, annotations=_FORCE, **body)
        result.append(made)
    return result
