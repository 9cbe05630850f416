# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkPolicies as rules over peers, as far as the inventory's words reach."""

from __future__ import annotations

import ipaddress
import json
import re
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .._model import schema_layer
from .._model.entities import Cluster, Environment, Project, Settings, Tenant
from .._model.errors import Where
from .._model.inheritance import Effective
from .._objects.network import build_network_policies
from .finding import NOT_EXPRESSED, WOULD_CHANGE, Tell
from .grouping import PARTS, Identity
from .selectors import matches

Object = dict[str, t.Any]
#: C(("cidr", range, exceptions)) or C(("environment", tenant, project, environment)); empty texts stand for all.
Peer = tuple[t.Any, ...]
#: Protocol and port, None for all ports.
Port: t.TypeAlias = "tuple[str, int | str] | None"
#: C(allow_from) or C(egress), the other end, and one port.
Rule = tuple[str, Peer, Port]

SIDES = {"ingress": ("Ingress", "from", "allow_from"), "egress": ("Egress", "to", "egress")}
_NAME = "kubernetes.io/metadata.name"
_PORTS = schema_layer.DEFINITIONS["peer"]["properties"]["ports"]["items"]["pattern"].replace("$", r"\Z")
_DNS_PORTS = (53,)
_STAYS = "The policy stays as it is and goes on allowing it."


class _Unexpressed(Exception):
    """A rule that the inventory has no words for: why, and what to do."""

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(what)
        self.what, self.fix = what, fix


class _Platform(t.NamedTuple):
    """The end of a rule that a switch of the inventory allows."""

    switch: str


@dataclass
class Network:
    """What is in force.

    @param isolated: the directions in which only what is allowed may pass, for all pods.
    @param switches: C(ingress_controller) and C(monitoring), when that is restricted at all.
    @param inside: whether pods of the namespace reach each other.
    """

    isolated: set[str] = field(default_factory=set)
    rules: set[Rule] = field(default_factory=set)
    switches: dict[str, bool] = field(default_factory=dict)
    inside: bool = True


@dataclass(frozen=True)
class Surroundings:
    """What selectors can select on a cluster.

    @param members: the environments of the whole fleet, by namespace.
    @param namespaces: the labels of all its namespaces.
    @param label_keys: keys of labels that hold the tenant, the project and the environment, besides ours.
    """

    cluster: Cluster
    settings: Settings
    members: Mapping[str, Identity]
    namespaces: Mapping[str, Mapping[str, str]]
    label_keys: Mapping[str, str] = field(default_factory=dict)

    def labels(self, namespace: str) -> dict[str, str]:
        return {**self.namespaces.get(namespace, {}), _NAME: namespace}

    def baseline(self) -> set[str]:
        """The rules that every namespace of ours has."""
        where = Where("tenant__x")
        given = {"network": {"ingress_controller": False, "monitoring": False}}
        environment = Environment(
            Tenant("x", where, {"id": "x"}),
            Project("x", where, {"id": "x"}),
            "x",
            where,
            "x-x-x",
            {},
            Effective(given),
            {},
            [],
        )
        policies = build_network_policies(environment, self.cluster, self.settings)
        return {_text(side, peer, port) for each in policies for side, peer, port in _pieces(each["spec"])}


def _text(*parts: t.Any) -> str:
    return json.dumps(parts, sort_keys=True)


def _pieces(spec: Mapping[str, t.Any]) -> Iterable[tuple[str, Object | None, Object | None]]:
    """Each pair of peer and port of a policy; None for any."""
    for side, (_type, word, _ours) in SIDES.items():
        for rule in spec.get(side) or ():
            ports = [{"protocol": "TCP", **port} for port in rule.get("ports") or ()]
            for peer in rule.get(word) or (None,):
                for port in ports or (None,):
                    yield side, peer, port


def directions(spec: Mapping[str, t.Any]) -> set[str]:
    """The directions that a policy isolates."""
    given = spec.get("policyTypes")
    return set(given) if given else {"Ingress", *(["Egress"] if spec.get("egress") else [])}


