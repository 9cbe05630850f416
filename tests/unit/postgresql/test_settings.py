# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings by memory, lines of pg_hba.conf, passwords, and what is sent to Patroni and PostgreSQL."""

from __future__ import annotations

import base64
import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.k8s.self_provisioning.plugins.filter import postgresql as filters
from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql import passwords, patroni, sql

SECRET = "0123456789abcdef0123456789abcdef"
NODES = ["10.0.0.1", "2001:db8::2"]


def mib(text: t.Any) -> int:
    return int(str(text).removesuffix("MB"))


@pytest.mark.parametrize(
    ("memory", "shared", "cache", "work", "maintenance"),
    [
        (1024, 256, 768, 4, 64),
        (3900, 960, 2880, 4, 240),
        (16384, 4096, 12288, 15, 1024),
        (65536, 16384, 49152, 61, 2048),
        (524288, 16384, 393216, 256, 2048),
    ],
)
def test_settings_follow_from_memory(memory: int, shared: int, cache: int, work: int, maintenance: int) -> None:
    found = filters.postgresql_parameters(memory, 8, 200)
    names = ("shared_buffers", "effective_cache_size", "work_mem", "maintenance_work_mem")
    assert [mib(found[name]) for name in names] == [shared, cache, work, maintenance]
    assert found["max_parallel_workers"] == 8


@given(st.integers(512, 2**21), st.integers(1, 256), st.integers(1, 2000))
def test_the_cache_leaves_room_and_grows_with_memory(memory: int, cores: int, connections: int) -> None:
    found, more = (filters.postgresql_parameters(each, cores, connections) for each in (memory, memory + 64))
    assert mib(found["shared_buffers"]) <= memory // 4
    assert mib(found["shared_buffers"]) <= mib(more["shared_buffers"])
    assert mib(found["work_mem"]) >= 4
    assert found["max_parallel_workers"] <= found["max_worker_processes"]


def test_a_kernel_that_keeps_a_little_more_changes_nothing() -> None:
    assert filters.postgresql_parameters(15_987) == filters.postgresql_parameters(15_940)


@pytest.mark.parametrize("given_", [(100, 2, 10), (1024, 0, 10), (1024, 2, 0)])
def test_no_settings_for_no_host(given_: tuple[int, int, int]) -> None:
    with pytest.raises(AnsibleFilterError, match="at least 256, 1 and 1"):
        filters.postgresql_parameters(*given_)


def test_each_role_reaches_its_own_database_and_everything_else_is_rejected() -> None:
    shop = {"name": "shop", "owner": "shop_owner"}
    found = filters.postgresql_hba(NODES, ["replicator"], [shop])
    assert found == [
        "local all postgres peer",
        "hostssl replication replicator 127.0.0.1/32 scram-sha-256",
        "hostssl postgres replicator 127.0.0.1/32 scram-sha-256",
        "hostssl replication replicator ::1/128 scram-sha-256",
        "hostssl postgres replicator ::1/128 scram-sha-256",
        "hostssl replication replicator 10.0.0.1/32 scram-sha-256",
        "hostssl postgres replicator 10.0.0.1/32 scram-sha-256",
        "hostssl replication replicator 2001:db8::2/128 scram-sha-256",
        "hostssl postgres replicator 2001:db8::2/128 scram-sha-256",
        "host all postgres all reject",
        "hostssl shop shop_owner 10.0.0.1/32 scram-sha-256",
        "hostssl shop shop_owner 2001:db8::2/128 scram-sha-256",
        "host all all all reject",
    ]


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (
            {"database": "all", "user": "monitor", "address": "10.1.0.0/16"},
            "hostssl all monitor 10.1.0.0/16 scram-sha-256",
        ),
        ({"type": "local", "database": ["a", "b"], "user": "x", "method": "peer"}, "local a,b x peer"),
        (
            {"database": "a", "user": "with space", "address": "10.1.0.1", "method": "cert", "options": "map=m"},
            'hostssl a "with space" 10.1.0.1/32 cert map=m',
        ),
    ],
)
def test_rules_of_the_inventory_come_before_those_of_tenants(rule: dict[str, t.Any], line: str) -> None:
    found = filters.postgresql_hba(NODES, [], [{"name": "shop", "owner": "shop"}], [rule])
    assert found.index("host all postgres all reject") < found.index(line)
    assert found.index(line) < found.index("hostssl shop shop 10.0.0.1/32 scram-sha-256")


@pytest.mark.parametrize("name", ['a"b', "a\nhost all all all trust"])
def test_a_name_cannot_smuggle_a_rule(name: str) -> None:
    with pytest.raises(AnsibleFilterError, match="cannot stand in"):
        filters.postgresql_hba(NODES, [], [], [{"database": name, "user": "x", "address": "10.0.0.1"}])


def test_a_rule_without_an_address_is_told() -> None:
    with pytest.raises(AnsibleFilterError, match="'address' is missing"):
        filters.postgresql_hba(NODES, [], [], [{"database": "a", "user": "x"}])


