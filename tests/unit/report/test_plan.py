# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of a plan: what is there, what changes, and how much of it is printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._report.table import WIDTH, bounded, count, names

from .orgs import cluster, deliver_to, on, plan, section, tenant

GPU, CLASS = "requests.nvidia.com/gpu", "fast.storageclass.storage.k8s.io/requests.storage"


def cells(lines: list[str]) -> list[list[str]]:
    return [line.split() for line in lines if line]


@pytest.mark.parametrize(
    ("before", "after", "tenants", "clusters"),
    [
        pytest.param(
            [tenant("a", {"name": "prod"})], [tenant("a", {"name": "prod", "size": "large"})],
            [["a", "2", "4Gi", "24.00"], ["→", "after", "8", "16Gi", "96.00"]],
            [["east", "1", "2/4500", "4498", "4Gi/9000Gi", "8996Gi", "24.00"],
             ["→", "after", "8/4500", "4492", "16Gi/9000Gi", "8984Gi", "96.00"]],
            id="larger",
        ),
        pytest.param(
            [tenant("a")], [tenant("a"), tenant("b")],
            [["a", "2", "4Gi", "24.00"], ["b", "(new)", "2", "4Gi", "24.00"]],
            [["east", "1", "2/4500", "4498", "4Gi/9000Gi", "8996Gi", "24.00"],
             ["→", "after", "2", "4/4500", "4496", "8Gi/9000Gi", "8992Gi", "48.00"]],
            id="new tenant",
        ),
        pytest.param(
            [tenant("a"), tenant("b", {"name": "prod", "deletion_policy": "delete"})], [tenant("a")],
            [["a", "2", "4Gi", "24.00"], ["b", "(gone)", "2", "4Gi", "24.00"]],
            [["east", "2", "4/4500", "4496", "8Gi/9000Gi", "8992Gi", "48.00"],
             ["→", "after", "1", "2/4500", "4498", "4Gi/9000Gi", "8996Gi", "24.00"]],
            id="tenant gone",
        ),
        pytest.param(
            [tenant("a")], [tenant("a", budget={"hard": {"requests.cpu": "6"}}, billing={"budget_month": 100})],
            [["a", "2", "-", "4Gi", "24.00"], ["→", "after", "2/6", "4", "24.00/100"]],
            [["east", "1", "2/4500", "4498", "4Gi/9000Gi", "8996Gi", "24.00"]],
            id="budget given",
        ),
    ],
)  # fmt: skip
def test_only_what_changes_is_marked(
    tmp_path: Path, before: Any, after: Any, tenants: list[list[str]], clusters: list[list[str]]
) -> None:
    deliver_to(tmp_path / "tree", before)
    lines = plan(tmp_path / "tree", after)
    found = cells(section(lines, "TENANTS"))[1:]
    assert found[: len(tenants)] == tenants
    assert cells(section(lines, "CLUSTERS"))[1:][: len(clusters)] == clusters


def test_nothing_is_marked_when_nothing_changes(tmp_path: Path) -> None:
    deliver_to(tmp_path / "tree", [tenant("a")])
    lines = plan(tmp_path / "tree", [tenant("a")])
    assert [line for line in lines if line.lstrip().startswith("→")] == []
    assert "A month costs 24.00 HKD, as before." in lines
    assert section(lines, "WHAT WOULD CHANGE") == ["  Nothing for any tenant or cluster."]


def test_the_difference_of_a_quota_is_told(tmp_path: Path) -> None:
    deliver_to(tmp_path / "tree", [tenant("a")])
    lines = plan(tmp_path / "tree", [tenant("a", {"name": "prod", "size": "large"})])
    assert section(lines, "WHAT WOULD CHANGE") == [
        "  tenant a: a-lab-prod changed on east: requests.cpu 2 → 8, requests.memory 4Gi → 16Gi, pods 20 → 80",
        "  cluster east: 1 namespace changed",
    ]
    assert "A month costs 24.00 HKD now and 96.00 after: 72.00 more." in lines


