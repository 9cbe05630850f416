# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to the databases, and what must be so afterwards. Each part returns its figures."""

from __future__ import annotations

import os
import subprocess
import time
import typing as t

import yaml

from tests.flux.build import find

from .clients import Clients
from .faults import FAULTS
from .site import CLIENT, HOSTS, PLATFORMS, Databases, changes, say

#: The newer packages of the archive, hidden until the upgrade.
_HIDE = "Package: postgresql-* libpq5\nPin: release l=Debian-Security\nPin-Priority: -1\n"
_HIDDEN = "/etc/apt/preferences.d/older"
_SECRET = "clusters/east/secrets/databases/a-web-prod.postgresql-shop.yaml"


def build(databases: Databases, owner: int | None) -> dict[str, t.Any]:
    """From nothing: looked at, built, and left alone by a second run."""
    databases.rig.create(PLATFORMS, owner)
    databases.declare()
    for host in HOSTS:
        databases.run(host, f"cat > {_HIDDEN}", given=_HIDE)
    databases.run(
        CLIENT, "apt-get update -qq && apt-get install -yqq --no-install-recommends python3-psycopg2 > /dev/null 2>&1"
    )
    looked = databases.play("--check", "--diff")
    if "ETCD_INITIAL_CLUSTER=" not in looked or databases.run("db1", "dpkg -s patroni 2> /dev/null; true"):
        raise SystemExit("check mode shows nothing, or does something")
    start = time.monotonic()
    databases.play()
    took = round(time.monotonic() - start)
    start = time.monotonic()
    again = changes(databases.play())
    say(f"built in {took} s; the second run took {time.monotonic() - start:.0f} s and changed {again or 'nothing'}")
    if again:
        raise SystemExit(1)
    return {"seconds": took}


