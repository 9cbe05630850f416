# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server as far as a load balancer can tell: TLS on 6443, and the answer to /readyz that is in /run/backend.

C(ok) and C(failing) are answered, C(mute) takes connections and says nothing.
"""

import http.server
import pathlib
import socket
import ssl
import subprocess
import sys
import time

FOLDER = pathlib.Path("/run/backend")
STATE = FOLDER / "state"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        good = STATE.read_text().strip() == "ok"
        body = f"{socket.gethostname()}\n".encode()
        self.send_response(200 if good or self.path != "/readyz" else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    request_queue_size = 128
    daemon_threads = True

    def finish_request(self, request: socket.socket, client_address: object) -> None:
        if STATE.read_text().strip() == "mute":
            time.sleep(30)
            return
        request.settimeout(10)
        with CONTEXT.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        pass


FOLDER.mkdir(exist_ok=True)
if not STATE.exists():
    STATE.write_text("ok")
if not (FOLDER / "key.pem").exists():
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "9", "-subj", "/CN=kubernetes", "-keyout", FOLDER / "key.pem", "-out", FOLDER / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
CONTEXT.load_cert_chain(FOLDER / "cert.pem", FOLDER / "key.pem")
Server(("::", int(sys.argv[1]) if len(sys.argv) > 1 else 6443), Handler).serve_forever()
