# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every object of ours has in common: names, labels, annotations and the shape of an object."""

from __future__ import annotations

import base64
import typing as t
from collections.abc import Mapping

from .._model.entities import Environment, Settings

Object = dict[str, t.Any]

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "self-provisioning"
#: Flux never deletes an object with this annotation.
PRUNE_DISABLED = {"kustomize.toolkit.fluxcd.io/prune": "disabled"}
FLUX_NAMESPACE = "flux-system"
#: Where the identity lives that delivers without Flux, and what goes with it.
HOME_NAMESPACE = "self-provisioning"
FLUX_SOURCE = {"kind": "GitRepository", "name": "flux-system"}
#: The ServiceAccount of the tenant's Flux objects, and the one that a team's own pipelines use.
RECONCILER = "flux-reconciler"
DEPLOYER = "ci-deployer"
#: The ConfigMap that admission policies read their allow-lists from.
POLICY_PARAMETERS = "self-provisioning-policy"


def plain(value: t.Any) -> t.Any:
    """A deep copy of plain dicts and lists: no two objects share a part, for which YAML would write an alias."""
    if value.__class__ is str:  # most are; asking a class for what it is takes longer than all the rest
        return value
    if isinstance(value, Mapping):
        # sorted: the same inventory can reach us in another order, as it does through AWX
        return {key: plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def build(
    api_version: str,
    kind: str,
    name: str,
    *,
    namespace: str | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **body: t.Any,
) -> Object:
    """An object of ours; I(body) are its other top-level keys."""
    metadata: Object = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = dict(sorted({**(labels or {}), MANAGED_BY: MANAGER}.items()))
    if annotations:
        metadata["annotations"] = dict(sorted(annotations.items()))
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **plain(body)}


def encoded(content: Mapping[str, str]) -> dict[str, str]:
    """The C(data) of a Secret. Never C(stringData): the API server does not remove what is no longer in there."""
    return {key: base64.b64encode(value.encode()).decode() for key, value in content.items()}


def identity(environment: Environment, settings: Settings) -> dict[str, str]:
    """The labels by which an environment's objects, and its namespace, are found."""
    domain = settings.label_domain
    return {
        f"{domain}/tenant": environment.tenant.id,
        f"{domain}/project": environment.project.id,
        f"{domain}/environment": environment.name,
    }


def source(environment: Environment, settings: Settings) -> dict[str, str]:
    """The annotation that says which inventory variable declares the object."""
    return {f"{settings.label_domain}/source": environment.where.variable}


def outlives(environment: Environment) -> bool:
    """Whether the namespace stays when its declaration goes."""
    return bool(environment.values.get("deletion_policy", "retain") != "delete")


def in_namespace(
    environment: Environment,
    settings: Settings,
    api_version: str,
    kind: str,
    name: str,
    *,
    wall: bool = False,
    annotations: Mapping[str, str] | None = None,
    **body: t.Any,
) -> Object:
    """An object inside the environment's namespace.

    @param wall: it protects others from the namespace, so it stays as long as the namespace does, even when the
      declaration is gone. Only for objects that are always emitted, else a withdrawn one would stay for ever.
    """
    return build(
        api_version,
        kind,
        name,
        namespace=environment.namespace,
        labels=identity(environment, settings),
        annotations={
            **(annotations or {}),
            **source(environment, settings),
            **(PRUNE_DISABLED if wall and outlives(environment) else {}),
        },
        **body,
    )
