# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook status tells of live clusters, in real runs."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..control_plane.cluster import ControlPlane
from .live_cluster import (
    CLUSTER,
    CLUSTERS,
    HERE,
    PROVISIONER,
    SETTINGS,
    USER,
    Live,
    Object,
    prepare,
    tenant,
    wait_for,
)
from .playbooks import Run, ansible


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with ControlPlane() as plane:
        yield prepare(plane)


def host(kubeconfig: Path | str, **more: Any) -> Object:
    return {**CLUSTERS[CLUSTER], "cluster_delivery": "live", "cluster_kubeconfig": str(kubeconfig), **more}


@pytest.fixture
def organisation(live: Live, tmp_path: Path) -> Path:
    """Two tenants on a real cluster, which is as declared; another cluster is lost, and one has no login."""
    small = {"cluster_capacity": {"cpu": "1", "memory": "1Gi"}}
    hosts = {
        "lost": host("/nowhere/kubeconfig", **small),
        CLUSTER: host(live.plane.kubeconfig_for(USER, ["system:masters"])),
        "silent": {**CLUSTERS[CLUSTER], **small},
    }
    tenants = {f"tenant__{name}": tenant(name, {"name": "prod", **HERE}) for name in ("physics", "chem")}
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text(yaml.safe_dump({**SETTINGS, **tenants}))
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"clusters": {"hosts": hosts}}))
    run = status(tmp_path, "--limit", CLUSTER, "--tags", "live", verb="tenants")
    assert run.code == 0, run.out
    for name in ("physics-lab-prod", "chem-lab-prod"):
        quota = f"/api/v1/namespaces/{name}/resourcequotas/tenant-quota"
        wait_for(lambda quota=quota: (live.read(quota) or {}).get("status", {}).get("used"), f"{name} is counted")  # type: ignore[misc]
    return tmp_path


def status(folder: Path, *arguments: str, verb: str = "status", **variables: Any) -> Run:
    given = {"tenants_today": "2026-11-01", **variables}
    interpreter = {"ansible_python_interpreter": sys.executable}
    extra = json.dumps({**given, **interpreter})
    return ansible("playbook", f"k8s.self_provisioning.{verb}", "-i", "hosts.yml", "-e", extra, *arguments, cwd=folder)


def test_status_of_a_cluster_that_is_as_declared(organisation: Path) -> None:
    run = status(organisation, "--limit", CLUSTER, status_fail_on_drift=True)
    assert run.code == 0, run.out
    assert run.changed == 0
    assert re.search(rf"{CLUSTER}: 2 environments, [0-9]+ objects: as declared", run.out), run.out
    told = [line.split() for line in run.lines]
    at = told.index(["TENANT", "ENVIRONMENTS", "CPU", "MEMORY", "PODS"])
    assert told[at + 1 : at + 4] == [
        ["chem", "1", "0/4", "0/8Gi", "0/20"],
        ["physics", "1", "0/4", "0/8Gi", "0/20"],
        ["all", "2", "0/8", "0/16Gi", "0/40"],
    ]


