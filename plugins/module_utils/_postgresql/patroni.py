# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talks to Patroni's REST API: settings, restarts that wait, switchovers."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import typing as t
from collections.abc import Callable, Mapping

#: Settings of which we own every key: one that is not wanted any more is removed.
OWNED = (("postgresql", "parameters"), ("postgresql", "recovery_conf"), ("slots",))
_RUNNING = ("running", "streaming")
_LEADERS = ("leader", "standby_leader", "master")
_REQUEST_SECONDS = 10
_PAUSE = 0.5


class PatroniError(Exception):
    """Patroni refuses, or does not answer."""


def patch(have: t.Any, want: t.Any, path: tuple[str, ...] = ()) -> dict[str, t.Any]:
    """What to send so that I(have) says what I(want) says; C(None) removes a key."""
    changes: dict[str, t.Any] = {}
    for key, value in want.items():
        now = have.get(key)
        if isinstance(value, Mapping) and isinstance(now, Mapping):
            below = patch(now, value, (*path, key))
            if below:
                changes[key] = below
        elif (str(value), key in have) != (str(now), True):
            changes[key] = value
    if path in OWNED:
        changes.update({key: None for key in have if key not in want})
    return changes


class Cluster:
    """The members of a cluster, any of which answers for all."""

    def __init__(self, addresses: Mapping[str, str], port: int, files: tuple[str, str, str], timeout: int) -> None:
        self._addresses, self._port, self._timeout = addresses, port, timeout
        ca, certificate, key = files
        self._context = ssl.create_default_context(cafile=ca)
        self._context.load_cert_chain(certificate, key)

    def members(self) -> dict[str, dict[str, t.Any]]:
        """All members by name.

        @raises PatroniError: none answers.
        """
        return {each["name"]: each for each in self._any("GET", "/cluster").get("members", ())}

    def config(self) -> dict[str, t.Any]:
        """The settings of the whole cluster."""
        return self._any("GET", "/config")

    def change(self, changes: Mapping[str, t.Any]) -> None:
        self._any("PATCH", "/config", changes)

    def wait_ready(self, count: int, *, synchronous: bool) -> dict[str, dict[str, t.Any]]:
        """Wait until so many members run, one leads, and one follows without a loss."""

        def ready(members: Mapping[str, t.Any]) -> str:
            running = [name for name, each in members.items() if each.get("state") in _RUNNING]
            if len(running) < count:
                return f"{len(running)} of {count} members run ({_states(members)})"
            if not leader(members):
                return f"nobody leads ({_states(members)})"
            if synchronous and not any(each["role"] == "sync_standby" for each in members.values()):
                return f"nobody follows synchronously ({_states(members)})"
            return ""

        return self.wait(ready)

    def wait(self, lacking: Callable[[Mapping[str, t.Any]], str]) -> dict[str, dict[str, t.Any]]:
        """Wait until nothing lacks.

        @raises PatroniError: after the timeout; it says what still lacks.
        """
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                members = self.members()
                why = lacking(members)
            except PatroniError as error:
                members, why = {}, str(error)
            if not why:
                return members
            if time.monotonic() > deadline:
                raise PatroniError(f"After {self._timeout} s {why}. Look at: journalctl -u patroni on these hosts.")
            time.sleep(_PAUSE)

    def restart(self, name: str) -> None:
        """Restart the database of a member."""
        self._one(name, "POST", "/restart", {}, self._timeout)

    def switch(self, old: str, new: str) -> None:
        """Let another member lead, and wait until the old one follows."""
        self._one(old, "POST", "/switchover", {"leader": old, "candidate": new}, self._timeout)
        self.wait(
            lambda members: (
                ""
                if leader(members) == new and members.get(old, {}).get("state") in _RUNNING
                else f"{old} does not follow {new} ({_states(members)})"
            )
        )

    def _any(self, method: str, path: str, body: t.Any = None) -> dict[str, t.Any]:
        said = []
        for name in self._addresses:
            try:
                return t.cast("dict[str, t.Any]", json.loads(self._one(name, method, path, body, _REQUEST_SECONDS)))
            except (PatroniError, ValueError) as error:
                said.append(f"{name}: {error}")
        raise PatroniError("Patroni does not answer: " + "; ".join(said))

    def _one(self, name: str, method: str, path: str, body: t.Any, seconds: int) -> str:
        data = None if body is None else json.dumps(body).encode()
        connection = http.client.HTTPSConnection(
            self._addresses[name], self._port, timeout=seconds, context=self._context
        )
        try:
            connection.request(method, path, data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise PatroniError(f"{method} {path}: {error}") from None
        finally:
            connection.close()
        if answer.status >= 400:
            raise PatroniError(f"{method} {path}: {answer.status} {text.strip()}")
        return text


def leader(members: Mapping[str, t.Any]) -> str:
    """The member that leads; empty when none does."""
    for name, each in members.items():
        if each["role"] in _LEADERS and each.get("state") in _RUNNING:
            return name
    return ""


def followers_first(members: Mapping[str, t.Any]) -> list[str]:
    """Names in the order in which to restart: asynchronous, synchronous, leader."""
    order = {"replica": 0, "sync_standby": 1}
    return sorted(members, key=lambda name: (order.get(members[name]["role"], 2), name))


def _states(members: Mapping[str, t.Any]) -> str:
    return ", ".join(f"{name}: {each['role']} {each.get('state')}" for name, each in sorted(members.items())) or "none"
