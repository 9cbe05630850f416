# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts: whom the notification-controller of a cluster tells of what goes wrong in the fleet tree.

What opens the way to them, such as the address of a webhook, is in a Secret that this never sees: encrypted with SOPS
in C(clusters/<cluster>/secrets), or brought by C(flux_bootstrap).
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from .._model.entities import Cluster, Settings, Values
from .common import FLUX_NAMESPACE, Object, build
from .flux_cluster import tenant_kustomization

API = "notification.toolkit.fluxcd.io/v1beta3"
#: Everything in Flux's own namespace, where all of the fleet tree is. What is in tenants' namespaces cannot be named
#: from there, as Flux is locked down.
_KINDS = ("GitRepository", "HelmChart", "HelmRelease", "HelmRepository", "Kustomization", "OCIRepository")
#: Of these the address alone is enough.
_WITHOUT_SECRET = ("alertmanager", "generic")


def alerts_of(cluster: Cluster, settings: Settings) -> Mapping[str, Values]:
    """The alerts that a cluster gives, by name."""
    declared: Mapping[str, Values] = settings.values["fleet_alerts"]
    stage = cluster.stage
    return {name: each for name, each in sorted(declared.items()) if stage in each.get("stages", [stage])}


def secret_name(alert: str) -> str:
    """The Secret of an alert."""
    return f"alert-{alert}"


def has_secret(alert: Values) -> bool:
    """Whether Flux looks into the Secret of an alert."""
    return "address" not in alert or alert["type"] not in _WITHOUT_SECRET


def alert_objects(cluster: Cluster, tenants: Iterable[str], settings: Settings) -> list[Object]:
    """A Provider and an Alert each, without those that are about tenants who are not on the cluster.

    @param tenants: those who have an environment on the cluster.
    """
    here = set(tenants)
    found = []
    for name, alert in alerts_of(cluster, settings).items():
        about = sorted(here & set(alert["tenants"])) if "tenants" in alert else None
        if about != []:
            found += [_provider(name, alert), _alert(name, alert, cluster, about)]
    return found


def _provider(name: str, alert: Values) -> Object:
    spec: dict[str, t.Any] = {key: alert[key] for key in ("type", "address", "channel") if key in alert}
    if has_secret(alert):
        spec["secretRef"] = {"name": secret_name(name)}
    return build(API, "Provider", name, namespace=FLUX_NAMESPACE, spec=spec)


def _alert(name: str, alert: Values, cluster: Cluster, about: list[str] | None) -> Object:
    if about is None:
        sources = [{"kind": kind, "name": "*"} for kind in _KINDS]
    else:
        sources = [{"kind": "Kustomization", "name": tenant_kustomization(each)} for each in about]
    spec = {
        "eventMetadata": {"cluster": cluster.name},
        "eventSeverity": alert.get("severity", "error"),
        "eventSources": sources,
        "providerRef": {"name": name},
    }
    return build(API, "Alert", name, namespace=FLUX_NAMESPACE, spec=spec)
