# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rights of those who deliver, asked of a real API server: enough for everything they bring, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.provisioner import (
    flux_objects,
    provisioner_objects,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.layout import layout

from .asked import OK, RBAC, Object, account, at, binding, check, config, kustomization, pod, thing
from .delivered import APPLY, GONE, LAB, MANAGER, Delivered, bundle_of, compiled, object_path
from .governed import CLUSTER, DOMAIN, in_flux_order, wait_for

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
ROLES = f"/apis/{RBAC}/v1"
KUSTOMIZE, METALLB = "kustomize.toolkit.fluxcd.io/v1", "metallb.io/v1beta1"
NO_RIGHT = "cannot"
HELD = "not currently held"
ME = {"kind": "ServiceAccount", "name": "provisioner", "namespace": "self-provisioning"}
EVERYBODY = {"kind": "Group", "apiGroup": RBAC, "name": "system:authenticated"}
LEADS = {"kind": "Group", "apiGroup": RBAC, "name": "physics-leads"}
ANY_RULE = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
READ_RULE = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]


def home(name: str, *, tenant: bool = True) -> Object:
    return thing("v1", "Namespace", name, {f"{DOMAIN}/tenant": "physics"} if tenant else {"a": "b"})


def pool(name: str = "x") -> Object:
    return thing(METALLB, "IPAddressPool", name, spec={"addresses": ["192.0.2.64/28"]})


def policy(name: str) -> Object:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    spec: Object = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": "true"}]}
    return thing("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", name, spec=spec)


def cluster_binding(role: str, name: str = "x") -> Object:
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": role}
    return thing(f"{RBAC}/v1", "ClusterRoleBinding", name, roleRef=reference, subjects=[ME])


def tenant(**spec: Any) -> Object:
    made = kustomization(**{"interval": "1m", "prune": True, **spec})
    return {**made, "metadata": {"name": "tenant"}}


BINDINGS = at("rolebindings", group=f"{RBAC}/v1")
TOKENS = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
REVIEW = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {"user": "x"}}

