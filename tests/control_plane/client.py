# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few HTTPS requests that the rig makes itself."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
from pathlib import Path
from typing import Any

from .pki import Pair

TIMEOUT_SECONDS = 10.0


class Client:
    """Requests to one server on loopback, with a client certificate; each on a connection of its own."""

    def __init__(self, port: int, authority: Path, login: Pair) -> None:
        """Trust `authority` and show the certificate of `login`."""
        self._port = port
        self._context = ssl.create_default_context(cafile=str(authority))
        self._context.load_cert_chain(login.certificate, login.key)

    def text(self, method: str, path: str, body: bytes | None = None, content_type: str = "") -> tuple[int, str]:
        """Send a request; return the status and the body."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self._port, timeout=TIMEOUT_SECONDS, context=self._context
        )
        with contextlib.closing(connection):
            headers = {"Content-Type": content_type} if content_type else {}
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode("utf-8", errors="replace")

    def request(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, content_type: str = "application/json"
    ) -> tuple[int, dict[str, Any]]:
        """Send an object, or nothing; return the status and the object of the answer."""
        data = None if body is None else json.dumps(body).encode()
        status, answer = self.text(method, path, data, content_type if data else "")
        try:
            content = json.loads(answer)
        except ValueError:
            content = {"message": answer}
        return status, content

    def healthy(self, path: str) -> bool:
        """Return whether a health path answers 200."""
        try:
            return self.text("GET", path)[0] == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
