# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills, cuts off, freezes and switches the primary while a client writes, and counts what was acknowledged and lost.

python -m tests.hosts.databases FOLDER          everything; leaves nothing behind
--rounds N                                      how often each fault (default 3)
--keep                                          leave the hosts for a look
--only faults|restore|memory                    a part, on hosts that an earlier run with --keep has left
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable
from pathlib import Path

from tests.hosts.engine import podman
from tests.hosts.rig import Rig, ancestor

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

    def leader(self) -> str:
        return next((name for name, each in self.members().items() if each["Role"] == "Leader"), "")

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
        from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql import passwords  # noqa: PLC0415

        self._all.sql("CREATE TABLE IF NOT EXISTS written (thread bigint, number bigint, PRIMARY KEY (thread, number));")
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
            f"systemd-run --quiet --unit=writer --setenv=HOME=/root python3 /root/writer.py '{where}' {self._file} {THREADS}",
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
        return max((later - sooner for sooner, later in zip(times, times[1:], strict=False)), default=0.0)

    def lost(self) -> tuple[int, int]:
        """How many commits were acknowledged, and how many of them are not there."""
        there = {tuple(map(int, line.split("|"))) for line in self._all.sql("SELECT * FROM written;").splitlines()}
        noted = {(thread, number) for _when, thread, number in self.acknowledged()}
        return len(noted), len(noted - there)


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


def faults(databases: Databases, rounds: int) -> dict[str, t.Any]:
    """Every fault, several times, and what it cost."""
    writer = Writer(databases)
    writer.start()
    gaps: dict[str, list[float]] = {}
    for number in range(rounds):
        for name, fault in FAULTS.items():
            databases.settle()
            writer.wait(time.time())
            time.sleep(2)
            since = time.time()
            before = databases.leader()
            mend = fault(databases)
            mend()
            writer.wait(time.time() + 1)
            databases.settle()
            time.sleep(2)
            gaps.setdefault(name, []).append(round(writer.gap(since), 1))
            count, missing = writer.lost()
            say(f"{number + 1} {name}: {gaps[name][-1]} s, {before} → {databases.leader()}; {count} commits, {missing} lost")
            if missing:
                raise SystemExit(f"{missing} acknowledged commits are lost after: {name}")
    writer.stop()
    count, missing = writer.lost()
    return {"commits": count, "lost": missing, "gaps": gaps}


def restore(databases: Databases) -> dict[str, t.Any]:
    """Good rows, then a mistake; back to the moment between them, proven by what the rows say."""
    digest = "SELECT count(*), md5(string_agg(id || ':' || said, ',' ORDER BY id)) FROM marks;"
    databases.sql("DROP TABLE IF EXISTS marks; CREATE TABLE marks (id int PRIMARY KEY, said text);")
    databases.sql("INSERT INTO marks SELECT each, md5(each::text) FROM generate_series(1, 20000) each;")
    good = databases.sql(digest).strip()
    time.sleep(2)
    moment = databases.sql("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00';").strip()
    time.sleep(2)
    databases.sql("UPDATE marks SET said = 'oops' WHERE id % 2 = 0; DELETE FROM marks WHERE id > 15000;")
    bad = databases.sql(digest).strip()
    databases.sql("SELECT pg_switch_wal();")
    time.sleep(5)
    start = time.monotonic()
    databases.play("restore", postgresql_restore_target=moment, postgresql_restore_confirm="database")
    took = time.monotonic() - start
    databases.settle()
    found = databases.sql(digest).strip()
    if found != good or bad == good:
        raise SystemExit(f"restored {found}, wanted {good}")
    copies = {
        host: databases.run(host, "runuser -u postgres -- psql -XAtq -p 5434 -d ledger", given=digest).strip() for host in HOSTS
    }
    if set(copies.values()) != {good}:
        raise SystemExit(f"the hosts differ after the restore: {copies}")
    say(f"restored to {moment} in {took:.0f} s: {good}, after the mistake {bad}")
    again = changes(databases.play("converge"))
    if again:
        raise SystemExit(f"the role changes something after a restore: {again}")
    return {"seconds": round(took), "rows": good, "mistake": bad}


