# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what in a namespace."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from collections.abc import Iterable, Mapping

from .._model.entities import Cluster, Environment, Settings
from .cluster_roles import ADMIN, EDITOR, VIEWER
from .common import DEPLOYER, RECONCILER, Object, in_namespace

GROUP = "rbac.authorization.k8s.io"
_UNUSUAL = re.compile(r"[^a-z0-9.-]+")


def build_service_accounts(environment: Environment, cluster: Cluster, settings: Settings) -> list[Object]:
    """The identities of Flux and of the team's pipelines. No pod gets their tokens by itself."""
    del cluster
    return [
        in_namespace(environment, settings, "v1", "ServiceAccount", name, automountServiceAccountToken=False)
        for name in (DEPLOYER, RECONCILER)
    ]


def build_role_bindings(environment: Environment, cluster: Cluster, settings: Settings) -> list[Object]:
    """The RoleBindings of owners, of declared rights, and of our own ServiceAccounts.

    In an archived environment people may only look, and the ServiceAccounts may do nothing.
    """
    del cluster
    values = environment.values
    archived = environment.state == "archived"
    objects = []
    if values.get("owners"):
        role = VIEWER if archived else values.get("owner_role", settings.owner_role)
        objects.append(_binding(environment, settings, "owners", role, values["owners"]))
    declared = {}
    for item in values.get("role_bindings") or ():
        role = VIEWER if archived else item["cluster_role"]
        purpose = _fingerprint(_subjects(item["subjects"], environment.namespace))
        declared[(role, purpose)] = _binding(environment, settings, purpose, role, item["subjects"])
    objects += [declared[key] for key in sorted(declared)]
    if not archived:
        for account, role in ((DEPLOYER, EDITOR), (RECONCILER, ADMIN)):
            subject = {"kind": "ServiceAccount", "name": account}
            objects.append(_binding(environment, settings, account, role, [subject]))
    return objects


def _binding(
    environment: Environment, settings: Settings, purpose: str, role: str, subjects: Iterable[Mapping[str, t.Any]]
) -> Object:
    # The role is part of the name, because the API server never lets a binding change its role.
    name = f"{_UNUSUAL.sub('-', role.lower())}-{purpose}"
    return in_namespace(
        environment,
        settings,
        f"{GROUP}/v1",
        "RoleBinding",
        name,
        roleRef={"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
        subjects=_subjects(subjects, environment.namespace),
    )


def _subjects(given: Iterable[Mapping[str, t.Any]], namespace: str) -> list[dict[str, str]]:
    """Sorted and without repetition, so that the order in the inventory does not matter."""
    unique = {}
    for each in given:
        if each["kind"] == "ServiceAccount":
            subject = {"kind": "ServiceAccount", "name": each["name"], "namespace": each.get("namespace", namespace)}
        else:
            subject = {"apiGroup": GROUP, "kind": each["kind"], "name": each["name"]}
        unique[(subject["kind"], subject.get("namespace", ""), subject["name"])] = subject
    return [unique[key] for key in sorted(unique)]


def _fingerprint(value: t.Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]
