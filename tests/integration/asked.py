# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people ask the API server for, and what it answers."""

from __future__ import annotations

from typing import Any

from .governed import RBAC, Object

PROD, ICE, NAP = "physics-lab-prod", "physics-lab-ice", "physics-lab-nap"
OLD, OPEN = "physics-lab-old", "open-web-prod"
GOOD_IMAGE = "registry.example.edu/physics/app:1.2"
NAMED = {"app.kubernetes.io/name": "app"}
OURS = {"app.kubernetes.io/managed-by": "self-provisioning"}
MANAGED = "is managed by self-provisioning"
KEEPER = "system:serviceaccount:kube-system:namespace-controller"
KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob")
OK = ""
"""No message: the request is accepted."""


def check(status: int, message: str, refusal: str) -> None:
    """Whether a request was accepted, or refused for the stated reason."""
    if refusal:
        assert (status, refusal in message) == (403, True), f"{status}: {message}"
    else:
        assert status in (200, 201), f"{status}: {message}"


def at(path: str, namespace: str = PROD, group: str = "v1") -> str:
    """A path in a namespace."""
    return f"/api{'s' if '/' in group else ''}/{group}/namespaces/{namespace}/{path}"


def thing(api: str, kind: str, name: str = "x", labels: Object | None = None, **body: Any) -> Object:
    """An object without a namespace; the row says where it goes."""
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "labels": dict(labels or {})}, **body}


def pod(image: str = GOOD_IMAGE, labels: Object | None = None, **spec: Any) -> Object:
    containers = [{"name": "main", "image": image}]
    return thing("v1", "Pod", labels=NAMED if labels is None else labels, spec={"containers": containers, **spec})


def template(image: str = GOOD_IMAGE, **spec: Any) -> Object:
    return {"metadata": {"labels": {"app": "x"}}, "spec": pod(image, **spec)["spec"]}


def workload(kind: str, image: str = GOOD_IMAGE, labels: Object | None = None, **spec: Any) -> Object:
    labels = NAMED if labels is None else labels
    if kind in ("Job", "CronJob"):
        job = {"template": template(image, restartPolicy="Never", **spec)}
        body = job if kind == "Job" else {"schedule": "0 0 * * *", "jobTemplate": {"spec": job}}
        return thing("batch/v1", kind, labels=labels, spec=body)
    if kind == "ReplicationController":
        return thing("v1", kind, labels=labels, spec={"selector": {"app": "x"}, "template": template(image, **spec)})
    extra = {"serviceName": "x"} if kind == "StatefulSet" else {}
    body = {"selector": {"matchLabels": {"app": "x"}}, "template": template(image, **spec), **extra}
    return thing("apps/v1", kind, labels=labels, spec=body)


def ingress(host: str = "a.physics.example.edu", cls: str | None = "nginx", **annotations: str) -> Object:
    backend = {"service": {"name": "x", "port": {"number": 80}}}
    rule: Object = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    made = thing("networking.k8s.io/v1", "Ingress", spec={"rules": [{**rule, **({"host": host} if host else {})}]})
    if cls:
        made["spec"]["ingressClassName"] = cls
    made["metadata"]["annotations"] = {
        f"nginx.ingress.kubernetes.io/{k.replace('_', '-')}": v for k, v in annotations.items()
    }
    return made


def tls(host: str) -> Object:
    made = ingress()
    made["spec"]["tls"] = [{"hosts": [host], "secretName": "x"}]
    return made


def service(kind: str = "ClusterIP", **spec: Any) -> Object:
    return thing("v1", "Service", spec={"type": kind, "ports": [{"port": 80}], "selector": {"a": "b"}, **spec})


def binding(subject: Object, role: str = "tenant-viewer", kind: str = "ClusterRole", name: str = "x") -> Object:
    reference = {"apiGroup": RBAC, "kind": kind, "name": role}
    return thing(f"{RBAC}/v1", "RoleBinding", name, roleRef=reference, subjects=[subject])


def account(name: str = "app", namespace: str = PROD) -> Object:
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def kustomization(**spec: Any) -> Object:
    base = {"serviceAccountName": "flux-reconciler", "sourceRef": {"kind": "GitRepository", "name": "tenant"}}
    return thing("kustomize.toolkit.fluxcd.io/v1", "Kustomization", spec={**base, **spec})


def release(**spec: Any) -> Object:
    base = {"serviceAccountName": "flux-reconciler", "chartRef": {"kind": "OCIRepository", "name": "x"}}
    return thing("helm.toolkit.fluxcd.io/v2", "HelmRelease", spec={**base, **spec})


def storage(name: str) -> Object:
    size = {"requests": {"storage": "1Gi"}}
    spec = {"storageClassName": name, "accessModes": ["ReadWriteOnce"], "resources": size}
    return thing("v1", "PersistentVolumeClaim", spec=spec)


def token_secret(name: str) -> Object:
    made = thing("v1", "Secret", type="kubernetes.io/service-account-token")
    made["metadata"]["annotations"] = {"kubernetes.io/service-account.name": name}
    return made


def config(name: str = "x", **labels: str) -> Object:
    return thing("v1", "ConfigMap", name, {k.replace("__", "/"): v for k, v in labels.items()}, data={"a": "b"})


def event(namespace: str) -> Object:
    about = {"kind": "Pod", "name": "x", "namespace": namespace}
    said = {"action": "x", "reason": "x", "reportingController": "x", "reportingInstance": "x", "type": "Normal"}
    return thing("events.k8s.io/v1", "Event", eventTime="2026-11-01T00:00:00.000000Z", regarding=about, **said)
