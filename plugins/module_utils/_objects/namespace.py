# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The namespace itself: who it belongs to, what it may hold, and how strict Pod Security is."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._model.entities import Cluster, Environment, Settings
from .._model.names import label_value
from .common import MANAGED_BY, PRUNE_DISABLED, Object, build, identity, outlives, source

POD_SECURITY = "pod-security.kubernetes.io/"
_DEFAULT_LEVELS = {"enforce": "baseline", "audit": "restricted", "warn": "restricted"}
#: Names of users' annotations that would switch parts of Flux on or off.
_FLUX = ("kustomize.toolkit.fluxcd.io/", "reconcile.fluxcd.io/")


def pod_security_labels(given: Mapping[str, str]) -> dict[str, str]:
    """The labels of the Pod Security admission plugin."""
    version = given.get("version", "latest")
    labels = {}
    for mode, default in _DEFAULT_LEVELS.items():
        labels[f"{POD_SECURITY}{mode}"] = given.get(mode, default)
        labels[f"{POD_SECURITY}{mode}-version"] = version
    return labels


def build_namespace(environment: Environment, cluster: Cluster, settings: Settings) -> list[Object]:
    """The Namespace."""
    del cluster
    return [
        build(
            "v1",
            "Namespace",
            environment.namespace,
            labels=_labels(environment, settings),
            annotations=_annotations(environment, settings),
        )
    ]


def _labels(environment: Environment, settings: Settings) -> dict[str, str]:
    domain, values = settings.label_domain, environment.values
    classification: Mapping[str, t.Any] = values.get("classification") or {}
    free = {
        "stage": values.get("stage"),
        "state": values.get("state"),
        "size": values.get("size"),
        "cost-center": values.get("cost_center"),
        "owner": (values.get("contacts") or {}).get("owner"),
        "security-domain": classification.get("security_domain"),
        "sla-tier": classification.get("sla_tier"),
        **{f"data.{name}": "true" for name in classification.get("data", ())},
    }
    ours = {f"{domain}/{name}": label_value(str(value)) for name, value in free.items() if value}
    reserved = (f"{domain}/", POD_SECURITY, MANAGED_BY)
    users = {key: value for key, value in (values.get("labels") or {}).items() if not key.startswith(reserved)}
    return {
        **users,
        **{key: value for key, value in ours.items() if value},
        **identity(environment, settings),
        **pod_security_labels(values.get("pod_security") or {}),
    }


def _annotations(environment: Environment, settings: Settings) -> dict[str, str]:
    domain, values = settings.label_domain, environment.values
    contacts: Mapping[str, t.Any] = values.get("contacts") or {}
    cluster_roles = (values.get("allowed") or {}).get("cluster_roles")
    ours = {
        "display-name": values.get("display_name"),
        "tenant-display-name": environment.tenant.display_name,
        "owner": contacts.get("owner"),
        "technical-contacts": ", ".join(contacts.get("technical", ())),
        "security-contact": contacts.get("security"),
        "cost-center": values.get("cost_center"),
        "expires-at": values.get("expires_at"),
        # Whoever finds the namespace must know them when the declaration is gone.
        "adoption-policy": values.get("adoption_policy"),
        "deletion-policy": values.get("deletion_policy"),
        "priority-class": values.get("priority_class"),
    }
    reserved = (f"{domain}/", *_FLUX)
    users = {key: value for key, value in (values.get("annotations") or {}).items() if not key.startswith(reserved)}
    annotations = {**users, **{f"{domain}/{key}": str(value) for key, value in ours.items() if value}}
    if cluster_roles is not None:
        # Not in the parameters ConfigMap: Flux applies RoleBindings before ConfigMaps, and a policy whose parameters
        # are missing would refuse them for ever.
        annotations[cluster_roles_annotation(settings)] = ",".join(cluster_roles)
    annotations.update(source(environment, settings))
    if outlives(environment):
        annotations.update(PRUNE_DISABLED)
    return annotations


def cluster_roles_annotation(settings: Settings) -> str:
    """The annotation that lists the ClusterRoles which bindings in the namespace may grant."""
    return f"{settings.label_domain}/cluster-roles"
