# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The preflight: says what Kubespray would refuse, and more, with the place in our inventory."""

from __future__ import annotations

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.release_lines import RELEASE_LINES
from ansible_collections.k8s.self_provisioning.tests.tools.broken_clusters import (
    ACCEPTED,
    REFUSED,
    Broken,
    variable,
    wish,
)
from ansible_collections.k8s.self_provisioning.tests.tools.machines import planned

CASES = [(case, line) for case in (*REFUSED, *ACCEPTED) for line in case.lines]


@pytest.mark.parametrize("line", RELEASE_LINES)
def test_the_example_is_sound(line: str) -> None:
    plan = planned(line)
    assert [p.render() for p in plan.problems.errors] == []
    assert len(plan.clusters) == 9


@pytest.mark.parametrize(("case", "line"), CASES, ids=[f"{case.name}-{line}" for case, line in CASES])
def test_a_mistake_is_told_with_its_place(case: Broken, line: str) -> None:
    plan = planned(line, case.change)
    told = [p.render() for p in plan.problems.errors]
    assert any(case.said in text for text in told), told
    assert plan.clusters, "the others are planned all the same"


def test_there_are_enough_mistakes_that_kubespray_refuses_too() -> None:
    for line in RELEASE_LINES:
        assert len([case for case in REFUSED if line in case.lines]) >= 25


def test_all_mistakes_of_all_clusters_are_told_at_once() -> None:
    def change(clusters: object, groups: object, variables: object) -> None:
        for name in ("east-prod", "exam-west"):
            for case in (wish("variables.dns_mode", "kubedns", name), wish("version", "1.20.1", name)):
                case(clusters, groups, variables)  # type: ignore[arg-type]

    assert len(planned("1.30", change).problems.errors) == 4


def test_an_addon_of_kubespray_is_a_warning_that_names_ours() -> None:
    plan = planned("1.30", variable("metallb_enabled", True, "").change)
    (told,) = [p.render() for p in plan.problems.warnings if p.code == "addon"]
    assert "declare the service in cluster_services" in told


def test_a_variable_of_kubespray_at_a_machine_is_not_lost_in_silence() -> None:
    ours = {"kube_proxy_mode": "ipvs", "etcd_backup_keep": 3, "kubespray_forks": 5}
    plan = planned("1.30", lambda _c, _g, variables: variables["hela-a01"].update(ours))
    (told,) = [p.render() for p in plan.problems.warnings if p.code == "not-read"]
    assert told.startswith("hela-a01: kube_proxy_mode: variables of Kubespray are not read")


@pytest.mark.parametrize(("line", "warned"), [("1.30", False), ("1.35", True)])
def test_a_name_for_the_api_must_be_resolved_where_kubespray_no_longer_writes_it(line: str, warned: bool) -> None:
    plan = planned(line, wish("api.domain_name", "api.east.example.edu"), ("east-prod",))
    assert [p.code for p in plan.problems.warnings] == (["resolve"] if warned else [])
    value = plan.clusters["east-prod"].settings.get("populate_loadbalancer_apiserver_to_hosts_file")
    assert (value.value if value else None) == (None if warned else True)
