# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A control plane on which two tenants live, put there by the provisioner with its own least rights and nothing else.

An administrator only installs the resource definitions, the namespaces of the platform and what
C(provisioner_objects) gives.
"""

from __future__ import annotations

import copy
import datetime
import functools
import http.client
import json
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster_bundle import cluster_bundle
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.provisioner import (
    ACCOUNT,
    NAMESPACE,
    provisioner_objects,
)

from ..control_plane.cluster import ControlPlane
from ..tools.schemas import crds
from .governed import CLUSTER, CLUSTERS, DOMAIN, SETTINGS, collection_path, wait_for

Object = dict[str, Any]

DAY = datetime.date(2026, 11, 1)
LAB, ICE, GONE, SHOP = "physics-lab-prod", "physics-lab-ice", "physics-lab-gone", "chem-shop-prod"
APPLY = "application/apply-patch+yaml"
MANAGER = "self-provisioning"


def _subjects(kind: str, name: str) -> list[Object]:
    return [{"kind": kind, "name": name}]


def _binding(role: str, group: str) -> Object:
    return {"cluster_role": role, "subjects": _subjects("Group", group)}


ROLES = ["tenant-admin", "tenant-editor", "tenant-viewer", "view"]
TENANTS: Object = {
    "tenant__physics": {
        "id": "physics",
        "owners": _subjects("Group", "physics-leads"),
        "allowed": {
            "registries": ["registry.example.edu/physics"],
            "storage_classes": ["cephfs"],
            "ingress": {"classes": ["nginx"], "hostnames": ["*.physics.example.edu"]},
            "priority_classes": ["standard"],
            "service_types": ["ClusterIP"],
            "cluster_roles": ROLES,
        },
        "role_bindings": [_binding("tenant-editor", "physics-developers"), _binding("tenant-viewer", "physics-guests")],
        "projects": [
            {
                "id": "lab",
                "role_bindings": [_binding("view", "auditors")],
                "gitops": {"url": "https://git.example.edu/physics/lab.git"},
                "environments": [
                    {
                        "name": "prod",
                        "resource_quota": {
                            "scoped": [
                                {
                                    "name": "batch",
                                    "hard": {"pods": "5"},
                                    "scopeSelector": {
                                        "matchExpressions": [
                                            {"scopeName": "PriorityClass", "operator": "In", "values": ["standard"]}
                                        ]
                                    },
                                }
                            ]
                        },
                        "pod_disruption_budget": {"maxUnavailable": 1},
                        "grants": [
                            {
                                "kind": "role",
                                "cluster_role": "tenant-editor",
                                "subjects": _subjects("User", "carol"),
                                "expires_at": "2026-12-24",
                                "reason": "migration",
                                "request": "GH-7",
                            }
                        ],
                    },
                    {"name": "ice", "stage": "prod", "state": "frozen"},
                    {"name": "gone", "stage": "prod", "deletion_policy": "delete"},
                ],
            }
        ],
    },
    "tenant__chem": {
        "id": "chem",
        "owners": _subjects("User", "olga"),
        "projects": [{"id": "shop", "environments": [{"name": "prod"}]}],
    },
}

PEOPLE: dict[str, tuple[str, ...]] = {
    "lead": ("physics-leads",),
    "developer": ("physics-developers",),
    "guest": ("physics-guests",),
    "auditor": ("auditors",),
    "olga": (),
}
#: ServiceAccounts, which come with a token: a short name, the namespace, the name.
ACCOUNTS: dict[str, tuple[str, str]] = {
    "reconciler": (LAB, "flux-reconciler"),
    "deployer": (LAB, "ci-deployer"),
    "provisioner": (NAMESPACE, ACCOUNT),
    "flux": ("flux-system", "kustomize-controller"),
}


def source() -> Source:
    """The organisation's inventory."""
    settings = copy.deepcopy(SETTINGS)
    settings["fleet_policies"]["platform_groups"] = []
    settings["fleet_services"]["metallb"] = {"repository": "https://metallb.example.com", "namespace": "metallb-system"}
    here = copy.deepcopy(CLUSTERS)
    pools = [{"name": "lab", "addresses": ["192.0.2.0/28"], "tenants": ["physics"]}]
    services: Object = {"cert-manager": {}, "metallb": {}}
    here[CLUSTER].update(cluster_services=services, cluster_network={"load_balancer_pools": pools})
    return Source(settings, copy.deepcopy(TENANTS), here)


