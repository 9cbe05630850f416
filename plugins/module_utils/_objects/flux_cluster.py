# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Flux Kustomizations of a cluster: what is applied from the fleet tree, and in which order.

C(policies) → one for each tenant and C(apps), and beside them C(platform) → C(network), the configuration of MetalLB,
and C(platform) → C(storage), the storage classes. There is one for each tenant so that one broken manifest stops nobody
else. Tenants do not wait for the platform: what protects them from each other is the API server's own admission, and a
chart that does not install must not hold up quotas and rights of the whole cluster. Nothing is substituted in any of
them: tenants' text is never a template.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from .._model.entities import Cluster, Settings
from .common import FLUX_NAMESPACE, FLUX_SOURCE, Object, build
from .flux_install import AGE_KEYS
from .foundation import configured, is_released, software, workloads
from .platform import RELEASE_API

API = "kustomize.toolkit.fluxcd.io/v1"
PLATFORM = "platform"
POLICIES = "policies"
APPS = "apps"
SECRETS = "secrets"
ALERTS = "alerts"


def tenant_kustomization(tenant: str) -> str:
    """The name of a tenant's Kustomization."""
    return f"tenant-{tenant}"


def cluster_kustomizations(
    cluster: Cluster,
    tenants: Iterable[str],
    settings: Settings,
    has_platform: bool,
    apps: Iterable[str],
    released: Mapping[str, list[Object]] | None = None,
    *,
    has_alerts: bool = False,
) -> list[Object]:
    """The Kustomizations of C(clusters/<cluster>/config).

    @param tenants: ids of the tenants that have an environment on the cluster.
    @param has_platform: whether the cluster runs a platform service.
    @param apps: its applications; their own Kustomizations are those of C(app_kustomizations).
    @param released: what the released manifests of services without a chart hold, by service.
    @param has_alerts: whether somebody is told of what goes wrong.
    """
    below = f"./clusters/{cluster.name}"
    result = []
    if recipients(cluster, settings):
        result.append(_secrets(cluster, settings))
    if has_alerts:
        # Of its own and after nothing: what is wrong with an alert, or with anything else, does not hold up the other.
        result.append(_kustomization(ALERTS, f"{below}/{ALERTS}", (), settings, wait=False))
    if has_platform:
        result.append(_platform(cluster, settings, released or {}))
    for folder in sorted({each.folder for each in configured(cluster).values()}):
        first = [PLATFORM] if has_platform else []
        result.append(_kustomization(folder, f"{below}/{folder}", first, settings))
    result.append(_kustomization(POLICIES, f"./policies/{cluster.release_line}", (), settings))
    for tenant in sorted(set(tenants)):
        # Not waiting: it would also wait for the tenant's own Kustomizations, whose health is the tenant's business.
        name = tenant_kustomization(tenant)
        result.append(_kustomization(name, f"{below}/tenants/{tenant}", [POLICIES], settings, wait=False))
    if set(apps):
        # Not after the tenants: one that is broken would hold up everybody's applications. One that comes before its
        # namespace is tried again. Not waiting either: one application that is not healthy would hold up the others.
        result.append(_kustomization(APPS, f"{below}/apps", [POLICIES], settings, wait=False))
    return result


def app_kustomizations(cluster: Cluster, apps: Iterable[str], settings: Settings) -> list[Object]:
    """The Kustomizations of C(clusters/<cluster>/apps): one for each application, with the overlay of the stage."""
    return [
        _kustomization(f"app-{app}", f"./apps/{app}/overlays/{cluster.stage}", (), settings)
        for app in sorted(set(apps))
    ]


def recipients(cluster: Cluster, settings: Settings) -> list[str]:
    """The public keys for which the secrets of a cluster are encrypted; none when the cluster itself has none."""
    own = cluster.get("age_recipients") or ()
    return sorted({*own, *settings.values["fleet_age_recipients"]}) if own else []


def _secrets(cluster: Cluster, settings: Settings) -> Object:
    """Waits for nothing: a secret whose namespace is not there yet is tried again, and those of the platform must be
    there before it."""
    result = _kustomization(SECRETS, f"./clusters/{cluster.name}/secrets", (), settings, wait=False)
    result["spec"]["decryption"] = {"provider": "sops", "secretRef": {"name": AGE_KEYS}}
    result["spec"] = dict(sorted(result["spec"].items()))
    return result


def secret_facts(cluster: Cluster, settings: Settings) -> list[Object]:
    """Says on the cluster for whom its secrets are encrypted; nothing in it is secret."""
    keys = "\n".join(recipients(cluster, settings))
    return [build("v1", "ConfigMap", "age-recipients", namespace=FLUX_NAMESPACE, data={"recipients": keys})]


def _platform(cluster: Cluster, settings: Settings, released: Mapping[str, list[Object]]) -> Object:
    """Ready when it is applied and what others need from it works: the address pools need MetalLB's definitions and
    webhook, so it waits for the release, or for what the released manifest runs. It does not wait for other charts,
    else one that fails would keep the pools, and every later change of the platform, waiting until the timeout; their
    HelmReleases say themselves how they are."""
    result = _kustomization(PLATFORM, f"./clusters/{cluster.name}/platform", (), settings, wait=False)
    checks: list[Object] = []
    for service in configured(cluster):
        if is_released(service, cluster, settings):
            running = workloads(software(released.get(service, ()), {}))
            checks += [_reference(each["apiVersion"], each["kind"], **each["metadata"]) for each in running]
        elif service in cluster.services:
            checks.append(_reference(RELEASE_API, "HelmRelease", service, FLUX_NAMESPACE))
    if checks:
        result["spec"]["healthChecks"] = checks
        result["spec"] = dict(sorted(result["spec"].items()))
    return result


def _reference(api_version: str, kind: str, name: str, namespace: str, **_more: t.Any) -> Object:
    return {"apiVersion": api_version, "kind": kind, "name": name, "namespace": namespace}


def _kustomization(name: str, path: str, after: Iterable[str], settings: Settings, *, wait: bool = True) -> Object:
    git = settings.git
    spec: dict[str, t.Any] = {
        "dependsOn": [{"name": each} for each in after],
        "force": False,
        "interval": git["interval"],
        "path": path,
        "prune": True,
        "retryInterval": git["retry_interval"],
        # Named, because the controllers are locked down to an account without rights when none is.
        "serviceAccountName": "kustomize-controller",
        "sourceRef": FLUX_SOURCE,
        "timeout": git["timeout"],
        "wait": wait,
    }
    if not spec["dependsOn"]:
        del spec["dependsOn"]
    return build(API, "Kustomization", name, namespace=FLUX_NAMESPACE, spec=spec)
