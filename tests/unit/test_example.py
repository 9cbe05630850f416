# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example organisation: it is sound on every day, it shows every key of the schema, and its machines add up."""

from __future__ import annotations

import datetime
import re
import typing as t
from collections import Counter
from functools import cache
from pathlib import Path

import netaddr
import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model import schema, schema_tenant
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Environment, Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.schema_layer import DEFINITIONS

EXAMPLE = Path(__file__).resolve().parents[2] / "inventories" / "example"
TENANT_FILES = sorted((EXAMPLE / "group_vars" / "all" / "tenants").glob("*.yml"))
TODAY = datetime.date(2026, 11, 21)

Node = dict[str, t.Any]


def load(path: Path) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", yaml.safe_load(path.read_text(encoding="utf-8")))


@cache
def groups() -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", load(EXAMPLE / "hosts.yml")["all"]["children"])


@cache
def source() -> Source:
    tenants: dict[str, t.Any] = {}
    for path in TENANT_FILES:
        tenants.update(load(path))
    clusters = {name: load(EXAMPLE / "host_vars" / f"{name}.yml") for name in groups()["clusters"]["hosts"]}
    return Source(load(EXAMPLE / "group_vars" / "all" / "fleet.yml"), tenants, clusters)


@cache
def fleet(today: datetime.date = TODAY) -> Fleet:
    return compile_fleet(source(), today=today)


def hosts_of(group: str) -> list[str]:
    """Names of the hosts of a group, with ranges such as C(hela-a[01:07]) written out."""
    names: list[str] = []
    for pattern in groups()[group].get("hosts", {}):
        match = re.fullmatch(r"(.*)\[(\d+):(\d+)\]", pattern)
        if match:
            stem, first, last = match.groups()
            names += [f"{stem}{n:0{len(first)}d}" for n in range(int(first), int(last) + 1)]
        else:
            names.append(pattern)
    return names


# The demo must not rot: an examination period, a release of results, and the last day before the example's dates begin.
@pytest.mark.parametrize("today", ["2026-11-21", "2027-04-15", "2027-07-14", "2029-12-31"])
def test_is_sound_with_two_intended_warnings(today: str) -> None:
    problems = fleet(datetime.date.fromisoformat(today)).problems
    assert [p.render() for p in problems.errors] == []
    assert sorted((p.code, p.where.variable) for p in problems.warnings) == [
        ("expired-grant", "tenant__marking"),
        ("over-money", "tenant__ai_lab"),
    ]


def test_is_large_enough_to_mean_something() -> None:
    compiled = fleet()
    assert len(compiled.clusters) >= 6
    assert len(compiled.tenants) >= 20
    assert len(compiled.environments) >= 60
    origins = Counter(e.placement.origin for e in compiled.environments if e.placement)
    assert origins["declared"] >= 50
    assert origins["decided"] >= 8, "the demo shows decisions as they are made"


def test_some_new_critical_environment_is_spread_over_both_racks() -> None:
    compiled = fleet()
    spread = [
        {compiled.clusters[name].get("failure_domain") for name in e.placement.clusters}
        for e in compiled.environments
        if e.placement and e.placement.origin == "decided" and e.sla_tier == "tier_1_critical"
    ]
    assert spread
    assert all(domains == {"rack-a", "rack-b"} for domains in spread)


def peers(e: Environment, side: str) -> list[tuple[Environment, Node]]:
    """The environments that the rules of one side name and a NetworkPolicy can reach: those on the same cluster."""
    return [
        (other, peer)
        for peer in e.values.get("network", {}).get(side, ())
        if "tenant" in peer
        for other in fleet().environments
        if other.tenant.id == peer["tenant"]
        and peer.get("project") in (None, other.project.id)
        and peer.get("environment") in (None, other.name)
        and set(other.placement.clusters) & set(e.placement.clusters)
    ]


@pytest.mark.parametrize(("side", "opposite"), [("egress", "allow_from"), ("allow_from", "egress")])
def test_network_rules_between_environments_are_written_on_both_sides(side: str, opposite: str) -> None:
    one_sided, nowhere, count = [], [], 0
    for e in fleet().environments:
        reached = peers(e, side)
        count += len(reached)
        one_sided += [
            (e.key, other.key) for other, _peer in reached if e not in (o for o, _p in peers(other, opposite))
        ]
        named = [peer for peer in e.values.get("network", {}).get(side, ()) if "tenant" in peer]
        nowhere += [(e.key, peer) for peer in named if peer not in (p for _o, p in reached)]
    assert count > 10
    assert one_sided == []
    assert nowhere == [], "the other end is on another cluster; name its address instead"


def test_every_cluster_is_used_and_can_take_more() -> None:
    for row in fleet().ledger:
        if row["scope"] == "cluster":
            assert fleet().on_cluster(row["name"]), row["name"]
            free = {key: cell["free"] for key, cell in row["resources"].items() if "free" in cell}
            assert not [key for key, amount in free.items() if amount.startswith(("0", "-"))], row


@pytest.mark.parametrize("path", TENANT_FILES, ids=lambda path: path.stem)
def test_a_tenant_file_defines_its_tenant_and_nothing_else(path: Path) -> None:
    (variable,) = load(path)
    assert variable == "tenant__" + path.stem.replace("-", "_")


# --- every key of the schema is shown ---------------------------------------------------------------------------------

