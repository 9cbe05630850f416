# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flux on loopback: its controllers as processes, as the Deployments on the API server say, and a Git server."""

from __future__ import annotations

import http.client
import os
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import bootstrap
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.access import Access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session

from ..control_plane.cluster import ControlPlane
from ..control_plane.guard import Guard
from ..control_plane.process import Component, ControlPlaneError, free_ports
from . import build
from .git_server import GitServer
from .manifests import NAMESPACE, Object

START_SECONDS = 60.0
TOKEN_SECONDS = 86400
#: A controller that waits for somebody's health would wait for minutes.
GRACE_SECONDS = 3.0
MERGE = "application/merge-patch+json"
_PLURALS = {"GitRepository": "gitrepositories", "HelmRepository": "helmrepositories"}
_GROUPS = {
    "Kustomization": "kustomize.toolkit.fluxcd.io/v1",
    "GitRepository": "source.toolkit.fluxcd.io/v1",
    "HelmRelease": "helm.toolkit.fluxcd.io/v2",
    "HelmRepository": "source.toolkit.fluxcd.io/v1",
}
#: Flags of the Deployments that make no sense outside a pod; the rig gives its own.
_OURS = ("--enable-leader-election", "--storage-path", "--storage-adv-addr", "--events-addr")
_NOWHERE = "http://127.0.0.1:9"


