# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkPolicies: those that the inventory has words for, and those that are told."""

from __future__ import annotations

import pytest

from .hand_made import (
    ALL_SECURITY,
    Object,
    called,
    namespace,
    policy,
    rendered,
    run,
    source,
    told,
)

NAME = "physics-lab-prod"
CLOSED: Object = {"policyTypes": ["Ingress", "Egress"]}


SHOP = "shop-web-prod"
SHOP_PEER = {"tenant": "shop", "project": "web", "environment": "prod"}
PORT = {"port": 5432, "protocol": "TCP"}
DNS = {"port": 53, "protocol": "UDP"}


def inward(peer: Object, *ports: Object) -> Object:
    return {"ingress": [{"from": [peer], **({"ports": list(ports)} if ports else {})}]}


def outward(peer: Object, *ports: Object) -> Object:
    return {"egress": [{"to": [peer], **({"ports": list(ports)} if ports else {})}]}


def selected(labels: dict[str, str]) -> Object:
    return {"podSelector": {"matchLabels": labels}}


def chosen_by(key: str, *values: str) -> Object:
    return {"namespaceSelector": {"matchExpressions": [{"key": key, "operator": "In", "values": list(values)}]}}


@pytest.mark.parametrize(
    ("spec", "declared"),
    [
        (
            outward({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}, PORT),
            {"egress": [{"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"], "ports": [5432]}]},
        ),
        (
            outward({"ipBlock": {"cidr": "10.0.0.1/32"}}, DNS, PORT),
            {
                "egress": [
                    {"cidr": "10.0.0.1/32", "ports": [5432]},
                    {"cidr": "10.0.0.1/32", "ports": [53], "protocol": "UDP"},
                ]
            },
        ),
        (inward(called(SHOP), {"port": "http"}), {"allow_from": [{**SHOP_PEER, "ports": ["http"]}]}),
        (inward(chosen_by("kind", "shop")), {"allow_from": [SHOP_PEER]}),
        (inward({"namespaceSelector": {"matchLabels": {"team": "shop"}}}), {"allow_from": [{"tenant": "shop"}]}),
        (inward(called("ingress-nginx")), {"ingress_controller": True}),
        (
            {"ingress": [{"from": [called("monitoring"), called("ingress-nginx")]}]},
            {"ingress_controller": True, "monitoring": True},
        ),
        (inward({"podSelector": {}}), {}),
        (
            outward(
                {**called("kube-system"), "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}, DNS, {"port": 53}
            ),
            {},
        ),
    ],
)
def test_rules_that_have_words(spec: Object, declared: Object) -> None:
    closed: Object = {"network": {"ingress_controller": False, "monitoring": False}}
    objects = [
        namespace(NAME, ALL_SECURITY),
        namespace(SHOP, {"team": "shop", "kind": "shop"}),
        namespace("ingress-nginx"),
        namespace("kube-system"),
        policy(NAME, **CLOSED, **spec),
        policy(NAME, "inside", ingress=[{"from": [{"podSelector": {}}]}]),
    ]
    into = source({"defaults": closed})
    imported, fleet = run(objects, into, labels={"tenant": "team"})
    given = imported.tenants["physics"]["projects"][0]["environments"][0].get("network", {})
    assert given == declared
    rendered(fleet)
    assert [f for f in imported.findings.sorted if f.namespace == NAME and f.code != "note"] == []
    assert {each["name"] for each in imported.superseded} == {"rules", "inside"}


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ({"podSelector": {"matchLabels": {"app": "db"}}}, "for some pods only"),
        ({"ingress": [{}]}, "every other end"),
        ({"egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}]}, "DNS anywhere"),
        (inward({"namespaceSelector": {}}), "kube-system would not be in the inventory"),
        (inward(called("nowhere")), "nowhere would not be"),
        (inward(chosen_by("a", "b")), "no namespace has these labels"),
        (inward({**called(SHOP), **selected({"app": "x"})}), "some pods of shop"),
        (inward(called(SHOP), {"protocol": "UDP"}), "every UDP port"),
        (inward(called(SHOP), {"port": 80, "endPort": 90}), "the ports 80-90"),
        (inward(called("ingress-nginx"), PORT), "single ports; ingress_controller"),
        (outward(called("kube-system")), "kube-system would not be"),
    ],
)
def test_rules_without_words_are_told_and_stay(spec: Object, what: str) -> None:
    others = [namespace(SHOP), namespace("kube-system"), namespace("ingress-nginx")]
    imported, fleet = run([namespace(NAME), *others, policy(NAME, **{**CLOSED, **spec})])
    (finding,) = [f for f in imported.findings.sorted if f.code == "not-expressed"]
    assert what in finding.what
    assert (finding.kind, finding.name) == ("NetworkPolicy", "rules")
    assert "stays as it is" in finding.fix
    assert imported.superseded == []
    rendered(fleet)


def test_an_open_namespace_is_told_that_the_baseline_closes_it() -> None:
    imported, _fleet = run([namespace(NAME)])
    assert [what for what in told(imported, "would-change") if what[2].startswith("network")] == [
        ("Namespace", NAME, "network.allow_from"),
        ("Namespace", NAME, "network.egress"),
    ]


def test_pods_that_may_not_reach_each_other_are_told() -> None:
    imported, _fleet = run([namespace(NAME), policy(NAME, **CLOSED)])
    assert ("Namespace", NAME, "network") in told(imported, "would-change")