#: method, path, body, a part of the refusal. A PATCH is a server-side apply.
PROVISIONER: list[tuple[str, str, Object | None, str]] = [
    # what it must read and what not
    ("GET", "/api/v1/configmaps?labelSelector=a", None, OK),
    ("GET", "/api/v1/resourcequotas", None, OK),
    ("GET", f"{ROLES}/clusterroles/tenant-admin", None, OK),
    ("GET", "/api/v1/secrets", None, NO_RIGHT),
    ("GET", at("secrets"), None, NO_RIGHT),
    ("GET", at("pods"), None, NO_RIGHT),
    ("GET", at("pods/x/log"), None, NO_RIGHT),
    ("GET", "/api/v1/nodes", None, NO_RIGHT),
    # running and entering things, and other identities
    ("POST", at("pods"), pod(), NO_RIGHT),
    ("POST", at("pods/x/exec?command=id"), None, NO_RIGHT),
    ("POST", at("secrets"), thing("v1", "Secret"), NO_RIGHT),
    ("POST", at("serviceaccounts/flux-reconciler/token"), TOKENS, NO_RIGHT),
    ("POST", at("serviceaccounts/provisioner/token", "self-provisioning"), TOKENS, NO_RIGHT),
    ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", REVIEW, NO_RIGHT),
    # roles
    ("POST", f"{ROLES}/clusterroles", thing(f"{RBAC}/v1", "ClusterRole", rules=READ_RULE), NO_RIGHT),
    ("PATCH", f"{ROLES}/clusterroles/x", thing(f"{RBAC}/v1", "ClusterRole", rules=READ_RULE), NO_RIGHT),
    (
        "PATCH",
        f"{ROLES}/clusterroles/tenant-viewer",
        thing(f"{RBAC}/v1", "ClusterRole", "tenant-viewer", rules=ANY_RULE),
        NO_RIGHT,
    ),
    (
        "PATCH",
        f"{ROLES}/clusterroles/self-provisioning-provisioner",
        thing(f"{RBAC}/v1", "ClusterRole", "self-provisioning-provisioner", rules=ANY_RULE),
        NO_RIGHT,
    ),
    ("POST", f"{ROLES}/clusterrolebindings", cluster_binding("cluster-admin"), NO_RIGHT),
    ("POST", f"{ROLES}/clusterrolebindings", cluster_binding("tenant-admin"), NO_RIGHT),
    ("POST", at("roles", group=f"{RBAC}/v1"), thing(f"{RBAC}/v1", "Role", rules=ANY_RULE), NO_RIGHT),
    # bindings
    ("POST", BINDINGS, binding(LEADS, "tenant-admin"), OK),
    ("PATCH", f"{BINDINGS}/x", binding(LEADS, "view"), OK),
    ("DELETE", f"{BINDINGS}/tenant-admin-owners", None, OK),
    ("DELETE", BINDINGS, None, NO_RIGHT),
    ("POST", BINDINGS, binding(LEADS, "cluster-admin"), HELD),
    ("POST", BINDINGS, binding(LEADS, "admin"), HELD),
    ("POST", BINDINGS, binding(LEADS, "self-provisioning-provisioner"), "never to itself"),
    ("POST", BINDINGS, binding(ME, "tenant-admin"), "never to itself"),
    ("POST", BINDINGS, binding(EVERYBODY, "tenant-viewer"), "never to itself"),
    ("POST", BINDINGS, binding(LEADS, "anything", "Role"), "never to itself"),
    ("POST", at("rolebindings", "kube-system", f"{RBAC}/v1"), binding(LEADS, "tenant-admin"), "not a namespace of a"),
    ("POST", at("rolebindings", "strangers", f"{RBAC}/v1"), binding(LEADS, "tenant-admin"), "not a namespace of a"),
    (
        "POST",
        at("rolebindings", "self-provisioning", f"{RBAC}/v1"),
        binding(ME, "tenant-admin"),
        "not a namespace of a tenant",
    ),
    # namespaces
    ("POST", "/api/v1/namespaces", home("physics-lab-new"), OK),
    ("POST", "/api/v1/namespaces", home("physics-lab-new", tenant=False), "would be none"),
    ("POST", "/api/v1/namespaces", home("kube-new"), "belongs to the platform"),
    ("PATCH", "/api/v1/namespaces/strangers", home("strangers"), OK),  # adoption
    *[
        ("PATCH", f"/api/v1/namespaces/{name}", home(name), "belongs to the platform")
        for name in ("kube-system", "flux-system", "self-provisioning", "cert-manager", "default")
    ],
    ("PUT", f"/api/v1/namespaces/{LAB}/finalize", home(LAB), NO_RIGHT),
    ("PATCH", f"/api/v1/namespaces/{LAB}/status", home(LAB), NO_RIGHT),
    ("DELETE", f"/api/v1/namespaces/{LAB}", None, NO_RIGHT),
    ("DELETE", f"/api/v1/namespaces/{GONE}", None, NO_RIGHT),
    # what is in them
    ("PATCH", at("configmaps/self-provisioning-policy"), config("self-provisioning-policy"), OK),
    ("PATCH", at("configmaps/x"), config(), NO_RIGHT),
    ("PATCH", at("configmaps/self-provisioning-policy", "kube-system"), config("self-provisioning-policy"), "not a"),
    ("PATCH", at("configmaps/cluster-facts", "kube-system"), config("cluster-facts"), "not a namespace of a tenant"),
    ("PATCH", at("configmaps/cluster-facts", "flux-system"), config("cluster-facts"), OK),
    ("PATCH", at("configmaps/cluster-facts", "self-provisioning"), config("cluster-facts"), OK),
    ("PATCH", at("serviceaccounts/ci-deployer"), thing("v1", "ServiceAccount", "ci-deployer"), OK),
    ("PATCH", at("serviceaccounts/x"), thing("v1", "ServiceAccount"), NO_RIGHT),
    ("DELETE", at("networkpolicies", group="networking.k8s.io/v1"), None, NO_RIGHT),
    ("DELETE", at("resourcequotas/tenant-quota-batch"), None, OK),
    ("DELETE", at("resourcequotas"), None, NO_RIGHT),
    ("PATCH", at("kustomizations/tenant", group=KUSTOMIZE), tenant(path="./deploy"), OK),
    ("PATCH", at("kustomizations/tenant", group=KUSTOMIZE), tenant(serviceAccountName="x"), "apply as flux-reconciler"),
    (
        "PATCH",
        at("kustomizations/tenant", group=KUSTOMIZE),
        tenant(kubeConfig={"secretRef": {"name": "x"}}),
        "apply as flux-reconciler",
    ),
    ("PATCH", at("kustomizations/tenant", "flux-system", KUSTOMIZE), tenant(), "not a namespace of a tenant"),
    ("PATCH", at("kustomizations/x", group=KUSTOMIZE), kustomization(interval="1m", prune=True), NO_RIGHT),
    ("PATCH", at("ipaddresspools/x", "metallb-system", METALLB), pool(), OK),
    ("PATCH", at("ipaddresspools/x", LAB, METALLB), pool(), OK),  # a pool elsewhere is nothing to MetalLB
    ("PATCH", at("ipaddresspools/x", "kube-system", METALLB), pool(), "not a namespace of a tenant"),
    # the cluster
    (
        "PATCH",
        f"{ADMISSION}/validatingadmissionpolicies/self-provisioning-images",
        policy("self-provisioning-images"),
        OK,
    ),
    ("POST", f"{ADMISSION}/validatingadmissionpolicies", policy("x"), NO_RIGHT),
    *[
        (method, f"{ADMISSION}/{kind}/self-provisioning-provisioner", None, NO_RIGHT)
        for kind in ("validatingadmissionpolicies", "validatingadmissionpolicybindings")
        for method in ("PATCH", "DELETE")
    ],
    ("GET", f"{ADMISSION}/mutatingwebhookconfigurations", None, NO_RIGHT),
    ("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ipaddresspools.metallb.io", None, NO_RIGHT),
    ("DELETE", "/apis/apiregistration.k8s.io/v1/apiservices/v1.apps", None, NO_RIGHT),
    ("GET", "/apis/certificates.k8s.io/v1/certificatesigningrequests", None, NO_RIGHT),
    ("GET", "/api/v1/persistentvolumes", None, NO_RIGHT),
]


