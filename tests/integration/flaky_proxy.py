# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy on loopback before the API server that misbehaves as it is told."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ..control_plane.cluster import ControlPlane


@dataclass(frozen=True)
class Fault:
    """What to do with a request instead of passing it on: answer, hang up before or after it was done, be slow."""

    status: int = 0
    retry_after: str = ""
    drop: str = ""  # "before" or "after"
    delay: float = 0.0


Decide = Callable[[int, str, str], "Fault | None"]


@contextlib.contextmanager
def flaky(plane: ControlPlane, decide: Decide) -> Iterator[str]:
    """URL of a proxy that asks C(decide(number, method, path)) about each request. It logs in as the administrator."""
    port, login = plane.layout.ports.apiserver, plane.layout.admin
    context = ssl.create_default_context(cafile=str(plane.ca_file))
    context.load_cert_chain(login.certificate, login.key)
    numbers = itertools.count(1)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            fault = decide(next(numbers), self.command, self.path) or Fault()
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else None
            time.sleep(fault.delay)
            if fault.drop == "before":
                return self._hang_up()
            if fault.status:
                message = json.dumps({"kind": "Status", "code": fault.status, "message": "a fault of the test"})
                headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
                return self._answer(fault.status, message.encode(), headers)
            upstream = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
            with contextlib.closing(upstream):
                kept = {k: v for k, v in self.headers.items() if k.lower() in ("accept", "content-type")}
                upstream.request(self.command, self.path, body=body, headers=kept)
                answer = upstream.getresponse()
                content = answer.read()
            if fault.drop == "after":
                return self._hang_up()
            return self._answer(answer.status, content, {})

        do_GET = do_PATCH = do_POST = do_DELETE = handle_one

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_arguments: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_arguments: Any) -> None:
            """A client that hangs up is no news."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
