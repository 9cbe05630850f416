# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to the databases. Each fault returns what undoes it, which is done when clients can write again."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.hosts.engine import podman

from .site import HOSTS, Databases

Undo = Callable[[], None]


def _hold(databases: Databases, host: str) -> None:
    """Let a host hold the address."""
    others = [each for each in HOSTS if each != host]
    for each in others:
        databases.run(each, "systemctl stop keepalived")
    deadline = time.monotonic() + 30
    while databases.holders() != [host] and time.monotonic() < deadline:
        time.sleep(0.5)
    for each in others:
        databases.run(each, "systemctl start keepalived")
    databases.settle()


def _power_off(databases: Databases, host: str) -> Undo:
    # The cable first: the kernel would close the connections of a container's programs, as no dead host does.
    databases.cable(host, "down")
    podman("kill", "--signal=KILL", databases.container(host))
    podman("stop", "--time=0", databases.container(host), check=False)
    return lambda: podman("start", databases.container(host)) and None


def kill(databases: Databases) -> Undo:
    """The primary's host loses its power."""
    return _power_off(databases, databases.leader())


def kill_holder(databases: Databases) -> Undo:
    """The host that holds the address loses its power."""
    return _power_off(databases, databases.holders()[0])


def together(databases: Databases) -> None:
    """The primary holds the address as well."""
    _hold(databases, databases.leader())


def apart(databases: Databases) -> None:
    """The primary is not the host that holds the address."""
    leader = databases.leader()
    _hold(databases, next(host for host in HOSTS if host != leader))


def as_it_is(databases: Databases) -> None:
    del databases


def cut(databases: Databases) -> Undo:
    """The primary's host no longer reaches the other two; clients still reach it."""
    host = databases.leader()
    others = [databases.address(each) for each in HOSTS if each != host]
    rules = [[way, flag, other] for other in others for way, flag in (("INPUT", "-s"), ("OUTPUT", "-d"))]
    for way, *match in rules:
        databases.within(host, "iptables", "-I", way, *match, "-j", "DROP")

    def undo() -> None:
        for way, *match in rules:
            databases.within(host, "iptables", "-D", way, *match, "-j", "DROP")

    return undo


def freeze(databases: Databases) -> Undo:
    """The primary's host stands still, then goes on as if nothing had been."""
    host = databases.leader()
    # The kernel of a container would go on answering, so its cable is out as well.
    databases.cable(host, "down")
    podman("pause", databases.container(host))

    def undo() -> None:
        podman("unpause", databases.container(host))
        databases.cable(host, "up")

    return undo


def crash(databases: Databases) -> Undo:
    """PostgreSQL on the primary is killed."""
    databases.run(databases.leader(), "kill -9 $(head -n 1 /var/lib/postgresql/*/database/postmaster.pid)")
    return lambda: None


def switch(databases: Databases) -> Undo:
    """A planned switchover."""
    databases.run(databases.leader(), "patronictl -c /etc/patroni/config.yml switchover --force")
    return lambda: None


def no_etcd(databases: Databases) -> Undo:
    """All of etcd is away for 40 s, which is longer than a leader may be silent."""
    for host in HOSTS:
        databases.run(host, "systemctl stop etcd")

    def undo() -> None:
        time.sleep(40)
        for host in HOSTS:
            databases.run(host, "systemctl start --no-block etcd")

    return undo


#: By name: what comes before, and the fault.
FAULTS: dict[str, tuple[Callable[[Databases], None], Callable[[Databases], Undo]]] = {
    "switchover": (as_it_is, switch),
    "PostgreSQL killed": (as_it_is, crash),
    "primary killed": (apart, kill),
    "primary killed, with the address": (together, kill),
    "only the address killed": (apart, kill_holder),
    "primary cut off": (apart, cut),
    "primary cut off, with the address": (together, cut),
    "primary frozen": (as_it_is, freeze),
    "etcd away": (as_it_is, no_etcd),
}
