# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a request of the attack table is written, and the parts that several of them share."""

from __future__ import annotations

from typing import Any, NamedTuple

from .asked import (
    GOOD_IMAGE,
    RBAC,
    Object,
    at,
    kustomization,
    pod,
    release,
    thing,
)
from .delivered import LAB

STRATEGIC, MERGE, PUT = "application/strategic-merge-patch+json", "application/merge-patch+json", "application/json"
JSON_PATCH = "application/json-patch+json"
NO_RIGHT, HELD, RESERVED = "cannot", "not currently held", "flux-reconciler is reserved for Flux"
FORCE = "?fieldManager=self-provisioning&force=true"

NET, FLUX, SOURCE = "networking.k8s.io/v1", "kustomize.toolkit.fluxcd.io/v1", "source.toolkit.fluxcd.io/v1"
HELM, ADMISSION, ROLES = "helm.toolkit.fluxcd.io/v2", "admissionregistration.k8s.io/v1", f"{RBAC}/v1"
HOME = f"/api/v1/namespaces/{LAB}"
QUOTA, LIMITS = at("resourcequotas/tenant-quota"), at("limitranges/tenant-limits")
PARAMETERS, RECONCILER = at("configmaps/self-provisioning-policy"), at("serviceaccounts/flux-reconciler")
DENY, OWNERS = at("networkpolicies/default-deny", group=NET), at("rolebindings/tenant-admin-owners", group=ROLES)
BINDINGS, PODS, NAMESPACES = at("rolebindings", group=ROLES), at("pods"), "/api/v1/namespaces"
#: Made by the test before the attacks.
RUNS, OWN, OTHER = "runs", "own", "theirs"


class Try(NamedTuple):
    """A request, and a part of the refusal; without one it must be accepted."""

    what: str
    who: str
    method: str
    path: str
    body: Any = None
    refusal: str = ""
    content: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def labels(given: dict[str, str | None]) -> Object:
    return {"metadata": {"labels": given}}


def named(made: Object, name: str) -> Object:
    return {**made, "metadata": {**made["metadata"], "name": name}}


def in_lab(made: Object) -> Object:
    return {**made, "metadata": {**made["metadata"], "namespace": LAB}}


def secured(**context: Any) -> Object:
    made = pod()
    made["spec"]["containers"][0]["securityContext"] = context
    return made


def role(groups: str, resources: str, *verbs: str, kind: str = "Role") -> Object:
    rules = [{"apiGroups": [groups], "resources": [resources], "verbs": list(verbs)}]
    return thing(ROLES, kind, rules=rules)


def person(kind: str, name: str) -> Object:
    return {"kind": kind, "apiGroup": RBAC, "name": name}


def flux(**spec: Any) -> Object:
    return kustomization(**{"interval": "5m", "prune": True, **spec})


def chart(**spec: Any) -> Object:
    return release(**{"interval": "5m", **spec})


def debug(**container: Any) -> Object:
    return {"spec": {"ephemeralContainers": [{"name": "debug", "image": GOOD_IMAGE, **container}]}}


LOWER = labels({"pod-security.kubernetes.io/enforce": "privileged"})
UNMANAGED = labels({"app.kubernetes.io/managed-by": None})
OURS: Object = {"app.kubernetes.io/managed-by": "self-provisioning"}
LOWERED = thing("v1", "Namespace", LAB, {"pod-security.kubernetes.io/enforce": "privileged"})
WIDE = thing("v1", "ResourceQuota", "tenant-quota", spec={"hard": {"pods": "999"}})
ALLOW_ALL = thing(NET, "NetworkPolicy", spec={"podSelector": {}, "ingress": [{}], "egress": [{}]})
EVIL = thing("v1", "ConfigMap", "self-provisioning-policy", data={"registries": "evil.example"})
TOKEN = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
GIT_ELSEWHERE = {"kind": "GitRepository", "name": "flux-system", "namespace": "flux-system"}
REVIEW = {"user": "lead", "resourceAttributes": {"namespace": LAB, "verb": "get", "resource": "pods"}}
SCALE = {"spec": {"replicas": 9}}
WEBHOOK = {
    "name": "a.example.com",
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
    "clientConfig": {"url": "https://192.0.2.1"},
}