def test_every_resource_that_exists_and_no_other(tmp_path: Path) -> None:
    devices = {"name": "prod", "resource_quota": {"hard": {"nvidia.com/gpu": "2", CLASS: "1Ti"}}, **on("gpu")}
    clusters = {"east": cluster(), "gpu": cluster(cluster_capacity={"cpu": "8", "nvidia.com/gpu": "4"})}
    lines = plan(tmp_path / "tree", [tenant("a", devices), tenant("b", {"name": "prod", **on("east")})], clusters)
    # not b, and not east: they have neither
    assert cells(section(lines, "TENANTS"))[-3:] == [["TENANT", "FAST", "GPU"], ["a", "1Ti", "2"], ["all", "1Ti", "2"]]
    assert cells(section(lines, "CLUSTERS"))[-3:] == [
        ["CLUSTER", "FAST", "GPU", "LEFT"], ["gpu", "1Ti", "2/4", "2"], ["all", "1Ti", "2/4", "2"],
    ]  # fmt: skip


def test_two_devices_of_one_name_are_told_apart(tmp_path: Path) -> None:
    hard = {"nvidia.com/gpu": "2", "amd.com/gpu": "1"}
    given = [tenant("a", {"name": "prod", "resource_quota": {"hard": hard}})]
    lines = plan(tmp_path / "tree", given, {"east": cluster(cluster_capacity={"cpu": "8", **hard})})
    assert ["CLUSTER", "AMD.COM/GPU", "LEFT", "NVIDIA.COM/GPU", "LEFT"] in cells(section(lines, "CLUSTERS"))


def test_many_resources_stay_within_the_width(tmp_path: Path) -> None:
    hard = {f"vendor{index}.example.com/accelerator{index}": "2" for index in range(12)}
    given = tenant("a", {"name": "prod", "resource_quota": {"hard": hard}}, budget={"hard": dict.fromkeys(hard, "9")})
    lines = plan(tmp_path / "tree", [given], {"east": cluster(cluster_capacity={"cpu": "8", **hard})})
    titles = [word for line in lines if line.startswith("TENANT ") for word in line.split()]
    assert [word for word in titles if word.startswith("ACCELERATOR")] == sorted(
        f"ACCELERATOR{index}" for index in range(12)
    )
    assert max(map(len, lines)) <= WIDTH


@pytest.mark.parametrize("changed", [0, 3, 60])
def test_a_large_fleet_is_reported_in_few_lines(tmp_path: Path, changed: int) -> None:
    clusters = {f"c-{index:02}": cluster() for index in range(60)}
    many = [tenant(f"t-{index:03}", {"name": "prod", **on(f"c-{index % 60:02}")}) for index in range(120)]
    deliver_to(tmp_path / "tree", many, clusters)
    larger = [
        tenant(f"t-{index:03}", {"name": "prod", "size": "large", **on(f"c-{index % 60:02}")})
        for index in range(changed)
    ]
    lines = plan(tmp_path / "tree", [*larger, *many[changed:]], clusters)
    tenants, of_clusters = section(lines, "TENANTS"), section(lines, "CLUSTERS")
    for found, whole, noun in ((tenants, 120, "tenant"), (of_clusters, 60, "cluster")):
        assert sum(1 for line in found if line.startswith("→")) == min(changed, 40) + (1 if changed else 0)
        assert [line for line in found if line.startswith("all ")] != []
        if whole > changed:
            assert f"  {whole - changed} {noun}s without a change" in found
        assert f"  {tmp_path}/tree/ledger.csv lists every {noun}" in found
    if changed > 40:
        assert "  and 20 more that change" in tenants
    assert len(lines) < 40 + 5 * min(changed, 40) + 40
    assert lines[-1] or lines[-2]


def test_an_account_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    deliver_to(tmp_path / "tree", [tenant("a")])
    for damaged in (
        b"\xff\xfe",
        b"scope,name\n1,2\n",
        b"",
        b"scope,name,cluster,cost_center,state,resource,limit,committed,free\ntenant,a,,,,month,,much,\n",
    ):
        (tmp_path / "tree/ledger.csv").write_bytes(damaged)
        lines = plan(tmp_path / "tree", [tenant("a")])
        assert not any(line.startswith("A month") for line in lines)
        assert cells(section(lines, "TENANTS"))[1] == ["a", "2", "4Gi", "24.00"]


@pytest.mark.parametrize(("number", "expected"), [(0, "0 errors"), (1, "1 error"), (2, "2 errors")])
def test_one_is_singular(number: int, expected: str) -> None:
    assert count(number, "error") == expected


def test_lists_are_bounded() -> None:
    assert names(["a", "b", "c"], 2) == "a, b and 1 more"
    assert names(["a", "b"], 2) == "a, b"
    assert bounded(["a", "b", "c", "d"], 2) == ["a", "b", "  and 2 more"]
    assert bounded(["a", "b"], 2) == ["a", "b"]
