# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Organisations of all kinds, for laws that hold in every one of them."""

from __future__ import annotations

import typing as t

from hypothesis import strategies as st

from .support import Inventory

TIERS = ["tier_1_critical", "tier_2_important", "tier_3_standard"]
DOMAINS = ["internal_only", "internet_facing"]
STAGES = ["dev", "prod"]
DATA = ["student_data", "exam_data"]
FEATURES = ["gpu", "nvme"]
TENANTS = ["a", "b", "c"]
FROZEN = [{"from": "2026-11-01", "to": "2026-11-30", "reason": "exams"}]
OVER = [{"from": "2026-10-01", "to": "2026-11-20", "reason": "exams"}]


def often(usual: t.Any, *rare: t.Any) -> st.SearchStrategy[t.Any]:
    """Mostly the usual, so that most environments find a place."""
    return st.sampled_from([usual] * 6 + list(rare))


CLUSTER = st.fixed_dictionaries(
    {
        "cluster_environment": often("prod", "dev"),
        "cluster_security_domain": often("internal_only", "internet_facing"),
        "cluster_sla_tier": often("tier_1_critical", *TIERS),
        "cluster_classifications": often(DATA, [], ["exam_data"]),
        "cluster_failure_domain": st.sampled_from(["rack-a", "rack-b", "rack-c", ""]),
        "cluster_features": often(FEATURES, [], ["gpu"]),
        "cluster_capacity": often(
            {"cpu": "20", "nvidia.com/gpu": "2"}, {}, {"cpu": "4500m"}, {"cpu": "6", "memory": "9Gi"}
        ),
    },
    optional={
        "cluster_region": st.sampled_from(["east", "west"]),
        "cluster_dedicated_to": often([], ["a"], ["b", "c"]),
        "cluster_freeze_windows": often(OVER, FROZEN),
        "cluster_overcommit": st.sampled_from([{"cpu": 1.5}, {"cpu": 0.3, "memory": 2}]),
        "cluster_prices": st.just({"cpu": 1.25}),
    },
)
ENVIRONMENT = st.fixed_dictionaries(
    {
        "stage": often("prod", "dev"),
        "resource_quota": st.fixed_dictionaries(
            {
                "hard": st.fixed_dictionaries(
                    {"requests.cpu": st.sampled_from(["1", "1500m", "3", "1m"])},
                    optional={
                        "requests.memory": st.sampled_from(["1Gi", "5Gi"]),
                        "nvidia.com/gpu": often(0, 1),
                        "requests.storage": st.just("10Gi"),
                    },
                )
            }
        ),
        "classification": st.fixed_dictionaries(
            {},
            optional={
                "data": often([], DATA, ["exam_data"]),
                "security_domain": often("internal_only", "internet_facing"),
                "sla_tier": st.sampled_from(TIERS),
            },
        ),
    },
    optional={
        "requires": st.fixed_dictionaries(
            {}, optional={"features": often([], ["gpu"], FEATURES), "regions": often(["east", "west"], ["east"])}
        ),
        "state": often("active", "hibernated", "frozen"),
    },
)


#: One that needs two places, and asks for nothing that is rare.
CRITICAL = st.builds(
    lambda cpu: {
        "stage": "prod",
        "resource_quota": {"hard": {"requests.cpu": cpu}},
        "classification": {"sla_tier": TIERS[0]},
    },
    st.sampled_from(["1", "3"]),
)


def _inventory(clusters: list[t.Any], environments: list[tuple[str, t.Any]]) -> Inventory:
    tenants: dict[str, t.Any] = {}
    for name in TENANTS:
        own = [{"name": f"e{i}", **values} for i, (owner, values) in enumerate(environments) if owner == name]
        tenants[f"tenant__{name}"] = {"id": name, "projects": [{"id": "p", "environments": own}]}
    tenants["tenant__c"]["parent"] = "a"
    settings = {
        "fleet_data_classes": dict.fromkeys(DATA, "law"),
        "fleet_prices": {
            "month": {"cpu": 10, "requests.memory": 0.3, "requests.storage": 0.01},
            "environment_month": 2.5,
        },
    }
    return {
        "settings": settings,
        "tenants": tenants,
        "clusters": {f"k{i}": values for i, values in enumerate(clusters)},
        "recorded": {},
    }


INVENTORIES: st.SearchStrategy[Inventory] = st.builds(
    _inventory,
    # both few and many: with many, critical ones find their two places, and there is something to rank
    st.one_of(st.lists(CLUSTER, min_size=4, max_size=6), st.lists(CLUSTER, min_size=1, max_size=3)),
    st.lists(
        st.tuples(st.sampled_from(TENANTS), st.one_of(ENVIRONMENT, ENVIRONMENT, CRITICAL)), min_size=3, max_size=8
    ),
)
