# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource names: the spellings Kubernetes treats as one, and what counts as compute."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .quantity import Quantity, parse

#: ResourceQuota accepts both spellings; the long one is ours.
_SHORT = {
    "cpu": "requests.cpu",
    "memory": "requests.memory",
    "storage": "requests.storage",
    "ephemeral-storage": "requests.ephemeral-storage",
}
STORAGE_CLASS = ".storageclass.storage.k8s.io/"


def quota_key(name: str) -> str:
    """The one spelling of a resource: C(cpu) is C(requests.cpu).

    An extended resource can only be limited by its requests: C(nvidia.com/gpu) is C(requests.nvidia.com/gpu).
    """
    if name in _SHORT:
        return _SHORT[name]
    plain = "/" not in name or STORAGE_CLASS in name or name.startswith(("requests.", "limits.", "count/"))
    return name if plain else f"requests.{name}"


def canonical_quota(hard: Mapping[str, t.Any]) -> dict[str, Quantity]:
    """Amounts by canonical key, in the order of the keys."""
    return dict(sorted((quota_key(k), parse(v)) for k, v in hard.items()))


def is_compute(key: str) -> bool:
    """Whether a sleeping environment gives it back. Storage, and objects that are not pods, it keeps."""
    if key == "requests.storage" or STORAGE_CLASS in key:
        return False
    return key in ("pods", "count/pods") or key.startswith(("requests.", "limits.", "hugepages-"))


#: What a ResourceQuota can name without a domain.
STANDARD = (
    *_SHORT,
    *(f"requests.{name}" for name in _SHORT),
    *(f"limits.{name}" for name in ("cpu", "memory", "ephemeral-storage")),
    "pods",
    "services",
    "services.loadbalancers",
    "services.nodeports",
    "persistentvolumeclaims",
    "configmaps",
    "secrets",
    "replicationcontrollers",
    "resourcequotas",
)


def is_known(key: str) -> bool:
    """Whether Kubernetes can count it: a standard resource, huge pages, or anything with a domain."""
    return key in STANDARD or "/" in key or key.removeprefix("requests.").startswith("hugepages-")
