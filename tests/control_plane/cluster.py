# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A control plane on loopback: etcd, kube-apiserver, kube-controller-manager, kube-scheduler."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from . import binaries as programs
from .audit import AuditLog, Event
from .client import Client
from .commands import Layout, Ports
from .golang import Progress
from .guard import Guard
from .process import POLL_SECONDS, Component, ControlPlaneError, free_ports

START_SECONDS = 120.0
APISERVER_GRACE_SECONDS = 5.0
"""While watches are open, a kube-apiserver asked to end waits a minute for them."""

TRIES = 3
PORT_TAKEN = "address already in use"


class PortTakenError(ControlPlaneError):
    """Another program took a port between the look for a free one and its use."""


class ControlPlane:
    """Starts a control plane, gives the ways into it, and ends it.

    Use it as a context manager, or call `start` and `stop`. Everything lives in a folder that `stop` removes, unless
    it was given, or `keep` is set, or the start failed.
    """

    def __init__(
        self,
        line: str | None = None,
        *,
        folder: Path | None = None,
        keep: bool = False,
        kubectl: bool = False,
        apiserver_args: Sequence[str] = (),
        timeout: float = START_SECONDS,
        progress: Progress = programs.say,
    ) -> None:
        """Choose the release line (default: SP_RELEASE_LINE), an empty folder, flags more for the API server."""
        self._line = line
        self._given = folder.absolute() if folder else None
        self._keep = keep
        self._kubectl = kubectl
        self._apiserver_args = tuple(apiserver_args)
        self._timeout = timeout
        self._progress = progress
        self._folder: Path | None = None
        self._layout: Layout | None = None
        self._guard: Guard | None = None
        self._components: list[Component] = []

    # Life

    def __enter__(self) -> ControlPlane:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Start all programs and wait until the API server and the controllers work."""
        if self._guard:
            raise ControlPlaneError("this control plane runs already")
        found = programs.find(self._line, kubectl=self._kubectl, progress=self._progress)
        for _unused in range(TRIES - 1):
            try:
                return self._start(found)
            except PortTakenError:
                self._progress("another program took a port; trying again with others")
        return self._start(found)

    def _start(self, found: programs.Binaries) -> None:
        if self._given and self._given.exists() and any(self._given.iterdir()):
            raise ControlPlaneError(f"{self._given} is not empty")
        folder = self._folder = self._given or Path(tempfile.mkdtemp(prefix="sp-control-plane-"))
        try:
            self._start_in(folder, found)
        except ControlPlaneError as error:
            if PORT_TAKEN in str(error) and not self._given:
                self._end(remove=True)
                raise PortTakenError(str(error)) from error
            self._end(remove=False)
            raise ControlPlaneError(f"{error}\n(kept for a look: {folder})") from error
        except BaseException:
            self.stop()
            raise

    def _start_in(self, folder: Path, found: programs.Binaries) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._guard = Guard(None if self._keep or self._given else folder)
        layout = self._layout = Layout(folder, found, Ports(*free_ports(5)))
        ports = layout.ports
        deadline = time.monotonic() + self._timeout
        etcd_client = Client(ports.etcd, layout.etcd_authority.pair.certificate, layout.etcd_client)
        self._run("etcd", layout.etcd(), etcd_client, "/health").wait_ready(deadline)
        apiserver = self._run("kube-apiserver", layout.apiserver(self._apiserver_args), self.admin, "/readyz")
        apiserver.grace = APISERVER_GRACE_SECONDS
        apiserver.wait_ready(deadline)
        clients = [
            self._run(name, line, Client(port, layout.authority.pair.certificate, layout.admin), "/healthz")
            for name, line, port in (
                ("kube-controller-manager", layout.controller_manager(), ports.controller_manager),
                ("kube-scheduler", layout.scheduler(), ports.scheduler),
            )
        ]
        for component in clients:
            component.wait_ready(deadline)
        # Without its ServiceAccount a namespace takes no pods, and this shows that controllers do their work.
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        while not self.admin.healthy(account):
            if time.monotonic() > deadline:
                raise ControlPlaneError(f"the controllers do not work{clients[0].tail()}")
            time.sleep(POLL_SECONDS)

    def _run(self, name: str, line: Sequence[str], client: Client, health: str) -> Component:
        assert self._guard
        component = Component(
            name, line, self.layout.logs / f"{name}.log", self._guard, ready=lambda: client.healthy(health)
        )
        self._components.append(component)
        component.start()
        return component

    def check(self) -> None:
        """Raise an error, with the end of its log, when a program has died by itself."""
        for component in self._components:
            if component.died:
                raise ControlPlaneError(f"{component.name} died{component.tail()}")

    def stop(self) -> None:
        """End all programs, the last one first, and remove the folder."""
        self._end(remove=not (self._keep or self._given))

    def _end(self, *, remove: bool) -> None:
        while self._components:
            self._components.pop().stop()
        if self._guard:
            self._guard.close()
            self._guard = None
        if self._folder and remove:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None
        self._layout = None

    # The API server, for tests of faults

    def stop_apiserver(self, *, crash: bool = False) -> None:
        """End the API server; `crash` kills it without warning."""
        apiserver = self.component("kube-apiserver")
        if crash:
            apiserver.kill()
        else:
            apiserver.stop()

    def start_apiserver(self, *, timeout: float = START_SECONDS) -> None:
        """Start the API server again, at the same address, and wait until it is ready."""
        apiserver = self.component("kube-apiserver")
        apiserver.start()
        apiserver.wait_ready(time.monotonic() + timeout)

    def restart_apiserver(self, *, crash: bool = False, timeout: float = START_SECONDS) -> None:
        """End the API server and start it again."""
        self.stop_apiserver(crash=crash)
        self.start_apiserver(timeout=timeout)

    # Ways in

    @property
    def layout(self) -> Layout:
        """Files of the running control plane."""
        if not self._layout:
            raise ControlPlaneError("this control plane does not run")
        return self._layout

    @property
    def folder(self) -> Path:
        """Folder with data, logs and kubeconfigs."""
        return self.layout.folder

    @property
    def server(self) -> str:
        """URL of the API server."""
        return self.layout.server

    @property
    def ca_file(self) -> Path:
        """Certificate that the API server's certificate is checked with."""
        return self.layout.authority.pair.certificate

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of the administrator (group system:masters)."""
        return self.layout.admin_kubeconfig

    @property
    def kubectl(self) -> Path | None:
        """A kubectl of the release line, if one was found or asked for."""
        return self.layout.binaries.kubectl

    @property
    def version(self) -> str:
        """Kubernetes version, such as `v1.30.3`, as the API server tells it."""
        return str(self.admin.request("GET", "/version")[1].get("gitVersion", ""))

    @property
    def admin(self) -> Client:
        """Client with the administrator's certificate."""
        return Client(self.layout.ports.apiserver, self.ca_file, self.layout.admin)

    def component(self, name: str) -> Component:
        """Return one program, by its name."""
        for component in self._components:
            if component.name == name:
                return component
        raise ControlPlaneError(f"{name} was not started")

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Write a kubeconfig with a client certificate of a user and its groups."""
        name = _file_name(user, *groups)
        login = self.layout.authority.client(name, user, groups)
        return self.layout.kubeconfig(self.layout.kubeconfigs / f"{name}.kubeconfig", user, login)

    def kubeconfig_for_token(self, user: str, token: str) -> Path:
        """Write a kubeconfig with a token, such as one of a ServiceAccount."""
        path = self.layout.kubeconfigs / f"{_file_name(user, token)}.kubeconfig"
        return self.layout.kubeconfig(path, user, token)

    # What happened

    @property
    def audit(self) -> AuditLog:
        """The audit log; `mark` gives a place in it."""
        return AuditLog(self.layout.audit_log, self.admin)

    def audit_events(self, since: int = 0, *, user: str | None = None) -> Iterator[Event]:
        """Return the audit events behind a mark, of one user or of all."""
        return self.audit.events(since, user=user)


def _file_name(user: str, *more: str) -> str:
    """Return a file name for a user that no other user shares."""
    digest = hashlib.sha256("\0".join((user, *more)).encode()).hexdigest()[:8]
    return f"{re.sub('[^A-Za-z0-9.-]+', '-', user)[:40]}-{digest}"
