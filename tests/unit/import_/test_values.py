# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quotas, limits, rights and the namespace itself: what is taken over, and what is told about the rest."""

from __future__ import annotations

from typing import Any

import pytest

from .hand_made import (
    ALL_SECURITY,
    Object,
    account,
    binding,
    group,
    in_force,
    limits,
    namespace,
    quota,
    rendered,
    run,
    source,
    told,
)

NAME = "physics-lab-prod"
LEADS = group("leads")


def environment(*objects: Object, labels: dict[str, str] | None = None, **how: Any) -> Object:
    """What the only environment of an import declares, and what its tenant does."""
    imported, fleet = run([namespace(NAME, labels), *objects], **how)
    rendered(fleet)
    (tenant,) = imported.tenants.values()
    return {**tenant, **tenant["projects"][0]["environments"][0]}


# Quotas and limits


def test_quotas_join_to_the_lowest() -> None:
    objects = [
        quota(NAME, "one", hard={"cpu": "4", "memory": "8192Mi", "pods": 10}),
        quota(NAME, "two", hard={"requests.cpu": "2500m", "limits.cpu": "5"}),
        quota(NAME, "best-effort", hard={"pods": "3"}, scopes=["BestEffort"]),
    ]
    declared = environment(*objects)["resource_quota"]
    assert declared["hard"] == {"limits.cpu": "5", "pods": "10", "requests.cpu": "2500m", "requests.memory": "8Gi"}
    assert declared["scoped"] == [{"name": "best-effort", "hard": {"pods": "3"}, "scopes": ["BestEffort"]}]


def test_the_size_that_fits_best_is_taken() -> None:
    hard = {"requests.cpu": "4", "pods": "10"}
    sizes = {
        "small": {"resource_quota": {"hard": hard}},
        "large": {"resource_quota": {"hard": {"requests.cpu": "16", "pods": "10"}}},
        "stuffed": {"resource_quota": {"hard": {**hard, "requests.storage": "1Gi"}}},
    }
    into = source({"sizes": sizes, "defaults": {"size": "stuffed"}})
    exact = environment(quota(NAME, hard=hard), into=into)
    assert (exact["size"], exact.get("resource_quota")) == ("small", None)
    near = environment(quota(NAME, hard={"requests.cpu": "5", "pods": "10"}), into=into)
    assert near["resource_quota"] == {"hard": {"requests.cpu": "5"}}
    imported, _fleet = run([namespace(NAME), quota(NAME, hard={"pods": "10"})], into)
    assert ("Namespace", NAME, "resource_quota.hard.requests.cpu") in told(imported, "would-change")


def test_two_limit_ranges_become_one_and_arbitrary_defaults_are_told() -> None:
    objects = [
        limits(
            NAME, {"type": "Container", "default": {"cpu": "1"}, "max": {"cpu": "4"}, "min": {"cpu": "1m"}}, name="a"
        ),
        limits(
            NAME, {"type": "Container", "default": {"cpu": "2"}, "max": {"cpu": "2"}, "min": {"cpu": "5m"}}, name="b"
        ),
        limits(NAME, {"type": "PersistentVolumeClaim", "max": {"storage": "10Gi"}}, name="c"),
    ]
    declared = environment(*objects)["limit_range"]["limits"]
    assert declared == [
        {"type": "Container", "default": {"cpu": "1"}, "max": {"cpu": "2"}, "min": {"cpu": "5m"}},
        {"type": "PersistentVolumeClaim", "max": {"storage": "10Gi"}},
    ]
    imported, _fleet = run([namespace(NAME), *objects])
    assert ("LimitRange", "b", "spec.limits.default.cpu") in told(imported, "note")


def test_defaults_that_our_limit_range_has_to_add_are_told() -> None:
    imported, fleet = run([namespace(NAME), quota(NAME, hard={"requests.memory": "1Gi"})])
    assert in_force(rendered(fleet)[NAME])["limits"] == {"Container": {"defaultRequest": {"memory": "128Mi"}}}
    assert ("Namespace", NAME, "limit_range.Container.defaultRequest.memory") in told(imported, "would-change")


