# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault that the preflight of the databases knows, on hosts that are otherwise well."""

from __future__ import annotations

import copy
import typing as t
from collections.abc import Callable

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._hosts.finding import Finding
from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql.check import CHECKS, preflight
from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql.look import safe_etcd_api

Host = dict[str, t.Any]
Fleet = dict[str, Host]
NOW = 1_800_000_000.0
SETTINGS: dict[str, t.Any] = {
    "cluster": "database",
    "group": "database",
    "folder": "/etc/databases",
    "disk_minimums": {"/var/lib/postgresql": 10_000},
    "packages": ["patroni", "etcd-server"],
    "ports": [2379, 5432, 8008],
    "vip": "10.50.0.10",
    "clock_skew": 10,
    "ttl": 20,
    "loop_wait": 5,
    "retry_timeout": 5,
}


def host(number: int) -> Host:
    address = f"10.50.0.{10 + number}"
    seen = {
        "uid": 0,
        "os": {"id": "debian", "version": "12", "name": "Debian GNU/Linux 12"},
        "cores": 8,
        "memory_mib": 32_000,
        "time": NOW,
        "interfaces": [{"name": "eno1", "addresses": [f"{address}/24"]}],
        "listening": [{"port": 22, "loopback": False, "process": "sshd"}],
        "filesystems": {"/var/lib/postgresql": {"free_mib": 100_000}},
        "version": "15",
        "data_folder": "/var/lib/postgresql/15/database",
        "candidates": {"postgresql-15": "15.8", "patroni": "3.0", "etcd-server": "3.4"},
        "package_lists": True,
        "ca": "",
        "secret": "",
        "data": False,
        "etcd_data": False,
        "patroni": "3.0",
        "etcd_api": {"used": "", "safe": "etcd"},
        "other_data": [],
        "scope": "",
        "postgres_uid": None,
        "watchdog": True,
        "folders": {"/srv/backup": True},
    }
    return {"seen": seen, "expect": {"address": address, "controller_time": NOW}}


def change(number: int, **values: t.Any) -> Callable[[Fleet, dict[str, t.Any]], None]:
    return lambda fleet, _settings: fleet[f"db{number}"]["seen"].update(values)


def settings(**values: t.Any) -> Callable[[Fleet, dict[str, t.Any]], None]:
    return lambda _fleet, given: given.update(values)


def broken_off(fleet: Fleet, _settings: dict[str, t.Any]) -> None:
    """A first run has started etcd, and came no further."""
    for each in fleet.values():
        each["seen"].update(etcd_data=True, listening=[{"port": 2379, "loopback": False, "process": "etcd"}])


def lost(fleet: Fleet, _settings: dict[str, t.Any]) -> None:
    fleet["db2"] = {"unreachable": True, "msg": "Connection timed out"}


def left_out(fleet: Fleet, _settings: dict[str, t.Any]) -> None:
    del fleet["db3"]


def both(*changes: Callable[[Fleet, dict[str, t.Any]], None]) -> Callable[[Fleet, dict[str, t.Any]], None]:
    def apply(fleet: Fleet, given: dict[str, t.Any]) -> None:
        for each in changes:
            each(fleet, given)

    return apply


def named(fleet: Fleet, _settings: dict[str, t.Any]) -> None:
    fleet["db2"]["expect"]["address"] = "db2.example.edu"


def elsewhere(fleet: Fleet, _settings: dict[str, t.Any]) -> None:
    fleet["db2"]["expect"]["address"] = "10.50.0.99"


def running(*members: int) -> Callable[[Fleet, dict[str, t.Any]], None]:
    """Databases run; only some hosts have their etcd."""
    return both(
        *(change(number, scope="database", data=True) for number in members),
        *(change(number, etcd_data=True) for number in members),
    )


def twice(fleet: Fleet, _settings: dict[str, t.Any]) -> None:
    fleet["db2"] = copy.deepcopy(fleet["db1"])


