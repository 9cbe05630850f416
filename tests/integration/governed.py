# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A control plane on which an organisation's tenants live, and the people who send requests to it."""

from __future__ import annotations

import datetime
import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster_roles import cluster_role_objects
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.environment import environment_objects
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.policies import policy_objects

from ..control_plane.cluster import ControlPlane

Object = dict[str, Any]

CLUSTER = "east"
DOMAIN = "self-provisioning.internal"
ACCOUNT_GROUPS = ("system:serviceaccounts", "system:authenticated")
SECONDS = 60.0
#: The order in which kustomize-controller applies what is not a Namespace (fluxcd/pkg, ssa/sort.go).
FLUX_ORDER = ("ResourceQuota", "ServiceAccount", "RoleBinding", "ConfigMap", "LimitRange", "PodDisruptionBudget")

SETTINGS: Object = {
    "fleet_defaults": {"size": "small"},
    "fleet_sizes": {
        "small": {
            "resource_quota": {
                "hard": {
                    "requests.cpu": "4",
                    "requests.memory": "8Gi",
                    "limits.cpu": "8",
                    "limits.memory": "16Gi",
                    "requests.storage": "50Gi",
                    "pods": "20",
                }
            }
        }
    },
    "fleet_policies": {"required_labels": ["app.kubernetes.io/name"], "platform_groups": ["break-glass"]},
    "fleet_services": {
        "cert-manager": {"repository": "oci://charts.example.com/cert-manager", "version": "v1.15.3"},
    },
}
CLUSTERS: Object = {
    CLUSTER: {
        "cluster_environment": "prod",
        "cluster_security_domain": "internal_only",
        "cluster_sla_tier": "tier_2_important",
        "cluster_capacity": {"cpu": "100", "memory": "1Ti", "storage": "10Ti"},
        "cluster_storage_classes": ["cephfs", "rbd"],
    }
}


def _group(role: str, name: str) -> Object:
    return {"cluster_role": role, "subjects": [{"kind": "Group", "name": name}]}


def _environment(name: str, **more: Any) -> Object:
    return {"name": name, "stage": "prod", **more}


TENANTS: Object = {
    "tenant__physics": {
        "id": "physics",
        "owners": [{"kind": "Group", "name": "physics-leads"}],
        "allowed": {
            "registries": ["registry.example.edu/physics", "docker.io/library/nginx"],
            "storage_classes": ["cephfs"],
            "ingress": {"classes": ["nginx"], "hostnames": ["*.physics.example.edu", "lab.example.edu"]},
            "priority_classes": ["standard"],
            "service_types": ["ClusterIP"],
            "cluster_roles": ["view", "admin", "tenant-editor"],
        },
        "role_bindings": [
            _group("view", "auditors"),
            _group("tenant-editor", "physics-developers"),
            _group("admin", "physics-old-admins"),
        ],
        "projects": [
            {
                "id": "lab",
                "gitops": {"url": "https://git.example.edu/physics/lab.git"},
                "environments": [
                    _environment("prod"),
                    _environment("ice", state="frozen"),
                    _environment("gone", state="frozen"),
                    _environment("nap", state="hibernated"),
                    _environment("old", state="archived"),
                ],
            }
        ],
    },
    "tenant__open": {
        "id": "open",
        "owners": [{"kind": "User", "name": "olga"}],
        "projects": [{"id": "web", "environments": [_environment("prod")]}],
    },
}

