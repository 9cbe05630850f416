# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses: ranges as people write them, and which of them may meet."""

from __future__ import annotations

import itertools
import typing as t

import netaddr
import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model import values
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.addresses import as_list, parse_range

from .support import changed, compiled, sound


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("10.1.2.0/28", "10.1.2.0", "10.1.2.15"),
        ("10.1.2.5/28", "10.1.2.0", "10.1.2.15"),
        ("10.1.2.3", "10.1.2.3", "10.1.2.3"),
        ("10.1.2.10-10.1.2.20", "10.1.2.10", "10.1.2.20"),
        ("10.1.2.10 - 10.1.2.20", "10.1.2.10", "10.1.2.20"),
        ("fd00::/126", "fd00::", "fd00::3"),
        ("fd00::1-fd00::f", "fd00::1", "fd00::f"),
    ],
)
def test_ranges(text: str, first: str, last: str) -> None:
    assert parse_range(text) == netaddr.IPSet(netaddr.IPRange(first, last))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "10.1",
        "10.1.2.0/",
        "10.1.2.0/33",
        "10.1.2.0/-1",
        "10.1.2.0/0x8",
        "10.1.2.0/255.0.0.0",
        "10.1.2.9-10.1.2.1",
        "10.1.2.1-",
        "10.1.2.1-fd00::1",
        "::1/129",
        "a",
        "10.1.2.256",
        "010.1.1.1",
        "1",
        "0x0a000001",
        "10.1.2.1-20",
        " 10.1.2.1",
    ],
)
def test_what_is_no_range(text: str) -> None:
    with pytest.raises((ValueError, netaddr.AddrFormatError)):
        parse_range(text)
    for read in (values.address, values.network):
        with pytest.raises((ValueError, netaddr.AddrFormatError)):
            read(text)


def test_one_or_two() -> None:
    assert as_list("a") == ["a"]
    assert as_list(["a", "b"]) == ["a", "b"]
    assert as_list(None) == []


def codes(dev: dict[str, t.Any], prod: dict[str, t.Any] | None = None) -> list[tuple[str, str, str]]:
    inventory = changed({"clusters / dev-1 / cluster_network": dev, "clusters / prod-1 / cluster_network": prod or {}})
    return [(p.code, p.where.host, p.where.text) for p in compiled(inventory).problems]


#: One range of each kind, each inside the next cluster's range of another kind.
KINDS: dict[str, t.Any] = {
    "node_cidr": "10.50.0.0/16",
    "pod_cidr": "10.50.4.0/22",
    "service_cidr": "10.50.4.0/24",
    "api_vip": "10.50.4.4",
    "load_balancer_pools": [{"name": "x", "addresses": ["10.50.4.4-10.50.4.9"]}],
}


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(KINDS, 2)))
def test_ranges_of_one_cluster_do_not_meet(one: str, other: str) -> None:
    """All but the address of the API and the pools, which may lie in the nodes' network."""
    found = codes({one: KINDS[one], other: KINDS[other]})
    inside = one == "node_cidr" and other in ("api_vip", "load_balancer_pools")
    assert [code for code, _host, _place in found] == ([] if inside else ["overlap"])


@pytest.mark.parametrize(("one", "other"), list(itertools.product([k for k in KINDS if k != "node_cidr"], repeat=2)))
def test_ranges_of_clusters_on_one_network_do_not_meet(one: str, other: str) -> None:
    nodes = "10.50.0.0/16" if {one, other} <= {"api_vip", "load_balancer_pools"} else "10.60.0.0/16"
    first = {"node_cidr": nodes, one: KINDS[one]}
    second = {"node_cidr": nodes, other: KINDS[other]}
    found = [each for each in codes(first, second) if each[0] == "overlap"]
    assert [(code, host) for code, host, _place in found] == [("overlap", "prod-1")]
    assert other in found[0][2]
    apart = codes({**first, "node_cidr": nodes}, {**second, "node_cidr": "10.70.0.0/16"})
    assert [code for code, _host, _place in apart if code == "overlap"] == []


def test_clusters_that_share_both_families_are_told_once() -> None:
    both = {"node_cidr": ["10.50.0.0/16", "fd50::/64"], "pod_cidr": ["10.80.0.0/16", "fd80::/56"]}
    assert codes(both, {**both}) == [("overlap", "prod-1", "cluster_network.pod_cidr")]


def test_clusters_share_a_network_that_is_written_in_parts() -> None:
    halves = {"node_cidr": ["10.50.0.0/17", "10.50.128.0/17"]}
    assert codes(halves, {**halves}) == []


@pytest.mark.parametrize(
    ("network", "good"),
    [
        ({"node_cidr": "10.50.0.0/24", "api_vip": "10.50.0.1"}, True),
        ({"node_cidr": "10.50.0.0/24", "api_vip": "10.50.1.1"}, False),
        ({"node_cidr": ["10.50.0.0/24", "fd50::/64"], "api_vip": "fd50::1"}, True),
        ({"node_cidr": ["10.50.0.0/24", "fd50::/64"], "api_vip": "fd51::1"}, False),
        ({"api_vip": "10.50.1.1"}, True),
    ],
)
def test_the_address_of_the_api_lies_in_the_nodes_network(network: dict[str, t.Any], good: bool) -> None:
    assert codes(network) == ([] if good else [("outside", "dev-1", "cluster_network.api_vip")])


def test_a_cluster_without_a_network_is_no_problem() -> None:
    sound(changed({}, without=["clusters / dev-1 / cluster_network", "clusters / prod-1 / cluster_network"]))
