# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether storage can be reached over the network, from where Ansible runs.

Private to the collection.
"""

from __future__ import annotations

import socket
import typing as t
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.finding import Finding
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model import storage as model
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.schema_storage import (
    CEPH_PORT,
    ISCSI_PORT,
    NFS_PORT,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.storage import StorageClass
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.storage import split

#: What a monitor of Ceph says first, by either of its protocols.
_BANNER = b"ceph v"
_PARALLEL = 16


class Target(t.NamedTuple):
    """One endpoint: which backend it is of, and whether that backend works without it."""

    where: str
    endpoint: str
    port: int
    speaks_ceph: bool
    is_one_of: int


def findings(found: Iterable[StorageClass], timeout: float) -> list[Finding]:
    """Every endpoint that does not answer. A majority of monitors is enough, and one head or portal; the server that
    volumes are mounted from is needed."""
    targets = sorted(set(_targets(found)))
    with ThreadPoolExecutor(_PARALLEL) as pool:
        answers = list(pool.map(lambda target: _ask(target, timeout), targets))
    result = []
    for target, why in zip(targets, answers, strict=True):
        if not why:
            continue
        same = [other for other in zip(targets, answers, strict=True) if other[0].where == target.where]
        well = sum(1 for _target, other in same if not other)
        enough = well > len(same) // 2 if target.speaks_ceph else target.is_one_of > 1 and well > 0
        fix = "Start it, open the way to it, or correct the address."
        if enough:
            fix += " The others do, so the run goes on."
        result.append(Finding(target.where, f"{target.endpoint}: {why}.", fix, stops=not enough))
    return result


def _targets(found: Iterable[StorageClass]) -> Iterable[Target]:
    for each in found:
        if each.base in (model.CEPHFS, model.RBD):
            endpoints = list(each.origin["monitors"])
            for endpoint in endpoints:
                yield Target(f"the monitors of {each.backend}", endpoint, CEPH_PORT, True, len(endpoints))
        elif each.base == model.NFS_KIND:
            yield Target(f"the NFS service {each.backend}", each.origin["server"], NFS_PORT, False, 1)
            heads = list(each.origin.get("heads") or ())
            for endpoint in heads:
                yield Target(f"the heads of {each.backend}", endpoint, NFS_PORT, False, max(len(heads), 2))
        elif each.base == model.ISCSI_KIND:
            endpoints = list(each.origin["portals"])
            for endpoint in endpoints:
                yield Target(f"the portals of {each.backend}", endpoint, ISCSI_PORT, False, len(endpoints))


def _ask(target: Target, timeout: float) -> str:
    """Why an endpoint is no good; empty when it is."""
    host, port = split(target.endpoint, target.port)
    try:
        with socket.create_connection((host, port), timeout) as connection:
            if target.speaks_ceph:
                connection.settimeout(timeout)
                said = connection.recv(len(_BANNER))
                if said != _BANNER:
                    return f"port {port} answers, but not as a monitor of Ceph"
    except socket.gaierror:
        return "the name is not known"
    except OSError as error:
        why = "no answer" if isinstance(error, TimeoutError) else (error.strerror or str(error))
        return f"port {port} cannot be reached ({why})"
    return ""