@functools.cache
def compiled(line: str, delivery: str = "live") -> Fleet:
    """The organisation, on a cluster of a release line."""
    given = source()
    more = {"cluster_release_line": line, "cluster_delivery": delivery}
    here = {name: {**values, **more} for name, values in given.clusters.items()}
    fleet = compile_fleet(Source(given.settings, given.tenants, here), today=DAY)
    assert [problem.render() for problem in fleet.problems.errors] == []
    return fleet


@dataclass
class Delivered:
    """The control plane, and everybody who sends requests to it."""

    plane: ControlPlane
    _logins: dict[str, tuple[ssl.SSLContext, dict[str, str]]] = field(default_factory=dict)

    @functools.cached_property
    def line(self) -> str:
        """The release line."""
        return ".".join(self.plane.version.removeprefix("v").split(".")[:2])

    @property
    def fleet(self) -> Fleet:
        """The organisation."""
        return compiled(self.line)

    def ask(
        self,
        who: str,
        method: str,
        path: str,
        body: Object | None = None,
        content: str = "application/json",
        **more: str,
    ) -> tuple[int, Object]:
        """A request of somebody; the status and the object of the answer. I(more) are headers."""
        context, headers = self._login(who)
        headers = {**headers, **{name.replace("_", "-"): value for name, value in more.items()}}
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.plane.layout.ports.apiserver, timeout=30, context=context
        )
        if body is not None:
            headers = {**headers, "Content-Type": content}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, {"message": text}

    def send(
        self,
        who: str,
        method: str,
        path: str,
        body: Object | None = None,
        content: str = "application/json",
        **more: str,
    ) -> tuple[int, str]:
        """The same; the status and the message of the answer."""
        status, answer = self.ask(who, method, path, body, content, **more)
        return status, str(answer.get("message", "")) if isinstance(answer, dict) else ""

    def apply(self, who: str, target: Object, *, dry_run: bool = False) -> tuple[int, str]:
        """Server-side apply, as the reconciler does it."""
        query = f"?fieldManager={MANAGER}" + ("&dryRun=All" if dry_run else "")
        return self.send(who, "PATCH", object_path(target) + query, target, APPLY)

    def as_admin(self, targets: Iterable[Object]) -> None:
        """Server-side apply as the administrator, who is outside the cluster's own rules."""
        for target in targets:
            path = f"{object_path(target)}?fieldManager={MANAGER}&force=true"
            status, answer = self.plane.admin.request("PATCH", path, target, content_type=APPLY)
            assert status in (200, 201), answer

    def get(self, path: str) -> Object:
        """Read as the administrator."""
        status, answer = self.plane.admin.request("GET", path)
        assert status == 200, answer
        return answer

    def token(self, namespace: str, name: str) -> str:
        """A short-lived token, which the administrator asks for."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
        status, answer = self.plane.admin.request("POST", path, body)
        assert status == 201, answer
        return str(answer["status"]["token"])

    def _login(self, who: str) -> tuple[ssl.SSLContext, dict[str, str]]:
        if who not in self._logins:
            context = ssl.create_default_context(cafile=str(self.plane.ca_file))
            headers = {}
            if who in ACCOUNTS:
                headers = {"Authorization": f"Bearer {self.token(*ACCOUNTS[who])}"}
            else:
                login = self.plane.layout.authority.client(f"delivered-{len(self._logins)}", who, PEOPLE[who])
                context.load_cert_chain(login.certificate, login.key)
            self._logins[who] = (context, headers)
        return self._logins[who]


def object_path(target: Object) -> str:
    """Where an object is."""
    meta, kind = target["metadata"], target["kind"]
    known = collection_path(target["apiVersion"], kind, meta.get("namespace"))
    if kind.endswith("y"):
        known = f"{known.rsplit('/', 1)[0]}/{kind.lower()[:-1]}ies"
    return f"{known}/{meta['name']}"


def _named(api: str, kind: str, name: str, **body: Any) -> Object:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **body}


def deliver(plane: ControlPlane) -> Delivered:
    """Bring the organisation to a control plane."""
    delivered = Delivered(plane)
    definitions = crds(delivered.line)
    delivered.as_admin(definitions)
    names = ("cert-manager", "flux-system", "metallb-system", "strangers")
    delivered.as_admin(_named("v1", "Namespace", name) for name in names)
    priorities = ("other", "standard")
    delivered.as_admin(_named("scheduling.k8s.io/v1", "PriorityClass", name, value=1) for name in priorities)
    delivered.as_admin(provisioner_objects(delivered.fleet, CLUSTER))
    wait_for(lambda: all(_served(delivered, each) for each in definitions), "the definitions are served")
    wait_for(lambda: _confined(delivered), "the provisioner is confined")
    bundle = bundle_of(delivered)
    for target in bundle:
        if target["kind"] != "ClusterRole":  # these came with the provisioner; it cannot write them
            wait_for(functools.partial(_applied, delivered, target), f"{target['kind']} {target['metadata']['name']}")
    wait_for(lambda: _guarded(delivered), "the policies are in force")
    namespaces = [each["metadata"]["name"] for each in bundle if each["kind"] == "Namespace"]
    wait_for(lambda: all(_ready(delivered, name) for name in namespaces), "every namespace is ready for pods")
    return delivered


def bundle_of(delivered: Delivered) -> list[Object]:
    """What the provisioner brings."""
    return cluster_bundle(delivered.fleet, CLUSTER)


def _applied(delivered: Delivered, target: Object) -> bool:
    """The API server learns about new namespaces and rights a moment after it has stored them."""
    status, message = delivered.apply("provisioner", target)
    assert status in (200, 201, 403), f"{target['kind']} {target['metadata']['name']}: {status} {message}"
    return status != 403


def _served(delivered: Delivered, definition: Object) -> bool:
    spec = definition["spec"]
    versions = [each["name"] for each in spec["versions"] if each["served"]]
    paths = [f"/apis/{spec['group']}/{version}/{spec['names']['plural']}" for version in versions]
    return all(delivered.plane.admin.request("GET", path)[0] == 200 for path in paths)


def _confined(delivered: Delivered) -> bool:
    probe = _named("v1", "Namespace", "kube-probe")
    probe["metadata"]["labels"] = {f"{DOMAIN}/tenant": "x"}
    return "belongs to the platform" in delivered.send("provisioner", "POST", "/api/v1/namespaces?dryRun=All", probe)[1]


def _guarded(delivered: Delivered) -> bool:
    """Each policy compiled, and a late one is seen by admission."""
    listed = delivered.get(collection_path("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"))["items"]
    seen = [each.get("status", {}).get("observedGeneration") == each["metadata"]["generation"] for each in listed]
    path = f"/api/v1/namespaces/{ICE}/configmaps?dryRun=All"
    return all(seen) and "is frozen" in delivered.send("lead", "POST", path, _named("v1", "ConfigMap", "probe"))[1]


def _ready(delivered: Delivered, namespace: str) -> bool:
    below = f"/api/v1/namespaces/{namespace}"
    quota = delivered.get(f"{below}/resourcequotas/tenant-quota")
    counted = set(quota.get("status", {}).get("used", {})) == set(quota["spec"]["hard"])
    return counted and delivered.plane.admin.request("GET", f"{below}/serviceaccounts/default")[0] == 200