def changes(text: str) -> list[str]:
    """The tasks of a run that changed something."""
    found, task = [], ""
    for line in text.splitlines():
        if match := re.match(r"(?:TASK|RUNNING HANDLER) \[(?:\S+ : )?(.*)\]", line):
            task = match[1]
        elif line.startswith("changed:"):
            found.append(task)
    return sorted(set(found))


def started(databases: Databases) -> dict[str, str]:
    ask = "SELECT pg_postmaster_start_time();"
    return {host: databases.run(host, "runuser -u postgres -- psql -XAtq -p 5434", given=ask).strip() for host in HOSTS}


def memory(databases: Databases) -> dict[str, t.Any]:
    """More memory, a setting that needs no restart, and a little more memory: who is restarted, and in which order."""
    databases.settle()
    result: dict[str, t.Any] = {}
    runs: list[tuple[str, dict[str, t.Any], bool]] = [
        ("as before", {}, False),
        ("a setting that needs no restart", {"postgresql_memory_mib": 1025}, False),
        ("half as much memory again", {"postgresql_memory_mib": 1536}, True),
        ("the same once more", {"postgresql_memory_mib": 1536}, False),
    ]
    for words, values, restarts in runs:
        leader, before = databases.leader(), started(databases)
        if words == "a setting that needs no restart":
            values = {**values, "postgresql_parameters": {"log_min_duration_statement": "3s", "max_wal_size": "256MB", "min_wal_size": "80MB", "wal_keep_size": "64MB"}}
        elif "postgresql_memory_mib" in values:
            values = {**values, "postgresql_parameters": {"log_min_duration_statement": "3s", "max_wal_size": "256MB", "min_wal_size": "80MB", "wal_keep_size": "64MB"}}
        done = changes(databases.play("converge", **values))
        after = started(databases)
        order = sorted((host for host in HOSTS if after[host] != before[host]), key=lambda host: after[host])
        say(f"{words}: changed {done or 'nothing'}, restarted {order or 'nobody'}")
        if bool(order) != restarts or (restarts and (len(order) != len(HOSTS) or order[-1] != leader)):
            raise SystemExit(f"{words}: restarted {order}, leader {leader}")
        if done not in ([], ["Settings of the whole cluster"]):
            raise SystemExit(f"{words}: changed more than it must: {done}")
        result[words] = {"changed": done, "restarted": order}
    result["shared_buffers"] = databases.sql("SHOW shared_buffers;").strip()
    return result


def say(text: str) -> None:
    print(f"databases: {text}", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=lambda text: Path(text).absolute())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--only", choices=["faults", "restore", "memory"])
    args = parser.parse_args()
    databases = Databases(args.folder)
    parts = {"faults": lambda: faults(databases, args.rounds), "restore": lambda: restore(databases), "memory": lambda: memory(databases)}
    results: dict[str, t.Any] = {}
    try:
        if not args.only:
            build(databases, None if args.keep else ancestor("python", "tests.hosts.databases"))
        for name, part in parts.items():
            if args.only in (None, name):
                results[name] = part()
    finally:
        if not args.keep:
            databases.rig.destroy()
            shutil.rmtree(args.folder, ignore_errors=True)
    for name, each in results.get("faults", {}).get("gaps", {}).items():
        say(f"{name}: median {statistics.median(each)} s, most {max(each)} s of {len(each)}")
    print(json.dumps(results, indent=2))
    return 0


def build(databases: Databases, owner: int | None) -> None:
    """Hosts with databases, and a client."""
    databases.rig.create(PLATFORMS, owner)
    databases.run(CLIENT, "apt-get update -qq && apt-get install -yqq --no-install-recommends python3-psycopg2 > /dev/null 2>&1")
    start = time.monotonic()
    databases.play("converge")
    say(f"converged in {time.monotonic() - start:.0f} s")
    again = changes(databases.play("converge"))
    if again:
        raise SystemExit(f"the second run changes something: {again}")


if __name__ == "__main__":
    sys.exit(main())
