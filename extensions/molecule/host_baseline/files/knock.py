# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which TCP ports of which hosts answer. Reads {host: address} and ports from its arguments, as JSON."""

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor


def answers(target):
    try:
        socket.create_connection(target, timeout=1.5).close()
    except OSError:
        return False
    return True


hosts, ports = map(json.loads, sys.argv[1:])
targets = [(host, address, port) for host, address in hosts.items() for port in ports]
with ThreadPoolExecutor(max_workers=128) as pool:
    found = list(pool.map(lambda each: answers(each[1:]), targets))
result = {host: [] for host in hosts}
for (host, _address, port), is_open in zip(targets, found, strict=True):
    if is_open:
        result[host].append(port)
print(json.dumps(result))
