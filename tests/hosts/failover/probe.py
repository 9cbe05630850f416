# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client sees: every 50 ms a ping and a new TLS connection to each address, until standard input is closed.

Arguments: the port, then addresses. Prints one line of JSON: for each kind and address, when each probe that was
answered in time was started.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import ssl
import struct
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

EVERY = 0.05
#: A lost packet is sent again after a second, which is too late.
PING_SECONDS, HTTPS_SECONDS = 0.3, 0.9

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE


def https(address: str, port: int) -> bool:
    deadline = time.monotonic() + HTTPS_SECONDS
    try:
        plain = socket.create_connection((address, port), timeout=HTTPS_SECONDS)
        with plain, CONTEXT.wrap_socket(plain) as secure:
            secure.sendall(b"GET /readyz HTTP/1.1\r\nHost: kubernetes\r\nConnection: close\r\n\r\n")
            answer = secure.recv(64)
    except OSError:
        return False
    return b" 200 " in answer and time.monotonic() < deadline


class Pings:
    """Echo requests to one address."""

    def __init__(self, address: str) -> None:
        self.six = ":" in address
        family, protocol = (socket.AF_INET6, 58) if self.six else (socket.AF_INET, 1)
        self.socket = socket.socket(family, socket.SOCK_RAW, protocol)
        self.socket.connect((address, 0))
        self.sent: dict[int, float] = {}
        self.good: list[float] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, number: int) -> None:
        body = struct.pack("!HH", 4242, number & 0xFFFF)
        kind = 128 if self.six else 8
        total = (kind << 8) + 4242 + (number & 0xFFFF)
        total = (total >> 16) + (total & 0xFFFF)
        checksum = 0 if self.six else ~total & 0xFFFF
        self.sent[number & 0xFFFF] = time.time()
        with contextlib.suppress(OSError):
            self.socket.send(struct.pack("!BBH", kind, 0, checksum) + body)

    def _listen(self) -> None:
        while True:
            try:
                packet = self.socket.recv(256)
            except OSError:
                continue
            packet = packet if self.six else packet[20:]
            if len(packet) >= 8 and packet[0] in (0, 129):
                mark, number = struct.unpack("!HH", packet[4:8])
                start = self.sent.get(number)
                if mark == 4242 and start and time.time() - start < PING_SECONDS:
                    self.good.append(start)


def main() -> None:
    port, addresses = int(sys.argv[1]), sys.argv[2:]
    pings = {address: Pings(address) for address in addresses}
    answered: dict[str, list[float]] = {address: [] for address in addresses}

    def once(address: str) -> None:
        start = time.time()
        if https(address, port):
            answered[address].append(start)

    number, following = 0, time.monotonic()
    with ThreadPoolExecutor(max_workers=100) as pool:
        while not select.select([sys.stdin], [], [], max(0.0, following - time.monotonic()))[0]:
            following += EVERY
            number += 1
            for address in addresses:
                pings[address].send(number)
                pool.submit(once, address)
    time.sleep(PING_SECONDS)
    good = {f"ping {a}": sorted(pings[a].good) for a in addresses} | {
        f"https {a}": sorted(answered[a]) for a in addresses
    }
    print(json.dumps(good))


main()
