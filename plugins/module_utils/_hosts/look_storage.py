# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks, and what an earlier Kubernetes has left on them."""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
import typing as t

from . import read

Seen = dict[str, t.Any]

MARKER = "/etc/k8s-self-provisioning/host.json"
_BLOCK = 2300  # what etcd writes for each entry of its log, on average
#: What only a Kubernetes that was installed leaves behind, by its kind.
_LEFTOVERS = {
    "k3s": ("/usr/local/bin/k3s", "/etc/rancher/k3s", "/var/lib/rancher/k3s"),
    "RKE2": ("/usr/local/bin/rke2", "/etc/rancher/rke2", "/var/lib/rancher/rke2"),
    "MicroK8s": ("/snap/microk8s", "/var/snap/microk8s"),
    "Kubernetes": (
        "/etc/kubernetes/admin.conf",
        "/etc/kubernetes/kubelet.conf",
        "/etc/kubernetes/manifests/kube-apiserver.yaml",
        "/var/lib/kubelet/config.yaml",
        "/var/lib/kubelet/pki",
    ),
    "etcd": ("/var/lib/etcd/member",),
    "Calico or another CNI": ("/etc/cni/net.d/10-calico.conflist", "/etc/cni/net.d/calico-kubeconfig"),
}


def look(paths: list[str], etcd_path: str, writes: int) -> Seen:
    """Everything about disks and what is on them."""
    return {
        "filesystems": {path: _filesystem(path) for path in paths},
        "etcd_sync_ms": _sync_time(etcd_path, writes) if writes else None,
        "kubernetes": {
            "marker": _marker(),
            "leftovers": {
                kind: found for kind, paths_of in _LEFTOVERS.items() if (found := read.first_existing(paths_of))
            },
            "running": read.run("systemctl", "is-active", "kubelet") == "active",
        },
        "initiator": read.pairs(read.text("/etc/iscsi/initiatorname.iscsi")).get("InitiatorName", ""),
        "san": _san(),
    }


def _filesystem(path: str) -> Seen:
    place = read.nearest(path)
    try:
        numbers = os.statvfs(place)
    except OSError as error:
        return {"place": str(place), "error": str(error)}
    mount: Seen = {}
    shown = read.run("findmnt", "--json", "--output=TARGET,FSTYPE,OPTIONS", "--target", str(place))
    if shown:
        mount = json.loads(shown)["filesystems"][0]
    return {
        "place": str(place),
        "free_mib": numbers.f_bavail * numbers.f_frsize // 2**20,
        "free_inodes": round(100 * numbers.f_favail / numbers.f_files) if numbers.f_files else 100,
        "mount": mount.get("target", ""),
        "type": mount.get("fstype", ""),
        "options": mount.get("options", "").split(","),
    }


def _sync_time(path: str, writes: int) -> float | None:
    """The 99th percentile, in milliseconds, of writing like etcd does. The file has no name: nothing can stay."""
    times = []
    try:
        with tempfile.TemporaryFile(dir=read.nearest(path), buffering=0) as handle:
            for _turn in range(writes):
                start = time.perf_counter()
                handle.write(bytes(_BLOCK))
                os.fdatasync(handle.fileno())
                times.append(time.perf_counter() - start)
    except OSError:
        return None
    times.sort()
    return round(1000 * times[min(len(times) - 1, int(len(times) * 0.99))], 2)


def _marker() -> Seen:
    try:
        found = json.loads(read.text(MARKER) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _san() -> Seen:
    """Disks that are seen over several paths, by their world-wide name, and whether something puts them together."""
    paths: dict[str, list[str]] = {}
    for name in read.names("/sys/block"):
        wwid = read.text(f"/sys/block/{name}/device/wwid")
        if re.match(r"(naa|eui|t10)\.", wwid):
            paths.setdefault(wwid, []).append(name)
    return {
        "paths": {wwid: disks for wwid, disks in paths.items() if len(disks) > 1},
        "multipath_active": read.run("systemctl", "is-active", "multipathd") == "active",
    }
