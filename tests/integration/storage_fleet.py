# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet with storage of every kind, as the tests of storage declare it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import yaml

from .playbooks import Run

Object = dict[str, Any]

KEYS = {"csi-cephfs": "AQBjZWZzAAAAABAAkeyofcephfsAAA==", "csi-rbd": "AQByYmQAAAAAABAAkeyofrbdAAAAAA=="}
CHAP = {"san": {"username": "k8s", "password": "open-the-san-please"}}
FLEET: Object = {
    "fleet_name": "storage",
    "fleet_data_classes": {"exams": "examination act"},
    "fleet_storage": {
        "ceph": {"hela": {"monitors": ["127.0.0.1:1"]}},
        "nfs": {"nas": {"server": "nas.example.com", "heads": ["10.1.1.1", "10.1.1.2"], "share": "/exports/k8s"}},
        "iscsi": {
            "san": {
                "portals": ["10.2.1.1", "10.2.1.2:3261"],
                "iqn": "iqn.2026-01.com.example.san:k8s",
                "chap": True,
                "volumes": [{"name": "a", "lun": 0, "size": "100Gi"}],
            }
        },
        "reclaim_policies": {"exams": "Retain"},
        "classes": {
            "cephfs": {"ceph": "hela", "filesystem": "hela", "data": ["exams"], "snapshots": True},
            "rbd": {"ceph": "hela", "pool": "k8s-rbd"},
            "nfs": {"nfs": "nas"},
            "block": {"iscsi": "san"},
            "vendor": {"provisioner": "csi.example.com", "parameters": {"tier": "gold"}, "fs_type": "xfs"},
            "local": {"provided_by": "the machines themselves"},
        },
    },
}
CLASSES = list(FLEET["fleet_storage"]["classes"])
CLUSTER: Object = {
    "cluster_environment": "prod",
    "cluster_security_domain": "internal_only",
    "cluster_sla_tier": "tier_2_important",
    "cluster_capacity": {"cpu": "10", "memory": "10Gi", "storage": "1Ti"},
    "cluster_storage_classes": CLASSES,
    "cluster_release_line": "1.35",
}


def inventory(folder: Path, fleet: Object | None = None, **cluster: Any) -> Path:
    """An inventory of one cluster."""
    values = {**CLUSTER, **cluster}
    hosts = {"all": {"children": {"clusters": {"hosts": {"east": {"ansible_connection": "local", **values}}}}}}
    (folder / "group_vars").mkdir(parents=True, exist_ok=True)
    (folder / "hosts.yml").write_text(yaml.safe_dump(hosts), encoding="utf-8")
    (folder / "group_vars/all.yml").write_text(yaml.safe_dump(fleet or FLEET), encoding="utf-8")
    return folder


def hidden(*runs: Run) -> None:
    """No key of any kind was told."""
    secret = [*KEYS.values(), CHAP["san"]["password"]]
    secret += [base64.b64encode(each.encode()).decode() for each in secret]
    for run in runs:
        assert not [each for each in secret if each in run.out]
