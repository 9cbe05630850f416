# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Flux gets: the tenant's own repository, the cluster's Kustomizations, platform services, facts and addresses."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster, Settings
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster import (
    cluster_objects,
    fact_objects,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.flux_cluster import (
    app_kustomizations,
    cluster_kustomizations,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.flux_tenant import build_delivery
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.metallb import pool_objects
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.platform import (
    deep_merge,
    platform_objects,
    service_objects,
)

from .conftest import Make, make_cluster, make_environment, make_settings

REPOSITORY = {
    "url": "https://git.example.edu/physics/lab.git",
    "branch": "main",
    "path": "./deploy/prod",
    "interval": "5m",
}
POOL = {"name": "exams", "addresses": ["10.1.2.0/28"]}


def test_the_tenants_repository(make: Make, cluster: Cluster, settings: Settings) -> None:
    repository, kustomization = build_delivery(make(gitops=REPOSITORY), cluster, settings)
    assert repository["spec"] == {
        "interval": "5m",
        "ref": {"branch": "main"},
        "suspend": False,
        "timeout": "60s",
        "url": "https://git.example.edu/physics/lab.git",
    }
    assert kustomization["spec"] == {
        "deletionPolicy": "Orphan",
        "interval": "5m",
        "path": "./deploy/prod",
        "prune": True,
        "retryInterval": "2m",
        "serviceAccountName": "flux-reconciler",
        "sourceRef": {"kind": "GitRepository", "name": "tenant"},
        "suspend": False,
        "targetNamespace": "physics-lab-prod",
        "timeout": "5m",
        "wait": True,
    }
    assert [each["metadata"]["namespace"] for each in (repository, kustomization)] == ["physics-lab-prod"] * 2


def test_a_tag_wins_and_a_secret_is_named(make: Make, cluster: Cluster, settings: Settings) -> None:
    given = {**REPOSITORY, "tag": "v1.2.0", "secret": "deploy-key"}
    repository, _unused = build_delivery(make(gitops=given), cluster, settings)
    assert repository["spec"]["ref"] == {"tag": "v1.2.0"}
    assert repository["spec"]["secretRef"] == {"name": "deploy-key"}


@pytest.mark.parametrize(
    ("state", "asleep"), [("active", False), ("frozen", True), ("hibernated", True), ("archived", True)]
)
def test_flux_does_not_undo_a_state(make: Make, cluster: Cluster, settings: Settings, state: str, asleep: bool) -> None:
    found = build_delivery(make(gitops=REPOSITORY, state=state), cluster, settings)
    assert [each["spec"]["suspend"] for each in found] == [asleep, asleep]


def test_no_repository(make: Make, cluster: Cluster, settings: Settings) -> None:
    assert build_delivery(make(gitops=None), cluster, settings) == []


def chain(cluster: Cluster, *tenants: str, platform: bool = True, apps: tuple[str, ...] = ()) -> dict[str, Any]:
    found = cluster_kustomizations(cluster, tenants, make_settings(), platform, apps)
    return {
        each["metadata"]["name"]: (
            each["spec"]["path"],
            [dependency["name"] for dependency in each["spec"].get("dependsOn", ())],
            each["spec"]["wait"],
        )
        for each in found
    }


def test_the_chain() -> None:
    cluster = make_cluster(network={"load_balancer_pools": [POOL]})
    assert chain(cluster, "physics", "biology", "physics", apps=("portal",)) == {
        "platform": ("./clusters/east-prod/platform", [], False),
        "network": ("./clusters/east-prod/network", ["platform"], True),
        "policies": ("./policies/1.30", [], True),
        "tenant-biology": ("./clusters/east-prod/tenants/biology", ["policies"], False),
        "tenant-physics": ("./clusters/east-prod/tenants/physics", ["policies"], False),
        "apps": ("./clusters/east-prod/apps", ["policies"], False),
    }


def test_the_platform_waits_for_what_the_pools_need() -> None:
    """And for nothing else: another chart that fails would hold up the pools, and every later change."""

    def checks(**values: Any) -> list[str]:
        found = cluster_kustomizations(make_cluster(**values), [], make_settings(), True, [])
        return [each["name"] for each in found[0]["spec"].get("healthChecks", ())]

    network = {"load_balancer_pools": [POOL]}
    assert checks(network=network, services={"metallb": {}, "falco": {}}) == ["metallb"]
    assert checks(network=network, services={"falco": {}}) == []
    assert checks(services={"metallb": {}}) == []


def test_the_chain_of_an_empty_cluster(cluster: Cluster) -> None:
    assert chain(cluster, platform=False) == {"policies": ("./policies/1.30", [], True)}
    assert chain(cluster, platform=False, apps=("portal",))["apps"][1] == ["policies"]


def test_policies_follow_the_release_line() -> None:
    assert chain(make_cluster(release_line="1.35"))["policies"][0] == "./policies/1.35"


def test_what_every_kustomization_says(cluster: Cluster) -> None:
    settings = make_settings(git={"interval": "7m", "retry_interval": "3m", "timeout": "9m"})
    found = [
        *cluster_kustomizations(cluster, ["a"], settings, True, ["b"]),
        *app_kustomizations(cluster, ["b"], settings),
    ]
    for each in found:
        spec = each["spec"]
        assert each["metadata"]["namespace"] == "flux-system"
        assert (spec["interval"], spec["retryInterval"], spec["timeout"]) == ("7m", "3m", "9m")
        assert (spec["prune"], spec["force"]) == (True, False)
        assert spec["serviceAccountName"] == "kustomize-controller"
        assert spec["sourceRef"] == {"kind": "GitRepository", "name": "flux-system"}
        assert "postBuild" not in spec  # tenants' text is never a template


def test_apps_use_the_overlay_of_the_stage(settings: Settings) -> None:
    found = app_kustomizations(make_cluster(environment="staging"), ["portal", "exam", "portal"], settings)
    assert [(each["metadata"]["name"], each["spec"]["path"]) for each in found] == [
        ("app-exam", "./apps/exam/overlays/staging"),
        ("app-portal", "./apps/portal/overlays/staging"),
    ]


def test_facts(settings: Settings) -> None:
    given = {"features": ["nvme", "gpu"], "classifications": ["exam"], "labels": {"b": "2", "a": "1"}}
    cluster = make_cluster(region="hk-east", failure_domain="rack-a", **given)
    (found,) = fact_objects(cluster, settings)
    assert (found["metadata"]["name"], found["metadata"]["namespace"]) == ("cluster-facts", "flux-system")
    assert found["data"] == {
        "classifications": "exam",
        "delivery": "gitops",
        "description": "",
        "environment": "prod",
        "failure_domain": "rack-a",
        "features": "gpu,nvme",
        "fleet": "fleet",
        "kubernetes_version": "1.30.3",
        "labels": "a=1,b=2",
        "name": "east-prod",
        "region": "hk-east",
        "release_line": "1.30",
        "security_domain": "internal_only",
        "sla_tier": "tier_1_critical",
    }


@pytest.mark.parametrize(
    ("more", "allocation", "assign"),
    [
        ({}, None, True),
        ({"auto_assign": False}, None, False),
        (
            {"tenants": ["science"]},
            {"matchExpressions": [
                {"key": "self-provisioning.internal/tenant", "operator": "In", "values": ["physics", "science"]}
            ]},
            True,
        ),
        ({"tenants": []}, {"matchLabels": {"self-provisioning.internal/tenant": ""}}, True),
    ],
)  # fmt: skip
def test_pools(settings: Settings, more: dict[str, Any], allocation: dict[str, Any] | None, assign: bool) -> None:
    """A pool of a tenant is also one of the tenants below it."""
    cluster = make_cluster(network={"load_balancer_pools": [{**POOL, **more}]})
    environments = [make_environment(ancestors=("science",)), make_environment(tenant="law")]
    pool, advertisement = pool_objects(cluster, environments, settings)
    selectors = {"serviceAllocation": {"namespaceSelectors": [allocation]}} if allocation else {}
    assert pool["spec"] == {"addresses": ["10.1.2.0/28"], "autoAssign": assign, **selectors}
    assert advertisement["spec"] == {"ipAddressPools": ["exams"]}
    assert {each["metadata"]["namespace"] for each in (pool, advertisement)} == {"metallb-system"}
    assert cluster_objects(cluster, environments, settings)[1:] == [pool, advertisement]


HELM = {"repository": "https://charts.example.com", "version": "1.0.0", "versions": {"1.35": "2.0.0"}}
OCI = {"repository": "oci://registry.example.com/charts/vault", "version": "1.0.0"}


def services(service: dict[str, Any], line: str = "1.30", **override: Any) -> list[dict[str, Any]]:
    settings = make_settings(services={"vault": service})
    cluster = make_cluster(settings, release_line=line, services={"vault": override, "ceph": {}})
    return service_objects("vault", settings.services["vault"], override, cluster, settings)


@pytest.mark.parametrize(
    ("line", "override", "version"),
    [("1.30", {}, "1.0.0"), ("1.35", {}, "2.0.0"), ("1.35", {"version": "2.0.1"}, "2.0.1")],
)
def test_a_service_from_a_helm_repository(line: str, override: dict[str, str], version: str) -> None:
    namespace, source, release = services({**HELM, "chart": "vault-server", "namespace": "secrets"}, line, **override)
    assert namespace["metadata"]["name"] == "secrets"
    assert namespace["metadata"]["annotations"] == {"kustomize.toolkit.fluxcd.io/prune": "disabled"}
    assert (source["apiVersion"], source["kind"]) == ("source.toolkit.fluxcd.io/v1", "HelmRepository")
    assert source["spec"]["url"] == "https://charts.example.com"
    assert release["spec"]["chart"] == {
        "spec": {"chart": "vault-server", "version": version, "sourceRef": {"kind": "HelmRepository", "name": "vault"}}
    }
    assert {each["metadata"]["namespace"] for each in (source, release)} == {"flux-system"}
    assert [release["spec"][key] for key in ("targetNamespace", "storageNamespace", "releaseName")] == [
        "secrets",
        "secrets",
        "vault",
    ]


@pytest.mark.parametrize(("line", "api"), [("1.30", "v1beta2"), ("1.35", "v1")])
def test_a_service_from_a_registry(line: str, api: str) -> None:
    _unused, source, release = services(OCI, line)
    assert (source["apiVersion"], source["kind"]) == (f"source.toolkit.fluxcd.io/{api}", "OCIRepository")
    assert source["spec"]["url"] == "oci://registry.example.com/charts/vault"
    assert source["spec"]["ref"] == {"tag": "1.0.0"}
    assert release["spec"]["chartRef"] == {"kind": "OCIRepository", "name": "vault"}
    assert "chart" not in release["spec"]


@pytest.mark.parametrize(
    ("line", "again"),
    [
        ("1.30", {"remediation": {"retries": 5}}),
        ("1.35", {"strategy": {"name": "RetryOnFailure", "retryInterval": "2m"}}),
    ],
)
def test_a_failed_installation_is_tried_again(line: str, again: dict[str, Any]) -> None:
    release = services(HELM, line)[-1]["spec"]
    assert release["install"] == {"crds": "Create", **again}
    assert release["upgrade"] == {"crds": "CreateReplace", **again}


def test_values_of_the_cluster_lie_over_those_of_the_organisation() -> None:
    service = {**HELM, "values": {"ha": {"enabled": True, "replicas": 3}, "tolerations": ["a"]}}
    release = services(service, values={"ha": {"replicas": 5}, "tolerations": []})[-1]
    assert release["spec"]["values"] == {"ha": {"enabled": True, "replicas": 5}, "tolerations": []}
    assert service["values"] == {"ha": {"enabled": True, "replicas": 3}, "tolerations": ["a"]}


def test_a_service_waits_only_for_what_runs_here() -> None:
    release = services({**HELM, "depends_on": ["ceph", "elsewhere"]})[-1]
    assert release["spec"]["dependsOn"] == [{"name": "ceph"}]
    assert "dependsOn" not in services(HELM)[-1]["spec"]


@pytest.mark.parametrize("namespace", ["kube-system", "flux-system"])
def test_namespaces_that_exist_before_us_are_left_alone(namespace: str) -> None:
    assert [each["kind"] for each in services({**HELM, "namespace": namespace})] == ["HelmRepository", "HelmRelease"]


def test_a_shared_namespace_comes_once_at_the_loosest_level() -> None:
    shared = {**HELM, "namespace": "monitoring"}
    alerts, nodes = ({**shared, "pod_security": level} for level in ("restricted", "privileged"))
    settings = make_settings(services={"alerts": alerts, "nodes": nodes, "x": OCI})
    found = platform_objects(make_cluster(settings, services={"nodes": {}, "alerts": {}}), settings)
    kinds = {name: [each["kind"] for each in objects] for name, objects in found.items()}
    assert kinds == {
        "alerts": ["Namespace", "HelmRepository", "HelmRelease"],
        "nodes": ["HelmRepository", "HelmRelease"],
    }
    assert found["alerts"][0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "privileged"


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": {"b": 1}}, {"a": 2}, {"a": 2}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_deep_merge(base: dict[str, Any], over: dict[str, Any], merged: dict[str, Any]) -> None:
    assert deep_merge(base, over) == merged
