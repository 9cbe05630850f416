# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RoleBindings, ServiceAccounts and the ClusterRoles of tenants."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster, Settings
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster_roles import cluster_role_objects
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.rbac import (
    build_role_bindings,
    build_service_accounts,
)

from .conftest import Make

GROUP = "rbac.authorization.k8s.io"
AUDITORS = {"kind": "Group", "name": "auditors"}
CAROL = {"kind": "User", "name": "carol"}
ROBOT = {"kind": "ServiceAccount", "name": "robot"}


def bindings(make: Make, cluster: Cluster, settings: Settings, **values: Any) -> dict[str, tuple[str, list[str]]]:
    """Name to role and subjects."""
    found = build_role_bindings(make(**values), cluster, settings)
    named = {
        each["metadata"]["name"]: (
            each["roleRef"]["name"],
            ["/".join(filter(None, (s["kind"], s.get("namespace"), s["name"]))) for s in each["subjects"]],
        )
        for each in found
    }
    assert len(named) == len(found)
    return named


def grant(role: str, *subjects: dict[str, str]) -> dict[str, Any]:
    return {"cluster_role": role, "subjects": list(subjects)}


def test_owners_and_our_own_accounts(make: Make, cluster: Cluster, settings: Settings) -> None:
    assert bindings(make, cluster, settings) == {
        "tenant-admin-owners": ("tenant-admin", ["Group/physics-leads"]),
        "tenant-editor-ci-deployer": ("tenant-editor", ["ServiceAccount/physics-lab-prod/ci-deployer"]),
        "tenant-admin-flux-reconciler": ("tenant-admin", ["ServiceAccount/physics-lab-prod/flux-reconciler"]),
    }


def test_nobody_owns_it(make: Make, cluster: Cluster, settings: Settings) -> None:
    assert "tenant-admin-owners" not in bindings(make, cluster, settings, owners=[])


def test_the_whole_object(make: Make, cluster: Cluster, settings: Settings) -> None:
    values = {"owners": [CAROL, ROBOT, AUDITORS, CAROL], "owner_role": "admin"}
    found = build_role_bindings(make(**values), cluster, settings)[0]
    assert found["roleRef"] == {"apiGroup": GROUP, "kind": "ClusterRole", "name": "admin"}
    assert found["subjects"] == [
        {"apiGroup": GROUP, "kind": "Group", "name": "auditors"},
        {"kind": "ServiceAccount", "name": "robot", "namespace": "physics-lab-prod"},
        {"apiGroup": GROUP, "kind": "User", "name": "carol"},
    ]


def test_declared_bindings_keep_their_names(make: Make, cluster: Cluster, settings: Settings) -> None:
    """Reordering, repeating and adding others changes no name; other people or another role do."""

    def declared(*given: dict[str, Any]) -> dict[str, Any]:
        every = bindings(make, cluster, settings, role_bindings=list(given), owners=[])
        return {name: what for name, what in every.items() if not name.endswith(("ci-deployer", "flux-reconciler"))}

    view, edit = grant("view", AUDITORS, CAROL), grant("system:edit", CAROL)
    first = declared(view, edit)
    assert sorted(name.rsplit("-", 1)[0] for name in first) == ["system-edit", "view"]
    assert sorted(first.values()) == [("system:edit", ["User/carol"]), ("view", ["Group/auditors", "User/carol"])]
    assert declared(edit, grant("view", CAROL, AUDITORS), view) == first
    assert set(declared(view)) < set(first)
    assert not set(declared(grant("view", AUDITORS))) & set(first)
    assert not set(declared(grant("tenant-viewer", AUDITORS, CAROL))) & set(first)
    spelled_out = {**ROBOT, "namespace": "physics-lab-prod"}
    assert declared(grant("view", ROBOT)) == declared(grant("view", spelled_out))
    assert declared(grant("view", ROBOT)) != declared(grant("view", {**ROBOT, "namespace": "tools"}))


def test_an_archived_environment_can_only_be_looked_at(make: Make, cluster: Cluster, settings: Settings) -> None:
    given = {"role_bindings": [grant("admin", CAROL), grant("edit", CAROL)], "state": "archived"}
    found = bindings(make, cluster, settings, **given)
    assert {role for role, _unused in found.values()} == {"tenant-viewer"}
    assert sorted(subjects for _unused, subjects in found.values()) == [["Group/physics-leads"], ["User/carol"]]


