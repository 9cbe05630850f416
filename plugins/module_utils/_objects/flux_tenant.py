# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenant's own delivery: a Git repository that Flux applies to the namespace with the rights of the namespace."""

from __future__ import annotations

from .._model.entities import Cluster, Environment, Settings
from .common import RECONCILER, Object, in_namespace

NAME = "tenant"


def build_delivery(environment: Environment, cluster: Cluster, settings: Settings) -> list[Object]:
    """The GitRepository and the Kustomization, when the environment has a repository."""
    del cluster
    gitops = environment.values.get("gitops")
    if not gitops:
        return []
    asleep = environment.state != "active"
    interval = gitops.get("interval", "5m")
    repository = {
        "interval": interval,
        "ref": {"tag": gitops["tag"]} if gitops.get("tag") else {"branch": gitops.get("branch", "main")},
        "suspend": asleep,
        "timeout": "60s",
        "url": gitops["url"],
    }
    if gitops.get("secret"):
        repository["secretRef"] = {"name": gitops["secret"]}
    kustomization = {
        # What runs is not deleted because a declaration went away; a namespace that is deleted takes it along.
        "deletionPolicy": "Orphan",
        "interval": interval,
        "path": gitops.get("path", "./"),
        "prune": True,
        "retryInterval": "2m",
        "serviceAccountName": RECONCILER,
        "sourceRef": {"kind": "GitRepository", "name": NAME},
        "suspend": asleep,
        "targetNamespace": environment.namespace,
        "timeout": "5m",
        "wait": True,
    }
    return [
        in_namespace(environment, settings, "source.toolkit.fluxcd.io/v1", "GitRepository", NAME, spec=repository),
        in_namespace(
            environment, settings, "kustomize.toolkit.fluxcd.io/v1", "Kustomization", NAME, spec=kustomization
        ),
    ]
