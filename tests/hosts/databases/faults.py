# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to the databases. Each fault returns what undoes it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from tests.hosts.engine import podman

from .site import HOSTS, Databases


def kill(databases: Databases) -> Callable[[], None]:
    """The primary's host loses its power, and comes back after half a minute."""
    host = databases.leader()
    container = databases.container(host)
    # All processes at once: nothing can say good-bye.
    podman("kill", "--signal=KILL", container)
    podman("stop", "--time=0", container, check=False)

    def mend() -> None:
        time.sleep(30)
        podman("start", container)

    return mend


def cut(databases: Databases) -> Callable[[], None]:
    """The primary's host no longer reaches the others; clients still reach it."""
    host = databases.leader()
    others = [databases.address(each) for each in HOSTS if each != host]
    enter = ["nsenter", f"--target={databases.process(host)}", "--net", "iptables"]
    rules = [[way, flag, other] for other in others for way, flag in (("INPUT", "-s"), ("OUTPUT", "-d"))]
    for way, flag, other in rules:
        subprocess.run([*enter, "-I", way, flag, other, "-j", "DROP"], check=True)

    def mend() -> None:
        time.sleep(30)
        for way, flag, other in rules:
            subprocess.run([*enter, "-D", way, flag, other, "-j", "DROP"], check=True)

    return mend


def freeze(databases: Databases) -> Callable[[], None]:
    """The primary's host stands still for 40 s and then goes on as if nothing had been."""
    container = databases.container(databases.leader())
    podman("pause", container)

    def mend() -> None:
        time.sleep(40)
        podman("unpause", container)

    return mend


def crash(databases: Databases) -> Callable[[], None]:
    """PostgreSQL on the primary is killed."""
    databases.run(databases.leader(), "kill -9 $(head -n 1 /var/lib/postgresql/*/database/postmaster.pid)")
    return lambda: None


def switch(databases: Databases) -> Callable[[], None]:
    """A planned switchover."""
    databases.run(databases.leader(), "patronictl -c /etc/patroni/config.yml switchover --force")
    return lambda: None


def no_etcd(databases: Databases) -> Callable[[], None]:
    """All of etcd is away for 40 s."""
    for host in HOSTS:
        databases.run(host, "systemctl stop etcd")

    def mend() -> None:
        time.sleep(40)
        for host in HOSTS:
            databases.run(host, "systemctl start --no-block etcd")

    return mend


FAULTS: dict[str, Callable[[Databases], Callable[[], None]]] = {
    "host killed": kill,
    "host cut off": cut,
    "host frozen": freeze,
    "PostgreSQL killed": crash,
    "switchover": switch,
    "etcd away": no_etcd,
}
