# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the schema that says where volumes come from: Ceph, NFS, iSCSI, and the storage classes made of them."""

from __future__ import annotations

import typing as t

from . import names
from .schema_layer import HINT_LABEL, LABEL_ID, Schema, array, choice, mapping, obj, payload, text

RECLAIM = ("Delete", "Retain")
SUBVOLUME_GROUP = "csi"
CEPH_PORT, NFS_PORT, ISCSI_PORT = 6789, 2049, 3260

_HOST = r"([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])"
_ENDPOINT: Schema = {
    "type": "string",
    "pattern": rf"^{_HOST}(:[0-9]{{1,5}})?$",
    "x-hint": "Use an address or a name, with a port if it is not the usual one, such as 10.60.0.11:6789.",
}
_SERVER: Schema = {"pattern": rf"^{_HOST}$", "x-hint": "Use an address or a name, without a port."}
_CEPH_NAME: Schema = {
    "pattern": r"^[A-Za-z0-9][-A-Za-z0-9_.]*$",
    "x-hint": "Use letters, digits, dashes, dots and underscores.",
}
#: Ceph CSI writes it into every volume's name, in a field of 36 bytes.
_CLUSTER_ID = {"pattern": r"^[a-z0-9]([-a-z0-9]{0,34}[a-z0-9])?$", "x-hint": f"{HINT_LABEL} At most 36 characters."}


def _switch(description: str, **more: t.Any) -> Schema:
    return {"type": "boolean", "description": description, **more}


#: Not in the schema: what a cluster leaves out stands in the organisation's settings.
REQUIRED = {"ceph": ("monitors",), "nfs": ("server", "share"), "iscsi": ("portals", "iqn")}

CEPH = obj(
    "A Ceph cluster. Its name here is the cluster ID of Ceph CSI, which every volume keeps: never change it.",
    {
        "monitors": array("Its monitors; port 6789 unless another one is given.", _ENDPOINT, minItems=1),
        "subvolume_group": text(
            "Subvolume group of CephFS volumes, for classes that name none.", default=SUBVOLUME_GROUP, **_CEPH_NAME
        ),
        "mgr_rights": choice(
            "Rights of CephFS users with Ceph's manager: what Ceph CSI documents, which reaches into every file "
            "system, or only the commands that it uses and only for the user's own file system.",
            ("documented", "confined"),
            default="documented",
        ),
    },
)

NFS = obj(
    "An NFS service with several heads.",
    {
        "server": text("The name or address that moves to the head that serves. Volumes keep it.", **_SERVER),
        "heads": array("The heads themselves, so that the preflight sees when one is down.", _ENDPOINT),
        "share": text("The exported folder.", pattern=r"^/\S*$", **{"x-hint": "It starts with a slash."}),
        "mount_options": array("Mount options instead of the tested ones.", {"type": "string"}),
    },
)

ISCSI = obj(
    "A SAN that exports LUNs over iSCSI. Somebody has cut them; each becomes one PersistentVolume.",
    {
        "portals": array("Its portals, one for each head and path; port 3260 unless given.", _ENDPOINT, minItems=1),
        "iqn": text(
            "Name of the target.",
            pattern=r"^(iqn\.[0-9]{4}-[0-9]{2}\.\S+|eui\.[0-9A-Fa-f]{16}|naa\.[0-9A-Fa-f]{16,32})$",
            **{"x-hint": "Use the name that the SAN shows, such as iqn.2026-01.example.san:k8s."},
        ),
        "chap": _switch("The target asks for CHAP; give the login to the role nfs_csi.", default=False),
        "fs_type": choice("File system that is made on an empty LUN.", ("ext4", "xfs"), default="ext4"),
        "volumes": array(
            "Its LUNs.",
            obj(
                "One LUN.",
                {
                    "name": {**LABEL_ID, "description": "Name; part of the PersistentVolume's name."},
                    "lun": {"type": "integer", "minimum": 0, "maximum": 16383, "description": "Its number."},
                    "size": text("Its size.", pattern=r"^[1-9][0-9]*(Gi|Ti)$", **{"x-hint": "Such as 500Gi or 2Ti."}),
                    "mode": choice("As a file system or as a device.", ("Filesystem", "Block"), default="Filesystem"),
                },
                ("name", "lun", "size"),
            ),
        ),
    },
)

STORAGE_CLASS = obj(
    "A storage class. It names one of C(ceph), C(nfs), C(iscsi), C(provisioner) and C(provided_by).",
    {
        "description": text("For whom it is."),
        "ceph": text("One of C(ceph) above; then C(filesystem) or C(pool)."),
        "filesystem": text("CephFS: the file system.", **_CEPH_NAME),
        "subvolume_group": text("CephFS: the subvolume group, if another one.", **_CEPH_NAME),
        "pool": text("RBD: the pool. CephFS: a data pool other than the file system's first.", **_CEPH_NAME),
        "user": text("User of Ceph without C(client.); default C(csi-) and the name of the class.", **_CEPH_NAME),
        "image_features": array("RBD: features of new images.", {"type": "string"}, default=["layering"]),
        "nfs": text("One of C(nfs) above."),
        "on_delete": choice(
            "NFS: what becomes of the folder of a volume that is deleted.",
            ("delete", "retain", "archive"),
            default="delete",
        ),
        "iscsi": text("One of C(iscsi) above."),
        "provisioner": text("Another CSI driver, such as your SAN vendor's."),
        "parameters": payload("Its parameters; for Ceph and NFS laid over ours."),
        "provided_by": text("Who else brings this class to the cluster; nothing is made."),
        "fs_type": choice("RBD, and other drivers: file system of new volumes.", ("ext4", "xfs"), default="ext4"),
        "data": array(
            "Kinds of regulated data it is meant for; the strictest of their C(reclaim_policies) holds.",
            {"type": "string", "x-names": "data class"},
            uniqueItems=True,
        ),
        "reclaim_policy": choice("What becomes of a volume whose claim is deleted.", RECLAIM),
        "snapshots": _switch("Make a snapshot class too; the cluster needs the snapshot controller.", default=False),
        "default": _switch("Claims that name no class get this one.", default=False),
        "expansion": _switch("Volumes may grow.", default=True),
        "binding": choice("When a volume is made.", ("Immediate", "WaitForFirstConsumer"), default="Immediate"),
        "mount_options": array("More mount options.", {"type": "string"}),
    },
)

STORAGE = obj(
    "Where volumes come from.",
    {
        "ceph": mapping("Ceph clusters.", CEPH, propertyNames=_CLUSTER_ID),
        "nfs": mapping("NFS services.", NFS),
        "iscsi": mapping("SANs over iSCSI.", ISCSI),
        "classes": mapping(
            "Storage classes by name. A cluster gets those that its C(cluster_storage_classes) names.",
            STORAGE_CLASS,
            propertyNames={"pattern": names.SUBDOMAIN, "x-hint": HINT_LABEL},
        ),
        "reclaim_policies": mapping(
            "What becomes of volumes with a kind of regulated data, by data class.",
            {"type": "string", "enum": list(RECLAIM)},
        ),
    },
)
