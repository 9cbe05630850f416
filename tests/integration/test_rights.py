# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles of tenants give, asked of a real API server."""

from __future__ import annotations

import pytest

from .asked import PROD, RBAC
from .governed import PEOPLE, Governed

NEVER = ("lead", "developer", "auditor")
#: who, verb, group, resource, and whether they may, in their own namespace.
RIGHTS: list[tuple[str, str, str, str, bool]] = [
    *[
        (who, verb, group, resource, False)
        for who in NEVER
        for verb, group, resource in (
            ("update", "", "namespaces"),
            ("patch", "", "namespaces/status"),
            ("update", "", "resourcequotas"),
            ("delete", "", "limitranges"),
            ("create", "networking.k8s.io", "networkpolicies"),
            ("create", "", "endpoints"),
            ("create", "discovery.k8s.io", "endpointslices"),
            ("patch", "", "services/status"),
            ("impersonate", "", "serviceaccounts"),
            ("bind", RBAC, "clusterroles"),
            ("escalate", RBAC, "roles"),
            ("get", "", "nodes"),
            ("get", "", "persistentvolumes"),
        )
    ],
    ("lead", "create", RBAC, "rolebindings", True),
    ("developer", "create", RBAC, "rolebindings", False),
    ("lead", "create", "", "serviceaccounts/token", True),
    ("developer", "create", "", "serviceaccounts/token", False),
    ("developer", "create", "kustomize.toolkit.fluxcd.io", "kustomizations", False),
    ("developer", "get", "", "secrets", True),
    ("developer", "create", "", "pods/exec", True),
    ("auditor", "get", "", "secrets", False),
    ("auditor", "create", "", "pods/exec", False),
    ("auditor", "get", "", "pods/log", True),
    ("auditor", "list", "apps", "deployments", True),
    ("auditor", "create", "apps", "deployments", False),
    ("lead", "get", "", "namespaces", True),
    ("lead", "get", "", "resourcequotas", True),
    ("lead", "get", "networking.k8s.io", "networkpolicies", True),
]


@pytest.mark.parametrize(("who", "verb", "group", "resource", "may"), RIGHTS)
def test_rights(governed: Governed, who: str, verb: str, group: str, resource: str, may: bool) -> None:
    """What the roles give."""
    name, _unused, part = resource.partition("/")
    asked = {"namespace": PROD, "verb": verb, "group": group, "resource": name, "subresource": part}
    spec = {"user": who, "groups": list(PEOPLE[who]), "resourceAttributes": asked}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    _unused, answer = governed.plane.admin.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    assert answer["status"]["allowed"] is may, answer