ROOTS: dict[str, tuple[Node, t.Callable[[], list[t.Any]]]] = {
    "tenant": (schema_tenant.TENANT, lambda: list(source().tenants.values())),
    "cluster": ({"properties": schema.CLUSTER}, lambda: list(source().clusters.values())),
    "fleet": ({"properties": schema.FLEET}, lambda: [source().settings]),
}


def resolve(node: Node, name: str) -> tuple[Node, str]:
    if "$ref" not in node:
        return node, name
    target = node["$ref"].rsplit("/", 1)[1]
    return DEFINITIONS[target], target


def declared(node: Node, name: str, found: dict[t.Any, str]) -> None:
    """Collects what can be shown, keys and choices, by the identity of the schema node: levels share the nodes of
    LAYER and of the definitions, so a key that is shown at one level is shown."""
    node, name = resolve(node, name)
    for choice in node.get("enum", ()):
        found.setdefault((id(node), choice), f"{name}: {choice}")
    for key, child in node.get("properties", {}).items():
        if id(child) not in found:
            found[id(child)] = f"{name}.{key}"
            declared(child, f"{name}.{key}", found)
    for child in (node.get("additionalProperties"), node.get("items")):
        if isinstance(child, dict):
            declared(child, name, found)


def shown(value: t.Any, node: Node, seen: set[t.Any]) -> None:
    node, _name = resolve(node, "")
    if isinstance(value, dict):
        properties, others = node.get("properties", {}), node.get("additionalProperties")
        for key, child in value.items():
            if key in properties:
                seen.add(id(properties[key]))
                shown(child, properties[key], seen)
            elif isinstance(others, dict):
                shown(child, others, seen)
    elif isinstance(value, list):
        for item in value:
            shown(item, node.get("items", {}), seen)
    else:
        seen.add((id(node), value))


#: Choices that one organisation cannot all make, or should not make.
NOT_SHOWN = re.compile(
    r"fleet\.fleet_policies\.action: (Warn|Audit)"
    r"|fleet\.fleet_release_line: .*"
    r"|.*(enforce|audit|warn|level): (privileged|baseline|restricted)"
    r"|allowed\.service_types: NodePort"
    r"|(fleet|cluster)\.\w+_kubernetes\.network_plugin: .*"
    # its switches do not speak BGP, its pools need no order, and its MetalLB is a chart
    r"|cluster\.cluster_network\.bgp(\..*)?"
    r"|cluster\.cluster_network\.load_balancer_pools\.(priority|avoid_buggy_addresses|advertise|node_labels"
    r"|interfaces|peers|communities|local_preference|aggregation_length(_v6)?)(\W.*)?"
    r"|fleet\.fleet_services\.registry"
    r"|fleet\.fleet_alerts\.(type|severity|stages): .*"
    r"|(fleet|cluster)\.\w+_storage\..*: .*"
)


@pytest.mark.parametrize("root", ROOTS)
def test_every_key_and_choice_of_the_schema_is_shown(root: str) -> None:
    everywhere: set[t.Any] = set()
    for node, values in ROOTS.values():
        for value in values():
            shown(value, node, everywhere)
    wanted: dict[t.Any, str] = {}
    declared(ROOTS[root][0], root, wanted)
    assert len(wanted) > 20
    assert [name for mark, name in wanted.items() if mark not in everywhere and not NOT_SHOWN.fullmatch(name)] == []


def test_every_kind_of_grant_is_shown_and_counts() -> None:
    kinds = Counter(grant["kind"] for e in fleet().environments for grant in e.grants)
    assert set(kinds) == set(schema_tenant.GRANT["properties"]["kind"]["enum"])


def test_users_own_keys_are_shown() -> None:
    assert any(key.startswith("_") for tenant in source().tenants.values() for key in tenant)


# --- the machines add up ----------------------------------------------------------------------------------------------


def test_racks_are_full_and_every_machine_belongs_to_one_cluster() -> None:
    racks = [hosts_of("rack_a"), hosts_of("rack_b")]
    assert [len(rack) for rack in racks] == [25, 25]
    members = Counter(host for name in source().clusters for host in hosts_of(name.replace("-", "_")))
    assert members == Counter(racks[0] + racks[1])


@pytest.mark.parametrize("name", sorted(groups()["clusters"]["hosts"]))
def test_machines_of_a_cluster(name: str) -> None:
    variables, machines = source().clusters[name], set(hosts_of(name.replace("-", "_")))
    assert len(machines & set(hosts_of("kube_control_plane"))) == 3
    assert len(machines & set(hosts_of("kube_node"))) >= 3
    rack = variables["cluster_failure_domain"].replace("-", "_")
    assert machines <= set(hosts_of(rack))
    networks = variables["cluster_network"]["node_cidr"]
    own = netaddr.IPSet([networks] if isinstance(networks, str) else networks)
    taken = {variables["cluster_network"]["api_vip"]}
    for machine in machines:
        address = groups()[rack]["hosts"][machine]["ansible_host"]
        assert address in own, machine
        assert address not in taken, machine
        taken.add(address)


def test_databases_stand_outside_kubernetes() -> None:
    databases = set(hosts_of("database"))
    assert len(databases) == 3
    assert not databases & {host for group in ("kube_control_plane", "kube_node", "etcd") for host in hosts_of(group)}


def test_addresses_of_machines_are_unique() -> None:
    used = Counter(
        values["ansible_host"]
        for group in ("rack_a", "rack_b", "database")
        for values in groups()[group]["hosts"].values()
    )
    assert [address for address, count in used.items() if count > 1] == []
