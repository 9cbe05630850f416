# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether storage answers: endpoints that are there, that are not, and that are something else."""

from __future__ import annotations

import datetime
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model import storage
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _reach as reach

CLUSTER: dict[str, Any] = {
    "cluster_environment": "prod",
    "cluster_security_domain": "internal_only",
    "cluster_sla_tier": "tier_2_important",
}


class Server:
    """Listens on loopback and greets."""

    def __init__(self, greeting: bytes) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self._greeting = greeting
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.sendall(self._greeting)


@pytest.fixture
def servers() -> Iterator[dict[str, str]]:
    made = {"old": Server(b"ceph v027xxxx"), "new": Server(b"ceph v2\n\x10\x00"), "web": Server(b"HTTP/1.1 400")}
    # a port that the system gives to nobody, so that nothing else listens there in the meantime
    yield {**{name: each.endpoint for name, each in made.items()}, "closed": "127.0.0.1:1"}
    for each in made.values():
        each.socket.close()


def told(backend: str, values: dict[str, Any], **given: Any) -> list[tuple[str, bool]]:
    """What is found, and whether it stops a run."""
    fleet = {"fleet_storage": {backend: {"one": values}, "classes": {"a": {backend: "one", **given}}}}
    compiled = compile_fleet(
        Source(fleet, {}, {"east": {**CLUSTER, "cluster_storage_classes": ["a"]}}), today=datetime.date(2026, 11, 1)
    )
    assert [each.render() for each in compiled.problems.errors] == []
    found = reach.findings(storage.classes(compiled.clusters["east"]), 2)
    return [(each.text, each.stops) for each in found]


def test_monitors(servers: dict[str, str]) -> None:
    """A majority is enough; what answers in another language is no monitor."""

    def monitors(*names: str) -> list[tuple[str, bool]]:
        return told("ceph", {"monitors": [servers[name] for name in names]}, pool="rbd")

    assert monitors("old", "new") == []
    lost = [("the monitors of one: {}: port {} cannot be reached (Connection refused).", "closed")]
    lost.append(("the monitors of one: {}: port {} answers, but not as a monitor of Ceph.", "web"))
    for text, name in lost:
        what = text.format(servers[name], servers[name].partition(":")[2])
        [(said, stops)] = monitors("old", "new", name)
        assert said.startswith(what)
        assert said.endswith("The others do, so the run goes on.")
        assert not stops
        assert [stops for _text, stops in monitors("old", name)] == [True]
    assert [stops for _text, stops in monitors("closed", "web", "old")] == [True, True]


def test_heads_and_portals(servers: dict[str, str]) -> None:
    """One of them is enough; a name that nobody knows is told."""
    iqn = {"iqn": "iqn.2026-01.com.example.san"}
    assert told("iscsi", {"portals": [servers["web"]], **iqn}) == []
    assert [stops for _text, stops in told("iscsi", {"portals": [servers["web"], servers["closed"]], **iqn})] == [False]
    assert [stops for _text, stops in told("iscsi", {"portals": [servers["closed"]], **iqn})] == [True]
    heads = [servers["web"], servers["closed"]]
    found = told("nfs", {"server": "nas.invalid", "heads": heads, "share": "/x"})
    assert found[0][0].startswith("the NFS service one: nas.invalid: the name is not known.")
    assert [stops for _text, stops in found] == [True, False] or [stops for _text, stops in found] == [False, True]
