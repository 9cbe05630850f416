# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of the admission policies. What they refuse is asked of a real API server, in tests/integration."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import read_source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster, Settings
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.policies import policy_objects
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.policy_params import build_parameters
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.provisioner import provisioner_objects

from .conftest import Make, make_settings

CONTENT = {"images", "required-labels", "priority-classes", "services", "ingress-hostnames", "ingress-classes"}
ISOLATION = {
    "namespaces",
    "protected-objects",
    "role-bindings",
    "service-accounts",
    "volumes",
    "flux-objects",
    "frozen",
}
LINES = ("1.30", "1.35")


def by_name(settings: Settings, line: str = "1.30") -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Short name to the specs of the policy and of its binding."""
    objects = policy_objects(settings, line)
    policies = {
        each["metadata"]["name"]: each["spec"] for each in objects if each["kind"] == "ValidatingAdmissionPolicy"
    }
    bindings = {each["spec"]["policyName"]: each["spec"] for each in objects if each["kind"].endswith("Binding")}
    assert set(policies) == set(bindings)
    assert len(objects) == 2 * len(policies)
    return {name.removeprefix("self-provisioning-"): (spec, bindings[name]) for name, spec in policies.items()}


def test_all_policies(settings: Settings) -> None:
    assert set(by_name(settings)) == CONTENT | ISOLATION


@pytest.mark.parametrize("line", LINES)
def test_every_policy(settings: Settings, line: str) -> None:
    for name, (policy, binding) in by_name(settings, line).items():
        assert policy["failurePolicy"] == "Fail", name
        first = policy["matchConditions"][0]
        assert first["name"] == "not-the-platform", name
        for who in ("system:masters", "kubeadm:cluster-admins", "flux-system:kustomize-controller", ":provisioner"):
            assert who in first["expression"], name
        assert ("paramKind" in policy) == ("paramRef" in binding), name
        if "paramRef" in binding:
            assert binding["paramRef"] == {"name": "self-provisioning-policy", "parameterNotFoundAction": "Deny"}, name
            rules = policy["matchConstraints"]["resourceRules"]
            assert {rule["scope"] for rule in rules} == {"Namespaced"}, name
            # Flux applies these before the ConfigMap.
            assert not {"rolebindings", "serviceaccounts", "resourcequotas"} & {
                r for rule in rules for r in rule["resources"]
            }
        for validation in policy["validations"]:
            assert "\n" not in validation["message"]
            assert validation["messageExpression"], name


def test_what_is_bound_where(settings: Settings) -> None:
    exists = {"matchExpressions": [{"key": "self-provisioning.internal/tenant", "operator": "Exists"}]}
    found = {
        name: binding.get("matchResources", {}).get("namespaceSelector")
        for name, (_unused, binding) in by_name(settings).items()
    }
    # A selector is compared with the new labels of a namespace, so taking the label away would evade it.
    assert found.pop("namespaces") is None
    states = {"key": "self-provisioning.internal/state", "operator": "In", "values": ["archived", "frozen"]}
    assert found.pop("frozen") == {"matchExpressions": [states]}
    assert found == dict.fromkeys(found, exists)


@pytest.mark.parametrize("action", ["Deny", "Warn", "Audit"])
def test_only_rules_about_content_can_be_softened(action: str) -> None:
    found = by_name(make_settings(policies={"action": action}))
    actions = {name: binding["validationActions"] for name, (_unused, binding) in found.items()}
    assert {name for name, each in actions.items() if each == ["Deny"]} >= ISOLATION
    assert {name: actions[name] for name in CONTENT} == {name: [action] for name in CONTENT}


def test_break_glass() -> None:
    policies = {"platform_users": ["fire'fighter\"\\"], "platform_groups": ["oidc:sre"]}
    for policy, _unused in by_name(make_settings(policies=policies)).values():
        expression = policy["matchConditions"][0]["expression"]
        assert '"fire\'fighter\\"\\\\"' in expression
        assert '"oidc:sre"' in expression


def test_rules_that_are_not_asked_for() -> None:
    found = by_name(make_settings(policies={"required_labels": [], "forbid_latest_tag": False}))
    assert "required-labels" not in found
    assert len(found["images"][0]["validations"]) == 1


def test_only_newer_kubernetes_mounts_images(settings: Settings) -> None:
    assert "volumes" not in json.dumps(by_name(settings, "1.30")["images"])
    assert "volumes" in json.dumps(by_name(settings, "1.35")["images"])


def test_platform_services_work_on_in_frozen_environments() -> None:
    services = {
        "cert-manager": {"repository": "https://x"},
        "edge": {"repository": "https://x", "namespace": "ingress-nginx"},
    }
    policy, _unused = by_name(make_settings(services=services))["frozen"]
    expression = next(
        each["expression"] for each in policy["matchConditions"] if each["name"] == "not-a-platform-service"
    )
    assert '["system:serviceaccounts:cert-manager", "system:serviceaccounts:ingress-nginx"]' in expression


@pytest.mark.parametrize(
    ("allowed", "data"),
    [
        ({}, {}),
        ({"registries": []}, {"registries": ""}),
        (
            {
                "registries": ["registry.example.edu/physics/", "docker.io/library/nginx"],
                "ingress": {"classes": ["nginx", "public"], "hostnames": ["*.example.edu"]},
                "priority_classes": ["standard"],
                "service_types": ["ClusterIP"],
                "storage_classes": ["cephfs"],
                "cluster_roles": ["view"],
            },
            {
                "registries": "registry.example.edu/physics\ndocker.io/library/nginx",
                "ingress-classes": "nginx\npublic",
                "ingress-hostnames": "*.example.edu",
                "priority-classes": "standard",
                "service-types": "ClusterIP",
            },
        ),
    ],
)
def test_parameters(
    make: Make, cluster: Cluster, settings: Settings, allowed: dict[str, Any], data: dict[str, str]
) -> None:
    """An absent list does not restrict; an empty one allows nothing."""
    (found,) = build_parameters(make(allowed=allowed), cluster, settings)
    assert found["metadata"]["name"] == "self-provisioning-policy"
    assert found["data"] == data


@pytest.mark.parametrize(
    ("listed", "data"),
    [(None, {}), ([], {"priority-classes": "usual"}), (["usual", "low"], {"priority-classes": "usual\nlow"})],
)
def test_the_usual_priority_is_always_allowed(
    make: Make, cluster: Cluster, settings: Settings, listed: list[str] | None, data: dict[str, str]
) -> None:
    allowed = {} if listed is None else {"priority_classes": listed}
    (found,) = build_parameters(make(allowed=allowed, priority_class="usual"), cluster, settings)
    assert found["data"] == data


def test_no_policy_has_variables_as_they_can_kill_the_api_server() -> None:
    """kubernetes/kubernetes#135757: policies that are compiled share a map with variables that are evaluated."""
    root = Path(__file__).resolve().parents[3] / "inventories/example"
    fleet = compile_fleet(read_source(root)[0], today=datetime.date(2026, 11, 21))
    made = [each for line in LINES for each in policy_objects(fleet.settings, line)]
    policies = [
        each for each in [*made, *provisioner_objects(fleet, "research-gpu")] if each["kind"].endswith("Policy")
    ]
    assert len(policies) == 2 * len(CONTENT | ISOLATION) + 1
    assert not [each["metadata"]["name"] for each in policies if "variables" in json.dumps(each)]
