# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays one node of a cluster: pods become ready, and chosen ones run the real program as a process of this machine.

Scheduler, Deployments, DaemonSets and EndpointSlices are the business of the real control plane. Only what a kubelet
and a container runtime do is done here, with the administrator's rights. Pods of the node have the machine's own
address, so that the API server reaches their webhooks.
"""

from __future__ import annotations

import base64
import datetime
import http.client
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import bootstrap
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.access import Access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session

from ..control_plane.cluster import ControlPlane
from ..control_plane.guard import Guard
from ..control_plane.process import Component

Object = dict[str, Any]

NODE = "node-1"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
_BEAT_SECONDS = 5.0
_PAUSE = 0.3
_TOKEN_SECONDS = 86400
_GRACE = 3.0


@dataclass(frozen=True)
class Program:
    """What runs in place of a container's image.

    @param flags: instead of the container's flags of the same names; C({home}) is what the container has as /tmp.
    @param health: a port that answers C(/readyz).
    """

    path: Path
    flags: Mapping[str, str]
    health: int


def own_address() -> str:
    """An address of this machine that is not loopback, which may not stand in an EndpointSlice."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            found = subprocess.run(["hostname", "-I"], check=True, capture_output=True, text=True).stdout.split()
            addresses = [each for each in found if ":" not in each]
            assert addresses, "this machine has no address but loopback, so the API server could reach no webhook"
            return addresses[0]


