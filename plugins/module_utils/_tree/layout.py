# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which object stands in which file."""

from __future__ import annotations

import csv
import functools
import io
import typing as t
from collections.abc import Callable, Container, Iterable, Iterator, Mapping

from .._model.entities import Cluster, Environment
from .._model.fleet import Fleet
from .._objects.alerts import alert_objects
from .._objects.cluster import fact_objects
from .._objects.cluster_roles import cluster_role_objects
from .._objects.environment import environment_objects
from .._objects.flux_cluster import app_kustomizations, cluster_kustomizations, recipients, secret_facts
from .._objects.foundation import configured, is_released, version_of
from .._objects.platform import platform_objects
from .._objects.policies import policy_objects
from . import paths, placements
from .emit import Content
from .errors import TreeError
from .released import Released

_README = """\
# The fleet tree

This folder is written by the Ansible collection `k8s.self_provisioning` from one inventory, and read by Flux.
Do not edit it: change the inventory and run the playbook `k8s.self_provisioning.tenants`. Every YAML file names its
source in its first line; changes made here are overwritten by the next run.

| path | holds |
|---|---|
| `clusters/<cluster>/config/` | facts of the cluster, and the Flux Kustomizations: what is applied, in which order |
| `clusters/<cluster>/platform/<service>/` | the platform services of the cluster |
| `clusters/<cluster>/network/` | addresses for load balancers |
| `clusters/<cluster>/storage/` | storage classes, and what their drivers have to know |
| `clusters/<cluster>/tenants/<tenant>/<namespace>.yaml` | everything of one environment |
| `clusters/<cluster>/apps/` | which applications of `apps/` the cluster runs |
| `clusters/<cluster>/alerts/` | whom Flux tells of what goes wrong |
| `clusters/<cluster>/secrets/` | secrets, encrypted with SOPS; yours, and `.sops.yaml` says for whom to encrypt |
| `clusters/<cluster>/flux-system/` | Flux itself; written when it is installed, not by this tool |
| `vendor/<service>/<version>.yaml` | released manifests, as they were published; `platform/` is made of them |
| `policies/<release line>/` | roles and admission policies, shared by all clusters of a release line |
| `placements.yaml` | which environment lives where, since when and why; read again by the next run |
| `ledger.csv` | the account: what is budgeted, promised and free, and what a month costs |
| `.fleet-manifest.json` | the files that the tool has written; it removes no others |

Other files, such as those of `apps/`, are left alone.
"""
_COLUMNS = ("scope", "name", "cluster", "cost_center", "state", "resource", "limit", "committed", "free")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Files(Mapping[str, Content]):
    """Path to content, which is built when it is asked for, so that a large fleet is never whole in memory."""

    def __init__(self) -> None:
        self._builders: dict[str, Callable[[], Content]] = {}

    def add(self, path: str, builder: Callable[[], Content]) -> None:
        if path in self._builders:
            raise TreeError(path, "two things of the fleet have this path.", "Rename one of them.")
        self._builders[path] = builder

    def folder(self, path: str, resources: Iterable[str]) -> None:
        """The kustomization.yaml of a folder."""
        listed = list(resources)
        self.add(f"{path}/{paths.KUSTOMIZATION}", lambda: [_kustomization(listed)])

    def __getitem__(self, path: str) -> Content:
        return self._builders[path]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._builders)

    def __len__(self) -> int:
        return len(self._builders)


def layout(
    fleet: Fleet,
    bootstrapped: Container[str] = (),
    delivered: Mapping[str, str] | None = None,
    released: Released | None = None,
) -> Files:
    """The whole tree of a fleet.

    @param bootstrapped: clusters whose folder holds Flux's own manifests; see C(bootstrapped_clusters).
    @param delivered: deletion policies as they are on clusters that this run does not reach.
    @param released: manifests of services that have no chart.
    @raises TreeError: the fleet has problems.
    """
    released = released or Released()
    if fleet.problems.errors:
        raise TreeError("the inventory", f"it has {len(fleet.problems.errors)} problems.", "Run the playbook validate.")
    files = Files()
    clusters = [fleet.clusters[name] for name in sorted(fleet.clusters) if fleet.clusters[name].delivery == "gitops"]
    files.add(paths.README, lambda: _README)
    files.add(paths.PLACEMENTS, lambda: [placements.document(fleet.environments, fleet.retained, delivered)])
    files.add(paths.LEDGER, lambda: ledger_text(fleet.ledger))
    for line in sorted({cluster.release_line for cluster in clusters}):
        _policies(files, fleet, line)
    for cluster in clusters:
        _cluster(files, fleet, cluster, bootstrapped, released)
    _vendor(files, fleet, clusters, released)
    _sops(files, fleet, clusters)
    return files


def _sops(files: Files, fleet: Fleet, clusters: Iterable[Cluster]) -> None:
    """For whom SOPS encrypts the secrets of which cluster."""
    rules = []
    for cluster in clusters:
        keys = recipients(cluster, fleet.settings)
        if keys:
            folder = paths.cluster_folder(cluster.name, paths.SECRETS)
            pattern = f"(^|/){folder}/.*[.](yaml|yml|json)$"
            rules.append({"path_regex": pattern, "encrypted_regex": "^(data|stringData)$", "age": ",".join(keys)})
            # so that the folder is there, and holds something, before the first secret does
            files.add(
                f"{folder}/age-recipients.yaml",
                lambda cluster=cluster: secret_facts(cluster, fleet.settings),  # type: ignore[misc]
            )
    if rules:
        files.add(paths.SOPS, lambda: [{"creation_rules": rules}])