def test_passwords_follow_from_the_secret_the_purpose_and_the_generation() -> None:
    found = {
        filters.postgresql_password(secret, purpose, generation)
        for secret in (SECRET, SECRET[::-1])
        for purpose in ("a", "b")
        for generation in (1, 2)
    }
    assert len(found) == 8
    assert filters.postgresql_password(SECRET + "\n", "a") == filters.postgresql_password(SECRET, "a")
    with pytest.raises(AnsibleFilterError, match="at least 32"):
        filters.postgresql_password("short", "a")


def test_a_password_that_was_given_stays() -> None:
    mine, derived = filters.postgresql_with_passwords([{"owner": "a", "password": "p"}, {"owner": "b"}], SECRET)
    assert mine["password"] == "p"
    assert derived["password"] == filters.postgresql_password(SECRET, "role b")


def test_the_verifier_is_that_of_rfc_7677() -> None:
    # user, password, salt and iterations of the RFC's example; the server's signature there follows from ServerKey
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    stored = passwords.verifier("pencil", salt, 4096)
    assert stored == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )
    assert passwords.matches("pencil", stored)
    assert not passwords.matches("pen", stored)
    assert not passwords.matches("pencil", "md5abc")


@pytest.mark.parametrize(
    ("have", "want", "change"),
    [
        ({"ttl": 20}, {"ttl": 20}, {}),
        ({"ttl": "20"}, {"ttl": 20}, {}),
        ({"ttl": 30, "other": 1}, {"ttl": 20}, {"ttl": 20}),
        (
            {"postgresql": {"parameters": {"work_mem": "4MB", "old": 1}, "use_slots": True}},
            {"postgresql": {"parameters": {"work_mem": "8MB"}}},
            {"postgresql": {"parameters": {"work_mem": "8MB", "old": None}}},
        ),
        ({"postgresql": {"pg_hba": ["a"]}}, {"postgresql": {"pg_hba": ["b"]}}, {"postgresql": {"pg_hba": ["b"]}}),
        ({"slots": {"old": {"type": "physical"}}}, {"slots": {}}, {"slots": {"old": None}}),
    ],
)
def test_only_what_differs_is_sent(have: dict[str, t.Any], want: dict[str, t.Any], change: dict[str, t.Any]) -> None:
    assert patroni.patch(have, want) == change


def test_followers_restart_before_the_leader() -> None:
    roles = {"db1": "leader", "db2": "sync_standby", "db3": "replica"}
    assert patroni.followers_first({name: {"role": role} for name, role in roles.items()}) == ["db3", "db2", "db1"]


EMPTY: dict[str, t.Any] = {"roles": {"postgres": {"special": True}}, "databases": {}}
SHOP = {"name": "shop", "owner": "shop", "password": "secret", "connection_limit": 20}


def steps(wanted: list[dict[str, t.Any]], now: dict[str, t.Any]) -> list[str]:
    return [words for words, _sql in sql.plan(wanted, now, lambda: b"0" * 16)]


def there(**changes: t.Any) -> dict[str, t.Any]:
    """The shop as it should be, but for the changes."""
    role = {"password": passwords.verifier("secret", b"1" * 16), "login": True, "special": False}
    base = {"owner": "shop", "connections": 20, "public": False}
    return {
        "roles": {"shop": {**role, **{k: v for k, v in changes.items() if k in role}}},
        "databases": {"shop": {**base, **{k: v for k, v in changes.items() if k in base}}},
    }


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (
            EMPTY,
            [
                "role shop: new",
                "database shop: new",
                "database shop: closed to others",
                "database shop: 20 connections",
            ],
        ),
        (there(), []),
        (there(password="other"), ["role shop: another password"]),
        (there(login=False), ["role shop: may log in"]),
        (there(connections=5), ["database shop: 20 connections"]),
        (there(public=True), ["database shop: closed to others"]),
    ],
)
def test_databases_become_as_declared(now: dict[str, t.Any], words: list[str]) -> None:
    assert steps([SHOP], now) == words


def test_no_password_is_in_the_sql() -> None:
    assert not [text for _words, text in sql.plan([SHOP], EMPTY, lambda: b"0" * 16) if "secret" in text]


@pytest.mark.parametrize(
    ("wanted", "now", "why"),
    [
        ({**SHOP, "owner": "replicator"}, EMPTY, "cannot be used"),
        ({**SHOP, "name": "template1"}, EMPTY, "cannot be used"),
        ({**SHOP, "name": 'x"; DROP'}, EMPTY, "cannot be used"),
        (SHOP, there(special=True), "special rights"),
        (SHOP, there(owner="somebody"), "belongs to somebody"),
    ],
)
def test_nobody_takes_what_is_not_theirs(wanted: dict[str, t.Any], now: dict[str, t.Any], why: str) -> None:
    assert any(why in each for each in sql.problems([wanted], now))


def test_what_nobody_declares_is_told_and_stays() -> None:
    assert sql.undeclared([SHOP], {"databases": {"shop": {}, "old": {}, "postgres": {}, "template1": {}}}) == ["old"]