@pytest.mark.parametrize("state", ["active", "frozen", "hibernated"])
def test_other_states_change_no_rights(make: Make, cluster: Cluster, settings: Settings, state: str) -> None:
    assert bindings(make, cluster, settings, state=state) == bindings(make, cluster, settings)


def test_a_role_is_never_changed_in_place(make: Make, cluster: Cluster, settings: Settings) -> None:
    """The API server refuses another roleRef, so one name always has one role."""
    roles: dict[str, set[str]] = {}
    for state in ("active", "archived"):
        for owner_role in ("tenant-admin", "admin", "tenant-viewer"):
            given = {"state": state, "owner_role": owner_role, "role_bindings": [grant("view", CAROL)]}
            for name, (role, _unused) in bindings(make, cluster, settings, **given).items():
                roles.setdefault(name, set()).add(role)
    assert {name: len(each) for name, each in roles.items()} == dict.fromkeys(roles, 1)


def test_no_pod_gets_the_tokens_by_itself(make: Make, cluster: Cluster, settings: Settings) -> None:
    found = build_service_accounts(make(), cluster, settings)
    assert [(each["metadata"]["name"], each["automountServiceAccountToken"]) for each in found] == [
        ("ci-deployer", False),
        ("flux-reconciler", False),
    ]


def rights(settings: Settings) -> dict[str, set[tuple[str, str, str]]]:
    return {
        role["metadata"]["name"]: {
            (group, resource, verb)
            for rule in role["rules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }
        for role in cluster_role_objects(settings)
    }


def test_roles_are_nested(settings: Settings) -> None:
    """So an admin can hand on any of them: the API server lets nobody grant what they lack."""
    found = rights(settings)
    assert list(found) == ["tenant-admin", "tenant-editor", "tenant-viewer"]
    assert found["tenant-viewer"] < found["tenant-editor"] < found["tenant-admin"]


FORBIDDEN_WRITES = {
    "namespaces", "resourcequotas", "limitranges", "networkpolicies", "endpoints", "endpointslices", "nodes",
    "persistentvolumes", "clusterroles", "clusterrolebindings", "customresourcedefinitions",
}  # fmt: skip


def test_nobody_has_what_would_end_the_tenancy(settings: Settings) -> None:
    for name, found in rights(settings).items():
        writes = {resource for _unused, resource, verb in found if verb not in ("get", "list", "watch")}
        assert not writes & FORBIDDEN_WRITES, name
        assert not {resource for resource in writes if resource.endswith("/status")}, name
        assert not {verb for _unused, _unused, verb in found} & {"*", "bind", "escalate", "impersonate"}, name
        assert not [item for item in found if "*" in item], name
        assert not {resource for _unused, resource, _unused in found} & {"nodes", "persistentvolumes"}, name


def test_nothing_is_aggregated(settings: Settings) -> None:
    for role in cluster_role_objects(settings):
        assert "aggregationRule" not in role
        assert list(role["metadata"]["labels"]) == ["app.kubernetes.io/managed-by"]


@pytest.mark.parametrize(
    ("role", "right", "has"),
    [
        ("tenant-viewer", ("", "secrets", "get"), False),
        ("tenant-viewer", ("", "pods/exec", "get"), False),
        ("tenant-viewer", ("", "pods/log", "get"), True),
        ("tenant-editor", ("", "secrets", "update"), True),
        ("tenant-editor", (GROUP, "rolebindings", "create"), False),
        ("tenant-editor", ("kustomize.toolkit.fluxcd.io", "kustomizations", "create"), False),
        ("tenant-editor", ("", "serviceaccounts/token", "create"), False),
        ("tenant-admin", (GROUP, "rolebindings", "create"), True),
        ("tenant-admin", ("kustomize.toolkit.fluxcd.io", "kustomizations", "create"), True),
        ("tenant-admin", ("", "serviceaccounts/token", "create"), True),
    ],
)
def test_single_rights(settings: Settings, role: str, right: tuple[str, str, str], has: bool) -> None:
    assert (right in rights(settings)[role]) is has
