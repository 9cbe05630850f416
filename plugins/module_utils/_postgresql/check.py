# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges database hosts, each by itself and all together, by what was seen on them."""

from __future__ import annotations

import ipaddress
import typing as t
from collections.abc import Iterator, Mapping, Sequence

from .._hosts.check_host import clock_skew
from .._hosts.finding import ERROR, WARNING, Finding, Said, number, unseen, weighed

Seen = Mapping[str, t.Any]

SUPPORTED = {"ubuntu": ("22.04", "24.04"), "debian": ("12",)}
#: Every check and how much it matters by default.
CHECKS: dict[str, str] = {
    "reachable": ERROR,
    "root": ERROR,
    "os": ERROR,
    "os_same": WARNING,
    "members": ERROR,
    "limit": ERROR,
    "memory": ERROR,
    "memory_same": WARNING,
    "disk": ERROR,
    "packages": ERROR,
    "version": ERROR,
    "version_same": ERROR,
    "address": ERROR,
    "address_unique": ERROR,
    "vip": ERROR,
    "ports": ERROR,
    "leftovers": WARNING,
    "cluster": ERROR,
    "identity": ERROR,
    "etcd_api": ERROR,
    "join": ERROR,
    "majority": ERROR,
    "clock": ERROR,
    "timing": ERROR,
    "watchdog": ERROR,
    "backup": ERROR,
}


def preflight(results: Mapping[str, Seen], group: Sequence[str], settings: Seen) -> list[Finding]:
    """All findings, errors and warnings, by host.

    @param results: what postgresql_info returned, by host.
    @param group: all hosts of the inventory's group.
    @param settings: what is the same for all hosts: C(severity) and others.
    """
    severities = settings.get("severity", {})
    weighted = (weighed(host, said, severities, CHECKS) for host, said in _findings(results, group, settings))
    order = list(results)
    return sorted(filter(None, weighted), key=lambda each: order.index(each.host) if each.host in order else len(order))


def _findings(results: Mapping[str, Seen], group: Sequence[str], settings: Seen) -> Iterator[tuple[str, Said]]:
    seen = {}
    for host, result in results.items():
        if "seen" not in result:
            yield host, unseen(result)
            continue
        seen[host] = result["seen"]
        for said in _host(result["seen"], result.get("expect") or {}, settings):
            yield host, said
    yield from _all(results, seen, group, settings)


def _host(seen: Seen, expect: Seen, settings: Seen) -> Iterator[Said]:
    if seen["uid"] != 0:
        yield "root", f"is looked at as user {seen['uid']}, not as root.", "Run with become: true, and allow sudo."
    system = seen["os"]
    if system["version"] not in SUPPORTED.get(system["id"], ()):
        known = ", ".join(f"{name.capitalize()} {'/'.join(versions)}" for name, versions in SUPPORTED.items())
        yield "os", f"runs {system['name'] or 'an unknown system'}.", f"Install one of {known}."
    least = int(number(settings.get("memory_mib")))
    if seen["memory_mib"] < least:
        yield (
            "memory",
            f"has {seen['memory_mib']} MiB of memory; the databases are tuned for {least}.",
            "Lower postgresql_memory_mib, or leave it out to take the memory of the smallest host.",
        )
    for path, needed in settings.get("disk_minimums", {}).items():
        disk = seen["filesystems"].get(path, {})
        if not seen["data"] and disk.get("free_mib", 0) < number(needed):
            yield (
                "disk",
                f"has {disk.get('free_mib', 0)} MiB free for {path}; {needed} are needed.",
                "Free space, mount a larger disk there, or lower postgresql_disk_minimums.",
            )
    yield from _packages(seen, settings)
    yield from _network(seen, expect, settings)
    yield from _state(seen, expect, settings)


def _packages(seen: Seen, settings: Seen) -> Iterator[Said]:
    if not seen["package_lists"]:
        return  # a fresh host that has never asked; the installation does
    server = f"postgresql-{seen['version']}"
    if server not in seen["candidates"]:
        offered = sorted(name for name in seen["candidates"] if name.startswith("postgresql-"))
        yield (
            "version",
            f"has no package {server}; it has {', '.join(offered) or 'none of PostgreSQL'}.",
            "Leave postgresql_version out to take the distribution's, or add the repository apt.postgresql.org with "
            "host_baseline, and run apt-get update.",
        )
    missing = [name for name in settings.get("packages", ()) if name not in seen["candidates"]]
    if missing:
        yield (
            "packages",
            f"does not know the packages {', '.join(missing)}.",
            "Run apt-get update; on Ubuntu add the component universe to the sources.",
        )


