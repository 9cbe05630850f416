# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that write: one by the address in front of the databases, one by the names of all hosts."""

from __future__ import annotations

import itertools
import time

from .site import CLIENT, HERE, HOSTS, Databases

THREADS = 3
#: What docs/guides/databases.md tells clients: who does not answer is gone after 3 s.
OPTIONS = (
    "dbname=ledger user=ledger sslmode=verify-full sslrootcert=/root/ca.crt connect_timeout=2 "
    "tcp_user_timeout=3000 keepalives_idle=2 keepalives_interval=1 keepalives_count=2"
)
ANSWERED = "/root/acknowledged"


class Clients:
    """All that write, and what was acknowledged to them."""

    def __init__(self, databases: Databases) -> None:
        self._all = databases
        hosts = ",".join(databases.address(host) for host in HOSTS)
        several = f"host={hosts} target_session_attrs=read-write"
        self._ways = {"address": f"host={databases.vip}", "hosts": several}

    def start(self) -> None:
        from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql import passwords

        secret = self._all.run("db1", "cat /etc/k8s-self-provisioning/postgresql/secret").strip()
        self._all.sql("CREATE TABLE IF NOT EXISTS written (thread bigint, number bigint);")
        self._all.sql("ALTER TABLE written OWNER TO ledger;")
        ca = self._all.run("db1", "cat /etc/k8s-self-provisioning/postgresql/ca.crt")
        line = f"*:*:*:ledger:{passwords.derived(secret, 'role ledger')}\n"
        script = (HERE / "writer.py").read_text(encoding="utf-8")
        for path, content in (("ca.crt", ca), ("writer.py", script), (".pgpass", line)):
            self._all.run(CLIENT, f"umask 077; cat > /root/{path}", given=content)
        self.stop()
        for name, way in self._ways.items():
            self._all.run(
                CLIENT,
                f"systemd-run --quiet --unit=writer-{name} --setenv=HOME=/root "
                f"python3 /root/writer.py '{way} port=5432 {OPTIONS}' {ANSWERED}-{name} {THREADS}",
            )
        self.wait(0)

    def stop(self) -> None:
        self._all.run(CLIENT, "systemctl stop 'writer-*' 2> /dev/null; systemctl reset-failed 2> /dev/null; true")

    def wait(self, since: float, seconds: int = 180) -> None:
        """Wait until each was answered after a time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if min(self._last(name) for name in self._ways) > since:
                return
            time.sleep(0.2)
        raise SystemExit(f"Nothing was written for {seconds} s: {self._all.members()}, on {self._all.holders()}")

    def gaps(self, since: float) -> dict[str, float]:
        """The longest time without a commit after a time, by way."""
        found = {}
        for name in self._ways:
            times = [when for when, _thread, _number in self._acknowledged(name) if when >= since - 1]
            found[name] = round(max((later - sooner for sooner, later in itertools.pairwise(times)), default=0.0), 1)
        return found

    def lost(self) -> tuple[int, int]:
        """How many commits were acknowledged, and how many of them are not there."""
        # In this order: what is acknowledged while the table is read would seem to be lost.
        noted = {(thread, number) for name in self._ways for _when, thread, number in self._acknowledged(name)}
        there = {tuple(map(int, line.split("|"))) for line in self._all.sql("SELECT * FROM written;").splitlines()}
        return len(noted), len(noted - there)

    def _acknowledged(self, name: str) -> list[tuple[float, int, int]]:
        text = self._all.run(CLIENT, f"cat {ANSWERED}-{name} 2> /dev/null; true")
        rows = [line.split() for line in text.splitlines()]
        return [(float(row[0]), int(row[1]), int(row[2])) for row in rows if len(row) == 3]

    def _last(self, name: str) -> float:
        line = self._all.run(CLIENT, f"tail -n 1 {ANSWERED}-{name} 2> /dev/null; true").split()
        return float(line[0]) if len(line) == 3 else 0.0
