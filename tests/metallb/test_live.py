# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MetalLB, brought live by the role, with its real controller: addresses of a tenant's pool go to that tenant only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .kubelet import Kubelet
from .town import CLUSTER, HOME, Town, checksum, served, town

PHYSICS, BIOLOGY = "physics-lab-prod", "biology-lab-prod"
THIRD = tuple(f"10.20.3.{number}" for number in range(4))
PHYSICS_RANGE = tuple(f"10.20.1.{number}" for number in range(4))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, Kubelet]]:
    with town(tmp_path_factory.mktemp("metallb")) as found:
        yield found


@pytest.fixture
def here(running: tuple[Town, Kubelet]) -> Town:
    return running[0]


def test_a_first_run_from_an_address(here: Town) -> None:
    """Check mode changes nothing and tells the same; a second run changes nothing; the kinds come before the pools."""
    with served(here.built.manifests) as url:
        given = {"metallb_manifest": f"{url}/metallb-native.yaml", "metallb_checksum": checksum(here.manifest)}
        run = here.play("--check", "--diff", **given)
        assert (run.code, run.changed) == (0, 1), run.out
        assert here.get(f"/api/v1/namespaces/{HOME}") is None
        assert "IPAddressPool physics" in run.out
        run = here.play(**given)
        assert (run.code, run.changed) == (0, 1), run.out
    run = here.play()
    assert (run.code, run.changed) == (0, 0), run.out
    assert here.bring(check=True) == []
    here.make_tenants()


def test_a_tenants_addresses_are_its_own(here: Town) -> None:
    """Not by asking for the pool, nor for the address, does another tenant get it."""
    here.service(PHYSICS, "web")
    here.until(lambda: here.address(PHYSICS, "web"), "physics has an address")
    assert here.address(PHYSICS, "web") in PHYSICS_RANGE
    here.service(BIOLOGY, "plain")
    here.service(BIOLOGY, "by-pool", **{"address-pool": "physics"})
    here.service(BIOLOGY, "by-address", loadBalancerIPs="10.20.1.3")
    here.until(lambda: here.address(BIOLOGY, "plain").startswith("10.20.1.6"), "biology has a shared address")
    for name in ("by-pool", "by-address"):
        here.until(lambda name=name: here.told(BIOLOGY, name, "AllocationFailed"), f"{name} is refused")
        assert here.address(BIOLOGY, name) == ""
    here.drop(BIOLOGY, "plain", "by-pool", "by-address")
    here.drop(PHYSICS, "web")


def test_an_exhausted_pool(here: Town) -> None:
    """The last one waits, and people are told why; it gets the first address that is given back."""
    names = [f"web-{number}" for number in range(5)]
    for name in names[:4]:
        here.service(PHYSICS, name)
    here.until(lambda: all(here.address(PHYSICS, name) for name in names[:4]), "four have an address")
    assert sorted(here.address(PHYSICS, name) for name in names[:4]) == list(PHYSICS_RANGE)
    here.service(PHYSICS, names[4], **{"address-pool": "physics"})
    here.until(lambda: here.told(PHYSICS, names[4], "AllocationFailed"), "the fifth waits")
    run = here.play(playbook="status")
    assert "physics  layer2  physics    4 of 4   full: who asks next gets none" in run.out
    assert f"{PHYSICS}/{names[4]} has no address: no available IPs in pool" in run.out
    assert "(tenant physics)" in run.out
    here.drop(PHYSICS, names[0])
    here.until(lambda: here.address(PHYSICS, names[4]), "the fifth has got it")
    here.drop(PHYSICS, *names[1:])


def test_pools_that_overlap(here: Town) -> None:
    """Somebody else's pool is found before anything is written; the inventory itself refuses ours."""
    pools = f"/apis/metallb.io/v1beta1/namespaces/{HOME}/ipaddresspools"
    body = {
        "apiVersion": "metallb.io/v1beta1",
        "kind": "IPAddressPool",
        "metadata": {"name": "by-hand"},
        "spec": {"addresses": ["10.20.2.0/28"]},
    }
    here.until(lambda: here.plane.admin.request("POST", pools, body)[0] == 201, "the webhook takes it")
    here.pools[0]["addresses"] = ["10.20.2.0/30"]
    run = here.play()
    assert run.code != 0
    assert "it overlaps the IPAddressPool metallb-system/by-hand, which is not ours" in run.out
    assert (here.get(f"{pools}/physics") or {})["spec"]["addresses"] == ["10.20.1.0/30"]
    here.plane.admin.request("DELETE", f"{pools}/by-hand")
    here.pools[0]["addresses"] = ["10.20.1.0/30"]


