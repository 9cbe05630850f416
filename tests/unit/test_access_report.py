# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The access report: its rows through the filter, its CSV, and which questions prove it."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.k8s.self_provisioning.plugins.filter.fleet import FilterModule
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report.access import COLUMNS, as_csv, as_table
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report.access_checks import Plan, plan

ACCESS = FilterModule().filters()["access"]
DAY = "2026-12-01"
HARD = {"resource_quota": {"hard": {"requests.cpu": "1"}}}


def group(name: str) -> list[dict[str, str]]:
    return [{"kind": "Group", "name": name}]


def source(state: str = "active", **project: Any) -> dict[str, Any]:
    cluster = {"cluster_environment": "prod", "cluster_security_domain": "internal_only"}
    cluster |= {"cluster_sla_tier": "tier_2_important", "cluster_capacity": {"cpu": "40"}}  # type: ignore[dict-item]
    lab = {"id": "lab", "environments": [{"name": "prod", "state": state}], **project}
    return {
        "settings": {"fleet_sizes": {"small": HARD}, "fleet_defaults": {"size": "small"}},
        "tenants": {
            "tenant__science": {"id": "science", "owners": group("heads")},
            "tenant__physics": {"id": "physics", "parent": "science", "owners": group("leads"), "projects": [lab]},
        },
        "clusters": {"east": cluster},
    }


def told(**given: Any) -> list[tuple[str, str, str]]:
    rows = ACCESS(source(**given), today=DAY)
    return [(row["subject_name"], row["can"], row["origin"]) for row in rows if row["subject_kind"] != "ServiceAccount"]


def test_owners_of_every_level_are_named_with_their_place() -> None:
    assert told(owners=group("team")) == [
        ("heads", "administer", "tenant__science.owners[0]"),
        ("leads", "administer", "tenant__physics.owners[0]"),
        ("team", "administer", "tenant__physics.projects[lab].owners[0]"),
    ]


def test_in_an_archived_environment_people_only_look() -> None:
    rows = ACCESS(source("archived"), today=DAY)
    assert {(row["subject_kind"], row["can"]) for row in rows} == {("Group", "view")}


def test_a_right_from_two_places_is_one_row() -> None:
    again = [{"cluster_role": "tenant-admin", "subjects": group("leads")}]
    rows = [row for row in ACCESS(source(role_bindings=again), today=DAY) if row["subject_name"] == "leads"]
    assert [row["origin"] for row in rows] == [
        "tenant__physics.owners[0]; tenant__physics.projects[lab].role_bindings[0]"
    ]


def test_a_right_that_ends_says_when_and_why() -> None:
    grant = {"kind": "role", "cluster_role": "tenant-editor", "subjects": group("helpers"), "reason": "exams"}
    environment = {"name": "prod", "grants": [{**grant, "expires_at": "2026-12-24"}]}
    row = next(r for r in ACCESS(source(environments=[environment]), today=DAY) if r["subject_name"] == "helpers")
    assert (row["can"], row["until"], row["reason"]) == ("edit", "2026-12-24", "exams")
    later = ACCESS(source(environments=[environment]), today="2026-12-24")
    assert "helpers" not in {r["subject_name"] for r in later}


@pytest.mark.parametrize("subject", ["ci-deployer", "ServiceAccount/ci-deployer", "physics-lab-prod/ci-deployer"])
def test_one_subject(subject: str) -> None:
    assert [row["subject_name"] for row in ACCESS(source(), subject, today=DAY)] == ["ci-deployer"]


def test_one_cluster_must_be_known() -> None:
    assert len(ACCESS(source(), cluster="east", today=DAY)) == 4
    with pytest.raises(AnsibleFilterError, match=r"there is no cluster 'eats'.*'east'"):
        ACCESS(source(), cluster="eats", today=DAY)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1"])
def test_no_cell_is_a_formula(name: str) -> None:
    """The model refuses some of these names, but the guard does not rely on it."""
    rows = [{**row, "subject_name": name} for row in ACCESS(source(), today=DAY)]
    cells = {row["subject_name"] for row in csv.DictReader(io.StringIO(as_csv(rows), newline=""))}
    assert cells == {f"'{name}"}


def test_the_csv_has_every_column_and_plain_text_as_it_is() -> None:
    head, *lines = list(csv.reader(io.StringIO(as_csv(ACCESS(source(owners=group('a "b", c')), today=DAY)))))
    assert tuple(head) == COLUMNS
    assert 'a "b", c' in [line[head.index("subject_name")] for line in lines]


def test_the_table_leaves_out_what_every_environment_has() -> None:
    text = "\n".join(as_table(ACCESS(source(), today=DAY)))
    assert "Group leads" in text
    assert "ci-deployer" not in text


def planned(role: str, **more: Any) -> Plan:
    given = [{"cluster_role": role, "subjects": group("team")}]
    return plan(ACCESS(source(role_bindings=given), today=DAY), "east", ["physics-lab-prod", "other"], **more)


_GUARDED = ["create rolebindings", "patch resourcequotas", "patch namespaces", "delete networkpolicies"]
#: a role, what its group can do, and what not; what is in neither is not asked.
QUESTIONS = [
    ("tenant-viewer", ["get pods"], ["get secrets", "create deployments", *_GUARDED]),
    ("tenant-editor", ["get pods", "get secrets", "create deployments"], _GUARDED),
    (
        "admin",
        ["get pods", "get secrets", "create deployments", "create rolebindings"],
        ["patch resourcequotas", "patch namespaces"],
    ),
    ("custom", [], []),
]


@pytest.mark.parametrize(("role", "may", "may_not"), QUESTIONS)
def test_what_is_asked_about_a_row(role: str, may: list[str], may_not: list[str]) -> None:
    start, end = "Group team: ", " in physics-lab-prod"
    asked = {
        c.text[len(start) : -len(end)]: c.expected
        for c in planned(role).checks
        if c.text.startswith(start) and c.row >= 0
    }
    assert asked == {**dict.fromkeys(may, True), **dict.fromkeys(may_not, False)}


def test_nobody_is_asked_about_only_where_he_has_rights() -> None:
    found = planned("view")
    foreign = {check.text for check in found.checks if check.text.endswith(" in other")}
    assert len(foreign) == found.pairs == found.sampled == 5
    assert not any(check.expected for check in found.checks if check.row < 0)
    assert "all 5 pairs" in found.scope


def test_a_sample_is_the_same_each_time() -> None:
    first, second = planned("view", limit=2), planned("view", limit=2)
    assert first == second
    assert (first.sampled, first.pairs) == (2, 5)
    assert "a sample of 2 of 5 pairs" in first.scope


def test_the_platform_itself_is_not_asked_about() -> None:
    assert not [check for check in planned("view", platform={"team"}).checks if "team" in check.text]
