# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds that we manage, and in which wave each comes to life."""

from __future__ import annotations

import typing as t

from .._objects.common import MANAGED_BY, MANAGER

__all__ = ["MANAGED", "MANAGER", "SELECTOR", "Kind", "wave"]

Kind = tuple[str, str]

SELECTOR = f"{MANAGED_BY}={MANAGER}"

_RBAC = "rbac.authorization.k8s.io/v1"
_ADMISSION = "admissionregistration.k8s.io/v1"
POLICY: Kind = (_ADMISSION, "ValidatingAdmissionPolicy")
POLICY_BINDING: Kind = (_ADMISSION, "ValidatingAdmissionPolicyBinding")

#: Walls before doors: while a run is under way, nobody can do more than when it is complete.
_WAVES: tuple[tuple[Kind, ...], ...] = (
    (("apiextensions.k8s.io/v1", "CustomResourceDefinition"), ("v1", "Namespace")),
    (
        # Roles before the bindings that name them; allow-lists before the workloads that they judge.
        (_RBAC, "ClusterRole"),
        POLICY,
        ("v1", "ConfigMap"),
        ("v1", "LimitRange"),
        ("v1", "ResourceQuota"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
    ),
    # The API server asks for all rights from whoever binds a policy that it does not know yet.
    (POLICY_BINDING,),
    (
        ("v1", "ServiceAccount"),
        ("policy/v1", "PodDisruptionBudget"),
        (_RBAC, "RoleBinding"),
        ("metallb.io/v1beta1", "IPAddressPool"),
        ("metallb.io/v1beta1", "L2Advertisement"),
        ("metallb.io/v1beta1", "BGPAdvertisement"),
    ),
    # With the rights granted one wave above.
    (("source.toolkit.fluxcd.io/v1", "GitRepository"), ("kustomize.toolkit.fluxcd.io/v1", "Kustomization")),
)
_WAVE_OF = {kind: number for number, kinds in enumerate(_WAVES) for kind in kinds}
LAST = len(_WAVES) - 1

NAMESPACE: Kind = ("v1", "Namespace")
#: Kinds that prune looks at; never a PersistentVolumeClaim.
MANAGED: tuple[Kind, ...] = tuple(kind for kinds in _WAVES for kind in kinds if kind[1] != "CustomResourceDefinition")
#: They protect others from a namespace and stay as long as it does.
WALLS = frozenset({"ConfigMap", "LimitRange", "NetworkPolicy", "ResourceQuota"})


def kind_of(target: t.Mapping[str, t.Any]) -> Kind:
    """Version and kind of an object."""
    return target["apiVersion"], target["kind"]


def wave(kind: Kind) -> int:
    """When objects of a kind are applied; what is unknown comes last."""
    return _WAVE_OF.get(kind, LAST)