@pytest.mark.slow
def test_a_pool_moves(here: Town) -> None:
    """Addresses change hands between pools in one run, and who loses one is told before."""
    here.bring()
    here.make_tenants()
    here.service(PHYSICS, "web")
    here.until(lambda: here.address(PHYSICS, "web"), "it has an address")
    # In the order of names, the taker is applied before the giver; MetalLB's webhook refuses pools that overlap.
    here.pools[0].update(name="zoology", addresses=["10.20.3.0/30"])
    here.pools[1].update(name="campus", addresses=["10.20.1.0/30", "10.20.1.64/28"])
    here.bring()
    here.pools[0]["addresses"], here.pools[1]["addresses"] = ["10.20.1.0/30", "10.20.3.0/30"], ["10.20.1.64/28"]
    foretold = here.bring(check=True)
    assert foretold == here.bring() != []
    here.until(lambda: here.address(PHYSICS, "web") in (*PHYSICS_RANGE, *THIRD), "it is in its tenant's pool")
    here.pools[0]["addresses"] = ["10.20.2.64/30"]
    old = here.address(PHYSICS, "web")
    run = here.play("--check")
    assert f"Service {PHYSICS}/web: its address {old} is in no declared pool any more" in " ".join(run.out.split())
    run = here.play()
    assert (run.code, run.changed) == (0, 1), run.out
    here.until(lambda: here.address(PHYSICS, "web").startswith("10.20.2.6"), "it has moved")
    assert "not allowed by config" in here.told(PHYSICS, "web", "ClearAssignment")
    here.drop(PHYSICS, "web")
    assert here.bring() == []


def test_what_the_cluster_lacks_is_told_at_once(here: Town) -> None:
    """Strict ARP, addresses of nodes, and what only FRR does."""
    network = here.cluster["cluster_network"]
    network["bgp"] = {
        "asn": 64512,
        "peers": [
            {"name": "tor", "address": "10.20.0.1", "asn": 64500, "bfd_profile": "fast", "password_secret": "tor"}
        ],
        "bfd_profiles": {"fast": {"receiveInterval": 300}},
    }
    config = {"config.conf": "mode: ipvs\nipvs: {strictARP: false}\n"}
    here.plane.admin.request("POST", "/api/v1/namespaces/kube-system/configmaps", {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-proxy"}, "data": config,
    })  # fmt: skip
    here.pools.append({"name": "nodes", "addresses": ["10.20.0.4-10.20.0.6"]})
    try:
        run = here.play()
    finally:
        here.pools.pop()
        del network["bgp"]
        here.plane.admin.request("DELETE", "/api/v1/namespaces/kube-system/configmaps/kube-proxy")
    told = " ".join(run.out.split())
    assert run.code != 0
    assert "Nothing was changed" in told
    assert "kube-proxy runs in mode ipvs without strictARP" in told
    assert "10.20.0.5 is the address of the node node-1" in told
    assert "cluster_network.bgp.peers[tor].bfd_profile: MetalLB does this with FRR only" in told
    assert "there is no Secret metallb-system/tor" in told


def test_bgp(here: Town) -> None:
    """MetalLB's own webhooks take what the inventory makes of peers, communities and advertisements."""
    network = here.cluster["cluster_network"]
    network["bgp"] = {
        "asn": 64512,
        "peers": [
            {"name": "tor-a", "address": "10.20.0.1", "asn": 64500, "hold_time": "90s", "node_labels": {"rack": "a"}},
            {"name": "tor-b", "address": "10.20.0.2", "asn": 64501, "port": 1179, "multi_hop": True},
        ],
        "communities": {"no-export": "65535:65281"},
    }
    routed = {"advertise": "bgp", "communities": ["no-export", "64500:7"], "peers": ["tor-a"], "local_preference": 90}
    here.pools.append({"name": "routed", "addresses": ["198.51.100.0/28"], "aggregation_length": 28, **routed})
    assert "created BGPPeer tor-a" in here.bring()

    def state() -> str:
        found = here.get(f"/apis/metallb.io/v1beta1/namespaces/{HOME}/configurationstates/controller") or {}
        return str(found.get("status", {}).get("result"))

    here.until(lambda: state() == "Valid", "MetalLB takes it")
    assert here.bring() == []
    here.pools.pop()
    del network["bgp"]
    assert "deleted BGPPeer tor-a" in here.bring()
    for kind in ("bgppeers", "bgpadvertisements", "communities"):
        found = here.get(f"/apis/metallb.io/v1beta1/namespaces/{HOME}/{kind}") or {}
        assert found["items"] == [], kind


def test_another_manifest_is_refused(here: Town) -> None:
    """By the version in it; the checksum is tested where manifests are read."""
    other = here.folder / "other.yaml"
    other.write_text(here.manifest.read_text(encoding="utf-8").replace("v0.16.1", "v0.15.3"), encoding="utf-8")
    run = here.play(metallb_manifest=str(other))
    assert run.code != 0
    assert "it runs metallb 0.15.3, and 0.16.1 is wanted" in run.out


@pytest.mark.slow
def test_away(here: Town) -> None:
    """Only when it is confirmed, and told who loses what; definitions and namespace stay."""
    here.bring()
    here.make_tenants()
    here.service(PHYSICS, "web")
    here.until(lambda: here.address(PHYSICS, "web"), "it has an address")
    here.cluster["cluster_services"] = {}
    run = here.play(metallb_state="absent")
    assert run.code != 0
    assert f"These would lose it: {PHYSICS}/web ({here.address(PHYSICS, 'web')})" in " ".join(run.out.split())
    run = here.play(metallb_state="absent", metallb_confirm=CLUSTER)
    assert (run.code, run.changed) == (0, 1), run.out
    assert here.get(f"/apis/apps/v1/namespaces/{HOME}/deployments/controller") is None
    assert (here.get(f"/apis/metallb.io/v1beta1/namespaces/{HOME}/ipaddresspools") or {})["items"] == []
    assert here.get(f"/api/v1/namespaces/{HOME}") is not None
