# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that is not there, or that nobody can reach: every module on clusters says so in the same words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from .live_cluster import CLUSTER, CLUSTERS, SETTINGS
from .playbooks import tasks

PREFIX = "k8s.self_provisioning."
#: Modules on one cluster with what they cannot do without, and on which delivery they work.
ON_ONE: dict[str, tuple[dict[str, object], str]] = {
    "capacity_info": ({}, "east"),
    "flux_bootstrap": ({"manifest": "/nowhere"}, ""),
    "flux_status": ({}, "west"),
    "foundation": ({"service": "metallb", "manifest": "/nowhere"}, ""),
    "metallb_info": ({}, "east"),
    "provisioner_access": ({}, ""),
    "storage": ({"service": "nfs-csi"}, "east"),
    "storage_info": ({"service": "nfs-csi"}, ""),
    "storage_secrets": ({"service": "nfs-csi", "path": "/nowhere"}, ""),
    "tenants": ({}, "east"),
    "tenants_info": ({}, "east"),
}
ON_SEVERAL: dict[str, dict[str, object]] = {
    "access_info": {},
    "fleet_tree": {"path": "/nowhere/fleet"},
    "tenants_import": {"path": "/nowhere"},
}


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """One cluster for each delivery, and nobody says how to reach them."""
    hosts = {
        "east": {**CLUSTERS[CLUSTER], "cluster_delivery": "live"},
        "west": {**CLUSTERS[CLUSTER], "cluster_delivery": "gitops"},
    }
    root = tmp_path / "inventory"
    (root / "host_vars").mkdir(parents=True)
    (root / "group_vars/all").mkdir(parents=True)
    (root / "hosts.yml").write_text(yaml.safe_dump({"clusters": {"hosts": dict.fromkeys(hosts)}}), encoding="utf-8")
    for name, values in hosts.items():
        (root / f"host_vars/{name}.yml").write_text(yaml.safe_dump(values), encoding="utf-8")
    (root / "group_vars/all/fleet.yml").write_text(yaml.safe_dump(SETTINGS), encoding="utf-8")
    return root


@pytest.mark.slow
def test_one_wording(tmp_path: Path, inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("K8S_AUTH_")]:
        monkeypatch.delenv(name)
    reached = {name: where for name, (_needed, where) in ON_ONE.items() if where}
    wanted: list[dict[str, object]] = [
        *({PREFIX + name: {"cluster": "eats", **needed}} for name, (needed, _where) in ON_ONE.items()),
        *({PREFIX + name: {"clusters": ["eats", "wset"], **needed}} for name, needed in ON_SEVERAL.items()),
        *({PREFIX + name: {"cluster": where, **ON_ONE[name][0]}} for name, where in reached.items()),
        {PREFIX + "tenants_import": {"clusters": ["east"], "path": str(inventory)}},
        {PREFIX + "metallb_info": {"cluster": "east", "fail": False}},
    ]
    results, _run = tasks(tmp_path, wanted, inventory=inventory)
    told = [each.get("msg", "") for each in results]
    for name, message in zip(ON_ONE, told, strict=False):
        expected = "cluster: there is no cluster 'eats'. Did you mean 'east'? Known: east, west."
        assert message.endswith(expected), (name, message)
    several = told[len(ON_ONE) : len(ON_ONE) + len(ON_SEVERAL)]
    for name, message in zip(ON_SEVERAL, several, strict=True):
        assert "clusters: there is no cluster 'eats'. Did you mean 'east'?" in message, (name, message)
        assert "clusters: there is no cluster 'wset'. Did you mean 'west'?" in message, (name, message)
    no_way = "cluster_kubeconfig: it is not set, and no other way to this cluster is given. Set it in the host_vars of"
    unreached = told[len(ON_ONE) + len(ON_SEVERAL) : -1]
    for where, message in zip([*reached.values(), "east"], unreached, strict=True):
        assert f"{where}: {no_way}" in message
    assert not results[-1].get("failed")
    assert no_way in results[-1]["unseen"]