#: Everybody who sends requests, with their groups. Those with a cluster-wide right get it from the test, not from us.
PEOPLE: Mapping[str, tuple[str, ...]] = {
    "lead": ("physics-leads",),
    "developer": ("physics-developers",),
    "old-admin": ("physics-old-admins",),
    "auditor": ("auditors",),
    "olga": (),
    "operator": (),
    "fire-fighter": ("break-glass",),
    "system:serviceaccount:flux-system:kustomize-controller": ("system:serviceaccounts:flux-system", *ACCOUNT_GROUPS),
    "system:serviceaccount:kube-system:namespace-controller": ("system:serviceaccounts:kube-system", *ACCOUNT_GROUPS),
    "system:serviceaccount:flux-system:source-controller": ("system:serviceaccounts:flux-system", *ACCOUNT_GROUPS),
    "system:serviceaccount:cert-manager:cert-manager": ("system:serviceaccounts:cert-manager", *ACCOUNT_GROUPS),
    "system:serviceaccount:shop:operator": ("system:serviceaccounts:shop", *ACCOUNT_GROUPS),
}
RBAC = "rbac.authorization.k8s.io"
FLUX = "system:serviceaccount:flux-system:kustomize-controller"
EVERYTHING = (
    "operator",
    "fire-fighter",
    *(name for name in PEOPLE if name.startswith("system:")),
)

CRDS = (
    ("kustomize.toolkit.fluxcd.io", "v1", "Kustomization"),
    ("helm.toolkit.fluxcd.io", "v2", "HelmRelease"),
    ("source.toolkit.fluxcd.io", "v1", "GitRepository"),
    ("notification.toolkit.fluxcd.io", "v1", "Receiver"),
    ("notification.toolkit.fluxcd.io", "v1beta3", "Alert"),
    ("image.toolkit.fluxcd.io", "v1beta2", "ImagePolicy"),
    ("image.toolkit.fluxcd.io", "v1beta2", "ImageUpdateAutomation"),
    ("gateway.networking.k8s.io", "v1", "GRPCRoute"),
    ("gateway.networking.k8s.io", "v1alpha2", "TLSRoute"),
    ("gateway.networking.k8s.io", "v1", "HTTPRoute"),
)
_PLURALS = {
    "GitRepository": "gitrepositories",
    "ImagePolicy": "imagepolicies",
    "Ingress": "ingresses",
    "NetworkPolicy": "networkpolicies",
    "PriorityClass": "priorityclasses",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
}


def compiled() -> Fleet:
    """The organisation."""
    fleet = compile_fleet(Source(SETTINGS, TENANTS, CLUSTERS), today=datetime.date(2026, 11, 1))
    assert [problem.render() for problem in fleet.problems.errors] == []
    return fleet


def collection_path(api_version: str, kind: str, namespace: str | None = None) -> str:
    """Where objects of a kind are."""
    start = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    middle = f"/namespaces/{namespace}" if namespace else ""
    return f"{start}{middle}/{_PLURALS.get(kind, kind.lower() + 's')}"


def path_of(target: Object) -> str:
    """Where an object is."""
    meta = target["metadata"]
    return f"{collection_path(target['apiVersion'], target['kind'], meta.get('namespace'))}/{meta['name']}"


@dataclass
class Governed:
    """The control plane with everything of ours on it."""

    plane: ControlPlane
    fleet: Fleet
    _logins: dict[str, ssl.SSLContext] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The release line of the control plane."""
        return ".".join(self.plane.version.removeprefix("v").split(".")[:2])

    def send(
        self, who: str, method: str, path: str, body: Object | None = None, content: str = "application/json"
    ) -> tuple[int, str]:
        """A request of somebody; the status, and the message of the answer."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.plane.layout.ports.apiserver, timeout=30, context=self._login(who)
        )
        data = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, body=data, headers={"Content-Type": content} if data else {})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        try:
            return answer.status, str(json.loads(text).get("message", ""))
        except ValueError:
            return answer.status, text

    def _login(self, who: str) -> ssl.SSLContext:
        if who not in self._logins:
            context = ssl.create_default_context(cafile=str(self.plane.ca_file))
            login = self.plane.layout.authority.client(f"policies-{len(self._logins)}", who, PEOPLE[who])
            context.load_cert_chain(login.certificate, login.key)
            self._logins[who] = context
        return self._logins[who]

    def apply(self, who: str, target: Object, *, dry_run: bool = False) -> None:
        """Server-side apply, which must succeed."""
        query = "?fieldManager=test&force=true" + ("&dryRun=All" if dry_run else "")
        status, message = self.send(who, "PATCH", path_of(target) + query, target, "application/apply-patch+yaml")
        assert status in (200, 201), f"{target['kind']} {target['metadata']['name']}: {message}"

    def create_as_admin(self, target: Object) -> None:
        """Create an object that may be there already."""
        meta = target["metadata"]
        path = collection_path(target["apiVersion"], target["kind"], meta.get("namespace"))
        status, answer = self.plane.admin.request("POST", path, target)
        assert status in (200, 201, 409), answer

    def get(self, path: str) -> Object:
        """Read as the administrator."""
        status, answer = self.plane.admin.request("GET", path)
        assert status == 200, answer
        return answer