def query(method: str, path: str) -> str:
    """A path with C(dryRun), which changes neither authorization nor admission."""
    if method == "GET" or "/exec" in path or "/token" in path:
        return path
    more = f"&fieldManager={MANAGER}&force=true" if method == "PATCH" else ""
    return f"{path}{'&' if '?' in path else '?'}dryRun=All{more}"


def attempt(delivered: Delivered, who: str, method: str, path: str, body: Object | None, refusal: str) -> None:
    content = APPLY if method == "PATCH" else "application/json"
    if method == "PATCH" and body is None:
        body = {}
    status, message = delivered.send(who, method, query(method, path), body, content)
    check(status, message, refusal)


@pytest.fixture(scope="module", autouse=True)
def role_of_somebody(delivered: Delivered) -> None:
    """A role whose rights the provisioner has, so that the API server's own check lets it pass."""
    role = thing(f"{RBAC}/v1", "Role", "anything", rules=READ_RULE)
    role["metadata"]["namespace"] = LAB
    delivered.as_admin([role])


@pytest.mark.parametrize(("method", "path", "body", "refusal"), PROVISIONER)
def test_the_provisioner_can_do_what_it_brings(
    delivered: Delivered, method: str, path: str, body: Object | None, refusal: str
) -> None:
    """Everything that it must do, next to what it must not."""
    attempt(delivered, "provisioner", method, path, body, refusal)


def test_it_speaks_for_nobody_else(delivered: Delivered) -> None:
    for name in ("lead", "system:serviceaccount:physics-lab-prod:flux-reconciler"):
        check(*delivered.send("provisioner", "GET", at("pods"), Impersonate_User=name), "cannot impersonate")


def test_everything_applies_again(delivered: Delivered) -> None:
    """The bundle is there already, brought by the same identity; a trial and a second run change nothing."""
    for target in bundle_of(delivered):
        if target["kind"] != "ClusterRole":
            for dry_run in (True, False):
                status, message = delivered.apply("provisioner", target, dry_run=dry_run)
                assert status == 200, f"{target['kind']} {target['metadata']['name']}: {message}"


def test_the_roles_that_it_cannot_write_are_what_it_would_bring(delivered: Delivered) -> None:
    """So a run finds them equal and has nothing to write."""
    roles = [each for each in bundle_of(delivered) if each["kind"] == "ClusterRole"]
    assert len(roles) == 3
    for role in roles:
        live = delivered.ask("provisioner", "GET", f"{ROLES}/clusterroles/{role['metadata']['name']}")[1]
        assert (live["rules"], live["metadata"]["labels"]) == (role["rules"], role["metadata"]["labels"])


