# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nobody but the platform can change, enter or remove, asked of a real API server."""

from __future__ import annotations

import pytest

from .asked import GOOD_IMAGE, ICE, NAMED, NAP, OK, OPEN, OURS, PROD, RBAC, Object, at, check, pod, template, workload
from .governed import CLUSTER, DOMAIN, FLUX, Governed, environment_objects, in_flux_order, wait_for

NAMESPACE = f"/api/v1/namespaces/{PROD}"
SHOP = "/api/v1/namespaces/shop"
FLUX_API, SOURCE_API = "kustomize.toolkit.fluxcd.io/v1", "source.toolkit.fluxcd.io/v1"
QUOTA = at("resourcequotas/tenant-quota")
PARAMETERS = at("configmaps/self-provisioning-policy")
OWNERS = at("rolebindings/tenant-admin-owners", group=f"{RBAC}/v1")
DENY = at("networkpolicies/default-deny", group="networking.k8s.io/v1")
SOURCE_CONTROLLER = "system:serviceaccount:flux-system:source-controller"
BELONGS = f"the namespace {PROD} belongs to a tenant"
MANAGED = "is managed by self-provisioning"


def labels(**given: str | None) -> Object:
    return {"metadata": {"labels": {key.replace("__", "/"): value for key, value in given.items()}}}


def own(name: str, value: str | None) -> Object:
    return {"metadata": {"labels": {f"{DOMAIN}/{name}": value}}}


UNMANAGED = {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}
LOWER = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}

#: who, method, path, body, and a part of the refusal.
CHANGE: list[tuple[str, str, str, Object | None, str]] = [
    # namespaces
    ("lead", "PATCH", NAMESPACE, LOWER, "cannot patch resource"),
    (
        "operator",
        "PATCH",
        NAMESPACE,
        LOWER,
        f"{BELONGS}; it is declared in the inventory and nobody else may update it",
    ),
    ("operator", "PATCH", NAMESPACE, own("tenant", None), BELONGS),
    ("operator", "PATCH", f"{NAMESPACE}/status", LOWER, BELONGS),
    ("operator", "DELETE", NAMESPACE, None, "nobody else may delete it"),
    ("operator", "PATCH", SHOP, labels(team="a"), OK),
    ("operator", "PATCH", SHOP, own("tenant", "physics"), "namespace shop belongs to a tenant"),
    ("operator", "PATCH", SHOP, {"metadata": {"labels": OURS}}, "namespace shop belongs to a tenant"),
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
    # a frozen environment
    ("lead", "PATCH", at("deployments/runs/scale", ICE, "apps/v1"), {"spec": {"replicas": 2}}, "is frozen"),
    ("lead", "DELETE", at("deployments/runs", ICE, "apps/v1"), None, "is frozen"),
    ("operator", "PATCH", at("deployments/runs/status", ICE, "apps/v1"), {"status": {"replicas": 1}}, OK),
    ("lead", "POST", at("pods/any/exec?command=id&stdout=true", ICE), None, "is frozen"),
    ("lead", "GET", at("pods", ICE), None, OK),
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
        (ICE, {**workload("Deployment"), "metadata": {"name": "runs"}}),
    ):
        governed.apply("fire-fighter", {**each, "metadata": {**each["metadata"], "namespace": where}})
    return governed


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "refusal"), CHANGE, ids=lambda value: value if isinstance(value, str) else ""
)
def test_change(inhabited: Governed, who: str, method: str, path: str, body: Object | None, refusal: str) -> None:
    """Changing, removing and entering something is accepted, or refused for the stated reason."""
    query = "" if method == "GET" else ("&" if "?" in path else "?") + "dryRun=All"
    if "/exec" in path:
        query = ""
    kind = "merge" if "fluxcd" in path else "strategic-merge"  # only built-in kinds know the second
    check(*inhabited.send(who, method, path + query, body, f"application/{kind}-patch+json"), refusal)


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


def test_exec_is_left_alone_elsewhere(inhabited: Governed) -> None:
    """The neighbour of the exec that a frozen environment refuses: here only the pod is missing."""
    assert inhabited.send("lead", "POST", at("pods/any/exec?command=id&stdout=true"))[0] == 404


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
