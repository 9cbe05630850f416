# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nobody but the platform can change, enter or remove, asked of a real API server."""

from __future__ import annotations

import pytest

from .asked import (
    GOOD_IMAGE,
    ICE,
    KEEPER,
    NAMED,
    NAP,
    OK,
    OPEN,
    OURS,
    PROD,
    RBAC,
    Object,
    account,
    at,
    binding,
    check,
    ingress,
    kustomization,
    pod,
    release,
    service,
    template,
    thing,
    token_secret,
    workload,
)
from .governed import CLUSTER, DOMAIN, FLUX, Governed, environment_objects, in_flux_order, wait_for

NAMESPACE = f"/api/v1/namespaces/{PROD}"
SHOP = "/api/v1/namespaces/shop"
FLUX_API, SOURCE_API = "kustomize.toolkit.fluxcd.io/v1", "source.toolkit.fluxcd.io/v1"
HELM_API = "helm.toolkit.fluxcd.io/v2"
QUOTA = at("resourcequotas/tenant-quota")
PARAMETERS = at("configmaps/self-provisioning-policy")
OWNERS = at("rolebindings/tenant-admin-owners", group=f"{RBAC}/v1")
DENY = at("networkpolicies/default-deny", group="networking.k8s.io/v1")
SOURCE_CONTROLLER = "system:serviceaccount:flux-system:source-controller"
BELONGS = f"the namespace {PROD} is declared in the inventory"
MANAGED = "is managed by self-provisioning"


def labels(**given: str | None) -> Object:
    return {"metadata": {"labels": {key.replace("__", "/"): value for key, value in given.items()}}}


def own(name: str, value: str | None) -> Object:
    return {"metadata": {"labels": {f"{DOMAIN}/{name}": value}}}


UNMANAGED = {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}
LOWER = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}

FRIENDS = {"kind": "Group", "apiGroup": RBAC, "name": "friends"}
TO_BANK = {"spec": ingress("bank.example.com")["spec"]}
TO_PUBLIC = {"spec": {"ingressClassName": "public"}}
ALERT_API, IMAGE_API = "notification.toolkit.fluxcd.io/v1beta3", "image.toolkit.fluxcd.io/v1beta2"
EVIL_JOB = {"spec": workload("CronJob", "evil.example/y:1")["spec"]}
NOTED = {"metadata": {"annotations": token_secret("flux-reconciler")["metadata"]["annotations"]}}
ELSEWHERE = {"name": "x", "namespace": OPEN}
AS_RECONCILER = {"spec": workload("CronJob", serviceAccountName="flux-reconciler")["spec"]}
EMPTIED = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PROD}, "spec": {"finalizers": []}}


def namespace(label: str) -> Object:
    return thing("v1", "Namespace", "new", {label: "physics"})


