# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments, clusters and settings made by hand, so that these tests depend on the builders alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import (
    Cluster,
    Environment,
    Project,
    Settings,
    Tenant,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import Where
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.inheritance import Effective
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.resources import canonical_quota

Make = Callable[..., Environment]

VALUES: dict[str, Any] = {
    "stage": "prod",
    "state": "active",
    "size": "small",
    "owners": [{"kind": "Group", "name": "physics-leads"}],
    "owner_role": "tenant-admin",
    "cost_center": "CC 1042",
    "display_name": "Lab simulation",
    "classification": {
        "data": ["student_personal_data"],
        "security_domain": "internal_only",
        "sla_tier": "tier_1_critical",
    },
    "pod_security": {"enforce": "restricted", "audit": "restricted", "warn": "restricted", "version": "v1.30"},
    "gitops": None,
}


@pytest.fixture
def settings() -> Settings:
    return make_settings()


@pytest.fixture
def cluster() -> Cluster:
    return make_cluster()


@pytest.fixture
def make() -> Make:
    return make_environment


def make_settings(**values: Any) -> Settings:
    return Settings.of({f"fleet_{key}": value for key, value in values.items()})


def make_cluster(settings: Settings | None = None, **values: Any) -> Cluster:
    base = {"environment": "prod", "security_domain": "internal_only", "sla_tier": "tier_1_critical"}
    given = {f"cluster_{key}": value for key, value in {**base, **values}.items()}
    return Cluster.of("east-prod", given, settings or make_settings())


def make_environment(
    name: str = "prod",
    *,
    quota: dict[str, str] | None = None,
    tenant: str = "physics",
    ancestors: tuple[str, ...] = (),
    **values: Any,
) -> Environment:
    """An environment of C(physics/lab); I(values) are effective values."""
    where = Where(f"tenant__{tenant}")
    owner = Tenant(tenant, where, {"id": tenant, "display_name": "Physics department"})
    owner.ancestors = [Tenant(each, Where(f"tenant__{each}"), {"id": each}) for each in ancestors]
    project = Project("lab", where / "projects", {"id": "lab"})
    effective = Effective({**VALUES, **values})
    hard = canonical_quota({"requests.cpu": "16"} if quota is None else quota)
    return Environment(owner, project, name, where, f"{tenant}-lab-{name}", {}, effective, hard, [])