FAULTS: list[tuple[str, Callable[[Fleet, dict[str, t.Any]], None], str, str]] = [
    ("reachable", lost, "db2", "Connection timed out"),
    ("root", change(1, uid=1000), "db1", "as user 1000"),
    ("os", change(1, os={"id": "debian", "version": "11", "name": "Debian 11"}), "db1", "runs Debian 11"),
    ("os_same", change(2, os={"id": "ubuntu", "version": "24.04", "name": "Ubuntu"}), "db2", "runs ubuntu 24.04"),
    ("members", left_out, "db1", "2 hosts are in the group"),
    ("limit", left_out, "db1", "leaves out db3"),
    ("memory", settings(memory_mib=64_000), "db1", "has 32000 MiB"),
    ("memory_same", change(3, memory_mib=16_000), "db3", "has 16 GiB"),
    ("disk", change(1, filesystems={"/var/lib/postgresql": {"free_mib": 10}}), "db1", "has 10 MiB free"),
    ("packages", change(1, candidates={"postgresql-15": "15.8", "patroni": "3"}), "db1", "etcd-server"),
    ("version", change(1, version="16"), "db1", "no package postgresql-16; it has postgresql-15"),
    ("version_same", change(1, version="16"), "db1", "would get PostgreSQL 16"),
    ("address", named, "db2", "which is a name"),
    ("address", elsewhere, "db2", "does not have the address 10.50.0.99; it has 10.50.0.12"),
    ("address_unique", twice, "db2", "like db1"),
    ("vip", settings(vip="10.60.0.1"), "db1", "10.60.0.1 is not in its network 10.50.0.0/24"),
    ("vip", settings(vip="10.50.0.12"), "db2", "is its own address"),
    ("ports", change(1, listening=[{"port": 5432, "loopback": False, "process": "postgres"}]), "db1", "port 5432"),
    ("ports", change(1, listening=[{"port": 2379, "loopback": False, "process": "etcd"}]), "db1", "etcd listens"),
    (
        "ports",
        both(broken_off, change(1, listening=[{"port": 2379, "loopback": False, "process": ""}])),
        "db1",
        "something",
    ),
    ("leftovers", change(1, other_data=["/var/lib/postgresql/15/main"]), "db1", "15/main"),
    ("cluster", change(1, scope="other"), "db1", "belongs to the database cluster other"),
    ("cluster", change(1, data=True), "db1", "no Patroni of ours made"),
    ("identity", both(change(1, ca="aa"), change(2, ca="bb")), "db2", "another certificate authority"),
    ("identity", both(change(1, secret="aa"), change(2, secret="bb")), "db2", "another secret"),
    ("etcd_api", change(2, etcd_api={"used": "etcd3", "safe": "etcd"}), "db2", "runs Patroni 3.0 with API 3"),
    ("join", running(1, 3), "db2", "has no data of etcd, unlike db1, db3"),
    ("majority", running(3), "db3", "only db3 of 3 hosts"),
    ("clock", change(1, time=NOW - 60), "db1", "60 s behind"),
    ("timing", settings(retry_timeout=10), "db1", "is less than postgresql_loop_wait"),
    ("watchdog", both(settings(watchdog="required"), change(1, watchdog=False)), "db1", "no /dev/watchdog"),
    ("backup", change(1, folders={"/srv/backup": False}), "db1", "no folder /srv/backup"),
    (
        "backup",
        both(settings(shared_repository=True), change(1, postgres_uid=101), change(2, postgres_uid=102)),
        "db1",
        "user id 101; others: user id 102",
    ),
]


def judge(*changes: Callable[[Fleet, dict[str, t.Any]], None]) -> list[Finding]:
    fleet = {f"db{number}": host(number) for number in (1, 2, 3)}
    given = copy.deepcopy(SETTINGS)
    group = list(fleet)
    for each in changes:
        each(fleet, given)
    return preflight(fleet, list(fleet) if left_out in changes and given.get("short") else group, given)