#: who, method, path, body, and a part of the refusal.
CHANGE: list[tuple[str, str, str, Object | None, str]] = [
    # namespaces
    ("lead", "PATCH", NAMESPACE, LOWER, "cannot patch resource"),
    (
        "operator",
        "PATCH",
        NAMESPACE,
        LOWER,
        f"{BELONGS}; nobody else may update it",
    ),
    ("operator", "PATCH", NAMESPACE, own("tenant", None), BELONGS),
    ("operator", "PATCH", f"{NAMESPACE}/status", LOWER, BELONGS),
    ("operator", "DELETE", NAMESPACE, None, "nobody else may delete it"),
    ("operator", "PUT", f"{NAMESPACE}/finalize", EMPTIED, BELONGS),
    (KEEPER, "PUT", f"{NAMESPACE}/finalize", EMPTIED, OK),
    (KEEPER, "PATCH", NAMESPACE, LOWER, OK),
    ("operator", "POST", "/api/v1/namespaces", namespace(f"{DOMAIN}/tenant"), "nobody else may create it"),
    ("operator", "POST", "/api/v1/namespaces", namespace("team"), OK),
    ("operator", "PATCH", SHOP, labels(team="a"), OK),
    ("operator", "PATCH", SHOP, own("tenant", "physics"), "namespace shop is declared in the inventory"),
    ("operator", "PATCH", SHOP, {"metadata": {"labels": OURS}}, "namespace shop is declared in the inventory"),
    ("operator", "DELETE", SHOP, None, OK),
    ("fire-fighter", "PATCH", NAMESPACE, LOWER, OK),
    (FLUX, "PATCH", NAMESPACE, LOWER, OK),
    (FLUX, "DELETE", NAMESPACE, None, OK),
    ("system:serviceaccount:shop:operator", "PATCH", NAMESPACE, labels(a="b"), BELONGS),
    # what we made
    (
        "lead",
        "PATCH",
        PARAMETERS,
        {"data": {"registries": "evil.example"}},
        f"the ConfigMap self-provisioning-policy in {PROD} {MANAGED}",
    ),
    ("lead", "PATCH", PARAMETERS, UNMANAGED, MANAGED),
    ("lead", "DELETE", PARAMETERS, None, MANAGED),
    ("lead", "DELETE", at("configmaps"), None, MANAGED),
    ("lead", "DELETE", at("secrets"), None, OK),
    ("lead", "DELETE", OWNERS, None, MANAGED),
    ("lead", "PATCH", OWNERS, {"subjects": []}, MANAGED),
    ("lead", "PATCH", at("serviceaccounts/flux-reconciler"), labels(a="b"), MANAGED),
    ("lead", "PATCH", at("serviceaccounts/default"), labels(a="b"), OK),
    ("lead", "PATCH", QUOTA, {"spec": {"hard": {"pods": "99"}}}, "cannot patch resource"),
    ("operator", "PATCH", QUOTA, {"spec": {"hard": {"pods": "99"}}}, MANAGED),
    ("operator", "PATCH", f"{QUOTA}/status", UNMANAGED, MANAGED),
    (FLUX, "PATCH", QUOTA, {"spec": {"hard": {"pods": "99"}}}, OK),
    ("old-admin", "DELETE", DENY, None, MANAGED),
    ("fire-fighter", "DELETE", DENY, None, OK),
    (
        "lead",
        "PATCH",
        at("gitrepositories/tenant", group=SOURCE_API),
        {"spec": {"url": "https://evil.example"}},
        MANAGED,
    ),
    (
        SOURCE_CONTROLLER,
        "PATCH",
        at("gitrepositories/tenant", group=SOURCE_API),
        {"metadata": {"finalizers": ["finalizers.fluxcd.io"]}},
        OK,
    ),
    (SOURCE_CONTROLLER, "PATCH", at("gitrepositories/tenant/status", group=SOURCE_API), {"status": {"a": "b"}}, OK),
    ("lead", "PATCH", at("kustomizations/tenant", NAP, FLUX_API), {"spec": {"suspend": False}}, MANAGED),
    ("lead", "PATCH", at("rolebindings/own", group=f"{RBAC}/v1"), {"subjects": [account("b")]}, OK),
    ("lead", "PATCH", at("rolebindings/own", group=f"{RBAC}/v1"), {"subjects": [FRIENDS]}, "Group friends is not"),
    ("lead", "PATCH", at("kustomizations/own", group=FLUX_API), {"spec": {"suspend": True}}, OK),
    ("lead", "PATCH", at("kustomizations/own", group=FLUX_API), {"spec": {"serviceAccountName": None}}, "must say"),
    ("lead", "PATCH", at("helmreleases/own", group=HELM_API), {"spec": {"kubeConfig": {}}}, "kubeConfig"),
    ("lead", "PATCH", at("deployments/own", group="apps/v1"), labels(app__kubernetes="x"), OK),
    (
        "lead",
        "PATCH",
        at("deployments/own", group="apps/v1"),
        {"spec": {"template": {"spec": {"priorityClassName": "other"}}}},
        "priority class other",
    ),
    (
        "lead",
        "PATCH",
        at("deployments/own", group="apps/v1"),
        {"metadata": {"labels": {"app.kubernetes.io/name": None}}},
        "app.kubernetes.io/name are missing",
    ),
    ("operator", "PATCH", at("alerts/own", group=ALERT_API), {"spec": {"eventSources": [ELSEWHERE]}}, "open-web-prod"),
    (
        "operator",
        "PATCH",
        at("imagepolicies/own", group=IMAGE_API),
        {"spec": {"sourceRef": ELSEWHERE}},
        "open-web-prod",
    ),
    ("developer", "PATCH", at("secrets/own"), NOTED, "flux-reconciler is reserved"),
    ("developer", "PATCH", at("secrets/own"), labels(a="b"), OK),
    ("developer", "PATCH", at("cronjobs/own", group="batch/v1"), AS_RECONCILER, "flux-reconciler is reserved"),
    ("developer", "PATCH", at("cronjobs/own", group="batch/v1"), EVIL_JOB, "evil.example/y:1"),
    # a frozen environment
    ("lead", "PATCH", at("deployments/runs/scale", ICE, "apps/v1"), {"spec": {"replicas": 2}}, "is frozen"),
    ("lead", "DELETE", at("deployments/runs", ICE, "apps/v1"), None, "is frozen"),
    ("operator", "PATCH", at("deployments/runs/status", ICE, "apps/v1"), {"status": {"replicas": 1}}, OK),
    ("lead", "GET", at("pods", ICE), None, OK),
    (
        "developer",
        "PATCH",
        at("deployments/legacy", group="apps/v1"),
        {"spec": {"template": {"spec": {"serviceAccountName": "flux-reconciler"}}}},
        "flux-reconciler is reserved",
    ),
    # what somebody else let in stays changeable, but does not spread
    ("lead", "PATCH", at("deployments/legacy", group="apps/v1"), {"spec": {"replicas": 0}}, OK),
    ("lead", "PATCH", at("deployments/legacy", group="apps/v1"), {"spec": {"template": template(GOOD_IMAGE)}}, OK),
    (
        "lead",
        "PATCH",
        at("deployments/legacy", group="apps/v1"),
        {"spec": {"template": template("evil.example/y:1")}},
        "evil.example/y:1",
    ),
    ("lead", "PATCH", at("deployments/legacy", group="apps/v1"), labels(app__kubernetes="x"), OK),
    ("lead", "PATCH", at("pods/legacy"), labels(a="b"), OK),
    ("lead", "PATCH", at("services/legacy"), labels(a="b"), OK),
    ("lead", "PATCH", at("services/own"), {"spec": {"type": "NodePort"}}, "Service of type NodePort is not allowed"),
    ("lead", "PATCH", at("ingresses/legacy", group="networking.k8s.io/v1"), labels(a="b"), OK),
    ("lead", "PATCH", at("ingresses/own", group="networking.k8s.io/v1"), TO_BANK, "host name bank.example.com"),
    ("lead", "PATCH", at("ingresses/own", group="networking.k8s.io/v1"), TO_PUBLIC, "ingress class public"),
    (
        "lead",
        "PATCH",
        at("pods/legacy"),
        {"spec": {"containers": [{"name": "main", "image": "evil.example/y:1"}]}},
        "evil.example/y:1",
    ),
    (
        "lead",
        "PATCH",
        at("pods/legacy/ephemeralcontainers"),
        {"spec": {"ephemeralContainers": [{"name": "d", "image": "evil.example/y:1"}]}},
        "evil.example/y:1",
    ),
    (
        "lead",
        "PATCH",
        at("pods/legacy/ephemeralcontainers"),
        {"spec": {"ephemeralContainers": [{"name": "d", "image": GOOD_IMAGE}]}},
        OK,
    ),
    ("lead", "DELETE", at("pods/legacy"), None, OK),
]


