# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three database hosts and a client that writes."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from tests.hosts.engine import podman
from tests.hosts.rig import Rig

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
HOSTS = ("db1", "db2", "db3")
CLIENT = "client"
THREADS = 4
PLATFORMS = [
    *({"name": name, "groups": ["database"], "shared": "/srv/backup"} for name in HOSTS),
    {"name": CLIENT, "groups": ["client"]},
]
ANSIBLE = str(Path(sys.executable).with_name("ansible-playbook"))


class Databases:
    """The hosts, and what is asked of them."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig(folder)

    def container(self, host: str) -> str:
        return f"{self.rig.id}-{host}"

    def run(self, host: str, command: str, *, check: bool = True, given: str | None = None) -> str:
        return podman("exec", "--interactive", self.container(host), "sh", "-c", command, check=check, given=given)

    def play(self, name: str, **values: t.Any) -> str:
        """Run a playbook and return what it printed."""
        command = [ANSIBLE, "-i", str(self.rig.inventory), str(HERE / f"{name}.yml"), "-e", json.dumps(values)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{name} failed:\n{done.stdout[-6000:]}{done.stderr[-3000:]}")
        return done.stdout

    def address(self, host: str) -> str:
        return self.run(host, "hostname -I").split()[0]

    def members(self) -> dict[str, dict[str, t.Any]]:
        for host in HOSTS:
            text = self.run(host, "timeout 5 patronictl -c /etc/patroni/config.yml list -f json", check=False)
            try:
                return {each["Member"]: each for each in json.loads(text)}
            except ValueError:
                continue
        return {}

    def leader(self, seconds: int = 120) -> str:
        """Who leads; waits while nobody does."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for name, each in self.members().items():
                if each["Role"] == "Leader" and each["State"] == "running":
                    return name
            time.sleep(1)
        raise SystemExit(f"Nobody leads: {self.members()}")

    def settle(self, seconds: int = 240) -> None:
        """Wait until all three run and one of them follows synchronously."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.members()
            well = [each for each in found.values() if each["State"] in ("running", "streaming")]
            if len(well) == len(HOSTS) and {"Leader", "Sync Standby"} <= {each["Role"] for each in well}:
                return
            time.sleep(1)
        raise SystemExit(f"The databases do not come back: {self.members()}")

    def sql(self, text: str, database: str = "ledger") -> str:
        command = f"runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -p 5434 -d {database}"
        return self.run(self.leader(), command, given=text)

    def process(self, host: str) -> int:
        """The number that a host's first process has on this machine."""
        return int(podman("inspect", "--format", "{{.State.Pid}}", self.container(host)))


class Writer:
    """The client that writes, and notes what was acknowledged."""

    def __init__(self, databases: Databases) -> None:
        self._all = databases
        self._file = "/root/acknowledged"

    def start(self) -> None:
        secret = self._all.run("db1", "cat /etc/k8s-self-provisioning/postgresql/secret").strip()
        sys.path.insert(0, str(ROOT / ".cache" / "collections"))
        from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql import passwords

        self._all.sql(
            "CREATE TABLE IF NOT EXISTS written (thread bigint, number bigint, PRIMARY KEY (thread, number));"
        )
        self._all.sql("ALTER TABLE written OWNER TO ledger;")
        ca = self._all.run("db1", "cat /etc/k8s-self-provisioning/postgresql/ca.crt")
        self._all.run(CLIENT, "cat > /root/ca.crt", given=ca)
        self._all.run(CLIENT, "cat > /root/writer.py", given=(HERE / "writer.py").read_text(encoding="utf-8"))
        password = passwords.derived(secret, "role ledger")
        line = f"*:*:*:ledger:{password}\n"
        self._all.run(CLIENT, "umask 077; cat > /root/.pgpass", given=line)
        hosts = ",".join(self._all.address(host) for host in HOSTS)
        where = (
            f"host={hosts} port=5432,5432,5432 dbname=ledger user=ledger connect_timeout=2 sslmode=verify-full "
            "sslrootcert=/root/ca.crt target_session_attrs=read-write tcp_user_timeout=3000"
        )
        self.stop()
        self._all.run(
            CLIENT,
            "systemd-run --quiet --unit=writer --setenv=HOME=/root "
            f"python3 /root/writer.py '{where}' {self._file} {THREADS}",
        )
        self.wait(0)

    def stop(self) -> None:
        self._all.run(CLIENT, "systemctl stop writer 2> /dev/null; systemctl reset-failed writer 2> /dev/null; true")

    def acknowledged(self) -> list[tuple[float, int, int]]:
        rows = [line.split() for line in self._all.run(CLIENT, f"cat {self._file} 2> /dev/null; true").splitlines()]
        return [(float(row[0]), int(row[1]), int(row[2])) for row in rows if len(row) == 3]

    def last(self) -> float:
        line = self._all.run(CLIENT, f"tail -n 1 {self._file} 2> /dev/null; true").split()
        return float(line[0]) if len(line) == 3 else 0.0

    def wait(self, since: float, seconds: int = 180) -> None:
        """Wait until something was acknowledged after a time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.last() > since:
                return
            time.sleep(0.2)
        raise SystemExit(f"Nothing was written for {seconds} s: {self._all.members()}")

    def gap(self, since: float) -> float:
        """The longest time without a commit after a time."""
        times = [when for when, _thread, _number in self.acknowledged() if when >= since - 1]
        return max((later - sooner for sooner, later in itertools.pairwise(times)), default=0.0)

    def lost(self) -> tuple[int, int]:
        """How many commits were acknowledged, and how many of them are not there."""
        # In this order: what is acknowledged while the table is read would seem to be lost.
        noted = {(thread, number) for _when, thread, number in self.acknowledged()}
        there = {tuple(map(int, line.split("|"))) for line in self._all.sql("SELECT * FROM written;").splitlines()}
        return len(noted), len(noted - there)