def test_hosts_that_are_well() -> None:
    assert judge() == []


def test_a_fresh_host_that_has_never_asked_for_packages_is_well() -> None:
    assert judge(change(1, candidates={}, package_lists=False)) == []


@pytest.mark.parametrize(
    "well",
    [
        both(running(1, 3), settings(join=["db2"])),
        running(1, 2, 3),
        # A first run was interrupted: nothing can be lost yet.
        change(1, etcd_data=True),
        broken_off,
        change(1, etcd_api={"used": "etcd", "safe": "etcd3"}),
    ],
)
def test_what_may_join_is_well(well: Callable[[Fleet, dict[str, t.Any]], None]) -> None:
    assert judge(well) == []


@pytest.mark.parametrize(
    ("version", "api"),
    [
        ("2.1.2-1", "etcd"),
        ("3.0.2-1", "etcd"),
        ("3.0.3-1.pgdg120+1", "etcd3"),
        ("3.2.2-2", "etcd3"),
        ("4.1.4", "etcd3"),
    ],
)
def test_patroni_uses_an_api_in_which_it_overwrites_no_leader(version: str, api: str) -> None:
    assert safe_etcd_api(version) == api


@pytest.mark.parametrize(
    ("check", "fault", "name", "what"), FAULTS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_fault_is_found_with_its_mend(
    check: str, fault: Callable[[Fleet, dict[str, t.Any]], None], name: str, what: str
) -> None:
    if check == "members":
        found = preflight({f"db{number}": host(number) for number in (1, 2)}, ["db1", "db2"], SETTINGS)
    else:
        found = judge(fault)
    mine = [each for each in found if (each.host, each.check) == (name, check) and what in each.what]
    assert len(mine) == 1, found
    assert mine[0].mend.endswith(".")
    assert mine[0].severity == CHECKS[check]


def test_a_host_that_took_long_to_answer_is_well() -> None:
    def slow(fleet: Fleet, _settings: dict[str, t.Any]) -> None:
        fleet["db1"]["expect"]["controller_time_after"] = NOW + 60

    assert judge(change(1, time=NOW + 50), slow) == []
    assert [each.check for each in judge(change(1, time=NOW + 90), slow)] == ["clock"]


def test_numbers_may_be_text() -> None:
    """As templates give them before ansible-core 2.19, and -e with every one."""

    def text(fleet: Fleet, given: dict[str, t.Any]) -> None:
        for each in fleet.values():
            each["expect"]["controller_time"] = str(NOW)
        given |= {key: str(value) for key, value in given.items() if isinstance(value, int)}

    assert judge(text, settings(memory_mib="16000")) == []
    assert {each.check for each in judge(text, change(1, time=NOW - 60), settings(ttl="2"))} == {"clock", "timing"}


def test_nothing_has_to_be_expected_of_a_host() -> None:
    def nothing(fleet: Fleet, _settings: dict[str, t.Any]) -> None:
        for each in fleet.values():
            each["expect"] = {}

    assert judge(nothing, settings(vip="10.50.0.100")) == []


def test_every_check_is_tried() -> None:
    assert {check for check, *_rest in FAULTS} == set(CHECKS)


def test_all_faults_at_once() -> None:
    found = judge(change(1, uid=1), change(2, time=NOW - 60), change(3, scope="other"))
    assert [(each.host, each.check) for each in found] == [("db1", "root"), ("db2", "clock"), ("db3", "cluster")]


@pytest.mark.parametrize(
    ("severity", "found"), [("ignore", []), ("warning", ["warning"]), ("error", ["error"]), ("warn", ["error"])]
)
def test_what_a_check_means_can_be_chosen(severity: str, found: list[str]) -> None:
    assert [e.severity for e in judge(change(1, uid=1), settings(severity={"root": severity}))] == found
