# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases that projects declare: their names, for which environments, and what cannot be."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.databases import databases
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet

from .support import TODAY

EAST = {
    "cluster_environment": "prod",
    "cluster_security_domain": "internal_only",
    "cluster_sla_tier": "tier_2_important",
}


def fleet(*declared: dict[str, t.Any], environments: tuple[str, ...] = ("prod", "test"), **prod: t.Any) -> Fleet:
    made = [
        {"name": name, "size": "none", "stage": "prod", **(prod if name == "prod" else {})} for name in environments
    ]
    projects = [{"id": "b", "environments": made, "databases": list(declared)}]
    return compile_fleet(Source({}, {"tenant__a_x": {"id": "a-x", "projects": projects}}, {"east": EAST}), today=TODAY)


def test_one_for_each_environment_or_for_those_that_are_named() -> None:
    found = fleet({"name": "shop"}, {"name": "log", "environments": ["test"], "extensions": ["pgcrypto"]})
    assert found.problems.errors == []
    listed = databases(found.environments)
    assert [each["name"] for each in listed] == ["a_x_b_prod__shop", "a_x_b_test__log", "a_x_b_test__shop"]
    assert listed[1] == {
        "name": "a_x_b_test__log",
        "owner": "a_x_b_test__log",
        "tenant": "a-x",
        "project": "b",
        "environment": "test",
        "namespace": "a-x-b-test",
        "secret_name": "postgresql-log",
        "clusters": ["east"],
        "extensions": ["pgcrypto"],
        "connection_limit": 20,
        "password_generation": 1,
        "login": True,
    }


def test_an_archived_environment_keeps_its_database_and_nobody_logs_in() -> None:
    found = fleet({"name": "shop"}, state="archived")
    assert found.problems.errors == []
    assert [each["login"] for each in databases(found.environments)] == [False, True]


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ([{"name": "shop", "environments": ["prd"]}], "no environment 'prd'"),
        ([{"name": "x" * 60}], "has 72 characters; at most 63"),
        ([{"name": "shop"}, {"name": "shop"}], "declared twice"),
        ([{"name": "Shop"}], "Shop"),
        ([{"name": "shop", "extensions": ['x"; DROP']}], "DROP"),
        ([{"name": "shop", "connection_limit": 0}], "connection_limit"),
    ],
)
def test_what_cannot_be_is_told(declared: list[dict[str, t.Any]], told: str) -> None:
    errors = [problem.render() for problem in fleet(*declared, environments=("prod",)).problems.errors]
    assert len(errors) == 1
    assert told in errors[0]
