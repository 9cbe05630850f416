# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Namespace."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster, Settings
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.namespace import build_namespace

from .conftest import Make, make_settings

DOMAIN = "self-provisioning.internal"
PRUNE = "kustomize.toolkit.fluxcd.io/prune"


def metadata(make: Make, cluster: Cluster, settings: Settings, **values: Any) -> dict[str, Any]:
    (namespace,) = build_namespace(make(**values), cluster, settings)
    found: dict[str, Any] = namespace["metadata"]
    return found


def test_labels(make: Make, cluster: Cluster, settings: Settings) -> None:
    contacts = {"owner": "head@physics.example.edu"}
    assert metadata(make, cluster, settings, contacts=contacts, labels={"team": "a"})["labels"] == {
        "app.kubernetes.io/managed-by": "self-provisioning",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/audit-version": "v1.30",
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "v1.30",
        "pod-security.kubernetes.io/warn": "restricted",
        "pod-security.kubernetes.io/warn-version": "v1.30",
        f"{DOMAIN}/cost-center": "CC-1042",
        f"{DOMAIN}/data.student_personal_data": "true",
        f"{DOMAIN}/environment": "prod",
        f"{DOMAIN}/owner": "head-physics.example.edu",
        f"{DOMAIN}/project": "lab",
        f"{DOMAIN}/security-domain": "internal_only",
        f"{DOMAIN}/size": "small",
        f"{DOMAIN}/sla-tier": "tier_1_critical",
        f"{DOMAIN}/stage": "prod",
        f"{DOMAIN}/state": "active",
        f"{DOMAIN}/tenant": "physics",
        "team": "a",
    }


def test_annotations(make: Make, cluster: Cluster, settings: Settings) -> None:
    values: dict[str, Any] = {
        "contacts": {"owner": "head@x.org", "technical": ["ops@x.org", "dba@x.org"], "security": "soc@x.org"},
        "annotations": {"docs": "https://wiki.example.edu/lab"},
        "expires_at": "2027-06-30",
        "allowed": {"cluster_roles": ["view", "edit"]},
        "priority_class": "standard",
    }
    assert metadata(make, cluster, settings, **values)["annotations"] == {
        "docs": "https://wiki.example.edu/lab",
        PRUNE: "disabled",
        f"{DOMAIN}/cluster-roles": "view,edit",
        f"{DOMAIN}/cost-center": "CC 1042",
        f"{DOMAIN}/display-name": "Lab simulation",
        f"{DOMAIN}/expires-at": "2027-06-30",
        f"{DOMAIN}/owner": "head@x.org",
        f"{DOMAIN}/priority-class": "standard",
        f"{DOMAIN}/security-contact": "soc@x.org",
        f"{DOMAIN}/source": "tenant__physics",
        f"{DOMAIN}/technical-contacts": "ops@x.org, dba@x.org",
        f"{DOMAIN}/tenant-display-name": "Physics department",
    }


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("labels", f"{DOMAIN}/tenant"),
        ("labels", f"{DOMAIN}/anything"),
        ("labels", "pod-security.kubernetes.io/enforce"),
        ("labels", "app.kubernetes.io/managed-by"),
        ("annotations", f"{DOMAIN}/source"),
        ("annotations", f"{DOMAIN}/cluster-roles"),
        ("annotations", PRUNE),
        ("annotations", "kustomize.toolkit.fluxcd.io/reconcile"),
    ],
)
def test_users_cannot_set_what_is_ours(make: Make, cluster: Cluster, settings: Settings, field: str, key: str) -> None:
    """Whoever writes a tenant file could otherwise move the namespace to another tenant, or lower its walls."""
    plain = metadata(make, cluster, settings, deletion_policy="delete")
    tried = metadata(make, cluster, settings, deletion_policy="delete", **{field: {key: "evil"}})
    assert tried == plain


def test_another_label_domain(make: Make, cluster: Cluster) -> None:
    found = metadata(make, cluster, make_settings(label_domain="platform.example.edu"))
    assert found["labels"]["platform.example.edu/tenant"] == "physics"
    assert not [key for key in [*found["labels"], *found["annotations"]] if key.startswith(DOMAIN)]


@pytest.mark.parametrize(("policy", "kept"), [("retain", True), ("archive", True), (None, True), ("delete", False)])
def test_only_a_deletable_namespace_is_pruned(
    make: Make, cluster: Cluster, settings: Settings, policy: str | None, kept: bool
) -> None:
    values = {"deletion_policy": policy} if policy else {}
    assert (metadata(make, cluster, settings, **values)["annotations"].get(PRUNE) == "disabled") is kept


def test_no_restriction_of_roles_is_not_an_empty_list(make: Make, cluster: Cluster, settings: Settings) -> None:
    key = f"{DOMAIN}/cluster-roles"
    assert key not in metadata(make, cluster, settings)["annotations"]
    assert metadata(make, cluster, settings, allowed={"cluster_roles": []})["annotations"][key] == ""
