# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listen on TCP ports, so that only the firewall decides what answers."""

import contextlib
import selectors
import socket
import sys


def listener(port):
    try:
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
    except OSError:  # a host without IPv6
        return socket.create_server(("", port), backlog=64)


selector = selectors.DefaultSelector()
for port in map(int, sys.argv[1:]):
    with contextlib.suppress(OSError):  # another program listens there already
        selector.register(listener(port), selectors.EVENT_READ)
while True:
    for key, _events in selector.select():
        key.fileobj.accept()[0].close()