def _policies(files: Files, fleet: Fleet, line: str) -> None:
    folder = paths.policies_folder(line)
    files.folder(folder, ("cluster-roles.yaml", "admission-policies.yaml"))
    files.add(f"{folder}/cluster-roles.yaml", lambda: cluster_role_objects(fleet.settings))
    files.add(f"{folder}/admission-policies.yaml", lambda: policy_objects(fleet.settings, line))


def _vendor(files: Files, fleet: Fleet, clusters: Iterable[Cluster], released: Released) -> None:
    """The released manifests that a cluster needs; one that is not there yet is told where it is needed."""
    wanted = {
        (service, version_of(service, cluster, fleet.settings))
        for cluster in clusters
        for service in cluster.services
        if is_released(service, cluster, fleet.settings)
    }
    for service, version in sorted(wanted):
        text = released.text(service, version)
        if text is not None:
            files.add(paths.vendor_file(service, version), lambda text=text: text)  # type: ignore[misc]


def _cluster(files: Files, fleet: Fleet, cluster: Cluster, bootstrapped: Container[str], released: Released) -> None:
    settings, name = fleet.settings, cluster.name
    here = fleet.on_cluster(name)
    tenants: dict[str, list[Environment]] = {}
    for environment in here:
        tenants.setdefault(environment.tenant.id, []).append(environment)
    services, apps = sorted(cluster.services), sorted(set(cluster.get("apps") or ()))
    alerts = alert_objects(cluster, tenants, settings)

    flux = (paths.BOOTSTRAP,) if name in bootstrapped else ()
    files.folder(paths.cluster_folder(name), (paths.CONFIG, *flux))
    config = paths.cluster_folder(name, paths.CONFIG)
    files.folder(config, ("cluster-facts.yaml", "kustomizations.yaml"))
    files.add(f"{config}/cluster-facts.yaml", lambda: fact_objects(cluster, settings))
    files.add(
        f"{config}/kustomizations.yaml",
        lambda: cluster_kustomizations(
            cluster,
            sorted(tenants),
            settings,
            bool(services),
            apps,
            released.of(cluster, settings),
            has_alerts=bool(alerts),
        ),
    )
    if alerts:
        folder = paths.cluster_folder(name, paths.ALERTS)
        files.folder(folder, ("alerts.yaml",))
        files.add(f"{folder}/alerts.yaml", lambda: alerts)
    if services:
        _platform(files, fleet, cluster, services, released)
    _configuration(files, fleet, cluster)
    for tenant in sorted(tenants):
        _tenant(files, fleet, cluster, tenant, tenants[tenant])
    if apps:
        folder = paths.cluster_folder(name, paths.APPS)
        files.folder(folder, [f"{app}.yaml" for app in apps])
        for app in apps:
            files.add(f"{folder}/{app}.yaml", lambda app=app: app_kustomizations(cluster, [app], settings))  # type: ignore[misc]


def _configuration(files: Files, fleet: Fleet, cluster: Cluster) -> None:
    """Folders of their own: what a service reads cannot be applied before it has brought its resource definitions."""
    folders: dict[str, list[str]] = {}
    for each in configured(cluster).values():
        folder = paths.cluster_folder(cluster.name, each.folder)
        folders.setdefault(folder, []).append(each.file)
        files.add(f"{folder}/{each.file}", lambda each=each: each.objects(fleet, cluster.name))  # type: ignore[misc]
    for folder, listed in folders.items():
        files.folder(folder, sorted(listed))


def _platform(files: Files, fleet: Fleet, cluster: Cluster, services: list[str], released: Released) -> None:
    folder = paths.cluster_folder(cluster.name, paths.PLATFORM)
    # services share namespaces, so they can only be built together
    together = functools.cache(lambda: platform_objects(cluster, fleet.settings, released.of(cluster, fleet.settings)))
    files.folder(folder, services)
    for service in services:
        files.folder(f"{folder}/{service}", ("release.yaml",))
        files.add(f"{folder}/{service}/release.yaml", lambda service=service: together()[service])  # type: ignore[misc]


def _tenant(files: Files, fleet: Fleet, cluster: Cluster, tenant: str, environments: list[Environment]) -> None:
    folder = paths.tenant_folder(cluster.name, tenant)
    files.folder(folder, sorted(f"{each.namespace}.yaml" for each in environments))
    for each in environments:
        files.add(
            f"{folder}/{each.namespace}.yaml",
            lambda each=each: environment_objects(each, cluster, fleet.settings),  # type: ignore[misc]
        )


def _kustomization(resources: list[str]) -> dict[str, t.Any]:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources}


def ledger_text(rows: Iterable[Mapping[str, t.Any]]) -> str:
    """The account as CSV, one number a line, so that its diff says which numbers changed."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        head = [row["scope"], row["name"], row.get("cluster", ""), _cell(row.get("cost_center")), row.get("state", "")]
        for resource, cell in row["resources"].items():
            limit = cell.get("budget", cell.get("capacity", ""))
            writer.writerow([*head, resource, limit, cell["committed"], cell.get("free", "")])
        limit = row.get("budget_month")
        writer.writerow([*head, "month", "" if limit is None else limit, row["month"], ""])
    return out.getvalue()


def _cell(text: object) -> str:
    """Free text for a spreadsheet, which must not take it for a formula."""
    plain = "" if text is None else str(text)
    return f"'{plain}" if plain.startswith(_FORMULA) else plain
