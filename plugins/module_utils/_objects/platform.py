# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Platform services: Helm charts that Flux installs.

The HelmReleases and their sources live in C(flux-system), where references never cross a namespace and where the
account with the rights to install them already is; the charts are installed into the service's own namespace.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from .._model.entities import Cluster, Settings, Values
from .._model.release_lines import RELEASE_LINES
from .common import FLUX_NAMESPACE, PRUNE_DISABLED, Object, build, plain
from .foundation import software
from .namespace import POD_SECURITY, pod_security_labels

RELEASE_API = "helm.toolkit.fluxcd.io/v2"
_SOURCE_API = "source.toolkit.fluxcd.io/v1"
#: These exist before us and belong to Kubernetes or to Flux.
_FOREIGN = ("default", "kube-node-lease", "kube-public", "kube-system", FLUX_NAMESPACE)
_LOOSEST_FIRST = ("privileged", "baseline", "restricted")
_CHART_LAYER = {"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "operation": "copy"}
_RETRIES = 5


def deep_merge(base: t.Any, over: t.Any) -> t.Any:
    """Mappings key by key, everything else replaced, as Helm does."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {key: deep_merge(base.get(key), over[key]) if key in over else base[key] for key in {**base, **over}}
    return over


def platform_objects(
    cluster: Cluster, settings: Settings, released: Mapping[str, list[Object]] | None = None
) -> dict[str, list[Object]]:
    """The objects of every service of the cluster, by service.

    A namespace that several services share comes with the first of them, at the loosest Pod Security level that one of
    them needs.

    @param released: what the released manifests of services without a chart hold, by service.
    """
    chosen = {name: settings.services[name] for name in sorted(cluster.services) if name in settings.services}
    levels: dict[str, str] = {}
    result = {name: software(objects, chosen[name]) for name, objects in (released or {}).items() if name in chosen}
    chosen = {name: service for name, service in chosen.items() if service.get("repository")}
    for name, service in chosen.items():
        namespace, level = service.get("namespace", name), service["pod_security"]
        levels[namespace] = min(level, levels.get(namespace, level), key=_LOOSEST_FIRST.index)
    for name, service in chosen.items():
        level = levels.pop(service.get("namespace", name), None)
        objects = service_objects(name, service, cluster.services[name], cluster, settings)
        if level is None:
            objects = [each for each in objects if each["kind"] != "Namespace"]
        for each in objects:
            if each["kind"] == "Namespace" and level is not None:
                each["metadata"]["labels"][f"{POD_SECURITY}enforce"] = level
        result[name] = objects
    return result


def service_objects(
    name: str, service: Values, override: Values | None, cluster: Cluster, settings: Settings
) -> list[Object]:
    """The namespace, the chart's source and the HelmRelease of one service."""
    override = override or {}
    namespace = service.get("namespace", name)
    objects = []
    if namespace not in _FOREIGN:
        labels = pod_security_labels({"enforce": service.get("pod_security", "baseline")})
        objects.append(build("v1", "Namespace", namespace, labels=labels, annotations=PRUNE_DISABLED))
    tested = (service.get("versions") or {}).get(cluster.release_line)
    version = override.get("version") or tested or service.get("version")
    source, chart = _source(name, service, version, cluster)
    values = deep_merge(service.get("values") or {}, override.get("values") or {})
    release = build(
        RELEASE_API,
        "HelmRelease",
        name,
        namespace=FLUX_NAMESPACE,
        spec={
            **chart,
            **_dependencies(service.get("depends_on", ()), cluster),
            **_lifecycle(cluster, settings),
            "interval": "1h",
            "releaseName": name,
            "serviceAccountName": "helm-controller",
            "storageNamespace": namespace,
            "targetNamespace": namespace,
            "timeout": "15m",
            "values": plain(values),
        },
    )
    return [*objects, source, release]


def _dependencies(names: Iterable[str], cluster: Cluster) -> Object:
    """Only services that run here; waiting for one that does not would never end."""
    here = [{"name": name} for name in names if name in cluster.services]
    return {"dependsOn": here} if here else {}


def _lifecycle(cluster: Cluster, settings: Settings) -> Object:
    """What to do when an installation fails. With a retry strategy a failed release stays in place and is tried again;
    without it Flux 2.5 takes it back first."""
    if RELEASE_LINES[cluster.release_line].helm_retry_strategy:
        again: Object = {"strategy": {"name": "RetryOnFailure", "retryInterval": settings.git["retry_interval"]}}
    else:
        again = {"remediation": {"retries": _RETRIES}}
    return {"install": {"crds": "Create", **again}, "upgrade": {"crds": "CreateReplace", **again}}


def _source(name: str, service: Values, version: str | None, cluster: Cluster) -> tuple[Object, Object]:
    url = service["repository"]
    if url.startswith("oci://"):
        source = build(
            RELEASE_LINES[cluster.release_line].oci_repository,
            "OCIRepository",
            name,
            namespace=FLUX_NAMESPACE,
            spec={
                "interval": "1h",
                "layerSelector": _CHART_LAYER,
                "ref": {"tag": version} if version else {"semver": "*"},
                "url": url,
            },
        )
        return source, {"chartRef": {"kind": "OCIRepository", "name": name}}
    source = build(_SOURCE_API, "HelmRepository", name, namespace=FLUX_NAMESPACE, spec={"interval": "1h", "url": url})
    chart = {"chart": service.get("chart", name), "sourceRef": {"kind": "HelmRepository", "name": name}}
    if version:
        chart["version"] = version
    return source, {"chart": {"spec": chart}}
