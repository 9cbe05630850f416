# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An organisation whose fleet tree the rig's Flux reads: declare, commit, wait, look."""

from __future__ import annotations

import copy
import datetime
import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.layout import layout
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.writer import sync

from ..integration.playbooks import Run, play
from .git_server import WorkTree
from .manifests import text_of
from .rig import FluxRig

Object = dict[str, Any]

CLUSTER = "east"
DOMAIN = "self-provisioning.internal"
TODAY = datetime.date(2026, 11, 21)
HARD = {"requests.cpu": "4", "requests.memory": "8Gi", "limits.memory": "16Gi", "pods": "20"}
SETTINGS: Object = {
    "fleet_name": "flux",
    "fleet_defaults": {"size": "small"},
    "fleet_sizes": {"small": {"resource_quota": {"hard": HARD}}},
    "fleet_services": {"metallb": {"namespace": "metallb-system"}},
    "fleet_git": {"interval": "1m", "retry_interval": "20s", "timeout": "30s"},
}
CLUSTER_VALUES: Object = {
    "cluster_environment": "prod",
    "cluster_security_domain": "internal_only",
    "cluster_sla_tier": "tier_2_important",
    "cluster_capacity": {"cpu": "100k", "memory": "10Pi", "storage": "10Pi"},
}
LOGIN = {"username": "flux", "password": "not a real one"}
#: A dependency is looked at again after seconds, which tests do not wait for.
QUICK = {"kustomize-controller": ["--requeue-dependency=500ms"]}
#: What the API server and controllers write, and what Flux marks its objects with.
_NOISE = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid", "finalizers")
_MARKS = ("kustomize.toolkit.fluxcd.io/name", "kustomize.toolkit.fluxcd.io/namespace")
_INSIDE = (
    "/api/v1/configmaps",
    "/api/v1/limitranges",
    "/api/v1/resourcequotas",
    "/api/v1/serviceaccounts",
    "/apis/networking.k8s.io/v1/networkpolicies",
    "/apis/rbac.authorization.k8s.io/v1/rolebindings",
    "/apis/policy/v1/poddisruptionbudgets",
)
_CLUSTER_WIDE = (
    "/api/v1/namespaces",
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
)


def tenant(name: str, *environments: Object, project: Object | None = None, **more: Any) -> Object:
    """A tenant with one project C(lab)."""
    given = [{"stage": "prod", **each} for each in environments] or [{"name": "prod", "stage": "prod"}]
    return {
        "id": name,
        "owners": [{"kind": "Group", "name": f"{name}-leads"}],
        "projects": [{"id": "lab", **(project or {}), "environments": given}],
        **more,
    }


def compiled(tenants: Iterable[Object], line: str, settings: Object | None = None, **cluster: Any) -> Fleet:
    """An organisation with one cluster."""
    values = {**copy.deepcopy(CLUSTER_VALUES), "cluster_release_line": line, **cluster}
    whole = {**SETTINGS, **(settings or {})}
    source = Source(whole, {f"tenant__{each['id'].replace('-', '_')}": each for each in tenants}, {CLUSTER: values})
    fleet = compile_fleet(source, today=TODAY)
    assert [problem.render() for problem in fleet.problems.errors] == []
    return fleet


