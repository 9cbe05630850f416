# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Foundations: platform services whose software needs configuration that is made from the inventory.

The software is a chart, or what a released manifest holds; see C(platform.py) for both. The configuration are objects
of the kinds that the software brings, so it comes after them, whatever delivers it.
"""

from __future__ import annotations

import copy
import re
import typing as t
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .._model.entities import Cluster, Settings
from .._model.fleet import Fleet
from .._model.release_lines import RELEASE_LINES
from . import metallb, storage
from .common import PRUNE_DISABLED, Object

_TAG = re.compile(r":v?(?P<version>\d+[.]\d+[.]\d+[^@]*)(@|$)")
#: With them would go what others have made.
_KEPT = ("CustomResourceDefinition", "Namespace")
_WORKLOADS = ("DaemonSet", "Deployment", "StatefulSet")


@dataclass(frozen=True)
class Configuration:
    """The configuration of a service.

    @param folder: below the cluster's folder of the tree, and the name of the Flux Kustomization that applies it.
    @param file: its file there.
    @param kinds: in these kinds, what is ours and no longer declared is removed.
    @param wanted: whether a cluster has any.
    @param objects: what a cluster gets, in the order in which to apply it.
    """

    folder: str
    file: str
    kinds: tuple[tuple[str, str], ...]
    wanted: Callable[[Cluster], bool]
    objects: Callable[[Fleet, str], list[Object]]


#: By service. Pools can be declared, and are written, before anything brings MetalLB itself.
CONFIGURATIONS: Mapping[str, Configuration] = {
    metallb.METALLB: Configuration(
        "network",
        "load-balancer-pools.yaml",
        (*metallb.PEERING_KINDS, *metallb.POOL_KINDS),
        lambda cluster: bool(metallb.pools(cluster)),
        metallb.configuration,
    ),
    storage.CEPH_SERVICE: Configuration(
        storage.FOLDER,
        f"{storage.CEPH_SERVICE}.yaml",
        storage.CEPH_KINDS,
        storage.has_ceph,
        storage.ceph_objects,
    ),
    storage.NAS_SERVICE: Configuration(
        storage.FOLDER,
        f"{storage.NAS_SERVICE}.yaml",
        storage.NAS_KINDS,
        storage.has_nas,
        storage.nas_objects,
    ),
}


def configured(cluster: Cluster) -> dict[str, Configuration]:
    """The configurations that a cluster has, by service."""
    return {name: each for name, each in sorted(CONFIGURATIONS.items()) if each.wanted(cluster)}


def version_of(service: str, cluster: Cluster, settings: Settings) -> str:
    """The version that a cluster shall have; empty when nothing says which."""
    values, line = settings.services.get(service, {}), RELEASE_LINES[cluster.release_line]
    for found in (
        (cluster.services.get(service) or {}).get("version"),
        (values.get("versions") or {}).get(cluster.release_line),
        values.get("version"),
        line.services.get(service),
    ):
        if found:
            return str(found)
    return ""


def is_released(service: str, cluster: Cluster, settings: Settings) -> bool:
    """Whether it comes from a released manifest, and not from a chart."""
    known = settings.services.get(service)
    return service in cluster.services and known is not None and not known.get("repository")


def versions_in(manifest: Iterable[Object]) -> list[str]:
    """The versions of a manifest's images, without a leading v."""
    found = {match["version"] for image in _images(manifest) if (match := _TAG.search(image))}
    return sorted(found)


def software(manifest: Iterable[Object], values: Mapping[str, t.Any]) -> list[Object]:
    """The objects of a released manifest, as a cluster gets them: workloads last, since they need all the others.

    They do not have our label: the deliverer of the tenants must not take them for its own.

    @param values: of C(fleet_services.<service>).
    """
    result = []
    for given in manifest:
        each = copy.deepcopy(given)
        registry = values.get("registry")
        for container in _containers(each) if registry else ():
            container["image"] = f"{str(registry).rstrip('/')}/{container['image'].rpartition('/')[2]}"
        if each["kind"] in _KEPT:
            each["metadata"]["annotations"] = {**(each["metadata"].get("annotations") or {}), **PRUNE_DISABLED}
        result.append(each)
    return sorted(result, key=_place)


def workloads(objects: Iterable[Object]) -> list[Object]:
    """What has to run before the software works."""
    return [each for each in objects if each["kind"] in _WORKLOADS]


def _place(each: Object) -> int:
    first = ("Namespace", "CustomResourceDefinition")
    last = (*_WORKLOADS, "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
    return first.index(each["kind"]) - len(first) if each["kind"] in first else int(each["kind"] in last)


def _containers(target: Object) -> list[Object]:
    if target["kind"] not in _WORKLOADS:
        return []
    pod = target["spec"]["template"]["spec"]
    return [*pod.get("initContainers", ()), *pod.get("containers", ())]


def _images(manifest: Iterable[Object]) -> list[str]:
    return [container["image"] for each in manifest for container in _containers(each)]
