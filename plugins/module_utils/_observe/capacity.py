# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machines of a cluster offer to tenants: what they have, less what the platform itself asks for."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from .._live.discovery import Resource
from .._live.listing import list_all
from .._live.session import Session
from .._model.quantity import ZERO, Quantity, parse
from .._model.resources import quota_key

Object = dict[str, t.Any]

_COUNTED = ("cpu", "memory")
_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_OVER = ("Succeeded", "Failed")


def measure(session: Session, tenant_label: str) -> tuple[dict[str, str], int]:
    """The capacity of a cluster in the form of C(cluster_capacity), and the number of machines that make it.

    @param tenant_label: the label of the namespaces of tenants, whose pods are what the capacity is for.
    @raises LiveError: the cluster cannot be read.
    """
    nodes, pods, namespaces = (
        list_all(session, Resource("v1", kind, plural, namespaced), selector="")
        for kind, plural, namespaced in (
            ("Node", "nodes", False),
            ("Pod", "pods", True),
            ("Namespace", "namespaces", False),
        )
    )
    tenants = {n["metadata"]["name"] for n in namespaces if tenant_label in (n["metadata"].get("labels") or {})}
    return capacity(nodes, pods, tenants)


def capacity(nodes: Iterable[Object], pods: Iterable[Object], tenants: Iterable[str]) -> tuple[dict[str, str], int]:
    """@param tenants: namespaces whose pods count as use, not as cost.

    A machine that is cordoned for a while counts, or every upgrade would look like a loss; a control plane that takes
    no pods does not.
    """
    offered = {n["metadata"]["name"]: n["status"].get("allocatable") or {} for n in nodes if not _closed(n)}
    total: dict[str, Quantity] = {}
    for allocatable in offered.values():
        for name, amount in allocatable.items():
            if name in _COUNTED or "/" in name:
                total[name] = total.get(name, ZERO) + parse(amount)
    tenants = set(tenants)
    for pod in pods:
        spec = pod["spec"]
        here = spec.get("nodeName") in offered and pod["metadata"]["namespace"] not in tenants
        if here and (pod.get("status") or {}).get("phase") not in _OVER:
            for name, amount in requested(spec).items():
                if name in total:
                    total[name] = max(total[name] - amount, ZERO)
    shown = {quota_key(name) if "/" in name else name: str(amount) for name, amount in sorted(total.items())}
    return {name: amount for name, amount in shown.items() if amount != "0"}, len(offered)


def _closed(node: Object) -> bool:
    return any(
        taint["key"] in _CONTROL_PLANE and taint["effect"] in ("NoSchedule", "NoExecute")
        for taint in node["spec"].get("taints") or ()
    )


def requested(spec: Mapping[str, t.Any]) -> dict[str, Quantity]:
    """What a pod asks for, as the scheduler counts it: all containers, or the largest initial one, and the overhead."""
    total: dict[str, Quantity] = {}
    for container in spec.get("containers", ()):
        for name, amount in _requests(container).items():
            total[name] = total.get(name, ZERO) + amount
    beside: dict[str, Quantity] = {}
    for container in spec.get("initContainers") or ():
        stays = container.get("restartPolicy") == "Always"
        for name, amount in _requests(container).items():
            if stays:
                beside[name] = beside.get(name, ZERO) + amount
                total[name] = total.get(name, ZERO) + amount
            else:
                total[name] = max(total.get(name, ZERO), beside.get(name, ZERO) + amount)
    for name, amount in (spec.get("overhead") or {}).items():
        total[name] = total.get(name, ZERO) + parse(amount)
    return total


def _requests(container: Mapping[str, t.Any]) -> dict[str, Quantity]:
    resources = container.get("resources") or {}
    return {name: parse(amount) for name, amount in (resources.get("requests") or {}).items()}
