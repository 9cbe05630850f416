# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An organisation with pools, whose cluster runs MetalLB's real controller."""

from __future__ import annotations

import copy
import datetime
import hashlib
import http.client
import http.server
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import foundation
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.access import Access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.reconcile import Options, reconcile
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster_bundle import cluster_bundle
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import HOME_NAMESPACE, build
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.foundation import CONFIGURATIONS
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.foundation import (
    software as foundation_software,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.released import objects_of

from ..control_plane.cluster import ControlPlane
from ..flux.site import CLUSTER_VALUES, SETTINGS, tenant
from ..integration.playbooks import Run, play
from .build import Built, find
from .kubelet import Kubelet
from .node import APISERVER, NODE_ADDRESS, alone, programs

Object = dict[str, Any]

LINE = "1.35"
CLUSTER = "east"
HOME = "metallb-system"
POOLS: list[Object] = [
    {"name": "physics", "addresses": ["10.20.1.0/30"], "tenants": ["physics"]},
    {"name": "shared", "addresses": ["10.20.1.64/28"]},
]


class Town:
    """A cluster that is delivered live, and the variables of its inventory; change them, then `play`."""

    def __init__(self, plane: ControlPlane, folder: Path, built: Built) -> None:
        """Declare two tenants and two pools."""
        self.plane, self.folder, self.built = plane, folder, built
        self.tenants = [tenant("physics"), tenant("biology")]
        self.settings: Object = copy.deepcopy(SETTINGS)
        self.settings["fleet_services"] = {"metallb": {"namespace": HOME}}
        self.settings["fleet_defaults"]["allowed"] = {"service_types": ["ClusterIP", "LoadBalancer"]}
        self.cluster: Object = {
            **copy.deepcopy(CLUSTER_VALUES),
            "cluster_release_line": LINE,
            "cluster_delivery": "live",
            "cluster_kubeconfig": str(plane.kubeconfig),
            "cluster_services": {"metallb": {}},
            "cluster_network": {"node_cidr": "10.20.0.0/22", "load_balancer_pools": copy.deepcopy(POOLS)},
        }

    @property
    def manifest(self) -> Path:
        """The manifest of a MetalLB that speaks BGP itself."""
        return self.built.manifests / "metallb-native.yaml"

    @property
    def pools(self) -> list[Object]:
        """The declared pools."""
        found: list[Object] = self.cluster["cluster_network"]["load_balancer_pools"]
        return found

    def inventory(self) -> Path:
        """What is declared, as files."""
        root = self.folder / "inventory"
        shutil.rmtree(root, ignore_errors=True)
        files: dict[str, Object] = {
            "hosts.yml": {"all": {"children": {"clusters": {"hosts": {CLUSTER: {}}}}}},
            "group_vars/all/fleet.yml": self.settings,
            f"host_vars/{CLUSTER}.yml": self.cluster,
        }
        for each in self.tenants:
            files[f"group_vars/all/tenants/{each['id']}.yml"] = {f"tenant__{each['id']}": each}
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(json.dumps(content), encoding="utf-8")
        return root

    def play(self, *arguments: str, playbook: str = "metallb", **variables: object) -> Run:
        """A run of a playbook on what is declared."""
        given: Object = (
            {"metallb_manifest": str(self.manifest), "metallb_wait_timeout": 60} if playbook == "metallb" else {}
        )
        return play(playbook, *arguments, inventory=self.inventory(), **{**given, **variables})

    @property
    def fleet(self) -> Fleet:
        """What is declared, compiled."""
        tenants = {f"tenant__{each['id']}": each for each in self.tenants}
        fleet = compile_fleet(
            Source(self.settings, tenants, {CLUSTER: self.cluster}), today=datetime.date(2026, 11, 21)
        )
        assert [problem.render() for problem in fleet.problems.errors] == []
        return fleet

    def bring(self, *, check: bool = False) -> list[str]:
        """What the role does on a cluster, without the start of a playbook; what was written, or would be."""
        configuration = CONFIGURATIONS["metallb"]
        software = foundation_software(objects_of(self.manifest.read_text(encoding="utf-8")), {})
        with Session.open(Access(kubeconfig=str(self.plane.kubeconfig))) as session:
            done = foundation.bring(
                session, software, configuration.objects(self.fleet, CLUSTER), configuration.kinds,
                check=check, timeout=60,
            )  # fmt: skip
        return [f"{each.action} {each.kind} {each.name}" for each in done if each.action != "unchanged"]

    def make_tenants(self) -> None:
        """Bring the tenants to the cluster."""
        objects = [build("v1", "Namespace", HOME_NAMESPACE), *cluster_bundle(self.fleet, CLUSTER)]
        with Session.open(Access(kubeconfig=str(self.plane.kubeconfig))) as session:
            result = reconcile(session, objects, Options())
        assert not result["failed"], result

    def get(self, path: str) -> Object | None:
        """Read as the administrator; None when it is not there."""
        status, answer = self.plane.admin.request("GET", path)
        if status == http.client.NOT_FOUND:
            return None
        assert status == http.client.OK, answer
        return answer

    def service(self, namespace: str, name: str, **annotations: str) -> None:
        """A Service of type LoadBalancer, as a tenant makes one."""
        notes = {f"metallb.io/{key}": value for key, value in annotations.items()}
        status, answer = self.plane.admin.request("POST", f"/api/v1/namespaces/{namespace}/services", {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "annotations": notes, "labels": {"app.kubernetes.io/name": name}},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"app": name}},
        })  # fmt: skip
        assert status == http.client.CREATED, answer

    def drop(self, namespace: str, *names: str) -> None:
        """Remove Services, and wait until MetalLB has let go of them."""
        for name in names:
            self.plane.admin.request("DELETE", f"/api/v1/namespaces/{namespace}/services/{name}")
        for name in names:
            self.until(lambda name=name: self.get(f"/api/v1/namespaces/{namespace}/services/{name}") is None, name)

    def address(self, namespace: str, name: str) -> str:
        """The address of a Service; empty when it has none."""
        found = self.get(f"/api/v1/namespaces/{namespace}/services/{name}") or {}
        ingress = found.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
        return str(ingress[0].get("ip", ""))

    def told(self, namespace: str, name: str, reason: str) -> str:
        """What MetalLB says of a Service."""
        found = self.get(f"/api/v1/namespaces/{namespace}/events?fieldSelector=involvedObject.name%3D{name}") or {}
        return "; ".join(each["message"] for each in found["items"] if each["reason"] == reason)

    def until(self, test: Callable[[], object], what: str, seconds: float = 30.0) -> None:
        """Wait until something is true."""
        start = time.monotonic()
        while not test():
            assert time.monotonic() - start < seconds, f"not so after {seconds:.0f} s: {what}"
            time.sleep(0.1)


@contextmanager
def town(folder: Path) -> Iterator[tuple[Town, Kubelet]]:
    """A control plane with a node, and an inventory; MetalLB is not there yet."""
    built = find(LINE)
    with (
        alone(built),
        ControlPlane(LINE, apiserver_args=APISERVER) as plane,
        Kubelet(plane, folder / "node", programs(built), address=NODE_ADDRESS) as kubelet,
    ):
        yield Town(plane, folder, built), kubelet


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A local web server for released manifests."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_unused: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def checksum(path: Path) -> str:
    """The checksum of a file, as the roles take it."""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