def test_a_storage_class_that_nobody_may_use_is_told() -> None:
    into = source({"defaults": {"allowed": {"storage_classes": ["fast"]}}}, storage_classes=["fast", "slow"])
    key = "slow.storageclass.storage.k8s.io/requests.storage"
    imported, fleet = run([namespace(NAME), quota(NAME, hard={key: "5Gi"})], into)
    assert ("Namespace", NAME, f"resource_quota.hard.{key}") in told(imported, "not-expressed")
    assert in_force(rendered(fleet)[NAME])["hard"][key] == "0"


# Rights


def test_owners_are_those_who_administer_everything() -> None:
    objects = []
    for name in ("physics-lab-dev", "physics-lab-prod", "physics-web-prod"):
        objects += [
            namespace(name),
            binding(name, "admin", LEADS, group(f"{name}-team")),
            binding(name, "view", group("auditors"), account("robot", name)),
        ]
        objects += [binding(name, "edit", group("lab-people"))] if "lab" in name else []
    imported, fleet = run(objects)
    tenant = imported.tenants["physics"]
    assert tenant["owners"] == [{"kind": "Group", "name": "leads"}]
    assert tenant["owner_cluster_role"] == "admin"
    assert tenant["role_bindings"] == [
        {
            "cluster_role": "view",
            "subjects": [{"kind": "Group", "name": "auditors"}, {"kind": "ServiceAccount", "name": "robot"}],
        }
    ]
    assert tenant["projects"][0]["role_bindings"] == [
        {"cluster_role": "edit", "subjects": [{"kind": "Group", "name": "lab-people"}]}
    ]
    rights = in_force(rendered(fleet)["physics-web-prod"])["rights"]
    assert rights == {
        ("admin", "Group", None, "leads"),
        ("admin", "Group", None, "physics-web-prod-team"),
        ("view", "Group", None, "auditors"),
        ("view", "ServiceAccount", "physics-web-prod", "robot"),
    }


def test_a_role_of_the_namespace_is_told_and_stays() -> None:
    imported, _fleet = run([namespace(NAME), binding(NAME, "deployer", LEADS, kind="Role")])
    assert told(imported, "not-expressed") == [("RoleBinding", "deployer", "roleRef")]
    assert imported.superseded == []


def test_a_cluster_role_that_is_not_allowed_is_told() -> None:
    into = source({"defaults": {"allowed": {"cluster_roles": ["view"]}}})
    imported, fleet = run([namespace(NAME), binding(NAME, "edit", LEADS), binding(NAME, "view", LEADS)], into)
    assert told(imported, "not-expressed") == [("Namespace", NAME, "role_bindings.edit")]
    assert in_force(rendered(fleet)[NAME])["rights"] == {("view", "Group", None, "leads")}
    assert [each["name"] for each in imported.superseded] == ["view"]


def test_rights_from_above_are_not_repeated_and_those_that_are_new_are_told() -> None:
    subjects = [{"kind": "Group", "name": name} for name in ("auditors", "fire-brigade")]
    into = source({"defaults": {"role_bindings": [{"cluster_role": "view", "subjects": subjects}]}})
    imported, _fleet = run([namespace(NAME), binding(NAME, "view", group("auditors"))], into)
    assert "role_bindings" not in imported.tenants["physics"]["projects"][0]["environments"][0]
    (finding,) = [f for f in imported.findings.sorted if f.field == "role_bindings"]
    assert "fire-brigade would get" in finding.what


# The namespace


@pytest.mark.parametrize(
    ("labels", "base", "declared"),
    [
        ({}, {}, {"enforce": "privileged"}),
        ({"enforce": "baseline"}, {}, None),
        ({"enforce": "restricted", "enforce-version": "v1.30"}, {}, {"enforce": "restricted", "version": "v1.30"}),
        ({"enforce": "baseline", "audit": "baseline"}, {}, {"audit": "baseline"}),
        ({"enforce": "restricted"}, {"enforce": "restricted"}, None),
        ({"enforce": "privileged"}, {"enforce": "baseline"}, None),
    ],
)
def test_pod_security(labels: dict[str, str], base: dict[str, str], declared: dict[str, str] | None) -> None:
    given = {f"pod-security.kubernetes.io/{key}": value for key, value in labels.items()}
    into = source({"defaults": {"pod_security": base}} if base else {})
    assert environment(labels=given, into=into).get("pod_security") == declared
    imported, _fleet = run([namespace(NAME, given)], into)
    relaxed = base.get("enforce") == "baseline"
    assert (("Namespace", NAME, "pod_security.enforce") in told(imported, "would-change")) == relaxed