def test_status_tells_drift_orphans_and_conditions_and_stops_at_no_cluster(live: Live, organisation: Path) -> None:
    quota = "/api/v1/namespaces/physics-lab-prod/resourcequotas/tenant-quota"
    live.edit(quota, {"spec": {"hard": {"pods": "7"}}}, who="somebody")
    live.send("DELETE", "/api/v1/namespaces/chem-lab-prod/limitranges/tenant-limits")
    marks = {"app.kubernetes.io/managed-by": "self-provisioning", "self-provisioning.internal/tenant": "physics"}
    left: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "left", "labels": marks}}
    left["metadata"] |= {"namespace": "physics-lab-prod"}  # type: ignore[operator]
    live.make(left)
    run = status(organisation)
    live.send("DELETE", "/api/v1/namespaces/physics-lab-prod/configmaps/left")
    assert run.code == 2, "a cluster is lost"
    for expected in (
        "1 object differs, 1 is missing, 1 is no longer declared",
        "DRIFT: DIFFERS FROM THE INVENTORY (1)",
        "ResourceQuota physics-lab-prod/tenant-quota: .spec.hard.pods is 7, declared 20 (somebody at ",
        "MISSING (1)",
        "LimitRange chem-lab-prod/tenant-limits",
        "ORPHANS: OURS, AND NO LONGER DECLARED (1)",
        "ConfigMap physics-lab-prod/left, carries our label but was not applied by us",
        "/nowhere/kubeconfig: there is no such file.",
        "silent: not looked at, there is no login.",
    ):
        assert expected in run.out, run.out
    assert re.search(r"silent +: ok=[0-9]+ +changed=0 +unreachable=0 +failed=0", run.out), "it comes by Git"
    assert re.search(rf"{CLUSTER} +: ok=[0-9]+ +changed=0 +unreachable=0 +failed=0", run.out), run.out

    assert status(organisation, "--limit", CLUSTER).code == 0
    assert status(organisation, "--limit", CLUSTER, status_fail_on_drift=True).code == 2
    only = status(organisation, "--limit", CLUSTER, status_fail_on_drift="true", status_tenants=["chem"])
    assert only.code == 2, only.out
    assert "physics" not in only.out


@pytest.mark.parametrize(
    ("login", "arguments", "options", "failed"),
    [
        ({}, [], {}, False),
        ({}, [], {"status_fail_on_drift": True}, True),
        ({}, ["--limit", "silent"], {}, True),
        ({"cluster_delivery": "live"}, [], {}, True),
    ],
)
def test_a_cluster_without_a_login(
    tmp_path: Path, login: Object, arguments: list[str], options: Object, failed: bool
) -> None:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text(yaml.safe_dump({**SETTINGS, "tenant__physics": tenant("physics")}))
    hosts = {"silent": {**CLUSTERS[CLUSTER], **login}, "quiet": CLUSTERS[CLUSTER]}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"clusters": {"hosts": hosts}}))
    run = status(tmp_path, *arguments, **options)
    assert "silent: not looked at, there is no login." in run.out
    assert (run.code == 2) is failed, run.out


def test_status_with_other_logins(live: Live, organisation: Path) -> None:
    login = organisation / f"{CLUSTER}.kubeconfig"
    shutil.copy(live.plane.kubeconfig_for(USER, ["system:masters"]), login)
    every = organisation / "{cluster}.kubeconfig"
    assert status(organisation, "--limit", f"{CLUSTER},silent", status_kubeconfig=str(every)).code == 2
    assert status(organisation, "--limit", CLUSTER, status_kubeconfig=str(every)).code == 0
    run = status(organisation, status_kubeconfig=str(login))
    assert run.code == 2
    assert "status_kubeconfig is one file for 3 clusters" in run.out
    assert "USED/QUOTA" not in run.out


def test_status_goes_on_and_says_so_where_addresses_may_not_be_read(live: Live, organisation: Path) -> None:
    """The provisioner's rights are enough for the tenants, and not for every Service."""
    hosts = {CLUSTER: host(live.plane.kubeconfig_for(PROVISIONER), cluster_services={"metallb": {}})}
    (organisation / "hosts.yml").write_text(yaml.safe_dump({"clusters": {"hosts": hosts}}))
    services = {"fleet_services": {"metallb": {"namespace": "metallb-system"}}}
    (organisation / "group_vars/clusters.yml").write_text(yaml.safe_dump(services))
    run = status(organisation)
    assert run.code == 0, run.out
    assert "The addresses for Services were not looked at." in run.out
    assert "services is forbidden" in " ".join(run.out.split())
    assert f"{CLUSTER}: 2 environments" in run.out
    assert re.search(rf"{CLUSTER} +: .*failed=0 .*ignored=0", run.out), run.out