class Site:
    """The organisation's Git repository, and the cluster that Flux makes of it.

    @param tenants: what is declared, by name; change it, then `commit`.
    """

    def __init__(self, rig: FluxRig, *tenants: Object) -> None:
        """Declare tenants; the repository wants a password."""
        self.rig = rig
        self.tenants = {each["id"]: each for each in tenants}
        self.work = WorkTree(rig.git, "fleet", rig.folder / "work")
        rig.git.passwords["fleet.git"] = f"{LOGIN['username']}:{LOGIN['password']}"
        self.head = ""
        #: Variables of the cluster, besides those of every test.
        self.cluster: Object = {}
        #: Settings of the organisation, besides those of every test.
        self.settings: Object = {}
        #: Place in the audit log before the first start.
        self.mark = 0
        self._installed = False

    @property
    def fleet(self) -> Fleet:
        """What is declared, compiled."""
        return compiled(self.tenants.values(), self.line, self.settings, **self.cluster)

    @property
    def line(self) -> str:
        """The release line of the cluster."""
        return self.rig.plane.layout.binaries.release.line

    def inventory(self) -> Path:
        """What is declared, as files."""
        root = self.rig.folder / "inventory"
        shutil.rmtree(root, ignore_errors=True)
        cluster = {**CLUSTER_VALUES, "cluster_release_line": self.line, **self.cluster}
        files: dict[str, Object] = {
            "hosts.yml": {"all": {"children": {"clusters": {"hosts": {CLUSTER: {}}}}}},
            "group_vars/all/fleet.yml": {**SETTINGS, **self.settings},
            f"host_vars/{CLUSTER}.yml": {**cluster, "cluster_kubeconfig": str(self.rig.plane.kubeconfig)},
        }
        for name, each in self.tenants.items():
            files[f"group_vars/all/tenants/{name}.yml"] = {f"tenant__{name.replace('-', '_')}": each}
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(json.dumps(content), encoding="utf-8")
        return root

    def bootstrap(self, *arguments: str, **variables: object) -> Run:
        """A run of the playbook flux_bootstrap."""
        manifest = self.rig.folder / "flux.yaml"
        manifest.write_text(text_of(self.rig.built), encoding="utf-8")
        given: Object = {
            "flux_bootstrap_manifest": str(manifest),
            "flux_bootstrap_checksum": f"sha256:{hashlib.sha256(manifest.read_bytes()).hexdigest()}",
            "flux_bootstrap_url": self.work.url,
            "flux_bootstrap_git": LOGIN,
            "flux_bootstrap_flags": QUICK,
            "flux_bootstrap_age_key_file": str(self.rig.folder / "east.agekey"),
        }
        return play("flux_bootstrap", *arguments, inventory=self.inventory(), **{**given, **variables})

    def install(self, **variables: object) -> Run:
        """Install Flux with the role, and run what it has installed."""
        self.mark = self.rig.plane.audit.mark()
        run = self.bootstrap(**variables)
        assert run.code == 0, run.out
        self.rig.run_controllers()
        self._installed = True
        return run

    def status(self, *arguments: str, **variables: object) -> tuple[Run, Object]:
        """A run of the playbook flux_status, and what it found."""
        path = self.rig.folder / "status-{cluster}.json"
        run = play("flux_status", *arguments, inventory=self.inventory(), flux_status_json=str(path), **variables)
        return run, json.loads((self.rig.folder / f"status-{CLUSTER}.json").read_text(encoding="utf-8"))

    def commit(
        self, files: dict[str, str | None] | None = None, *, force: bool = False, poke: bool | None = None
    ) -> str:
        """Render what is declared, change I(files) by hand, push; Flux is told once it runs."""
        sync(self.work.path, layout(self.fleet))
        self.work.write(files or {})
        self.head = self.work.push(force=force)
        if self._installed if poke is None else poke:
            self.rig.poke("GitRepository", "flux-system")
        return self.head

    def settle(self, *names: str, seconds: float = 60.0) -> float:
        """Wait until the tree's Kustomizations, or the named ones, have applied the last commit."""
        wanted = ["flux-system", *(names or ("policies", *(f"tenant-{name}" for name in self.tenants)))]
        rig = self.rig

        def test() -> bool:
            return all(rig.condition("Kustomization", n)[0] == "True" and rig.applied(n) == self.head for n in wanted)

        return rig.until(test, f"{', '.join(wanted)} at {self.head}", seconds)


def snapshot(rig_or_plane: Any, *namespaces: str) -> dict[tuple[str, str, str], Object]:
    """What a cluster holds of ours: each object without what servers write and Flux marks."""
    admin = getattr(rig_or_plane, "plane", rig_or_plane).admin
    found: dict[tuple[str, str, str], Object] = {}
    for path in (*_CLUSTER_WIDE, *_INSIDE):
        status, answer = admin.request("GET", path)
        assert status == 200, answer
        for each in answer["items"]:
            meta = each["metadata"]
            if meta.get("labels", {}).get("app.kubernetes.io/managed-by") != "self-provisioning":
                continue
            if namespaces and meta.get("namespace", meta["name"]) not in namespaces:
                continue
            clean = {key: value for key, value in each.items() if key != "status"}
            clean["metadata"] = {key: value for key, value in meta.items() if key not in _NOISE}
            clean["metadata"]["labels"] = {key: v for key, v in meta["labels"].items() if key not in _MARKS}
            found[(answer["kind"].removesuffix("List"), meta.get("namespace", ""), meta["name"])] = clean
    return found