def _network(seen: Seen, expect: Seen, settings: Seen) -> Iterator[Said]:
    held = {address.split("/")[0]: address for each in seen["interfaces"] for address in each["addresses"]}
    wanted = expect.get("address", "")
    try:
        ipaddress.ip_address(wanted or "::")
    except ValueError:
        yield (
            "address",
            f"its address is {wanted!r}, which is a name.",
            "Set ansible_host, or ip, to an address: databases must not need a name server to find each other.",
        )
        return
    if wanted and wanted not in held:
        yield (
            "address",
            f"does not have the address {wanted}; it has {', '.join(sorted(held)) or 'none'}.",
            "Set ip in its host_vars to the address by which the other database hosts reach it.",
        )
    vip = settings.get("vip", "")
    if vip and wanted in held:
        network = ipaddress.ip_interface(held[wanted]).network
        if ipaddress.ip_address(vip) not in network:
            yield (
                "vip",
                f"{vip} is not in its network {network}.",
                "Choose a free address of the network that all database hosts share, or leave postgresql_vip out.",
            )
    taken = {each["port"]: each["process"] for each in seen["listening"] if not each["loopback"]}
    if not seen["scope"]:
        # A first run that was broken off may have started it.
        own = ["etcd"] if seen["etcd_data"] else []
        for port in settings.get("ports", ()):
            if port in taken and taken[port] not in own:
                yield (
                    "ports",
                    f"{taken[port] or 'something'} listens on port {port}, which the databases need.",
                    f"Stop and remove it, or choose another port: ss -ltnp 'sport = :{port}'.",
                )


def _state(seen: Seen, expect: Seen, settings: Seen) -> Iterator[Said]:
    if seen["scope"] and seen["scope"] != settings["cluster"]:
        yield (
            "cluster",
            f"belongs to the database cluster {seen['scope']}, not to {settings['cluster']}.",
            "A cluster cannot be renamed: set postgresql_cluster back, or take the host out of the group.",
        )
    if seen["data"] and not seen["scope"]:
        yield (
            "cluster",
            f"has databases in {seen['data_folder']} that no Patroni of ours made.",
            "Dump them, move the folder away, and load them into the new cluster; docs/guides/databases.md tells how.",
        )
    if seen["other_data"]:
        yield (
            "leftovers",
            f"has other databases: {', '.join(seen['other_data'][:3])}.",
            "They are left alone. Remove them with pg_dropcluster if nobody needs them.",
        )
    skew = clock_skew(seen["time"], expect)
    limit = number(settings.get("clock_skew"))
    if limit and abs(skew) > limit:
        yield (
            "clock",
            f"its clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the controller's.",
            "Set it right (chronyc makestep): certificates and points in time for a restore need it.",
        )
    if settings.get("watchdog") == "required" and not seen["watchdog"]:
        yield (
            "watchdog",
            "has no /dev/watchdog.",
            "Load softdog (host_baseline_modules: [softdog]), or set postgresql_watchdog to automatic.",
        )
    for path, exists in seen["folders"].items():
        if not exists:
            yield (
                "backup",
                f"has no folder {path}, where backups are to be kept.",
                "Mount the same file system there on all database hosts, or set repo1-type to s3, azure or gcs.",
            )


