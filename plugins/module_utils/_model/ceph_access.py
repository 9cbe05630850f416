# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the storage classes of a fleet need on a Ceph cluster: pools, file systems, and users with their rights."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from .storage import CEPHFS, StorageClass

#: What Ceph CSI asks the manager for, each about one file system. C(allow rw) would also let a key list and remove the
#: volumes of every other file system, as tests/ceph shows.
_COMMANDS = (
    "fs subvolume create",
    "fs subvolume getpath",
    "fs subvolume info",
    "fs subvolume ls",
    "fs subvolume metadata rm",
    "fs subvolume metadata set",
    "fs subvolume resize",
    "fs subvolume rm",
    "fs subvolume snapshot clone",
    "fs subvolume snapshot create",
    "fs subvolume snapshot info",
    "fs subvolume snapshot ls",
    "fs subvolume snapshot metadata rm",
    "fs subvolume snapshot metadata set",
    "fs subvolume snapshot protect",
    "fs subvolume snapshot rm",
    "fs subvolume snapshot unprotect",
    "fs subvolumegroup getpath",
    "fs subvolumegroup ls",
    "fs clone cancel",
    "fs clone status",
    "fs quiesce",
)


def caps(each: StorageClass) -> dict[str, str]:
    """The rights of the user of a class: exactly those that Ceph CSI documents (docs/capabilities.md), unless the Ceph
    cluster wants the manager's to be confined."""
    if each.base == CEPHFS:
        name, group = each.given["filesystem"], each.subvolume_group
        return {
            "mds": f"allow r fsname={name} path=/volumes, allow rws fsname={name} path=/volumes/{group}",
            "mgr": _confined(name) if each.origin["mgr_rights"] == "confined" else "allow rw",
            "mon": f"allow r fsname={name}",
            "osd": f"allow rw tag cephfs metadata={name}, allow rw tag cephfs data={name}",
        }
    pool = each.given["pool"]
    return {"mgr": f"profile rbd pool={pool}", "mon": "profile rbd", "osd": f"profile rbd pool={pool}"}


def _confined(filesystem: str) -> str:
    # the name of the argument differs: fs quiesce calls it fs_name, and has no vol_name
    argument = {"fs quiesce": "fs_name"}
    parts = [f'allow command "{each}" with {argument.get(each, "vol_name")}={filesystem}' for each in _COMMANDS]
    return ", ".join(parts)


def wanted(found: Iterable[StorageClass]) -> dict[str, dict[str, list[dict[str, t.Any]]]]:
    """By Ceph cluster: its pools, its file systems with their subvolume groups, and its users."""
    result: dict[str, dict[str, list[dict[str, t.Any]]]] = {}
    for each in found:
        here = result.setdefault(each.backend, {"pools": [], "filesystems": [], "users": []})
        if each.base == CEPHFS:
            _filesystem(here, each)
        else:
            _add(here["pools"], {"name": each.given["pool"], "application": "rbd"})
        _add(here["users"], {"name": f"client.{each.user}", "caps": caps(each)})
    for here in result.values():
        for part in here.values():
            part.sort(key=lambda item: str(item["name"]))
    return dict(sorted(result.items()))


def _filesystem(here: dict[str, list[dict[str, t.Any]]], each: StorageClass) -> None:
    name = each.given["filesystem"]
    found = next((item for item in here["filesystems"] if item["name"] == name), None)
    if found is None:
        # named as Ceph itself names them
        found = {
            "name": name,
            "metadata_pool": f"cephfs.{name}.meta",
            "data_pool": f"cephfs.{name}.data",
            "data_pools": [],
            "subvolume_groups": [],
        }
        here["filesystems"].append(found)
    if each.subvolume_group not in found["subvolume_groups"]:
        found["subvolume_groups"].append(each.subvolume_group)
        found["subvolume_groups"].sort()
    extra = each.given.get("pool")
    if extra and extra != found["data_pool"] and extra not in found["data_pools"]:
        found["data_pools"].append(extra)


def _add(items: list[dict[str, t.Any]], item: dict[str, t.Any]) -> None:
    if item not in items:
        items.append(item)
