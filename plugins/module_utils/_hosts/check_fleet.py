# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges all hosts together."""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from .check_host import check
from .finding import CHECKS, Finding, Said, unseen, weighed

Seen = Mapping[str, t.Any]


def preflight(results: Mapping[str, Seen]) -> list[Finding]:
    """Everything that is wrong with any host.

    @param results: what C(host_info) returned for each host, or why it returned nothing.
    """
    findings: list[Finding] = []

    def add(host: str, all_said: Iterable[Said], expect: Seen) -> None:
        for said in all_said:
            found = weighed(host, said, expect.get("severity", {}), CHECKS)
            if found:
                findings.append(found)

    # nobody has to expect anything
    seen = {
        host: {"seen": result["seen"], "expect": {"name": host, **(result.get("expect") or {})}}
        for host, result in results.items()
        if "seen" in result
    }
    for host, result in results.items():
        if host in seen:
            add(host, check(seen[host]["seen"], seen[host]["expect"]), seen[host]["expect"])
        else:
            add(host, [unseen(result)], {})
    for host, said in _together(seen):
        add(host, [said], seen[host]["expect"])
    order = list(results)
    return sorted(findings, key=lambda each: order.index(each.host))


def _together(results: Mapping[str, Seen]) -> Iterator[tuple[str, Said]]:
    seen = {host: result["seen"] for host, result in results.items()}
    yield from _same(
        {host: [result["expect"]["name"]] for host, result in results.items()},
        "hostname_unique",
        "the name",
        "Give each its own name in the inventory.",
    )
    yield from _same(
        {host: [each["machine_id"]] for host, each in seen.items()},
        "machine_id_unique",
        "the machine-id",
        "They are copies of one image: on all but one, rm /etc/machine-id; systemd-machine-id-setup; reboot.",
    )
    yield from _same(
        {host: [each["product_uuid"]] for host, each in seen.items() if not each["container"]},
        "product_uuid_unique",
        "the product UUID",
        "Give each virtual machine its own UUID in the hypervisor; kubeadm tells nodes apart by it.",
    )
    yield from _same(
        {host: _macs(each) for host, each in seen.items()},
        "mac_unique",
        "the MAC address",
        "Give each virtual network card its own MAC address in the hypervisor.",
    )
    yield from _same(
        {host: _addresses(each) for host, each in seen.items()},
        "address_unique",
        "the address",
        "Give each its own; a duplicate takes turns in answering.",
    )
    yield from _same(
        {host: [each["initiator"]] for host, each in seen.items()},
        "initiator_unique",
        "the iSCSI initiator name",
        "Set host_baseline_iscsi_initiator_prefix, which makes one for each host.",
        unless=lambda host: bool(results[host]["expect"].get("initiator_prefix")),
    )
    yield from _mtus(results)


def _same(
    values: Mapping[str, Iterable[str]],
    check_name: str,
    what: str,
    mend: str,
    unless: Callable[[str], bool] | None = None,
) -> Iterator[tuple[str, Said]]:
    """Hosts that share a value which each must have for itself."""
    owners: dict[str, list[str]] = {}
    for host, each in values.items():
        for value in set(each):
            if value:
                owners.setdefault(value, []).append(host)
    for value, hosts in owners.items():
        if len(hosts) > 1 and not (unless and all(map(unless, hosts))):
            for host in hosts:
                others = ", ".join(other for other in hosts if other != host)
                yield host, (check_name, f"has {what} {value}, like {others}.", mend)


def _macs(seen: Seen) -> list[str]:
    """Addresses of network cards; those of bonds and bridges repeat their members'."""
    cards = [each for each in seen["interfaces"] if not each["virtual"]]
    return [each["mac"] for each in cards if each["mac"] and each["mac"] != "00:00:00:00:00:00"]


def _addresses(seen: Seen) -> list[str]:
    found = [
        address.split("/")[0] for each in seen["interfaces"] if not each["virtual"] for address in each["addresses"]
    ]
    return [address for address in found if not address.startswith(("127.", "169.254.", "::1"))]


def _mtus(results: Mapping[str, Seen]) -> Iterator[tuple[str, Said]]:
    """Hosts of a cluster whose MTU is not that of most."""
    clusters: dict[str, dict[str, int]] = {}
    for host, result in results.items():
        seen = result["seen"]
        for each in seen["interfaces"]:
            if each["name"] == seen["default"]["interface"] and each["mtu"]:
                clusters.setdefault(result["expect"].get("cluster", ""), {})[host] = each["mtu"]
    for mtus in clusters.values():
        usual = Counter(mtus.values()).most_common(1)[0][0]
        for host, mtu in mtus.items():
            if mtu != usual:
                mend = "Large packets vanish between them: set the same MTU on all, and on the switches."
                yield host, ("mtu", f"has an MTU of {mtu}; most of its cluster have {usual}.", mend)