def test_what_is_granted_on_request(delivered: Delivered) -> None:
    """Deleting namespaces, only those that are not to be kept; and asking for other people's rights."""
    review = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    body = {**REVIEW, "spec": {"user": "x", "resourceAttributes": {"verb": "get", "resource": "pods"}}}
    more = provisioner_objects(delivered.fleet, CLUSTER, delete_namespaces=True, access_reviews=True)
    try:
        delivered.as_admin(more)
        wait_for(lambda: delivered.send("provisioner", "POST", review, body)[0] == 201, "the right is there")
        check(*delivered.send("provisioner", "DELETE", f"/api/v1/namespaces/{GONE}?dryRun=All"), OK)
        for name, refusal in ((LAB, "is to be kept"), ("strangers", "is to be kept"), ("cert-manager", "the platform")):
            check(*delivered.send("provisioner", "DELETE", f"/api/v1/namespaces/{name}?dryRun=All"), refusal)
    finally:
        delivered.as_admin(provisioner_objects(delivered.fleet, CLUSTER))
    wait_for(lambda: delivered.send("provisioner", "POST", review, body)[0] == 403, "the right is gone again")


@pytest.fixture(scope="module")
def flux(delivered: Delivered) -> Delivered:
    """kustomize-controller with its least rights."""
    name = {"name": "kustomize-controller", "namespace": "flux-system"}
    delivered.as_admin([{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": name}])
    delivered.as_admin(flux_objects(delivered.fleet, CLUSTER))
    wait_for(lambda: delivered.send("flux", "GET", f"/apis/{KUSTOMIZE}/kustomizations")[0] == 200, "it has its rights")
    return delivered


def test_flux_can_apply_everything_in_the_tree(flux: Delivered) -> None:
    """As kustomize-controller does: every object, in its order, in a trial each time."""
    texts = layout(compiled(flux.line, "gitops")).values()
    objects = [each for content in texts for each in content if isinstance(each, dict) and "kind" in each]
    wanted = [each for each in objects if "kustomize.config" not in each["apiVersion"]]
    kinds = {each["kind"] for each in wanted}
    assert {"ClusterRole", "HelmRelease", "Kustomization", "Namespace", "RoleBinding", "IPAddressPool"} <= kinds
    for target in in_flux_order(wanted):
        path = query("PATCH", object_path(target))
        status, message = flux.send("flux", "PATCH", path, target, APPLY)
        assert status in (200, 201), f"{target['kind']} {target['metadata']['name']}: {message}"


FLUX: list[tuple[str, str, Object | None, str]] = [
    ("GET", at("secrets/age", "flux-system"), None, "not found"),
    ("GET", at("secrets"), None, NO_RIGHT),
    ("GET", "/api/v1/secrets", None, NO_RIGHT),
    ("GET", at("pods"), None, NO_RIGHT),
    ("POST", at("pods", "kube-system"), pod(), NO_RIGHT),
    ("POST", BINDINGS, binding(account(), "cluster-admin"), HELD),
    (
        "PATCH",
        f"{ROLES}/clusterroles/tenant-viewer",
        thing(f"{RBAC}/v1", "ClusterRole", "tenant-viewer", rules=ANY_RULE),
        HELD,
    ),
    ("POST", f"{ROLES}/clusterrolebindings", cluster_binding("tenant-admin"), NO_RIGHT),
]


@pytest.mark.parametrize(("method", "path", "body", "refusal"), FLUX)
def test_flux_can_do_no_more(flux: Delivered, method: str, path: str, body: Object | None, refusal: str) -> None:
    if refusal == "not found":
        assert flux.send("flux", method, path)[0] == 404
    else:
        attempt(flux, "flux", method, path, body, refusal)


def test_flux_speaks_for_the_reconcilers_of_tenants_only(flux: Delivered) -> None:
    reconciler = f"system:serviceaccount:{LAB}:flux-reconciler"
    check(*flux.send("flux", "GET", at("pods"), Impersonate_User=reconciler), OK)
    for name in ("lead", f"system:serviceaccount:{LAB}:default", "system:kube-controller-manager"):
        check(*flux.send("flux", "GET", at("pods"), Impersonate_User=name), "cannot impersonate")
