# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tenants may do, next to the attacks: it must go on working."""

from __future__ import annotations

from .asked import (
    GOOD_IMAGE,
    NAMED,
    account,
    at,
    binding,
    config,
    ingress,
    pod,
    service,
    storage,
    thing,
    token_secret,
    workload,
)
from .delivered import APPLY, ICE, LAB, SHOP
from .tries import (
    BINDINGS,
    FLUX,
    HELM,
    HOME,
    LIMITS,
    MERGE,
    NET,
    OWN,
    PARAMETERS,
    PODS,
    QUOTA,
    REVIEW,
    ROLES,
    RUNS,
    SCALE,
    SOURCE,
    STRATEGIC,
    TOKEN,
    Try,
    chart,
    debug,
    flux,
    role,
)

_HPA = {
    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": OWN},
    "maxReplicas": 2,
    "metrics": [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
    ],
}
_ACCESS = thing("authorization.k8s.io/v1", "LocalSubjectAccessReview", spec=REVIEW)

ALLOWED = [
    Try("run a pod", "lead", "POST", PODS, pod()),
    Try("run a pod as a developer", "developer", "POST", PODS, pod()),
    Try("run a pod by digest", "developer", "POST", PODS, pod("registry.example.edu/physics/a@sha256:" + "0" * 64)),
    Try("run with the pipeline's account", "developer", "POST", PODS, pod(serviceAccountName="ci-deployer")),
    Try("run with an allowed priority", "lead", "POST", PODS, pod(priorityClassName="standard")),
    *[
        Try(f"deploy as {who}", who, "POST", at("deployments", group="apps/v1"), workload("Deployment"))
        for who in ("lead", "developer", "deployer", "reconciler")
    ],
    Try("a new version", "deployer", "PATCH", at(f"deployments/{OWN}", group="apps/v1"),
        {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": f"{GOOD_IMAGE}.3"}]}}}},
        "", STRATEGIC),
    Try("scale", "developer", "PATCH", at(f"deployments/{OWN}/scale", group="apps/v1"), SCALE, "", MERGE),
    Try("scale by load", "developer", "POST", at("horizontalpodautoscalers", group="autoscaling/v2"),
        thing("autoscaling/v2", "HorizontalPodAutoscaler", spec=_HPA)),
    Try("a job", "deployer", "POST", at("jobs", group="batch/v1"), workload("Job")),
    Try("a cron job", "deployer", "POST", at("cronjobs", group="batch/v1"), workload("CronJob")),
    Try("a ConfigMap", "developer", "POST", at("configmaps"), config()),
    Try("a ConfigMap of Helm's", "deployer", "POST", at("configmaps"),
        config(**{"app.kubernetes.io/managed-by": "Helm"})),
    Try("apply with a field manager of one's own", "reconciler", "PATCH", at("configmaps/x?fieldManager=mine"),
        config(), "", APPLY),
    Try("a secret", "developer", "POST", at("secrets"), thing("v1", "Secret", data={"a": "Yg=="})),
    Try("read one's secrets", "deployer", "GET", at("secrets")),
    Try("a claim", "developer", "POST", at("persistentvolumeclaims"), storage("cephfs")),
    Try("a Service", "developer", "POST", at("services"), service()),
    Try("an ingress", "deployer", "POST", at("ingresses", group=NET), ingress()),
    Try("an ingress with a secret of one's own", "lead", "POST", at("ingresses", group=NET),
        ingress(auth_tls_secret=f"{LAB}/ca")),
    Try("a pod with volumes", "developer", "POST", PODS, pod(volumes=[
        {"name": "a", "persistentVolumeClaim": {"claimName": "x"}}, {"name": "b", "emptyDir": {}},
        {"name": "c", "configMap": {"name": "x"}}])),
    Try("a disruption budget", "developer", "POST", at("poddisruptionbudgets", group="policy/v1"),
        thing("policy/v1", "PodDisruptionBudget", spec={"minAvailable": 1, "selector": {"matchLabels": NAMED}})),
    Try("an account of one's own", "developer", "POST", at("serviceaccounts"), thing("v1", "ServiceAccount")),
    Try("bind a role to it", "lead", "POST", BINDINGS, binding(account())),
    Try("bind one's own role to it", "reconciler", "POST", BINDINGS, binding(account(), "tenant-admin")),
    Try("a role of one's own rights", "lead", "POST", at("roles", group=ROLES), role("", "pods", "get", "list")),
    Try("a token of the pipeline's account", "lead", "POST", at("serviceaccounts/ci-deployer/token"), TOKEN),
    Try("a lasting token of the pipeline's account", "developer", "POST", at("secrets"), token_secret("ci-deployer")),
    Try("look into a pod with an allowed image", "developer", "PATCH", at(f"pods/{RUNS}/ephemeralcontainers"), debug(),
        "", STRATEGIC),
    Try("evict a pod", "developer", "POST", at(f"pods/{RUNS}/eviction"), thing("policy/v1", "Eviction", RUNS)),
    Try("delete a pod", "developer", "DELETE", at(f"pods/{RUNS}")),
    Try("read the quota", "guest", "GET", QUOTA),
    Try("read the limits", "developer", "GET", LIMITS),
    Try("read the network policies", "guest", "GET", at("networkpolicies", group=NET)),
    Try("read who has rights", "guest", "GET", BINDINGS),
    Try("read the allow-lists", "developer", "GET", PARAMETERS),
    Try("read one's namespace", "lead", "GET", HOME),
    Try("read as an auditor", "auditor", "GET", PODS),
    Try("ask what somebody may do here", "lead", "POST",
        at("localsubjectaccessreviews", group="authorization.k8s.io/v1"),
        {**_ACCESS, "metadata": {"namespace": LAB}}),
    Try("a Kustomization", "lead", "POST", at("kustomizations", group=FLUX), flux()),
    Try("a HelmRelease", "reconciler", "POST", at("helmreleases", group=HELM), chart()),
    Try("suspend one's own Kustomization", "lead", "PATCH", at(f"kustomizations/{OWN}", group=FLUX),
        {"spec": {"suspend": True}}, "", MERGE),
    Try("a repository", "reconciler", "POST", at("gitrepositories", group=SOURCE),
        thing(SOURCE, "GitRepository", spec={"interval": "5m", "url": "https://git.example.edu/physics/more.git"})),
    Try("any registry, where none is prescribed", "olga", "POST", at("pods", SHOP), pod("docker.io/library/x:1")),
    Try("any type of Service, where none is prescribed", "olga", "POST", at("services", SHOP), service("LoadBalancer")),
    Try("look at what is frozen", "lead", "GET", at("deployments", ICE, "apps/v1")),
    Try("act in an active environment as in a frozen one", "lead", "POST", at("rolebindings", group=ROLES),
        binding(account())),
]  # fmt: skip
