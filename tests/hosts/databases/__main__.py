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
import sys
import time
import typing as t
from pathlib import Path

from tests.hosts.rig import ancestor

from .faults import FAULTS
from .site import CLIENT, HOSTS, PLATFORMS, Databases, Writer


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
            say(
                f"{number + 1} {name}: {gaps[name][-1]} s, {before} → {databases.leader()}; "
                f"{count} commits, {missing} lost"
            )
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
    moment = databases.sql(
        "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00';"
    ).strip()
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
        host: databases.run(host, "runuser -u postgres -- psql -XAtq -p 5434 -d ledger", given=digest).strip()
        for host in HOSTS
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
    small = {"max_wal_size": "256MB", "min_wal_size": "80MB", "wal_keep_size": "64MB"}
    slow = {"postgresql_parameters": {**small, "log_min_duration_statement": "3s"}}
    runs: list[tuple[str, dict[str, t.Any], bool]] = [
        ("as before", {}, False),
        ("1 MiB more, and a setting that needs no restart", {"postgresql_memory_mib": 1025, **slow}, False),
        ("half as much memory again", {"postgresql_memory_mib": 1536, **slow}, True),
        ("the same once more", {"postgresql_memory_mib": 1536, **slow}, False),
    ]
    for words, values, restarts in runs:
        leader, before = databases.leader(), started(databases)
        done = changes(databases.play("converge", **values))
        after = started(databases)
        order = sorted((host for host in HOSTS if after[host] != before[host]), key=lambda host: after[host])
        say(f"{words}: changed {done or 'nothing'}, restarted {order or 'nobody'}")
        if bool(order) != restarts or (restarts and (len(order) != len(HOSTS) or order[-1] != leader)):
            raise SystemExit(f"{words}: restarted {order}, leader {leader}")
        if set(done) - SETTINGS:
            raise SystemExit(f"{words}: changed more than it must: {done}")
        result[words] = {"changed": done, "restarted": order}
    result["shared_buffers"] = databases.sql("SHOW shared_buffers;").strip()
    return result


#: What a run with other settings may change; the file holds them for a cluster that is made anew, as by a restore.
SETTINGS = {"Configure Patroni", "Reload Patroni", "Settings of the whole cluster"}


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
    parts = {
        "faults": lambda: faults(databases, args.rounds),
        "restore": lambda: restore(databases),
        "memory": lambda: memory(databases),
    }
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
    databases.run(
        CLIENT, "apt-get update -qq && apt-get install -yqq --no-install-recommends python3-psycopg2 > /dev/null 2>&1"
    )
    start = time.monotonic()
    databases.play("converge")
    say(f"converged in {time.monotonic() - start:.0f} s")
    again = changes(databases.play("converge"))
    if again:
        raise SystemExit(f"the second run changes something: {again}")


if __name__ == "__main__":
    sys.exit(main())
