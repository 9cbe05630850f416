# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything stands in the tree: the one place that knows its paths."""

from __future__ import annotations

from dataclasses import dataclass

README = "README.md"
PLACEMENTS = "placements.yaml"
LEDGER = "ledger.csv"
MANIFEST = ".fleet-manifest.json"
STAGING = ".fleet-staging"
#: Tells SOPS for whom to encrypt which file.
SOPS = ".sops.yaml"
CLUSTERS = "clusters"
POLICIES = "policies"
KUSTOMIZATION = "kustomization.yaml"
#: Below a cluster's folder; Flux's own bootstrap writes it.
BOOTSTRAP = "flux-system"

CONFIG, PLATFORM, NETWORK, TENANTS, APPS = "config", "platform", "network", "tenants", "apps"
#: Released manifests, as they were published.
VENDOR = "vendor"
#: Below a cluster's folder; what is encrypted in it is yours.
SECRETS = "secrets"
#: Below a cluster's folder: whom Flux tells of what goes wrong.
ALERTS = "alerts"


def cluster_folder(cluster: str, *below: str) -> str:
    return "/".join((CLUSTERS, cluster, *below))


def tenant_folder(cluster: str, tenant: str) -> str:
    return cluster_folder(cluster, TENANTS, tenant)


def policies_folder(line: str) -> str:
    return f"{POLICIES}/{line}"


def vendor_file(service: str, version: str) -> str:
    return f"{VENDOR}/{service}/{version}.yaml"


@dataclass(frozen=True)
class Part:
    """What a path is about; what does not apply is empty.

    @param topic: the folder below the cluster's.
    @param item: the service or the app.
    @param line: the release line.
    """

    cluster: str = ""
    topic: str = ""
    tenant: str = ""
    namespace: str = ""
    item: str = ""
    line: str = ""


def part(path: str) -> Part:
    """What a path of the tree is about."""
    steps = path.split("/")
    if steps[0] == POLICIES and len(steps) > 2:
        return Part(line=steps[1])
    if steps[0] != CLUSTERS or len(steps) < 3:
        return Part()
    cluster, rest = steps[1], steps[2:]
    topic = rest[0] if len(rest) > 1 else ""
    if topic == TENANTS and len(rest) > 2:
        name = rest[-1]
        return Part(cluster, topic, rest[1], "" if name == KUSTOMIZATION else name.removesuffix(".yaml"))
    if topic == PLATFORM and len(rest) > 2:
        return Part(cluster, topic, item=rest[1])
    if topic == APPS and rest[1] != KUSTOMIZATION:
        return Part(cluster, topic, item=rest[1].removesuffix(".yaml"))
    return Part(cluster, topic)


def source(path: str) -> str:
    """What people change when they want another content at I(path)."""
    about = part(path)
    if about.tenant:
        return "tenant__" + about.tenant.replace("-", "_")
    if about.cluster:
        return f"cluster {about.cluster}"
    return "the whole inventory" if path == PLACEMENTS else "the organisation's settings"
