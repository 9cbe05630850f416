# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tenants can and cannot bring, asked of a real API server.

Every forbidden thing stands next to an allowed neighbour that differs in that one point, so a policy that refuses
everything fails as surely as one that refuses nothing.
"""

from __future__ import annotations

import copy

import pytest

from .asked import (
    GOOD_IMAGE,
    ICE,
    KEEPER,
    KINDS,
    OK,
    OLD,
    OPEN,
    PROD,
    RBAC,
    Object,
    account,
    at,
    binding,
    check,
    config,
    event,
    ingress,
    kustomization,
    pod,
    release,
    service,
    storage,
    thing,
    tls,
    token_secret,
    workload,
)
from .governed import DOMAIN, FLUX, Governed, collection_path, wait_for

LEASE = "coordination.k8s.io/v1"
NETWORK = thing("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {}, "ingress": [{}]})

#: who, where, what they create, and a part of the refusal.
CREATE: list[tuple[str, str, Object, str]] = [
    # images
    ("lead", PROD, pod(), OK),
    ("lead", PROD, pod("registry.example.edu/physics/app:1.2@sha256:" + "0" * 64), OK),
    ("lead", PROD, pod("docker.io/library/nginx:1.27"), OK),
    (
        "lead",
        PROD,
        pod("docker.io/evil/app:1"),
        "docker.io/evil/app:1: its registry is not allowed in physics-lab-prod; "
        "allowed: registry.example.edu/physics, docker.io/library/nginx",
    ),
    ("lead", PROD, pod("registry.example.edu/physics-evil/app:1"), "its registry is not allowed"),
    ("lead", PROD, pod("docker.io/library/nginx-evil:1"), "its registry is not allowed"),
    ("lead", PROD, pod("nginx:1.27"), "its registry is not allowed"),
    ("lead", PROD, pod("registry.example.edu/physics/app"), "name a tag other than latest"),
    ("lead", PROD, pod("registry.example.edu/physics/app:latest"), "name a tag other than latest"),
    ("lead", PROD, pod(initContainers=[{"name": "i", "image": "evil.example/x:1"}]), "evil.example/x:1"),
    ("lead", PROD, pod(initContainers=[{"name": "i", "image": GOOD_IMAGE}]), OK),
    *[
        ("lead", PROD, workload(kind, image), refusal)
        for kind in KINDS
        for image, refusal in ((GOOD_IMAGE, OK), ("evil.example/x:1", "evil.example/x:1: its registry is not allowed"))
    ],
    ("fire-fighter", PROD, pod("evil.example/x"), OK),
    ("olga", OPEN, pod("evil.example/x:1"), OK),
    ("olga", OPEN, pod("evil.example/x"), "name a tag other than latest"),
    ("system:serviceaccount:shop:operator", PROD, pod("evil.example/x:1"), "its registry is not allowed"),
    # labels
    ("lead", PROD, pod(labels={}), "app.kubernetes.io/name are missing"),
    ("fire-fighter", PROD, pod(labels={}), OK),
    *[("lead", PROD, workload(kind, labels={}), "app.kubernetes.io/name are missing") for kind in KINDS],
    # Pod Security, which the namespace's labels ask for
    ("lead", PROD, pod(hostNetwork=True), "violates PodSecurity"),
    # priorities
    ("lead", PROD, pod(priorityClassName="standard"), OK),
    (
        "lead",
        PROD,
        pod(priorityClassName="other"),
        "priority class other is not allowed in physics-lab-prod; allowed: standard",
    ),
    ("fire-fighter", PROD, pod(priorityClassName="other"), OK),
    *[("lead", PROD, workload(kind, priorityClassName="other"), "priority class other") for kind in KINDS],
    ("olga", OPEN, pod(priorityClassName="other"), OK),
    (
        "olga",
        OPEN,
        workload("Deployment", priorityClassName="system-node-critical"),
        "system-node-critical is not allowed",
    ),
    # host names and classes
    ("lead", PROD, ingress(), OK),
    ("lead", PROD, ingress("lab.example.edu"), OK),
    ("lead", PROD, ingress("*.deep.physics.example.edu"), OK),
    ("lead", PROD, ingress("physics.example.edu"), "host name physics.example.edu is not allowed"),
    ("lead", PROD, ingress("evilphysics.example.edu"), "host name evilphysics.example.edu is not allowed"),
    ("lead", PROD, ingress(""), "(none, which means every host)"),
    ("lead", PROD, tls("b.physics.example.edu"), OK),
    ("lead", PROD, tls("bank.example.com"), "host name bank.example.com"),
    ("lead", PROD, ingress(server_alias="b.physics.example.edu"), OK),
    ("lead", PROD, ingress(server_alias="b.physics.example.edu, bank.example.com"), "host name bank.example.com"),
    ("lead", PROD, ingress(server_alias_regex=".*"), "server-alias-regex is not allowed"),
    ("lead", PROD, ingress(cls="public"), "ingress class public is not allowed in physics-lab-prod; allowed: nginx"),
    ("lead", PROD, ingress(cls=None), "ingress class (none)"),
    ("lead", PROD, ingress(rewrite_target="/"), OK),
    ("lead", PROD, ingress(configuration_snippet="x"), "configuration-snippet is not allowed"),
    ("olga", OPEN, ingress("bank.example.com", "public"), OK),
    ("fire-fighter", PROD, ingress("bank.example.com", "public", configuration_snippet="x"), OK),
    *[
        ("lead", PROD, thing(f"gateway.networking.k8s.io/{version}", kind, spec=spec), refusal)
        for version, kind in (("v1", "HTTPRoute"), ("v1", "GRPCRoute"), ("v1alpha2", "TLSRoute"))
        for spec, refusal in (
            ({"hostnames": ["a.physics.example.edu"]}, OK),
            ({"hostnames": ["a.physics.example.edu", "bank.example.com"]}, "host name bank.example.com is not allowed"),
            ({}, "(none, which means every host)"),
        )
    ],
    # Services
    ("lead", PROD, service(), OK),
    (
        "lead",
        PROD,
        service("NodePort"),
        "Service of type NodePort is not allowed in physics-lab-prod; allowed: ClusterIP",
    ),
    ("lead", PROD, service(externalIPs=["192.0.2.1"]), "externalIPs are not allowed"),
    ("olga", OPEN, service("NodePort"), OK),
    ("fire-fighter", PROD, service("NodePort", externalIPs=["192.0.2.1"]), OK),
    ("lead", PROD, service(externalIPs=[]), OK),
    # storage: a class that is not allowed has a quota of zero
    ("lead", PROD, storage("cephfs"), OK),
    ("lead", PROD, storage("rbd"), "exceeded quota"),
    # rights
    ("lead", PROD, binding(account()), OK),
    ("operator", PROD, binding(account(), "view"), OK),
    (
        "lead",
        PROD,
        binding({"kind": "Group", "apiGroup": RBAC, "name": "friends"}),
        "Group friends is not a ServiceAccount of physics-lab-prod",
    ),
    ("lead", PROD, binding(account(namespace=OPEN)), "ServiceAccount app is not a ServiceAccount of physics-lab-prod"),
    ("lead", PROD, binding(account(), "cluster-admin"), "is attempting to grant RBAC permissions not currently held"),
    (
        "operator",
        PROD,
        binding(account(), "cluster-admin"),
        "ClusterRole cluster-admin is not allowed in physics-lab-prod; allowed: tenant-admin",
    ),
    ("operator", PROD, binding(account(), "anything", "Role"), OK),
    ("operator", OPEN, binding(account(namespace=OPEN), "cluster-admin"), OK),
    ("operator", PROD, binding({"kind": "Group", "apiGroup": RBAC, "name": "friends"}), "Group friends is not"),
    ("fire-fighter", PROD, binding({"kind": "Group", "apiGroup": RBAC, "name": "friends"}), OK),
    (KEEPER, PROD, binding({"kind": "Group", "apiGroup": RBAC, "name": "friends"}), OK),
    (
        "lead",
        PROD,
        thing(f"{RBAC}/v1", "Role", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]),
        OK,
    ),
    (
        "lead",
        PROD,
        thing(f"{RBAC}/v1", "Role", rules=[{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]),
        "not currently held",
    ),
    (
        "lead",
        PROD,
        thing(f"{RBAC}/v1", "Role", rules=[{"apiGroups": [""], "resources": ["resourcequotas"], "verbs": ["update"]}]),
        "not currently held",
    ),
    ("developer", PROD, binding(account()), "cannot create resource"),
    # accounts
    ("developer", PROD, pod(serviceAccountName="ci-deployer"), OK),
    ("developer", PROD, pod(serviceAccountName="flux-reconciler"), "flux-reconciler is reserved"),
    ("developer", PROD, pod(serviceAccount="flux-reconciler"), "flux-reconciler is reserved"),
    *[
        ("developer", PROD, workload(kind, serviceAccountName="flux-reconciler"), "flux-reconciler is reserved")
        for kind in KINDS
    ],
    ("fire-fighter", PROD, pod(serviceAccountName="flux-reconciler"), OK),
    ("developer", PROD, token_secret("ci-deployer"), OK),
    ("developer", PROD, token_secret("flux-reconciler"), "flux-reconciler is reserved"),
    # walls
    ("lead", PROD, NETWORK, "cannot create resource"),
    ("old-admin", PROD, NETWORK, "is managed by self-provisioning"),
    ("old-admin", PROD, thing("v1", "LimitRange", spec={"limits": []}), "cannot create resource"),
    ("operator", PROD, thing("v1", "LimitRange", spec={"limits": []}), "is managed by self-provisioning"),
    ("fire-fighter", PROD, thing("v1", "LimitRange", spec={"limits": []}), OK),
    ("lead", PROD, config(), OK),
    ("lead", PROD, config("self-provisioning-policy"), "is managed by self-provisioning"),
    ("lead", PROD, config(**{"app.kubernetes.io__managed-by": "Helm"}), OK),
    ("lead", PROD, config(**{"app.kubernetes.io__managed-by": "self-provisioning"}), "is managed by self-provisioning"),
    # Flux
    ("lead", PROD, kustomization(), OK),
    ("lead", PROD, kustomization(serviceAccountName=""), "a Kustomization must say spec.serviceAccountName"),
    ("lead", PROD, kustomization(kubeConfig={"secretRef": {"name": "x"}}), "spec.kubeConfig is not allowed"),
    (
        "lead",
        PROD,
        kustomization(sourceRef={"kind": "GitRepository", "name": "flux-system", "namespace": "flux-system"}),
        "reference to the namespace flux-system is not allowed",
    ),
    ("lead", PROD, kustomization(targetNamespace=PROD), OK),
    ("lead", PROD, kustomization(targetNamespace=OPEN), "reference to the namespace open-web-prod"),
    (
        "lead",
        PROD,
        kustomization(dependsOn=[{"name": "y", "namespace": OPEN}]),
        "reference to the namespace open-web-prod",
    ),
    ("lead", PROD, kustomization(decryption={"provider": "sops", "secretRef": {"name": "age"}}), OK),
    ("lead", PROD, release(), OK),
    ("lead", PROD, release(serviceAccountName=""), "a HelmRelease must say spec.serviceAccountName"),
    (
        "lead",
        PROD,
        release(chart={"spec": {"sourceRef": {"namespace": "flux-system"}}}),
        "namespace flux-system is not allowed",
    ),
    ("lead", PROD, release(storageNamespace="kube-system"), "namespace kube-system is not allowed"),
    (
        "lead",
        PROD,
        thing(
            "notification.toolkit.fluxcd.io/v1",
            "Receiver",
            spec={"resources": [{"kind": "GitRepository", "name": "tenant"}]},
        ),
        OK,
    ),
    (
        "lead",
        PROD,
        thing(
            "notification.toolkit.fluxcd.io/v1",
            "Receiver",
            spec={"resources": [{"kind": "GitRepository", "name": "a", "namespace": "flux-system"}]},
        ),
        "namespace flux-system",
    ),
    ("developer", PROD, kustomization(), "cannot create resource"),
    ("operator", PROD, kustomization(serviceAccountName=""), "a Kustomization must say"),
    *[(who, PROD, kustomization(serviceAccountName=""), OK) for who in ("fire-fighter", FLUX, KEEPER)],
    *[
        ("operator", PROD, thing(f"{group}.toolkit.fluxcd.io/{version}", kind, spec={field: reference}), refusal)
        for group, version, kind, field, nested in (
            ("notification", "v1beta3", "Alert", "eventSources", True),
            ("image", "v1beta2", "ImagePolicy", "imageRepositoryRef", False),
            ("image", "v1beta2", "ImageUpdateAutomation", "sourceRef", False),
        )
        for namespace, refusal in ((PROD, OK), (OPEN, "reference to the namespace open-web-prod"))
        for one in ({"name": "x", "namespace": namespace},)
        for reference in ([one] if nested else one,)
    ],
    # states
    ("lead", ICE, config(), "the environment physics-lab-ice is frozen: nobody may change anything in it"),
    ("operator", ICE, config(), "is frozen"),
    ("fire-fighter", ICE, config(), OK),
    ("system:serviceaccount:shop:operator", ICE, config(), "is frozen"),
    ("system:serviceaccount:cert-manager:cert-manager", ICE, config(), OK),
    ("lead", ICE, thing(LEASE, "Lease", spec={}), OK),
    (
        "lead",
        ICE,
        thing("v1", "Event", involvedObject={"namespace": ICE, "kind": "Pod", "name": "x"}, reason="x", type="Normal"),
        OK,
    ),
    (KEEPER, ICE, config(), OK),
    ("operator", ICE, event(ICE), OK),
    ("operator", PROD, event(PROD), OK),
    ("lead", OLD, config(), "cannot create resource"),
    ("operator", OLD, config(), "is archived"),
    # others' namespaces
    ("lead", OPEN, config(), "cannot create resource"),
    ("operator", "shop", pod("evil.example/x"), OK),
]


@pytest.mark.parametrize(
    ("who", "where", "what", "refusal"), CREATE, ids=lambda value: value if isinstance(value, str) else ""
)
def test_create(governed: Governed, who: str, where: str, what: Object, refusal: str) -> None:
    """Creating something is accepted, or refused for the stated reason."""
    body = copy.deepcopy(what)
    body["metadata"]["namespace"] = where
    path = collection_path(body["apiVersion"], body["kind"], where)
    check(*governed.send(who, "POST", f"{path}?dryRun=All", body), refusal)


def test_images_that_are_mounted(governed: Governed) -> None:
    """A volume can be an image, from a certain Kubernetes on; before, the API server does not know the field."""
    path = collection_path("v1", "Pod", PROD)

    def mounted(image: str) -> tuple[int, str]:
        made = pod(volumes=[{"name": "v", "image": {"reference": image}}])
        return governed.send("lead", "POST", f"{path}?dryRun=All", made)

    if governed.line == "1.30":
        check(*mounted("evil.example/x:1"), OK)  # it becomes an empty directory
    else:
        check(*mounted("evil.example/x:1"), "evil.example/x:1: its registry is not allowed")
        check(*mounted(GOOD_IMAGE), OK)


def test_every_policy_compiles_without_a_warning(governed: Governed) -> None:
    """The API server has checked the types of every expression."""
    api = "admissionregistration.k8s.io/v1"
    listed = governed.get(collection_path(api, "ValidatingAdmissionPolicy"))["items"]
    ours = [each for each in listed if each["metadata"]["name"].startswith("self-provisioning-")]
    bound = governed.get(f"/apis/{api}/validatingadmissionpolicybindings")["items"]
    assert sorted(each["metadata"]["name"] for each in ours) == sorted(each["spec"]["policyName"] for each in bound)
    assert len(ours) == 13
    assert {each["metadata"]["name"]: each["status"]["typeChecking"] for each in ours} == {
        each["metadata"]["name"]: {} for each in ours
    }


def test_a_namespace_without_parameters_takes_nothing_but_what_flux_brings(governed: Governed) -> None:
    """Until the allow-lists are there nobody runs anything; RoleBindings, which Flux applies earlier, do not wait."""
    name = "physics-lab-new"
    governed.create_as_admin(thing("v1", "Namespace", name, {f"{DOMAIN}/tenant": "physics"}))
    made = {**service(), "metadata": {"name": "x", "namespace": name}}
    refusal = "no params found"
    wait_for(lambda: refusal in governed.send("operator", "POST", at("services?dryRun=All", name), made)[1], refusal)
    bound = binding({"kind": "Group", "apiGroup": RBAC, "name": "leads"})
    governed.apply(FLUX, {**bound, "metadata": {"name": "x", "namespace": name}}, dry_run=True)
