# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses of the APIs: planned for all clusters of the example, and every fault of a plan or a host told."""

from __future__ import annotations

import copy
import itertools
import typing as t
from collections.abc import Callable

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._endpoint.check import CHECKS, check
from ansible_collections.k8s.self_provisioning.plugins.module_utils._endpoint.plan import (
    HOLDER,
    MOST,
    NOT_READY,
    Endpoint,
    Member,
    endpoints,
    priority,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import read_source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.machines import gather
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import Problems
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import compile_fleet
from ansible_collections.k8s.self_provisioning.tests.tools.machines import DAY, EXAMPLE, machines

Look = dict[str, t.Any]


def example(change: Callable[[dict[str, t.Any]], None] | None = None) -> tuple[dict[str, Endpoint], list[str]]:
    source = read_source(EXAMPLE)[0]
    clusters = copy.deepcopy(dict(source.clusters))
    if change:
        change(clusters)
    fleet = compile_fleet(Source(source.settings, {}, clusters), today=DAY)
    found = gather(machines(), fleet.clusters.values(), Problems())
    told = [problem.render() for problem in fleet.problems if problem.code == "router-id"]
    return endpoints(fleet.clusters, fleet.settings, found), told


def test_every_cluster_of_the_example_has_a_sound_plan() -> None:
    plans, told = example()
    assert len(plans) == 9
    assert told == []
    assert check(plans, {}) == []
    east = plans["east-prod"]
    assert (east.addresses, east.port, east.router_id) == (("10.20.0.10",), 8443, 10)
    assert [member.name for member in east.members] == ["hela-a01", "hela-a02", "hela-a03"]
    second = east.of_host("hela-a02")
    assert second["ahead"] == ["hela-a01"]
    assert [peer["address"] for peer in second["peers"]] == ["10.20.0.11", "10.20.0.13"]


def test_two_clusters_of_one_network_with_one_router_id_are_told() -> None:
    def same(clusters: dict[str, t.Any]) -> None:
        clusters["west-prod"]["cluster_network"]["api_router_id"] = 10

    _plans, told = example(same)
    (only,) = told
    assert "cluster_network.api_router_id: 10.20.0" in only
    assert "has the VRRP router id 10, like 10.20.0.10 of the cluster east-prod" in only
    assert "Set api_router_id" in only


def test_who_holds_the_address() -> None:
    """The arithmetic of priorities, for every number of hosts and every state that they can be in."""
    for number in range(2, MOST + 1):
        bases = [priority(index, number) for index in range(number)]
        assert bases == sorted(set(bases), reverse=True)
        for ready in itertools.product((True, False), repeat=number):
            for holder in range(number):
                shown = [
                    min(254, max(1, base + (HOLDER if index == holder else 0) + (0 if ready[index] else NOT_READY)))
                    for index, base in enumerate(bases)
                ]
                taken = [index for index in range(number) if shown[index] > shown[holder]]
                if ready[holder] or not any(ready):
                    assert not taken, "who holds it keeps it while nobody is better off"
                else:
                    assert taken, "a holder without API servers loses it to one that has some"
                    assert ready[max(taken, key=lambda index: shown[index])]


def plan(**changes: t.Any) -> dict[str, Endpoint]:
    members = tuple(Member(f"node{n}", f"10.20.0.1{n}", priority(n, 3)) for n in range(3))
    values: dict[str, t.Any] = {
        "cluster": "east",
        "addresses": ("10.20.0.100",),
        "port": 8443,
        "domain_name": "",
        "router_id": 100,
        "members": members,
        "machines": tuple(member.address for member in members),
        "network": ("10.20.0.0/24",),
    }
    return {"east": Endpoint(**{**values, **changes})}


def look(number: int) -> Look:
    card = {"name": "eno1", "up": True, "virtual": False, "addresses": [f"10.20.0.1{number}/24"]}
    return {
        "seen": {
            "root": True,
            "interfaces": [card],
            "listening": [{"port": 22, "process": "sshd"}, {"port": 8443, "process": "haproxy"}],
            "packages": {},
            "foreign": [],
            "answers": {"10.20.0.100": ""},
        },
        "settings": {"severity": {}, "interface": "", "health_port": 8444, "backend_port": 6443},
    }


def looks() -> dict[str, Look]:
    return {f"node{number}": look(number) for number in range(3)}


def test_hosts_with_nothing_wrong() -> None:
    assert check(plan(), looks()) == []


def test_settings_of_a_host_may_be_left_out() -> None:
    assert check(plan(), {host: {**each, "settings": {}} for host, each in looks().items()}) == []


def members(*addresses: str) -> tuple[Member, ...]:
    return tuple(Member(f"node{n}", address, priority(n, 3)) for n, address in enumerate(addresses))


_OTHER = Endpoint("west", ("10.30.0.100",), 8443, "", 100, members("10.30.0.11"), (), ())
PLANS: list[tuple[str, dict[str, Endpoint], str, str]] = [
    ("port", plan(port=6443), "east", "is that of the API server itself"),
    ("port", plan(port=30443), "east", "is that of Services of type NodePort"),
    ("members", plan(members=members(*(f"10.20.0.1{n}" for n in range(8)))), "east", "has 8 control plane nodes"),
    ("node_address", plan(members=members("node0.example.edu")), "east", "which is not an address"),
    ("family", plan(members=members("10.20.0.10", "fd00::11")), "east", "some an IPv6 address"),
    ("family", plan(addresses=("fd00::100", "10.20.0.100")), "east", "api_vip fd00::100 is not of the family"),
    ("router_id", {**plan(), "west": _OTHER}, "west", "as west has no node_cidr"),
]


@pytest.mark.parametrize(("name", "plans", "who", "said"), PLANS, ids=[f"{each[0]}-{each[3]}" for each in PLANS])
def test_a_fault_of_a_plan(name: str, plans: dict[str, Endpoint], who: str, said: str) -> None:
    (found,) = check(plans, {})
    assert (found.check, found.host, found.severity) == (name, who, "error")
    assert said in found.what
    assert found.mend


def _set(host: str, path: str, value: t.Any) -> Callable[[dict[str, Look]], None]:
    def change(all_looks: dict[str, Look]) -> None:
        *way, last = path.split(".")
        place: t.Any = all_looks[host]
        for key in way:
            place = place[int(key) if key.isdigit() else key]
        place[last] = value

    return change


HOSTS: list[tuple[str, Callable[[dict[str, Look]], t.Any], str, str]] = [
    ("reachable", lambda all_looks: all_looks.update(node1={"msg": "no route to host"}), "node1", "no route to host"),
    ("root", _set("node1", "seen.root", False), "node1", "not reached as root"),
    (
        "member",
        lambda all_looks: all_looks.update(stranger=look(9)),
        "stranger",
        "no control plane node of any cluster",
    ),
    ("interface", _set("node1", "settings.interface", "eth7"), "node1", "has no interface eth7"),
    ("interface", _set("node1", "seen.interfaces.0.addresses", ["10.9.9.9/24"]), "node1", "own address 10.20.0.11"),
    ("interface", _set("node1", "seen.interfaces.0.up", False), "node1", "eno1 is down"),
    ("network", _set("node1", "seen.interfaces.0.addresses", ["10.20.0.11/28"]), "node1", "nobody would find it"),
    ("listening", _set("node1", "seen.listening", [{"port": 8443, "process": "nginx"}]), "node1", "nginx listens on"),
    ("port", _set("node1", "settings.health_port", 10250), "node1", "api_endpoint_health_port 10250"),
    ("foreign", _set("node1", "seen.foreign", ["/etc/haproxy/haproxy.cfg"]), "node1", "was not written by this role"),
    ("in_use", _set("node1", "seen.answers", {"10.20.0.100": "52:54:00:00:00:01"}), "east", "52:54:00:00:00:01"),
]


@pytest.mark.parametrize(("name", "change", "who", "said"), HOSTS, ids=[f"{each[0]}-{each[3]}" for each in HOSTS])
def test_a_fault_of_a_host(name: str, change: Callable[[dict[str, Look]], t.Any], who: str, said: str) -> None:
    all_looks = looks()
    change(all_looks)
    (found,) = check(plan(), all_looks)
    assert (found.check, found.host, found.severity) == (name, who, "error")
    assert said in found.what
    assert found.mend


def test_every_check_has_a_fault() -> None:
    assert {each[0] for each in (*PLANS, *HOSTS)} == set(CHECKS)


def test_a_check_can_be_ignored_and_the_holder_is_no_stranger() -> None:
    all_looks = looks()
    all_looks["node1"]["seen"]["answers"] = {"10.20.0.100": "52:54:00:00:00:01"}
    all_looks["node0"]["settings"]["severity"] = {"in_use": "ignore"}
    assert check(plan(), all_looks) == []
    all_looks["node0"]["settings"]["severity"] = {"in_use": "ignored"}
    assert [each.severity for each in check(plan(), all_looks)] == ["error"]
    all_looks["node0"]["settings"]["severity"] = {}
    all_looks["node2"]["seen"]["interfaces"][0]["addresses"].append("10.20.0.100/32")
    assert check(plan(), all_looks) == []


def test_nodes_of_a_cluster_without_an_address_are_left_alone() -> None:
    assert check(plan(), {**looks(), "other": look(9)}, without={"other"}) == []
