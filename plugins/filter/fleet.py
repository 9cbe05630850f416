# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters on a fleet: gather it, then ask for effective values, placements, objects and the account."""

from __future__ import annotations

import datetime
import json
import typing as t
from collections.abc import Mapping
from functools import lru_cache

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Environment, Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import ModelError, suggest
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster_bundle import cluster_bundle
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import access as access_report
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import environment_facts
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._gather import source_of

_NAME = "k8s.self_provisioning"


def tenancy(hostvars: t.Any) -> dict[str, t.Any]:
    """Gathers settings, tenants and clusters from Ansible's hostvars; tenants are taken as written, never templated."""
    if not isinstance(hostvars, Mapping):
        raise AnsibleFilterError(f"{_NAME}.tenancy: Ansible's 'hostvars' is needed, not {type(hostvars).__name__}.")
    clusters = sorted(str(host) for host in hostvars if "clusters" in (hostvars[host].get("group_names") or ()))
    if not clusters:
        raise AnsibleFilterError(f"{_NAME}.tenancy: the inventory has no host in the group 'clusters'.")
    first = clusters[0]
    base = hostvars.raw_get(first) if hasattr(hostvars, "raw_get") else hostvars[first]
    source = source_of(hostvars, clusters, base, hostvars[first])
    # before ansible-core 2.19, text in a variable is templated when it is used, unless it is marked
    tenants = wrap_var(dict(source.tenants))
    return {"settings": dict(source.settings), "tenants": tenants, "clusters": dict(source.clusters)}


def _compiled(source: t.Any, today: str | None, name: str) -> Fleet:
    if not isinstance(source, Mapping) or not {"settings", "tenants", "clusters"} <= set(source):
        raise AnsibleFilterError(f"{_NAME}.{name}: the result of the filter {_NAME}.tenancy is needed.")
    try:
        day = _day(today)
        fleet = _compile(json.dumps(plain(source)), day)
    except (ModelError, ValueError) as error:
        raise AnsibleFilterError(f"{_NAME}.{name}: {error}") from None
    errors = fleet.problems.errors
    if errors:
        more = f" This is the first of {len(errors)} errors." if len(errors) > 1 else ""
        raise AnsibleFilterError(f"{_NAME}.{name}: {errors[0].render()}{more} Run {_NAME}.validate to see all.")
    return fleet


def _day(text: str | None) -> datetime.date:
    if not text:
        return datetime.datetime.now(datetime.timezone.utc).date()
    try:
        return datetime.date.fromisoformat(str(text))
    except ValueError:
        raise ModelError(f"{str(text)!r} is not a day. Write it as YYYY-MM-DD.") from None


@lru_cache(maxsize=2)
def _compile(source: str, today: datetime.date) -> Fleet:
    data = json.loads(source)
    return compile_fleet(Source(data["settings"], data["tenants"], data["clusters"]), today=today)


def _environment(fleet: Fleet, key: t.Any, name: str) -> Environment:
    known = {e.key: e for e in fleet.environments}
    if str(key) not in known:
        raise AnsibleFilterError(f"{_NAME}.{name}: there is no environment {str(key)!r}. {suggest(str(key), known)}")
    return known[str(key)]


def effective(source: t.Any, key: t.Any, today: str | None = None) -> dict[str, t.Any]:
    """Effective values of C(tenant/project/environment), with the place that set each, its quota and its placement."""
    return environment_facts(_environment(_compiled(source, today, "effective"), key, "effective"))


def placements(source: t.Any, today: str | None = None) -> dict[str, t.Any]:
    """Clusters, reason and candidates of every environment."""
    fleet = _compiled(source, today, "placements")
    return {e.key: environment_facts(e)["placement"] for e in fleet.environments}


def cluster_objects(source: t.Any, cluster: t.Any, today: str | None = None) -> list[dict[str, t.Any]]:
    """Every tenant object of a cluster, in the order in which to apply them."""
    fleet = _compiled(source, today, "cluster_objects")
    if str(cluster) not in fleet.clusters:
        raise AnsibleFilterError(
            f"{_NAME}.cluster_objects: there is no cluster {str(cluster)!r}. {suggest(str(cluster), fleet.clusters)}"
        )
    return cluster_bundle(fleet, str(cluster))


def ledger(source: t.Any, scope: str | None = None, today: str | None = None) -> list[dict[str, t.Any]]:
    """Account rows; I(scope) keeps those of C(environment), C(tenant) or C(cluster)."""
    scopes = ("environment", "tenant", "cluster")
    if scope is not None and scope not in scopes:
        raise AnsibleFilterError(f"{_NAME}.ledger: {scope!r} is not a scope. {suggest(scope, scopes)}")
    return [row for row in _compiled(source, today, "ledger").ledger if scope in (None, row["scope"])]


def access(
    source: t.Any, subject: str | None = None, cluster: str | None = None, today: str | None = None
) -> list[dict[str, str]]:
    """Who can do what where: a row for each right of each subject in each environment on each cluster."""
    fleet = _compiled(source, today, "access")
    if cluster is not None and str(cluster) not in fleet.clusters:
        near = suggest(str(cluster), fleet.clusters)
        raise AnsibleFilterError(f"{_NAME}.access: there is no cluster {str(cluster)!r}. {near}")
    return access_report.rows(fleet, subject=subject, cluster=cluster)


class FilterModule:
    """Registers the filters."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {f.__name__: f for f in (tenancy, effective, placements, cluster_objects, ledger, access)}