class Kubelet:
    """One node. Use it as a context manager.

    @param programs: by the name of the container.
    @param address: what the Node says is its address; nobody goes there.
    """

    def __init__(self, plane: ControlPlane, folder: Path, programs: Mapping[str, Program], *, address: str) -> None:
        """Choose the programs; `start` registers the node."""
        self._plane, self._folder, self._programs = plane, folder, programs
        self._address, self._host = address, own_address()
        self._components: dict[str, tuple[str, Component]] = {}
        self._guard = Guard(None)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.errors: list[str] = []

    def __enter__(self) -> Kubelet:
        """Start."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._request("POST", "/api/v1/nodes", {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": NODE, "labels": {"kubernetes.io/os": "linux", "kubernetes.io/hostname": NODE}},
        })  # fmt: skip
        self._beat()
        self._thread.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        """Stop."""
        self._stop.set()
        self._thread.join(30)
        for _uid, component in self._components.values():
            component.stop()
        self._guard.close()

    def component(self, container: str) -> Component:
        """The process of a container."""
        return self._components[container][1]

    def _work(self) -> None:
        beaten = 0.0
        while not self._stop.is_set():
            try:
                if time.monotonic() - beaten > _BEAT_SECONDS:
                    self._beat()
                    beaten = time.monotonic()
                _status, found = self._plane.admin.request("GET", f"/api/v1/pods?fieldSelector=spec.nodeName%3D{NODE}")
                for pod in found.get("items", ()):
                    self._look_after(pod)
                self._bury(found.get("items", ()))
            except Exception as error:
                # told at the end of a test that fails; the API server may be restarting
                self.errors.append(repr(error))
            self._stop.wait(_PAUSE)

    def _beat(self) -> None:
        now = _now()
        resources = {"cpu": "8", "memory": "16Gi", "pods": "110"}
        condition = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now}
        self._request("PATCH", f"/api/v1/nodes/{NODE}/status", {"status": {
            "addresses": [{"type": "InternalIP", "address": self._address}],
            "allocatable": resources,
            "capacity": resources,
            "conditions": [{**condition, "lastTransitionTime": now, "message": ""}],
        }}, STRATEGIC)  # fmt: skip

    def _look_after(self, pod: Object) -> None:
        meta = pod["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        if meta.get("deletionTimestamp"):
            self._end(meta["uid"])
            self._request("DELETE", path, {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0})
            return
        running = True
        for container in pod["spec"]["containers"]:
            if container["name"] in self._programs:
                running = self._run(pod, container) and running
        if running and (pod.get("status") or {}).get("phase") != "Running":
            self._ready(path, pod)

    def _ready(self, path: str, pod: Object) -> None:
        now = _now()
        names = [each["name"] for each in pod["spec"]["containers"]]
        kinds = ("PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready")
        self._request("PATCH", f"{path}/status", {"status": {
            "phase": "Running",
            "hostIP": self._host,
            "podIP": self._host,
            "podIPs": [{"ip": self._host}],
            "startTime": now,
            "conditions": [{"type": each, "status": "True", "lastTransitionTime": now} for each in kinds],
            "containerStatuses": [
                {"name": name, "ready": True, "started": True, "restartCount": 0, "image": name, "imageID": name,
                 "state": {"running": {"startedAt": now}}}
                for name in names
            ],
        }}, STRATEGIC)  # fmt: skip

    def _run(self, pod: Object, container: Object) -> bool:
        """Run the program of a container; whether it is ready."""
        name, program = container["name"], self._programs[container["name"]]
        home = self._folder / name
        self._mount(pod, container, home)
        known = self._components.get(name)
        if known is None or known[0] != pod["metadata"]["uid"] or known[1].died:
            if known:
                known[1].stop()
            self._components[name] = (pod["metadata"]["uid"], self._start(pod, container, program, home))
        return _answers(program.health)

    def _start(self, pod: Object, container: Object, program: Program, home: Path) -> Component:
        account = pod["spec"].get("serviceAccountName", "default")
        namespace = pod["metadata"]["namespace"]
        with Session.open(Access(kubeconfig=str(self._plane.kubeconfig))) as session:
            token = bootstrap.request_token(session, namespace, account, _TOKEN_SECONDS).token
        login = self._plane.kubeconfig_for_token(f"{namespace}:{account}", token)
        env = {"KUBECONFIG": str(login), "HOME": str(home), "PATH": os.environ.get("PATH", os.defpath)}
        # the container's /tmp
        env["TMPDIR"] = str(home)
        for each in container.get("env", ()):
            field = each.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
            env[each["name"]] = {"metadata.name": pod["metadata"]["name"]}.get(field, each.get("value", ""))
        flags = {key: value.replace("{home}", str(home)) for key, value in program.flags.items()}
        line: Sequence[str] = [
            str(program.path),
            *(each for each in container.get("args", ()) if each.lstrip("-").partition("=")[0] not in flags),
            f"--namespace={namespace}",
            *(f"--{flag}={value}" for flag, value in flags.items()),
        ]
        # env(1) keeps the environment of the tests, with its proxies and credentials, away from the program
        command = ["env", "-i", *(f"{key}={value}" for key, value in env.items()), *line]
        log = self._folder / f"{container['name']}.log"
        component = Component(
            container["name"], command, log, self._guard, ready=lambda: _answers(program.health), grace=_GRACE
        )
        component.start()
        return component

    def _mount(self, pod: Object, container: Object, home: Path) -> None:
        """The Secrets that a container has below /tmp."""
        home.mkdir(parents=True, exist_ok=True)
        secrets = {each["name"]: each["secret"]["secretName"] for each in pod["spec"]["volumes"] if "secret" in each}
        for mount in container.get("volumeMounts", ()):
            if mount["name"] in secrets and mount["mountPath"].startswith("/tmp/"):
                self._fill(
                    home / mount["mountPath"][len("/tmp/") :], pod["metadata"]["namespace"], secrets[mount["name"]]
                )

    def _fill(self, folder: Path, namespace: str, secret: str) -> None:
        status, found = self._plane.admin.request("GET", f"/api/v1/namespaces/{namespace}/secrets/{secret}")
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in (found.get("data") or {}).items() if status == http.client.OK else ():
            content, path = base64.b64decode(value), folder / name
            if not path.exists() or path.read_bytes() != content:
                new = path.with_suffix(".new")
                new.write_bytes(content)
                new.rename(path)

    def _bury(self, pods: Sequence[Object]) -> None:
        alive = {pod["metadata"]["uid"] for pod in pods}
        for name, (uid, component) in list(self._components.items()):
            if uid not in alive:
                component.stop()
                del self._components[name]
                shutil.rmtree(self._folder / name, ignore_errors=True)

    def _end(self, uid: str) -> None:
        for known, component in self._components.values():
            if known == uid:
                component.stop()

    def _request(self, method: str, path: str, body: Object, content_type: str = "application/json") -> None:
        status, answer = self._plane.admin.request(method, path, body, content_type=content_type)
        gone = method in ("DELETE", "PATCH") and status == http.client.NOT_FOUND
        assert status in (http.client.OK, http.client.CREATED, http.client.ACCEPTED) or gone, answer


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _answers(port: int) -> bool:
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == http.client.OK)
    except (OSError, http.client.HTTPException):
        return False
