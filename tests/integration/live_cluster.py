# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A control plane with live delivery: small organisations, runs of the reconciler, and hands that interfere."""

from __future__ import annotations

import copy
import datetime
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.access import Access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.reconcile import Options, reconcile
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.environment import environment_objects
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.provisioner import provisioner_objects

from ..control_plane.cluster import ControlPlane
from .governed import crd, path_of

Object = dict[str, Any]

CLUSTER = "east"
#: Whom tests may be instead of the provisioner.
USER = "reconciler"
PROVISIONER = "system:serviceaccount:self-provisioning:provisioner"
DOMAIN = "self-provisioning.internal"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
SECONDS = 30.0

HARD = {"requests.cpu": "4", "requests.memory": "8Gi", "limits.memory": "16Gi", "pods": "20"}
SETTINGS: Object = {"fleet_name": "live", "fleet_sizes": {"small": {"resource_quota": {"hard": HARD}}}}
SETTINGS["fleet_defaults"] = {"size": "small"}
#: The objects are the same for both deliveries; with Git's, environments may have repositories as well.
CLUSTERS: Object = {
    CLUSTER: {
        "cluster_environment": "prod",
        "cluster_security_domain": "internal_only",
        "cluster_sla_tier": "tier_2_important",
        "cluster_capacity": {"cpu": "1000", "memory": "10Ti", "storage": "10Ti"},
    }
}


def tenant(name: str, *environments: Object, **more: Any) -> Object:
    """A tenant with one project C(lab)."""
    given = [{"stage": "prod", **each} for each in environments] or [{"name": "prod", "stage": "prod"}]
    owners = [{"kind": "Group", "name": f"{name}-leads"}]
    return {"id": name, "owners": owners, "projects": [{"id": "lab", "environments": given}], **more}


def fleet_of(*tenants: Object, **cluster: Any) -> Fleet:
    """A compiled organisation."""
    clusters = copy.deepcopy(CLUSTERS)
    clusters[CLUSTER].update(cluster)
    source = Source(SETTINGS, {f"tenant__{each['id'].replace('-', '_')}": each for each in tenants}, clusters)
    fleet = compile_fleet(source, today=datetime.date(2026, 11, 1))
    assert [problem.render() for problem in fleet.problems.errors] == []
    return fleet


def objects_of(*tenants: Object) -> list[Object]:
    """What the environments of some tenants become."""
    fleet = fleet_of(*tenants)
    return [o for e in fleet.environments for o in environment_objects(e, fleet.clusters[CLUSTER], fleet.settings)]


def wait_for(done: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < end, f"still not so after {SECONDS:.0f} s: {what}"
        time.sleep(0.1)


@dataclass
class Live:
    """A control plane, and what one does with it."""

    plane: ControlPlane
    token: str = ""

    def kubeconfig(self) -> Path:
        """The provisioner's own login, with no right but its own; the audit log tells its requests from others'."""
        return self.plane.kubeconfig_for_token(PROVISIONER, self.token)

    def access(self) -> Access:
        return Access(kubeconfig=str(self.kubeconfig()))

    def run(
        self, objects: Iterable[Object], *, access: Access | None = None, patience: float = 60.0, **how: Any
    ) -> Object:
        """One run of the reconciler."""
        with Session.open(access or self.access(), patience=patience) as session:
            return reconcile(session, objects, Options(**how))

    def counted(self, run: Callable[[], Object]) -> tuple[Object, Counter[str]]:
        """A run, and the requests that the API server says it made: verbs, and C(list <resource>) for lists."""
        mark = self.plane.audit.mark()
        result = run()
        counts: Counter[str] = Counter()
        for event in self.plane.audit_events(mark):
            target = event.get("objectRef", {})
            if target and event["user"]["username"] in (USER, PROVISIONER):
                counts[event["verb"]] += 1
                if event["verb"] == "list":
                    counts[f"list {target.get('apiGroup', '')}/{target['resource']}"] += 1
        return result, counts

    # Hands that interfere

    def send(self, method: str, path: str, body: Object | None = None, content: str = "application/json") -> Object:
        status, answer = self.plane.admin.request(method, path, body, content_type=content)
        assert status < 300, f"{method} {path}: {status} {answer.get('message')}"
        return answer

    def read(self, path: str) -> Object | None:
        status, answer = self.plane.admin.request("GET", path)
        return answer if status == 200 else None

    def edit(self, path: str, body: Object, who: str = "kubectl-edit") -> Object:
        """As somebody with an editor does."""
        return self.send("PATCH", f"{path}?fieldManager={who}", body, MERGE)

    def claim(self, target: Object, who: str, *, force: bool = True) -> Object:
        """As another controller does that applies."""
        query = f"?fieldManager={who}&force={'true' if force else 'false'}"
        return self.send("PATCH", path_of(target) + query, target, APPLY)

    def make(self, target: Object) -> Object:
        return self.send("POST", path_of(target).rsplit("/", 1)[0], target)


def prepare(plane: ControlPlane) -> Live:
    """With the resource definitions of tenants' Flux objects, and a provisioner as an administrator installs it."""
    live = Live(plane)
    definitions = (
        ("source.toolkit.fluxcd.io", "v1", "GitRepository"),
        ("kustomize.toolkit.fluxcd.io", "v1", "Kustomization"),
    )
    live.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}})
    for group, version, kind in definitions:
        live.make(crd(group, version, kind))
    for group, version, kind in definitions:
        plural = {"GitRepository": "gitrepositories"}.get(kind, kind.lower() + "s")
        wait_for(lambda p=f"/apis/{group}/{version}/{plural}": live.read(p), f"{kind} is served")  # type: ignore[misc]
    _install(live)
    return live


def _install(live: Live) -> None:
    """The provisioner may bind what the cases bind, and delete namespaces."""
    bound = {"cluster_role": "view", "subjects": [{"kind": "Group", "name": "auditors"}]}
    fleet = fleet_of(tenant("any", {"name": "prod", "role_bindings": [bound]}), cluster_delivery="live")
    for target in provisioner_objects(fleet, CLUSTER, delete_namespaces=True):
        live.claim(target, "self-provisioning")
    path = "/api/v1/namespaces/self-provisioning/serviceaccounts/provisioner/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    live.token = live.send("POST", path, request)["status"]["token"]

    def may() -> bool:
        with Session.open(live.access()) as session:
            kustomizations = "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations"
            return session.request("list", "GET", kustomizations, ok=(403,)).status == 200

    wait_for(may, "the provisioner has its rights")


def rows(result: Object) -> set[tuple[str, str, str]]:
    """Kind, name and action of every object that is not unchanged."""
    return {(row["kind"], row["name"], row["action"]) for row in result["objects"]}


def many(name: str, count: int) -> list[Object]:
    return objects_of(tenant(name, *({"name": f"e{n}"} for n in range(count))))


def assert_converged(live: Live, objects: list[Object]) -> None:
    result, asked = live.counted(lambda: live.run(objects))
    assert result["summary"]["unchanged"] == len(objects), result["objects"]
    assert asked["patch"] == 0


def failed(result: Object) -> list[Object]:
    return [row for row in result["objects"] if row["action"] == "failed"]