@pytest.fixture(scope="module")
def inhabited(governed: Governed) -> Governed:
    """Workloads that the platform let in."""
    bad = "evil.example/x:1"
    for where, each in (
        (PROD, {**workload("Deployment", bad), "metadata": {"name": "legacy"}}),
        (PROD, {**pod(bad), "metadata": {"name": "legacy"}}),
        (PROD, binding(account(), name="own")),
        (PROD, {**workload("Deployment"), "metadata": {"name": "own", "labels": NAMED}}),
        (PROD, {**kustomization(), "metadata": {"name": "own"}}),
        (PROD, {**service("NodePort"), "metadata": {"name": "legacy"}}),
        (PROD, {**service(), "metadata": {"name": "own"}}),
        (PROD, thing(ALERT_API, "Alert", "own", spec={})),
        (PROD, thing(IMAGE_API, "ImagePolicy", "own", spec={})),
        (PROD, {**workload("CronJob"), "metadata": {"name": "own", "labels": NAMED}}),
        (PROD, {**token_secret("ci-deployer"), "metadata": {**token_secret("ci-deployer")["metadata"], "name": "own"}}),
        (PROD, {**ingress("bank.example.com", "public"), "metadata": {"name": "legacy"}}),
        (PROD, {**ingress(), "metadata": {"name": "own"}}),
        (PROD, {**release(), "metadata": {"name": "own"}}),
        (ICE, {**workload("Deployment"), "metadata": {"name": "runs"}}),
    ):
        governed.apply("fire-fighter", {**each, "metadata": {**each["metadata"], "namespace": where}})
    return governed


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "refusal"), CHANGE, ids=lambda value: value if isinstance(value, str) else ""
)
def test_change(inhabited: Governed, who: str, method: str, path: str, body: Object | None, refusal: str) -> None:
    """Changing, removing and entering something is accepted, or refused for the stated reason."""
    query = "" if method == "GET" else "?dryRun=All"
    kind = "merge" if "fluxcd" in path else "strategic-merge"  # only built-in kinds know the second
    content = f"application/{kind}-patch+json" if method == "PATCH" else "application/json"
    check(*inhabited.send(who, method, path + query, body, content), refusal)


