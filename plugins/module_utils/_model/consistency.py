# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Things that fit the schema one by one, and still cannot work together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .entities import Cluster, Environment, Settings
from .errors import Problems, Where, suggest
from .release_lines import RELEASE_LINES

#: Prefixes of labels and annotations that Kubernetes, Flux or this collection set themselves.
_RESERVED = ("kubernetes.io", "k8s.io", "fluxcd.io")
_RESERVED_KEYS = ("app.kubernetes.io/managed-by", "app.kubernetes.io/instance")


def check(
    environments: Iterable[Environment], clusters: Mapping[str, Cluster], settings: Settings, problems: Problems
) -> None:
    """Reports labels that are not free, priority classes that their own allow-lists exclude, network rules that lead
    nowhere, storage that no cluster offers, and services that lack what they need."""
    environments = list(environments)
    told: set[tuple[str, str]] = set()
    for environment in environments:
        _labels(environment, settings, problems, told)
        _allowed(environment, problems, told)
        _storage(environment, clusters, problems)
        _delivery(environment, clusters, problems)
    for cluster in clusters.values():
        _services(cluster, settings, problems)
    _repositories(settings, problems)
    if not problems.errors:
        # who reaches whom is only known once everything has its place
        _peers(environments, problems)


def _labels(environment: Environment, settings: Settings, problems: Problems, told: set[tuple[str, str]]) -> None:
    for path, places in environment.effective.provenance.items():
        if path[0] not in ("labels", "annotations") or len(path) != 2:
            continue
        prefix, slash, _name = path[1].rpartition("/")
        domain = prefix == settings.label_domain or any(
            prefix == each or prefix.endswith(f".{each}") for each in _RESERVED
        )
        free = path[1].startswith("app.kubernetes.io/") and path[1] not in _RESERVED_KEYS
        for where in places if slash and domain and not free else ():
            if (where.text, "reserved") not in told:
                told.add((where.text, "reserved"))
                problems.error(
                    "reserved-label",
                    where,
                    f"the prefix {prefix!r} is reserved; what is written here would be lost.",
                    "Use a prefix of your own.",
                )


def _allowed(environment: Environment, problems: Problems, told: set[tuple[str, str]]) -> None:
    name, names = (
        environment.values.get("priority_class"),
        environment.values.get("allowed", {}).get("priority_classes"),
    )
    if name is None or names is None or name in names:
        return
    where = environment.effective.provenance[("allowed", "priority_classes")][-1]
    if (where.text, name) not in told:
        told.add((where.text, name))
        problems.error(
            "not-allowed",
            where,
            f"the priority class of {environment.key} is {name!r}, and this list excludes it.",
            "Add it to the list, or choose another. " + suggest(name, names),
        )


def _storage(environment: Environment, clusters: Mapping[str, Cluster], problems: Problems) -> None:
    wanted = environment.quota.get("requests.storage")
    allowed = environment.values.get("allowed", {}).get("storage_classes")
    for name in environment.placement.clusters if environment.placement and wanted and allowed else ():
        offered = clusters[name].get("storage_classes")
        if offered is not None and not set(offered) & set(allowed):
            problems.warn(
                "no-storage",
                environment.where,
                f"it has a quota of {wanted} of storage, but {name} offers none of {', '.join(allowed)}.",
                f"{name} offers {', '.join(offered) or 'none'}.",
            )


def _delivery(environment: Environment, clusters: Mapping[str, Cluster], problems: Problems) -> None:
    if not environment.values.get("gitops") or not environment.placement:
        return
    live = [name for name in environment.placement.clusters if clusters[name].delivery == "live"]
    if live:
        problems.warn(
            "no-flux",
            environment.where,
            f"it has a Git repository, but {', '.join(live)} is delivered live and may run no Flux.",
            "Deploy to it in another way, or place it elsewhere.",
        )


_End = tuple[str, "str | None", "str | None"]


def _peers(environments: list[Environment], problems: Problems) -> None:
    """A rule between two environments works only where they share a cluster, and only when both ends allow it."""
    opened: dict[str, dict[str, list[tuple[_End, Where]]]] = {"allow_from": {}, "egress": {}}
    for environment in environments:
        for side, rules in opened.items():
            places = environment.effective.provenance.get(("network", side), ())
            listed = environment.values.get("network", {}).get(side, ())
            rules[environment.key] = [
                ((peer["tenant"], peer.get("project"), peer.get("environment")), at)
                for peer, at in zip(listed, places, strict=True)
                if "tenant" in peer
            ]
    of_tenant: dict[str, list[Environment]] = {}
    for environment in environments:
        of_tenant.setdefault(environment.tenant.id, []).append(environment)
    for side, other in (("allow_from", "egress"), ("egress", "allow_from")):
        for environment in environments:
            for end, at in opened[side][environment.key]:
                matching = [e for e in of_tenant.get(end[0], ()) if _matches(e, end) and e is not environment]
                near = [e for e in matching if _share_cluster(e, environment)]
                if matching and not near:
                    problems.warn(
                        "no-path",
                        at,
                        f"no environment of {_named(end)} shares a cluster with {environment.key}.",
                        "Traffic between clusters needs a cidr.",
                    )
                elif near and not any(_matches(environment, back) for e in near for back, _at in opened[other][e.key]):
                    verb = "connects to it (egress)" if side == "allow_from" else "lets it in (allow_from)"
                    problems.warn(
                        "one-sided",
                        at,
                        f"nothing in {_named(end)} {verb}, so {environment.key} cannot use the rule.",
                        "Traffic is denied both ways: allow it at the other end too.",
                    )


def _matches(environment: Environment, end: _End) -> bool:
    own = (environment.tenant.id, environment.project.id, environment.name)
    return all(wanted in (None, has) for wanted, has in zip(end, own, strict=True))


def _share_cluster(one: Environment, other: Environment) -> bool:
    return bool(one.placement and other.placement and set(one.placement.clusters) & set(other.placement.clusters))


def _named(end: _End) -> str:
    return "/".join(part for part in end if part)


def _repositories(settings: Settings, problems: Problems) -> None:
    """Only what a role of this collection installs can come from a released manifest."""
    known = {name for line in RELEASE_LINES.values() for name in line.services}
    told = {problem.where.text for problem in problems.errors}
    for name, service in settings.services.items():
        where = Where("fleet_services") / name
        if not service.get("repository") and name not in known and (where / "repository").text not in told:
            problems.error("missing-key", where, "the key 'repository' is missing.", "Add it.")


def _services(cluster: Cluster, settings: Settings, problems: Problems) -> None:
    for name, override in cluster.services.items():
        service = settings.services.get(name)
        if service is None:
            continue
        where = Where("cluster_services", host=cluster.name) / name
        missing = [need for need in service.get("depends_on", ()) if need not in cluster.services]
        if missing:
            problems.warn(
                "missing-service",
                where,
                f"it depends on {', '.join(missing)}, which this cluster does not run.",
                "Add it to cluster_services, unless something else provides it.",
            )
        versions = service.get("versions")
        pinned = override.get("version") or service.get("version")
        if versions and cluster.release_line not in versions and not pinned:
            problems.error(
                "missing-version",
                where,
                f"it has no version for the release line {cluster.release_line}.",
                f"Add it to fleet_services.{name}.versions.",
            )
