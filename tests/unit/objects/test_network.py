# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkPolicies."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster, Settings
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.network import build_network_policies

from .conftest import Make, make_cluster, make_settings

DOMAIN = "self-provisioning.internal"
HERE = {"podSelector": {}}
NAMES = [
    "default-deny",
    "allow-dns",
    "allow-same-namespace",
    "allow-platform",
    "declared-ingress",
    "declared-egress",
]


def called(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def both(*ports: int) -> list[dict[str, Any]]:
    return [{"port": port, "protocol": protocol} for port in ports for protocol in ("UDP", "TCP")]


def specs(make: Make, cluster: Cluster, settings: Settings, **values: Any) -> dict[str, dict[str, Any]]:
    objects = build_network_policies(make(**values), cluster, settings)
    assert [each["metadata"]["name"] for each in objects] == NAMES  # always all of them: none can be left behind
    return {each["metadata"]["name"]: each["spec"] for each in objects}


def test_without_declarations(make: Make, cluster: Cluster, settings: Settings) -> None:
    dns = {**called("kube-system"), "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    assert specs(make, cluster, settings) == {
        "default-deny": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        "allow-dns": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [{"to": [dns], "ports": both(53)}],
        },
        "allow-same-namespace": {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [HERE]}],
            "egress": [{"to": [HERE]}],
        },
        "allow-platform": {
            "podSelector": {},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [called("ingress-nginx")]}, {"from": [called("monitoring")]}],
        },
        "declared-ingress": {"podSelector": {}, "policyTypes": ["Ingress"]},
        "declared-egress": {"podSelector": {}, "policyTypes": ["Egress"]},
    }


@pytest.mark.parametrize(("address", "cidr"), [("169.254.25.10", "169.254.25.10/32"), ("fd00::10", "fd00::10/128")])
def test_dns_is_a_fact_of_the_cluster(make: Make, settings: Settings, address: str, cidr: str) -> None:
    dns = {"namespace": "dns", "labels": {"app": "dns"}, "ports": [5353, 53], "node_local": address}
    found = specs(make, make_cluster(dns=dns), settings)["allow-dns"]["egress"]
    assert found == [
        {"to": [{**called("dns"), "podSelector": {"matchLabels": {"app": "dns"}}}], "ports": both(5353, 53)},
        {"to": [{"ipBlock": {"cidr": cidr}}], "ports": both(53)},
    ]


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ({"ingress_controller": False}, ["watch"]),
        ({"monitoring": False}, ["edge"]),
        ({"monitoring": True, "ingress_controller": True}, ["edge", "watch"]),
        ({"monitoring": False, "ingress_controller": False}, []),
    ],
)
def test_the_platform_can_be_kept_out(
    make: Make, cluster: Cluster, network: dict[str, bool], expected: list[str]
) -> None:
    settings = make_settings(platform={"ingress_namespace": "edge", "monitoring_namespace": "watch"})
    found = specs(make, cluster, settings, network=network)["allow-platform"]
    assert found.get("ingress", []) == [{"from": [called(name)]} for name in expected]
    assert found["policyTypes"] == ["Ingress"]


def labelled(**labels: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {f"{DOMAIN}/{key}": value for key, value in labels.items()}}}


@pytest.mark.parametrize(
    ("peer", "to", "ports"),
    [
        ({"tenant": "biology"}, labelled(tenant="biology"), None),
        (
            {"tenant": "law", "project": "web", "environment": "prod", "ports": [8080, "http", "9000-9010", "443"]},
            labelled(tenant="law", project="web", environment="prod"),
            [
                {"port": 8080, "protocol": "TCP"},
                {"port": "http", "protocol": "TCP"},
                {"port": 9000, "endPort": 9010, "protocol": "TCP"},
                {"port": 443, "protocol": "TCP"},
            ],
        ),
        (
            {"cidr": "10.20.0.0/16", "except": ["10.20.1.0/24"], "ports": [53], "protocol": "UDP"},
            {"ipBlock": {"cidr": "10.20.0.0/16", "except": ["10.20.1.0/24"]}},
            [{"port": 53, "protocol": "UDP"}],
        ),
        ({"cidr": "10.20.0.5/16"}, {"ipBlock": {"cidr": "10.20.0.0/16"}}, None),
        ({"cidr": "192.0.2.7"}, {"ipBlock": {"cidr": "192.0.2.7/32"}}, None),
        ({"cidr": "2001:db8::/32"}, {"ipBlock": {"cidr": "2001:db8::/32"}}, None),
    ],
)  # fmt: skip
def test_declared_peers(
    make: Make,
    cluster: Cluster,
    settings: Settings,
    peer: dict[str, Any],
    to: dict[str, Any],
    ports: list[dict[str, Any]] | None,
) -> None:
    """The same peer both ways."""
    found = specs(make, cluster, settings, network={"allow_from": [peer], "egress": [peer]})
    more = {"ports": ports} if ports else {}
    assert found["declared-ingress"]["ingress"] == [{"from": [to], **more}]
    assert found["declared-egress"]["egress"] == [{"to": [to], **more}]


def test_peers_do_not_share_their_ports(make: Make, cluster: Cluster, settings: Settings) -> None:
    peers = [{"cidr": "10.1.0.0/16", "ports": [5432]}, {"tenant": "biology"}]
    found = specs(make, cluster, settings, network={"egress": peers})["declared-egress"]["egress"]
    assert [("ports" in each, len(each["to"])) for each in found] == [(True, 1), (False, 1)]


def test_reasons_are_kept_for_auditors(make: Make, cluster: Cluster, settings: Settings) -> None:
    peers = [{"tenant": "biology", "project": "web", "reason": "results"}, {"cidr": "10.1.0.0/16", "reason": "archive"}]
    objects = build_network_policies(make(network={"egress": peers}), cluster, settings)
    notes = {each["metadata"]["name"]: each["metadata"]["annotations"].get(f"{DOMAIN}/reason") for each in objects}
    assert notes.pop("declared-egress") == "biology/web: results; 10.1.0.0/16: archive"
    assert set(notes.values()) == {None}