def test_a_name_can_be_left_to_the_api_server(governed: Governed) -> None:
    """Such a request has no name at all, which must not make an expression fail."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}}
    check(*governed.send("lead", "POST", at("configmaps?dryRun=All"), body), OK)


def test_deleting_everything_leaves_what_is_ours(governed: Governed) -> None:
    """A collection is deleted item by item, and each item is judged."""
    for path in (at("configmaps", OPEN), at("serviceaccounts", OPEN), at("rolebindings", OPEN, f"{RBAC}/v1")):
        before = {each["metadata"]["name"] for each in governed.get(path)["items"] if _ours(each)}
        assert before
        check(*governed.send("olga", "DELETE", path), MANAGED)
        assert {each["metadata"]["name"] for each in governed.get(path)["items"] if _ours(each)} == before


def _ours(target: Object) -> bool:
    return OURS.items() <= target["metadata"].get("labels", {}).items()


@pytest.mark.parametrize(
    ("where", "action", "status"),
    [
        (ICE, "exec?command=id&stdout=true", 403),
        (ICE, "attach?stdout=true", 403),
        (ICE, "portforward?ports=80", 404),
        (ICE, "proxy", 404),
        (PROD, "exec?command=id&stdout=true", 404),
        (PROD, "attach?stdout=true", 404),
    ],
)
def test_entering(inhabited: Governed, where: str, action: str, status: int) -> None:
    """A frozen environment lets nobody enter a pod; looking is allowed, and then only the pod is missing."""
    assert inhabited.send("lead", "POST" if "=" in action else "GET", at(f"pods/any/{action}", where))[0] == status


def test_questions_are_allowed_in_a_frozen_environment(inhabited: Governed) -> None:
    """They change nothing: whether somebody may, and a token of an account."""
    attributes = {"namespace": ICE, "verb": "get", "resource": "pods"}
    spec = {"user": "auditor", "resourceAttributes": attributes}
    review = {"kind": "LocalSubjectAccessReview", "metadata": {"namespace": ICE}, "spec": spec}
    asked = {"apiVersion": "authorization.k8s.io/v1", **review}
    path = at("localsubjectaccessreviews", ICE, "authorization.k8s.io/v1")
    assert inhabited.send("lead", "POST", path, asked)[0] == 201
    token = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}}
    assert inhabited.send("lead", "POST", at("serviceaccounts/ci-deployer/token", ICE), token)[0] == 201


def test_a_second_apply_in_either_order_is_accepted(governed: Governed) -> None:
    """Nothing of an environment is refused by the policies that it brings."""
    for environment in governed.fleet.environments:
        objects = environment_objects(environment, governed.fleet.clusters[CLUSTER], governed.fleet.settings)
        for target in [*objects, *in_flux_order(objects)]:
            governed.apply(FLUX, target, dry_run=True)


def test_pods_without_requests_run_and_are_counted(governed: Governed) -> None:
    """A quota on compute needs defaults, else the API server refuses every pod that does not say what it needs."""
    made = {**workload("Deployment"), "metadata": {"name": "plain", "namespace": PROD, "labels": NAMED}}
    assert governed.send("lead", "POST", at("deployments", group="apps/v1"), made)[0] == 201
    pods = at("pods?labelSelector=app%3Dx")

    def found() -> list[Object]:
        return [each for each in governed.get(pods)["items"] if each["metadata"]["name"].startswith("plain-")]

    wait_for(lambda: bool(found()), "the Deployment's pod")
    assert found()[0]["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "500m", "memory": "512Mi"},
        "requests": {"cpu": "100m", "memory": "128Mi"},
    }
    wait_for(lambda: int(governed.get(QUOTA)["status"]["used"]["pods"]) > 0, "the quota counts it")


def test_what_is_frozen_runs_on(inhabited: Governed) -> None:
    """Controllers still make pods in a frozen environment."""
    wait_for(lambda: bool(inhabited.get(at("pods", ICE))["items"]), "the pod of a Deployment")


def test_the_platform_can_take_a_frozen_namespace_away(governed: Governed) -> None:
    """Kubernetes' own controllers empty it, walls and all."""
    gone = "physics-lab-gone"
    assert governed.send(FLUX, "DELETE", f"/api/v1/namespaces/{gone}")[0] == 200
    wait_for(lambda: governed.send("operator", "GET", f"/api/v1/namespaces/{gone}")[0] == 404, f"{gone} is gone")
