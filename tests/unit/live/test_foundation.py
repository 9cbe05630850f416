# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a service to a cluster: what is asked and written, and when."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import foundation, storage
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.discovery import Discovery
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.kinds import MANAGED_BY, MANAGER, Kind
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Answer

Object = dict[str, t.Any]

CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
DRIVER = "/apis/apps/v1/namespaces/csi/daemonsets/driver"
KINDS: tuple[Kind, ...] = (("storage.k8s.io/v1", "StorageClass"),)


class Server:
    """An API server with two kinds, in memory; it stands in for a session and notes what is asked."""

    def __init__(self, *, ready: int) -> None:
        self.ready, self.served_late = ready, False
        self.objects: dict[str, Object] = {}
        self.asked: list[str] = []

    def get(self, path: str) -> Object | None:
        return self.request("get", "GET", path).body or None

    def request(self, _verb: str, method: str, path: str, **more: t.Any) -> Answer:
        trial = "dryRun" in (more.get("query") or {})
        self.asked.append(f"{method} {path}{' in a trial' if trial else ''}")
        if path in ("/api", "/apis"):
            return Answer(200, {"kind": "APIGroupDiscoveryList", "items": self._groups()}, {})
        if method == "PATCH":
            before, body = self.objects.get(path), copy.deepcopy(more["body"])
            if before and before.get("reclaimPolicy") != body.get("reclaimPolicy"):
                raise LiveError(path, "reclaimPolicy is immutable.", "", status=422)
            status = {"desiredNumberScheduled": 1, "numberAvailable": self.ready, "observedGeneration": 1}
            body["metadata"]["generation"] = 1
            body |= {"status": status} if body["kind"] == "DaemonSet" else {}
            if not trial:
                self.objects[path] = body
            return Answer(200, body, {})
        if method == "DELETE":
            return Answer(200, self.objects.pop(path), {})
        if path == CLASSES:
            return Answer(200, {"items": [each for name, each in self.objects.items() if CLASSES in name]}, {})
        return Answer(200, self.objects.get(path, {}), {})

    def _groups(self) -> list[Object]:
        def group(name: str, plural: str, kind: str, scope: str) -> Object:
            resource = {"resource": plural, "responseKind": {"kind": kind}, "scope": scope}
            return {"metadata": {"name": name}, "versions": [{"version": "v1", "resources": [resource]}]}

        served = [group("apps", "daemonsets", "DaemonSet", "Namespaced")]
        if DRIVER in self.objects or not self.served_late:
            served.append(group("storage.k8s.io", "storageclasses", "StorageClass", "Cluster"))
        return served


def storage_class(name: str, policy: str = "Delete") -> Object:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "labels": {MANAGED_BY: MANAGER}},
        "provisioner": "rbd.csi.ceph.com",
        "reclaimPolicy": policy,
    }


def bring(
    server: Server, *classes: Object, check: bool = False, discovery: Discovery | None = None
) -> list[tuple[str, str, bool]]:
    driver = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "driver", "namespace": "csi"}}
    done = foundation.bring(
        t.cast("t.Any", server),
        [driver],
        classes,
        KINDS,
        check=check,
        timeout=0,
        discovery=discovery,
        fixed=storage.FIXED,
    )
    return [(each.name, each.action, each.before is not None) for each in done]


@pytest.fixture
def server() -> Server:
    made = Server(ready=1)
    bring(made, storage_class("fast"))
    made.asked.clear()
    return made


def test_a_class_that_is_made_anew_is_away_for_two_requests(server: Server) -> None:
    """Not while the software starts; and check mode tells what the run does."""
    wanted = [("driver", "unchanged", True), ("fast", "updated", True)]
    assert bring(server, storage_class("fast", "Retain"), check=True) == wanted
    assert all("trial" in each or each.startswith("GET") for each in server.asked)
    server.asked.clear()
    assert bring(server, storage_class("fast", "Retain")) == wanted
    assert server.asked[-2:] == [f"DELETE {CLASSES}/fast", f"PATCH {CLASSES}/fast"]
    assert bring(server, storage_class("fast", "Retain"))[1] == ("fast", "unchanged", True)


def test_a_class_stays_when_the_software_does_not_start(server: Server) -> None:
    server.ready = 0
    with pytest.raises(LiveError, match="0 of 1 pods are available"):
        bring(server, storage_class("fast", "Retain"))
    assert server.objects[f"{CLASSES}/fast"]["reclaimPolicy"] == "Delete"


@pytest.mark.parametrize("check", [False, True])
def test_what_is_served_is_read_once(server: Server, check: bool) -> None:
    """Besides, an object costs a look and a write."""
    names = [f"class-{number}" for number in range(20)]
    bring(server, *map(storage_class, names))
    server.asked.clear()
    bring(server, *map(storage_class, names), check=check)
    assert server.asked.count("GET /apis") == 1
    # the driver is also waited for, and the classes are listed
    assert len(server.asked) == 1 + 2 * (1 + len(names)) + (1 if check else 2)


def test_what_the_software_brings_is_found() -> None:
    """Also when it was looked for before."""
    server = Server(ready=1)
    server.served_late = True
    discovery = Discovery(t.cast("t.Any", server))
    assert discovery.find(*KINDS[0]) is None
    assert bring(server, storage_class("fast"), discovery=discovery)[1][:2] == ("fast", "created")
