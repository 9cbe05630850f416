# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit log of the API server: what it was really asked, by whom, and how it answered."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from .client import Client

POLICY: dict[str, Any] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    # One event for each request, when it is answered; a watch also has one when it begins.
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}

MARK_SECONDS = 10.0

Event = dict[str, Any]


def write_policy(path: Path) -> Path:
    """Write the audit policy: the metadata of every request."""
    path.write_text(yaml.safe_dump(POLICY, sort_keys=False), encoding="utf-8")
    return path


class AuditLog:
    """Reads the JSON lines that the API server writes."""

    def __init__(self, path: Path, client: Client) -> None:
        """Read `path`; `client` is used to mark places in it."""
        self.path = path
        self._client = client

    def mark(self) -> int:
        """Return the place behind everything answered so far, to give to `events` as `since`.

        An event is written just after its answer is sent, so this makes a request of its own and waits for its event.
        """
        start = self.path.stat().st_size if self.path.exists() else 0
        token = uuid.uuid4().hex
        self._client.text("GET", f"/version?mark={token}")
        deadline = time.monotonic() + MARK_SECONDS
        while time.monotonic() < deadline:
            for event, end in self._read(start):
                if token in event.get("requestURI", ""):
                    return end
            time.sleep(0.02)
        raise TimeoutError(f"the mark is not in {self.path}")

    def events(self, since: int = 0, *, user: str | None = None) -> Iterator[Event]:
        """Return the events of whole requests behind `since`, without the rig's own marks."""
        for event, _unused in self._read(since):
            if "/version?mark=" in event.get("requestURI", ""):
                continue
            if user is None or event.get("user", {}).get("username") == user:
                yield event

    def _read(self, since: int) -> Iterator[tuple[Event, int]]:
        if not self.path.exists():
            return
        with self.path.open("rb") as handle:
            handle.seek(since)
            end = since
            for line in handle:
                if not line.endswith(b"\n"):
                    return
                end += len(line)
                yield json.loads(line), end
