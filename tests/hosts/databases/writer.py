# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes rows through the endpoints and notes each commit that the database has acknowledged. Runs on a client host.

Arguments: a libpq connection string that begins with host, a file, threads. The file gets the time and the row of each
commit.
"""

import random
import sys
import threading
import time

import psycopg2

where, path, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
lock = threading.Lock()
out = open(path, "a", buffering=1, encoding="ascii")  # noqa: SIM115


def shuffled():
    """As libpq 16 does with load_balance_hosts=random. It goes on to no other host when one accepts and closes."""
    words = where.split()
    hosts = words[0].partition("=")[2].split(",")
    random.shuffle(hosts)
    return " ".join([f"host={','.join(hosts)}", *words[1:]])


def connect():
    while True:
        try:
            return psycopg2.connect(shuffled())
        except psycopg2.Error:
            time.sleep(0.05)


def write(thread):
    number, connection = 0, None
    while True:
        number += 1
        try:
            connection = connection or connect()
            del connection.notices[:]
            with connection, connection.cursor() as cursor:
                cursor.execute("INSERT INTO written VALUES (%s, %s)", (thread, number))
            # A commit that PostgreSQL warns about is on one host only, and does not count.
            if not any("synchronous" in notice for notice in connection.notices):
                with lock:
                    out.write(f"{time.time():.3f} {thread} {number}\n")
        except psycopg2.Error:
            if connection is not None:
                connection.close()
            connection = None
        time.sleep(0.02)


started = int(time.time() * 1000)
for index in range(threads):
    threading.Thread(target=write, args=(started * 100 + index,), daemon=True).start()
while True:
    time.sleep(60)
