# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MetalLB from its released manifest through the fleet tree: Flux brings the same objects as live delivery would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import foundation
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.foundation import CONFIGURATIONS, software
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.released import objects_of

from ..integration.playbooks import Run, play
from ..metallb.build import Built, find
from ..metallb.kubelet import Kubelet
from ..metallb.node import NODE_ADDRESS, alone, programs
from ..metallb.town import HOME, POOLS
from .site import CLUSTER, Site

pytestmark = pytest.mark.slow

POOL = f"/apis/metallb.io/v1beta1/namespaces/{HOME}/ipaddresspools"


@pytest.fixture(scope="module")
def built() -> Built:
    return find("1.35")


@pytest.fixture(scope="module")
def node(site: Site, built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("node")
    with alone(built), Kubelet(site.rig.plane, folder, programs(built), address=NODE_ADDRESS):
        yield site
    site.cluster = {}


def role(site: Site, *arguments: str, manifest: Path | None = None) -> Run:
    """The role writes the tree; what it has written is pushed."""
    given: dict[str, object] = {"metallb_manifest": str(manifest)} if manifest else {}
    run = play("metallb", *arguments, inventory=site.inventory(), metallb_tree=str(site.work.path), **given)
    if run.code == 0 and "--check" not in arguments:
        site.head = site.work.push()
        site.rig.poke("GitRepository", "flux-system")
    return run


def test_the_same_objects_by_flux(node: Site, built: Built) -> None:
    """Software, then, when it works and its webhook answers, the pools; and nothing that live delivery would change."""
    site = node
    pools = [dict(each) for each in POOLS]
    site.cluster = {
        "cluster_services": {"metallb": {}},
        "cluster_network": {"node_cidr": "10.20.0.0/22", "load_balancer_pools": pools},
    }
    run = role(site)
    assert run.code != 0
    assert "the tree does not hold the released manifest of version 0.16.1" in " ".join(run.out.split())
    manifest = built.manifests / "metallb-native.yaml"
    run = role(site, "--check", manifest=manifest)
    assert (run.code, run.changed) == (0, 1), run.out
    run = role(site, manifest=manifest)
    assert (run.code, run.changed) == (0, 1), run.out
    site.settle("platform", "network", seconds=150)
    # from now on the tree has the manifest
    run = role(site)
    assert (run.code, run.changed) == (0, 0), run.out
    configuration = CONFIGURATIONS["metallb"]
    with site.rig.session() as session:
        done = foundation.bring(
            session, software(objects_of(manifest.read_text(encoding="utf-8")), {}),
            configuration.objects(site.fleet, CLUSTER), configuration.kinds, check=True, timeout=1,
        )  # fmt: skip
    assert len(done) >= 30
    assert [each for each in done if each.action != "unchanged"] == []


def test_addresses_change_hands(node: Site) -> None:
    """Flux tries all pools at once, so MetalLB refuses one that takes what another still has. The run says so before,
    Flux's status says so after, and in two steps it works."""
    site = node
    pools = site.cluster["cluster_network"]["load_balancer_pools"]
    pools[0]["addresses"] = ["10.20.1.64/30"]
    pools[1]["addresses"] = ["10.20.1.80/28"]
    run = role(site)
    assert run.code == 0, run.out
    told = " ".join(run.out.split())
    assert "the pool physics takes 10.20.1.64/30, which the pool shared has in the tree" in told
    site.rig.until(
        lambda: "overlaps" in site.rig.condition("Kustomization", "network")[2], "MetalLB refuses it", seconds=60
    )
    run, found = site.status()
    row = next(each for each in found["objects"] if each["name"] == "network")
    assert row["state"] == "failed"
    assert "overlaps with already defined CIDR" in run.out
    pools[0]["addresses"] = ["10.20.1.0/30"]
    assert role(site).code == 0
    site.settle("network", seconds=90)
    pools[0]["addresses"] = ["10.20.1.64/30"]
    run = role(site)
    assert "which the pool shared has" not in run.out
    site.settle("network", seconds=90)
    found_pool = site.rig.get(f"{POOL}/physics") or {}
    assert found_pool["spec"]["addresses"] == ["10.20.1.64/30"]