def tenants(databases: Databases) -> dict[str, t.Any]:
    """The tenant's Secret opens the tenant's database, and no other."""
    environment = {"PATH": os.environ["PATH"], "SOPS_AGE_KEY_FILE": str(databases.key)}
    command = [str(find().sops), "decrypt", str(databases.tree / _SECRET)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    secret = yaml.safe_load(done.stdout)["stringData"]
    if secret["password"] in (databases.tree / _SECRET).read_text(encoding="utf-8"):
        raise SystemExit("the Secret is in the tree in clear text")
    databases.run(CLIENT, "mkdir -p /root/.postgresql; cat > /root/.postgresql/root.crt", given=secret["ca.crt"])

    def ask(uri: str) -> str:
        program = (
            "import sys, psycopg2\nconnection = psycopg2.connect(sys.stdin.read())\ncursor = connection.cursor()\n"
            "cursor.execute('SELECT current_database(), (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())')\n"
            "print(cursor.fetchone())"
        )
        return databases.run(CLIENT, f'HOME=/root python3 -c "{program}" 2>&1; true', given=uri).strip()

    own, other = ask(secret["uri"]), ask(secret["uri"].replace(f"/{secret['database']}?", "/ledger?"))
    if own != "('a_web_prod__shop', True)" or "pg_hba.conf rejects" not in other:
        raise SystemExit(f"own database: {own}; another: {other}")
    say(f"the tenant's Secret opens {secret['database']} on {secret['host']}, and not ledger")
    return {"opens": secret["database"]}


def faults(databases: Databases, rounds: int, only: str) -> dict[str, t.Any]:
    """Every fault, several times, and what it cost."""
    clients = Clients(databases)
    clients.start()
    gaps: dict[str, dict[str, list[float]]] = {}
    for number in range(rounds):
        for name, (before, fault) in FAULTS.items():
            if only not in name:
                continue
            databases.settle()
            before(databases)
            clients.wait(time.time())
            time.sleep(2)
            since, leader, holder = time.time(), databases.leader(), databases.holders()
            undo = fault(databases)
            clients.wait(time.time() + 1)
            time.sleep(3)
            undo()
            databases.settle()
            clients.wait(time.time())
            time.sleep(1)
            found = clients.gaps(since)
            for way, gap in found.items():
                gaps.setdefault(name, {}).setdefault(way, []).append(gap)
            count, missing = clients.lost()
            after = f"{leader} → {databases.leader()}, address {holder[0]} → {databases.holders()[0]}"
            say(f"{number + 1} {name}: {found} s; {after}; {count} commits, {missing} lost")
            if missing:
                raise SystemExit(f"{missing} acknowledged commits are lost after: {name}")
    clients.stop()
    count, missing = clients.lost()
    return {"commits": count, "lost": missing, "gaps": gaps}


def replace(databases: Databases) -> dict[str, t.Any]:
    """A host is lost with all that it had, and installed afresh under its name and address."""
    databases.settle()
    clients = Clients(databases)
    clients.start()
    lost = databases.leader()
    since = time.time()
    databases.rig.renew(PLATFORMS, lost)
    databases.run(lost, f"cat > {_HIDDEN}", given=_HIDE)
    told = databases.play(code=2)
    if f"postgresql_join={lost}" not in told.replace("\\", "") or "Nothing was changed" not in told:
        raise SystemExit(f"{lost} joins without being asked for, or the run does not tell how:\n{told[-3000:]}")
    start = time.monotonic()
    databases.play("--extra-vars", f"postgresql_join={lost}")
    took = round(time.monotonic() - start)
    databases.settle()
    voters = databases.run(lost, _ETCD.format(databases.address(lost)))
    if voters.count("is healthy") != len(HOSTS):
        raise SystemExit(f"etcd is not whole: {voters}")
    again = changes(databases.play())
    gaps, (count, missing) = clients.gaps(since), clients.lost()
    clients.stop()
    say(f"{lost} was replaced in {took} s; without a commit for {gaps} s; {count} commits, {missing} lost")
    if again or missing:
        raise SystemExit(f"changed by the next run: {again}; {missing} commits are lost")
    return {"seconds": took, "gaps": gaps}


_ETCD = (
    "cd /etc/k8s-self-provisioning/postgresql; ETCDCTL_API=3 etcdctl --cacert=ca.crt --cert=host.crt --key=host.key "
    "--endpoints=https://{}:2379 endpoint health --cluster 2>&1"
)


def upgrade(databases: Databases) -> dict[str, t.Any]:
    """A newer minor version, host by host, while clients write."""
    databases.settle()
    for host in HOSTS:
        databases.run(host, f"rm -f {_HIDDEN} && apt-get update -qq")
    before, started, leader = databases.each("SHOW server_version;"), databases.each(_STARTED), databases.leader()
    clients = Clients(databases)
    clients.start()
    since = time.time()
    begin = time.monotonic()
    databases.play("--tags", "postgresql_upgrade")
    took = round(time.monotonic() - begin)
    databases.settle()
    clients.wait(time.time())
    gaps, (count, missing) = clients.gaps(since), clients.lost()
    clients.stop()
    after, restarted = databases.each("SHOW server_version;"), databases.each(_STARTED)
    order = sorted((host for host in HOSTS if restarted[host] != started[host]), key=lambda host: restarted[host])
    versions = f"{sorted(set(before.values()))} → {sorted(set(after.values()))}"
    say(f"upgraded {versions} in {took} s, {order}, led by {leader} before; without a commit for {gaps} s")
    if missing or len(set(after.values())) != 1 or set(before.values()) == set(after.values()):
        raise SystemExit(f"{missing} of {count} commits are lost, or nothing is newer: {versions}")
    if len(order) != len(HOSTS) or order[-1] != leader:
        raise SystemExit(f"restarted {order}; {leader} led and is to be the last")
    again = databases.play("--tags", "postgresql_upgrade")
    if changes(again) or changes(databases.play()):
        raise SystemExit(f"a second run changes {changes(again)}")
    return {"seconds": took, "versions": versions, "gaps": gaps}


_STARTED = "SELECT pg_postmaster_start_time();"


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
    databases.play(
        "--tags", "postgresql_restore", postgresql_restore_target=moment, postgresql_restore_confirm="database"
    )
    took = time.monotonic() - start
    databases.settle()
    found = databases.sql(digest).strip()
    if found != good or bad == good:
        raise SystemExit(f"restored {found}, wanted {good}")
    copies = databases.each(digest, "ledger")
    if set(copies.values()) != {good}:
        raise SystemExit(f"the hosts differ after the restore: {copies}")
    say(f"restored to {moment} in {took:.0f} s: {good}, after the mistake {bad}")
    again = changes(databases.play())
    if again:
        raise SystemExit(f"the playbook changes something after a restore: {again}")
    return {"seconds": round(took), "rows": good, "mistake": bad}


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
        leader, before = databases.leader(), databases.each(_STARTED)
        done = changes(databases.play(**values))
        after = databases.each(_STARTED)
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
