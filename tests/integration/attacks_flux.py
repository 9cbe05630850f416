# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks by way of Flux, and on environments that are frozen."""

from __future__ import annotations

from .asked import account, at, binding, config, thing, workload
from .delivered import APPLY, ICE, SHOP
from .tries import (
    FLUX,
    FORCE,
    GIT_ELSEWHERE,
    MERGE,
    NO_RIGHT,
    OWN,
    ROLES,
    RUNS,
    SCALE,
    STRATEGIC,
    Try,
    chart,
    debug,
    flux,
)

_SECRET = {"secretRef": {"name": "x"}}
DELIVERY = [
    *[
        Try(f"Flux: {what}", who, "POST", at("kustomizations" if made["kind"] == "Kustomization" else "helmreleases",
            group=made["apiVersion"]), made, refusal)
        for what, who, made, refusal in (
            ("a Kustomization with Flux's own rights", "lead", flux(serviceAccountName=None),
             "a Kustomization must say spec.serviceAccountName"),
            ("the same from Git", "reconciler", flux(serviceAccountName=None), "must say spec.serviceAccountName"),
            ("a HelmRelease with Flux's own rights", "lead", chart(serviceAccountName=None),
             "a HelmRelease must say spec.serviceAccountName"),
            ("a Kustomization of another cluster", "lead", flux(kubeConfig=_SECRET), "spec.kubeConfig is not allowed"),
            ("a HelmRelease of another cluster", "reconciler", chart(kubeConfig=_SECRET), "spec.kubeConfig is not"),
            ("the platform's repository", "lead", flux(sourceRef=GIT_ELSEWHERE), "namespace flux-system is not"),
            ("the platform's charts", "lead",
             chart(chartRef={"kind": "OCIRepository", "name": "x", "namespace": "flux-system"}),
             "namespace flux-system is not allowed"),
            ("another tenant as target", "reconciler", flux(targetNamespace=SHOP), f"namespace {SHOP} is not"),
            ("a release of another tenant", "lead", chart(targetNamespace=SHOP), f"namespace {SHOP} is not"),
            ("records of a release elsewhere", "lead", chart(storageNamespace="kube-system"), "namespace kube-system"),
            ("wait for another tenant", "lead", flux(dependsOn=[{"name": "tenant", "namespace": SHOP}]),
             f"namespace {SHOP} is not"),
            ("as a developer", "developer", flux(), NO_RIGHT),
            ("from a pipeline", "deployer", chart(), NO_RIGHT),
        )
    ],
    Try("Flux: drop the account of one's own Kustomization", "lead", "PATCH", at(f"kustomizations/{OWN}", group=FLUX),
        {"spec": {"serviceAccountName": None}}, "must say spec.serviceAccountName", MERGE),
    Try("Flux: apply to the platform's namespace", "lead", "POST", at("kustomizations", "flux-system", FLUX), flux(),
        NO_RIGHT),
]  # fmt: skip

FROZEN = [
    Try("frozen: create", "lead", "POST", at("configmaps", ICE), config(), "is frozen: nobody may change anything"),
    Try("frozen: deliver", "lead", "POST", at("deployments", ICE, "apps/v1"), workload("Deployment"), "is frozen"),
    Try("frozen: scale", "developer", "PATCH", at(f"deployments/{RUNS}/scale", ICE, "apps/v1"), SCALE,
        "is frozen", MERGE),
    Try("frozen: delete", "lead", "DELETE", at(f"deployments/{RUNS}", ICE, "apps/v1"), None, "is frozen"),
    Try("frozen: delete everything", "lead", "DELETE", at("deployments", ICE, "apps/v1"), None, "is frozen"),
    Try("frozen: apply in our name", "lead", "PATCH", at("configmaps/x", ICE) + FORCE, config(), "is frozen", APPLY),
    Try("frozen: enter", "lead", "POST", at(f"pods/{RUNS}/exec?command=id", ICE), None, "is frozen"),
    Try("frozen: bind", "lead", "POST", at("rolebindings", ICE, ROLES), binding(account("x", ICE)), "is frozen"),
    Try("frozen: a container into a running pod", "developer", "PATCH", at(f"pods/{RUNS}/ephemeralcontainers", ICE),
        debug(), "is frozen", STRATEGIC),
    Try("frozen: evict", "lead", "POST", at(f"pods/{RUNS}/eviction", ICE), thing("policy/v1", "Eviction", RUNS),
        "is frozen"),
]  # fmt: skip