def read_policies(policies: Iterable[Object], around: Surroundings, tell: Tell) -> tuple[Network, list[Object]]:
    """What the policies of a namespace allow, and those of which that is all they say."""
    network, covered = Network(inside=False), []
    baseline = around.baseline()
    switches: set[str] = set()
    for policy in policies:
        spec = policy.get("spec") or {}
        if any((spec.get("podSelector") or {}).values()):
            tell(
                NOT_EXPRESSED,
                policy,
                "spec.podSelector",
                "it is for some pods only; rules of the inventory are for all pods of a namespace.",
                "It stays as it is. What it allows goes on; that its pods may do nothing else ends, because all pods "
                "may do what the inventory allows.",
            )
            continue
        network.isolated |= directions(spec)
        if _read(policy, spec, around, baseline, network, switches, tell):
            covered.append(policy)
    whole = {(side, peer) for side, peer, port in network.rules if port is None}
    network.rules = {rule for rule in network.rules if rule[2] is None or rule[:2] not in whole}
    if "Ingress" in network.isolated:
        network.switches = {name: name in switches for name in ("ingress_controller", "monitoring")}
    else:
        network.inside = True
    return network, covered


def _read(
    policy: Object,
    spec: Object,
    around: Surroundings,
    baseline: set[str],
    network: Network,
    switches: set[str],
    tell: Tell,
) -> bool:
    """Takes over what has words; true when that is all of the policy."""
    whole = True
    for side, peer, port in _pieces(spec):
        if peer is not None and "namespaceSelector" not in peer and "ipBlock" not in peer:
            # the baseline allows all traffic inside the namespace
            everything = not any((peer.get("podSelector") or {}).values()) and port is None
            network.inside = network.inside or (everything and side == "ingress")
            if not everything:
                what = "inside the namespace it allows a part; the baseline allows all pods of it to reach each other."
                tell(
                    WOULD_CHANGE, policy, f"spec.{side}", what, "Put what must be kept apart into its own environment."
                )
            continue
        if _text(side, peer, port) in baseline:
            continue
        try:
            ends, at = _ends(side, peer, port, around), _port(port)
        except _Unexpressed as reason:
            whole = False
            tell(NOT_EXPRESSED, policy, f"spec.{side}", reason.what, f"{_STAYS} {reason.fix}".strip())
            continue
        for end in ends:
            if isinstance(end, _Platform):
                switches.add(end.switch)
            else:
                network.rules.add((SIDES[side][2], end, at))
    return whole


def _port(port: Object | None) -> Port:
    if port is None:
        return None
    if "port" not in port:
        raise _Unexpressed(f"it allows every {port['protocol']} port; the inventory names single ports, or all.")
    number: int | str = port["port"]
    if isinstance(number, str) and number.isdigit():
        number = int(number)
    if "endPort" in port:
        number = f"{number}-{port['endPort']}"
        if not re.search(_PORTS, number):
            raise _Unexpressed(f"it allows the ports {number}; the inventory names single ports, or all.")
    return port["protocol"], number