def wait_for(done: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    end = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < end, f"still not so after {SECONDS:.0f} s: {what}"
        time.sleep(0.2)


def crd(group: str, version: str, kind: str) -> Object:
    """A definition that takes any content: only admission is looked at here."""
    plural = _PLURALS.get(kind, kind.lower() + "s")
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    annotations = {"api-approved.kubernetes.io": "unapproved, for tests"} if group.endswith("k8s.io") else {}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}", "annotations": annotations},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": anything},
                    "subresources": {"status": {}},
                }
            ],
        },
    }


def in_flux_order(objects: Iterable[Object]) -> list[Object]:
    """As kustomize-controller sorts them: namespaces first, then by kind."""
    order = {kind: place for place, kind in enumerate(("Namespace", *FLUX_ORDER))}
    return sorted(objects, key=lambda each: order.get(each["kind"], len(order)))


def govern(plane: ControlPlane) -> Governed:
    """Put policies, roles and all environments on a control plane: with Flux's identity, in Flux's order."""
    fleet = compiled()
    governed = Governed(plane, fleet)
    for each in CRDS:
        governed.create_as_admin(crd(*each))
    for name in ("flux-system", "shop"):
        governed.create_as_admin({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for name in ("standard", "other"):
        priority = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": 1}
        governed.create_as_admin({**priority, "metadata": {"name": name}})
    governed.create_as_admin(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "everything"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "User", "name": name} for name in EVERYTHING],
        }
    )
    wait_for(lambda: governed.send(FLUX, "GET", "/api/v1/namespaces")[0] == 200, "Flux has its rights")
    wait_for(lambda: all(_served(governed, each) for each in CRDS), "the definitions are served")
    for target in [*policy_objects(fleet.settings, governed.line), *cluster_role_objects(fleet.settings)]:
        governed.apply(FLUX, target)
    wait_for(lambda: _policies_work(governed), "the policies are in force")
    for environment in fleet.environments:
        objects = environment_objects(environment, fleet.clusters[CLUSTER], fleet.settings)
        for target in in_flux_order(objects):
            governed.apply(FLUX, target)
    names = [environment.namespace for environment in fleet.environments]
    wait_for(lambda: all(_settled(governed, name) for name in names), "every namespace is ready for pods")
    return governed


def _served(governed: Governed, definition: tuple[str, str, str]) -> bool:
    group, version, kind = definition
    return governed.send(FLUX, "GET", collection_path(f"{group}/{version}", kind))[0] == 200


def _policies_work(governed: Governed) -> bool:
    """Each of them compiled, and the last one seen by admission."""
    listed = governed.get(collection_path("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"))["items"]
    seen = [each.get("status", {}).get("observedGeneration") == each["metadata"]["generation"] for each in listed]
    probe = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "probe", "labels": {f"{DOMAIN}/tenant": "x"}},
    }
    return all(seen) and governed.send("operator", "POST", "/api/v1/namespaces?dryRun=All", probe)[0] == 403


def _settled(governed: Governed, namespace: str) -> bool:
    below = f"/api/v1/namespaces/{namespace}"
    quota = governed.get(f"{below}/resourcequotas/tenant-quota")
    counted = set(quota.get("status", {}).get("used", {})) == set(quota["spec"]["hard"])
    return counted and governed.send("operator", "GET", f"{below}/serviceaccounts/default")[0] == 200