def _all(
    results: Mapping[str, Seen], seen: Mapping[str, Seen], group: Sequence[str], settings: Seen
) -> Iterator[tuple[str, Said]]:
    first = next(iter(results), "")
    if len(group) not in (1, 3, 5, 7):
        yield (
            first,
            (
                "members",
                f"{len(group)} hosts are in the group {settings['group']}: {', '.join(group)}.",
                "Use three (or five): a majority must survive the loss of one, and two have none.",
            ),
        )
    absent = [host for host in group if host not in results]
    if absent:
        yield (
            first,
            (
                "limit",
                f"the run leaves out {', '.join(absent)}.",
                f"Run for all database hosts at once: --limit {settings['group']}, or none.",
            ),
        )
    ttl, loop_wait, retry = (int(number(settings[key])) for key in ("ttl", "loop_wait", "retry_timeout"))
    timing = ttl - loop_wait - 2 * retry
    if timing < 0:
        yield (
            first,
            (
                "timing",
                f"postgresql_ttl {ttl} is less than postgresql_loop_wait {loop_wait} + 2 × "
                f"postgresql_retry_timeout {retry}.",
                f"Set postgresql_ttl to at least {ttl - timing}; else a slow etcd ends the primary.",
            ),
        )
    expected = {host: (results[host].get("expect") or {}).get("address") for host in seen}
    addresses = {host: address for host, address in expected.items() if address}
    for host, address in addresses.items():
        others = [other for other, its in addresses.items() if its == address and other != host]
        if others:
            yield (
                host,
                ("address_unique", f"has the address {address}, like {', '.join(others)}.", "Give each its own."),
            )
        if address == settings.get("vip"):
            yield host, ("vip", f"{address} is its own address.", "Choose a free one for postgresql_vip.")
    for key, what in (("ca", "certificate authority"), ("secret", "secret")):
        kinds = {each[key] for each in seen.values() if each[key]}
        if len(kinds) > 1:
            for host, each in seen.items():
                if each[key]:
                    yield (
                        host,
                        (
                            "identity",
                            f"has another {what} than the other database hosts ({each[key]}).",
                            f"Remove {settings['folder']} on the hosts that are new to the cluster.",
                        ),
                    )
    yield from _etcd(seen, group, settings)
    yield from _alike(seen, settings)


def _etcd(seen: Mapping[str, Seen], group: Sequence[str], settings: Seen) -> Iterator[tuple[str, Said]]:
    """What would lose commits or copies: an API that overwrites leaders, and members that came back with nothing."""
    for host, each in seen.items():
        if each["etcd_api"]["used"] == "etcd3" and each["etcd_api"]["safe"] == "etcd":
            yield (
                host,
                (
                    "etcd_api",
                    f"runs Patroni {each['patroni']} with API 3 of etcd: a primary that stood still for long "
                    "overwrites its successor, and acknowledged commits are lost.",
                    "Install Patroni 3.0.3 or newer, for example from apt.postgresql.org.",
                ),
            )
    members = [host for host, each in seen.items() if each["etcd_data"]]
    empty = [host for host in seen if host not in members]
    if not members or not empty or not any(each["data"] for each in seen.values()):
        return
    if len(members) <= len(group) // 2:
        yield (
            members[0],
            (
                "majority",
                f"only {', '.join(members)} of {len(group)} hosts still has the data of etcd, which is no majority.",
                "Bring another host back with its disk: without a majority nobody can tell whose data is the newest.",
            ),
        )
        return
    for host in empty:
        if host not in settings.get("join", ()):
            yield (
                host,
                (
                    "join",
                    f"has no data of etcd, unlike {', '.join(members)}: it is new, or a disk is not mounted.",
                    f"If it shall join with copies of everything, run again with -e postgresql_join={host}; the member "
                    "that was lost is forgotten then.",
                ),
            )


def _alike(seen: Mapping[str, Seen], settings: Seen) -> Iterator[tuple[str, Said]]:
    """What should be the same on all hosts."""
    systems = {host: f"{each['os']['id']} {each['os']['version']}" for host, each in seen.items()}
    yield from _differ(
        systems,
        "os_same",
        "runs {}",
        "Different C libraries sort texts differently, which breaks indexes: use one system.",
    )
    versions = {host: str(each["version"]) for host, each in seen.items()}
    yield from _differ(
        versions, "version_same", "would get PostgreSQL {}", "Set postgresql_version to one that all hosts have."
    )
    memory = {host: f"{round(each['memory_mib'] / 1024)} GiB" for host, each in seen.items()}
    if not settings.get("memory_mib"):
        yield from _differ(
            memory, "memory_same", "has {} of memory", "All are tuned for the smallest, as each may become the primary."
        )
    if settings.get("shared_repository"):
        uids = {
            host: f"user id {each['postgres_uid']}" for host, each in seen.items() if each["postgres_uid"] is not None
        }
        yield from _differ(
            uids,
            "backup",
            "its account postgres has the {}",
            "Give the account the same id on all hosts, or backups that one writes cannot be read by another.",
        )


def _differ(values: Mapping[str, str], check: str, what: str, mend: str) -> Iterator[tuple[str, Said]]:
    if len(set(values.values())) < 2:
        return
    for host, value in values.items():
        others = sorted({its for its in values.values() if its != value})
        yield host, (check, f"{what.format(value)}; others: {', '.join(others)}.", mend)