def _ends(side: str, peer: Object | None, port: Object | None, around: Surroundings) -> list[Peer | _Platform]:
    if peer is None:
        if side == "egress" and port is not None and port.get("port") in _DNS_PORTS:
            raise _Unexpressed("it allows DNS anywhere; the baseline allows that of the cluster.")
        raise _Unexpressed("it allows every other end.", f"Name the ends in network.{SIDES[side][2]}, then remove it.")
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        try:
            ranges = [str(ipaddress.ip_network(x, strict=False)) for x in (block["cidr"], *(block.get("except") or ()))]
        except ValueError as error:
            raise _Unexpressed(f"{error}.") from None
        return [("cidr", ranges[0], tuple(sorted(ranges[1:])))]
    selector = peer["namespaceSelector"] or {}
    found = [name for name in sorted(around.namespaces) if matches(selector, around.labels(name))]
    if any((peer.get("podSelector") or {}).values()):
        raise _Unexpressed(
            f"it is about some pods of {_list(found)}; the inventory names whole environments.",
            f"Name the environments in network.{SIDES[side][2]}, then remove it.",
        )
    named = _by_labels(selector, around)
    if named:
        return [named]
    platform = {
        around.settings.platform.get("ingress_namespace"): "ingress_controller",
        around.settings.platform.get("monitoring_namespace"): "monitoring",
    }
    # it may not be installed yet, or not be among the manifests
    only = (selector.get("matchLabels") or {}).get(_NAME)
    targets = found or ([only] if only else [])
    if side == "ingress" and targets and all(name in platform for name in targets):
        if port is None:
            return [_Platform(platform[name]) for name in targets]
        switch = platform[targets[0]]
        raise _Unexpressed(
            f"it allows single ports; {switch} allows all.", f"Set network.{switch}: true, then remove it."
        )
    strangers = [name for name in targets if name not in around.members]
    if strangers or not targets:
        what = (
            f"{_list(strangers)} would not be in the inventory." if targets else "no namespace has these labels today."
        )
        raise _Unexpressed(f"{what} A rule names environments of the inventory, or addresses.", "")
    return [("environment", *around.members[name]) for name in targets]


def _by_labels(selector: Object, around: Surroundings) -> Peer | None:
    """A peer whose very labels are selected: by our keys, or by those that the import groups by."""
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    domain = around.settings.label_domain
    if selector.get("matchExpressions"):
        return None
    for keys in ({part: f"{domain}/{part}" for part in PARTS}, around.label_keys):
        given = {part: wanted[key] for part, key in keys.items() if key in wanted}
        if "tenant" in given and len(given) == len(wanted) and ("environment" not in given or "project" in given):
            ours = {identity[: len(given)] for identity in around.members.values()}
            if tuple(given.values()) in ours or keys is not around.label_keys:
                return ("environment", *(given.get(part, "") for part in PARTS))
    return None


def _list(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") if names else "no namespace"


def rules_of(side: str, peers: Iterable[Mapping[str, t.Any]]) -> set[Rule]:
    """Declared peers as rules."""
    rules: set[Rule] = set()
    for peer in peers:
        if "cidr" in peer:
            ranges = [str(ipaddress.ip_network(x, strict=False)) for x in (peer["cidr"], *peer.get("except", ()))]
            end: Peer = ("cidr", ranges[0], tuple(sorted(ranges[1:])))
        else:
            end = ("environment", *(peer.get(part, "") for part in PARTS))
        ports = [(peer.get("protocol", "TCP"), port) for port in peer.get("ports") or ()]
        rules |= {(side, end, port) for port in ports or (None,)}
    return rules


def peers_of(rules: Iterable[Rule]) -> list[Object]:
    """Rules as declared peers: one for each other end and protocol."""
    grouped: dict[tuple[Peer, str], list[int | str]] = {}
    for _side, end, port in sorted(rules, key=str):
        ports = grouped.setdefault((end, port[0] if port else ""), [])
        if port:
            ports.append(port[1])
    peers = []
    for (end, protocol), ports in grouped.items():
        if end[0] == "cidr":
            peer: Object = {"cidr": end[1], **({"except": list(end[2])} if end[2] else {})}
        else:
            peer = {part: value for part, value in zip(PARTS, end[1:], strict=True) if value}
        if ports:
            peer["ports"] = sorted(ports, key=lambda each: (isinstance(each, str), each))
        if protocol not in ("", "TCP"):
            peer["protocol"] = protocol
        peers.append(peer)
    return peers


def show_rule(rule: Rule) -> str:
    """A rule for people."""
    side, end, port = rule
    other = "/".join(part for part in end[1:] if part) if end[0] == "environment" else str(end[1])
    return f"{'from' if side == 'allow_from' else 'to'} {other}" + (f" on {port[0]} {port[1]}" if port else "")