class FluxRig:
    """A control plane, a Git server, and Flux's controllers once they are installed.

    Use it as a context manager, or call `start` and `stop`.
    """

    def __init__(
        self, line: str | None = None, *, folder: Path | None = None, kubectl: bool = False, trusting: bool = True
    ) -> None:
        """Choose the release line (default: the newest) and an empty folder for everything.

        @param trusting: the controllers know the authority of the Git server without being told by the role.
        """
        self.trusting = trusting
        self.built = build.find(line)
        self.plane = ControlPlane(
            self.built.release.line,
            folder=folder / "control-plane" if folder else None,
            kubectl=kubectl,
            # Webhooks of pods are found without a kube-proxy.
            apiserver_args=("--enable-aggregator-routing=true",),
        )
        self._given = folder
        self._folder: Path | None = None
        self._guard: Guard | None = None
        self._components: dict[str, Component] = {}
        self._ports: dict[str, int] = {}
        self._git: GitServer | None = None

    # Life

    def __enter__(self) -> FluxRig:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Start the control plane and the Git server."""
        self.plane.start()
        try:
            self._folder = self._given or Path(tempfile.mkdtemp(prefix="sp-flux-"))
            self._guard = Guard(None if self._given else self._folder)
            self._git = GitServer(self._folder / "git", self.plane.layout.authority.server("git"))
            self._git.start()
            names = (*self.built.programs, "storage", "events", "receiver")
            self._ports = dict(zip(names, free_ports(len(names)), strict=True))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all programs and remove the folder, unless it was given."""
        for component in reversed(self._components.values()):
            component.stop()
        self._components.clear()
        if self._git:
            self._git.stop()
        self.plane.stop()
        if self._guard:
            self._guard.close()
            self._guard = None
        if self._folder and not self._given:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None

    @property
    def folder(self) -> Path:
        """Where everything of this rig is."""
        assert self._folder, "the rig does not run"
        return self._folder

    @property
    def git(self) -> GitServer:
        """The Git server."""
        assert self._git, "the rig does not run"
        return self._git

    def check(self) -> None:
        """Raise an error, with the end of its log, when a program has died by itself."""
        self.plane.check()
        for component in self._components.values():
            if component.died:
                raise ControlPlaneError(f"{component.name} died{component.tail()}")

    def component(self, name: str) -> Component:
        """One controller."""
        return self._components[name]

    def session(self) -> Session:
        """Requests of the administrator, as the collection makes them."""
        return Session.open(Access(kubeconfig=str(self.plane.kubeconfig)))

    def apply(self, objects: Iterable[Object]) -> None:
        """Apply objects as the administrator, in their order."""
        with self.session() as session:
            bootstrap.apply(session, objects, check=False)

    # The controllers

    def run_controllers(self) -> None:
        """Run what the Deployments in Flux's namespace say, as a kubelet would, with their ServiceAccounts' tokens."""
        self.until(self._defined, "Flux's definitions are served")
        for name in self.built.programs:
            deployment = self.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{name}")
            assert deployment, f"there is no Deployment {name}: install Flux first"
            if name in self._components:
                self._components.pop(name).stop()
            self._components[name] = self._component(name, deployment["spec"]["template"]["spec"])
        deadline = time.monotonic() + START_SECONDS
        for component in self._components.values():
            component.start()
        for component in self._components.values():
            component.wait_ready(deadline)

    def _defined(self) -> bool:
        return all(self.plane.admin.healthy(self.path(kind)) for kind in ("Kustomization", "GitRepository"))

    def _component(self, name: str, pod: Mapping[str, Any]) -> Component:
        home = self.folder / name
        home.mkdir(exist_ok=True)
        account = pod["serviceAccountName"]
        container = pod["containers"][0]
        # Nobody outside this machine is asked, whatever the objects name.
        env = {"HTTPS_PROXY": _NOWHERE, "HTTP_PROXY": _NOWHERE, "NO_PROXY": "127.0.0.1"}
        if self.trusting:
            # The Git server's authority; for the git that kustomize runs as well.
            env["SSL_CERT_FILE"] = env["GIT_SSL_CAINFO"] = str(self.plane.ca_file)
        env.update((each["name"], each["value"]) for each in container["env"] if "value" in each)
        for place, folder in self._mounted(home, pod).items():
            env = {key: value.replace(place, str(folder)) for key, value in env.items()}
        env.update(
            KUBECONFIG=str(self._login(account)), RUNTIME_NAMESPACE=NAMESPACE, HOME=str(home), TMPDIR=str(home),
            PATH=os.environ.get("PATH", os.defpath),
        )  # fmt: skip
        line = [str(self.built.programs[name])]
        line += [each for each in container["args"] if not each.startswith(_OURS)]
        line += [f"--{key}={value}" for key, value in self._addresses(name, home).items()]
        health = f"http://127.0.0.1:{self._ports[name]}/readyz"
        assert self._guard
        # env(1) keeps the environment of the tests, with its proxies and credentials, away from the controllers.
        command = ["env", "-i", *(f"{key}={value}" for key, value in env.items()), *line]
        return Component(
            name, command, self.folder / f"{name}.log", self._guard, ready=lambda: _answers(health), grace=GRACE_SECONDS
        )

    def _mounted(self, home: Path, pod: Mapping[str, Any]) -> dict[str, Path]:
        """The folders that ConfigMaps are mounted as, by where they would be in the pod."""
        maps = {each["name"]: each["configMap"]["name"] for each in pod.get("volumes", ()) if "configMap" in each}
        found = {}
        for mount in pod["containers"][0].get("volumeMounts", ()):
            if mount["name"] in maps:
                content = self.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/{maps[mount['name']]}")
                assert content, f"there is no ConfigMap {maps[mount['name']]}, so the pod would not start"
                folder = found[mount["mountPath"]] = home / mount["name"]
                folder.mkdir(exist_ok=True)
                for name, text in content["data"].items():
                    (folder / name).write_text(text, encoding="utf-8")
        return found

    def _addresses(self, name: str, home: Path) -> dict[str, str]:
        def local(port: str) -> str:
            return f"127.0.0.1:{self._ports[port]}"

        flags = {"metrics-addr": "0", "health-addr": local(name)}
        if name == "notification-controller":
            return {**flags, "events-addr": local("events"), "receiverAddr": local("receiver")}
        flags["events-addr"] = f"http://{local('events')}/"
        if name == "source-controller":
            data = home / "data"
            data.mkdir(exist_ok=True)
            flags |= {"storage-path": str(data), "storage-addr": local("storage"), "storage-adv-addr": local("storage")}
        return flags

    def _login(self, account: str) -> Path:
        with self.session() as session:
            token = bootstrap.request_token(session, NAMESPACE, account, TOKEN_SECONDS).token
        return self.plane.kubeconfig_for_token(f"{NAMESPACE}:{account}", token)

    # Looking

    def path(self, kind: str, namespace: str = "", name: str = "") -> str:
        """Where objects of one of Flux's kinds are."""
        group = _GROUPS[kind]
        middle = f"/namespaces/{namespace}" if namespace else ""
        plural = _PLURALS.get(kind, f"{kind.lower()}s")
        return f"/apis/{group}{middle}/{plural}" + (f"/{name}" if name else "")

    def get(self, path: str) -> Object | None:
        """Read as the administrator; None when it is not there."""
        status, answer = self.plane.admin.request("GET", path)
        if status == http.client.NOT_FOUND:
            return None
        assert status == http.client.OK, answer
        return answer

    def condition(self, kind: str, name: str, namespace: str = NAMESPACE) -> tuple[str, str, str]:
        """Status, reason and message of the condition Ready, when it is about the present object."""
        found = self.get(self.path(kind, namespace, name))
        for each in (found or {}).get("status", {}).get("conditions", ()):
            if each["type"] == "Ready":
                if found and each.get("observedGeneration", 0) != found["metadata"]["generation"]:
                    return "Unknown", "Outdated", each["message"]
                return each["status"], each["reason"], each["message"]
        return "Unknown", "", ""

    def applied(self, name: str, namespace: str = NAMESPACE) -> str:
        """The commit that a Kustomization has applied."""
        found = self.get(self.path("Kustomization", namespace, name)) or {}
        return str(found.get("status", {}).get("lastAppliedRevision", "")).rpartition(":")[2]

    def poke(self, kind: str, name: str, namespace: str = NAMESPACE) -> str:
        """Ask for a reconciliation now, as `flux reconcile` does; return what `lastHandledReconcileAt` then is."""
        asked = f"{time.time():.6f}"
        note = {"reconcile.fluxcd.io/requestedAt": asked}
        status, answer = self.plane.admin.request(
            "PATCH", self.path(kind, namespace, name), {"metadata": {"annotations": note}}, content_type=MERGE
        )
        assert status == http.client.OK, answer
        return asked

    def until(self, test: Callable[[], object], what: str, seconds: float = 60.0) -> float:
        """Wait until something is true; return how long it took."""
        start = time.monotonic()
        while not test():
            if time.monotonic() - start > seconds:
                raise AssertionError(f"not so after {seconds:.0f} s: {what}\n{self.state()}")
            for component in self._components.values():
                assert not component.died, f"{component.name} died{component.tail()}"
            time.sleep(0.1)
        return time.monotonic() - start

    def ready(self, kind: str, name: str, namespace: str = NAMESPACE, *, commit: str = "", seconds: float = 60) -> None:
        """Wait until an object is ready, and, of a Kustomization, has applied a commit."""

        def test() -> bool:
            is_ready = self.condition(kind, name, namespace)[0] == "True"
            return is_ready and (not commit or self.applied(name, namespace) == commit)

        self.until(test, f"{kind} {namespace}/{name} is ready {commit}", seconds)

    def state(self) -> str:
        """What Flux says about its objects."""
        lines = []
        for kind in ("GitRepository", "Kustomization"):
            for each in (self.get(self.path(kind)) or {}).get("items", ()):
                meta = each["metadata"]
                told = self.condition(kind, meta["name"], meta["namespace"])
                lines.append(f"  {kind} {meta['namespace']}/{meta['name']}: {' '.join(told)[:300]}")
        return "\n".join(lines)


def _answers(url: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2) as answer:
            return bool(answer.status == http.client.OK)
    except (OSError, http.client.HTTPException):
        return False
