# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""C(size: none): an environment that takes no size, while budgets still count it."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet

TODAY = datetime.date(2026, 11, 21)
SIZES = {"small": {"resource_quota": {"hard": {"pods": "5", "requests.cpu": "4"}}}}
EAST = {
    "cluster_environment": "prod",
    "cluster_security_domain": "internal_only",
    "cluster_sla_tier": "tier_2_important",
}
DEFAULTS = {"size": "small", "resource_quota": {"hard": {"count/secrets": "9"}}}


def fleet(environment: dict[str, Any], sizes: dict[str, Any], **tenant: Any) -> Fleet:
    settings = {"fleet_sizes": sizes, "fleet_defaults": DEFAULTS}
    project = {"id": "b", "environments": [{"name": "prod", **environment}]}
    tenants = {"tenant__a": {"id": "a", "projects": [project], **tenant}}
    return compile_fleet(Source(settings, tenants, {"east": EAST}), today=TODAY)


@pytest.mark.parametrize(
    ("environment", "sizes", "size", "quota"),
    [
        ({}, SIZES, "small", {"count/secrets": "9", "pods": "5", "requests.cpu": "4"}),
        ({"size": "none"}, SIZES, None, {"count/secrets": "9"}),
        (
            {"size": "none", "resource_quota": {"hard": {"pods": "7"}}},
            SIZES,
            None,
            {"count/secrets": "9", "pods": "7"},
        ),
        # an organisation may have a size of this name; it counts
        ({"size": "none"}, {**SIZES, "none": {}}, "none", {"count/secrets": "9"}),
    ],
)
def test_none_takes_the_defaults_only(
    environment: dict[str, Any], sizes: dict[str, Any], size: str | None, quota: dict[str, str]
) -> None:
    found = fleet(environment, sizes)
    assert [problem.code for problem in found.problems.errors] == []
    (one,) = found.environments
    assert (one.values["size"], {key: str(amount) for key, amount in one.quota.items()}) == (size, quota)


def test_a_budget_closes_what_it_counts_and_nobody_asked_for() -> None:
    found = fleet({"size": "none"}, SIZES, budget={"hard": {"requests.cpu": "8"}})
    (one,) = found.environments
    assert str(one.quota["requests.cpu"]) == "0"