def test_free_labels_and_annotations_come_along_and_foreign_ones_stay_behind() -> None:
    labels = {"team": "a", "app.kubernetes.io/part-of": "x", "field.cattle.io/projectId": "p"}
    notes = {"owner.example.com/mail": "a@b", "kubectl.kubernetes.io/last-applied-configuration": "{}", "t": "{{ x }}"}
    imported, fleet = run([namespace(NAME, labels, annotations=notes)])
    declared = imported.tenants["physics"]["projects"][0]["environments"][0]
    assert declared["labels"] == {"app.kubernetes.io/part-of": "x", "team": "a"}
    assert declared["annotations"] == {"owner.example.com/mail": "a@b"}
    assert told(imported, "not-expressed") == [("Namespace", NAME, "metadata.annotations.t")]
    rendered(fleet)


def test_a_protected_label_is_told() -> None:
    into = source({"defaults": {"labels": {"zone": "a"}}, "protected_labels": ["zone"]})
    imported, fleet = run([namespace(NAME, {"zone": "b"})], into)
    rendered(fleet)
    assert ("Namespace", NAME, "metadata.labels.zone") in told(imported, "would-change")


def test_owned_namespaces_are_told() -> None:
    owner = {"apiVersion": "capsule.clastix.io/v1beta2", "kind": "Tenant", "name": "oil"}
    imported, _fleet = run([namespace(NAME, ownerReferences=[owner])])
    assert ("Namespace", NAME, "metadata.ownerReferences") in told(imported, "note")


def test_what_would_refuse_adoption_is_told() -> None:
    imported, _fleet = run([namespace(NAME, ALL_SECURITY)])
    assert told(imported, "not-adoptable") == []
    imported, _fleet = run([namespace(NAME)], source({"defaults": {"labels": {"a": "b"}}}))
    assert told(imported, "not-adoptable") == []
    into = source({"defaults": {"labels": {"zone": "a"}}, "protected_labels": ["zone"]})
    for live in (namespace(NAME, {"zone": "b"}), namespace(NAME, {"app.kubernetes.io/managed-by": "Helm"})):
        imported, _fleet = run([live], into)
        assert told(imported, "not-adoptable") == [("Namespace", NAME, "metadata")]


def test_a_quota_that_would_not_be_the_same_is_told() -> None:
    small = source({"sizes": {"small": {"resource_quota": {"hard": {"pods": "5"}}}}, "defaults": {"size": "small"}})
    for theirs, told_ in (("5", []), ("7", [])):
        imported, _fleet = run([namespace(NAME), quota(NAME, hard={"pods": theirs})], small)
        assert told(imported, "not-adoptable") == told_


def test_what_is_common_moves_up() -> None:
    names = ("physics-lab-dev", "physics-lab-prod")
    imported, fleet = run([namespace(name, {"a": "1", "only": name}) for name in names])
    tenant = imported.tenants["physics"]
    assert tenant["labels"] == {"a": "1"}
    assert tenant["pod_security"] == {"enforce": "privileged"}
    assert [e["labels"] for e in tenant["projects"][0]["environments"]] == [{"only": name} for name in names]
    assert tenant["adoption_policy"] == "if_identical"
    for name, objects in rendered(fleet).items():
        labels = objects[0]["metadata"]["labels"]
        assert (labels["a"], labels["only"]) == ("1", name)


def test_what_the_inventory_refuses_is_told() -> None:
    into = source(capacity={"cpu": "1"})
    imported, fleet = run([namespace(NAME), quota(NAME, hard={"requests.cpu": "2"})], into)
    assert fleet.problems.errors != []
    assert [code for code in (f.code for f in imported.findings.sorted) if code == "invalid"] == ["invalid"]
