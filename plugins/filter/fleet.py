# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters on a fleet: gather it, then ask for effective values, placements, objects and the account."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import typing as t
from collections.abc import Iterator, Mapping
from functools import lru_cache

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._libraries import MissingLibraryError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Environment, Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import (
    ModelError,
    show,
    suggest,
    unknown,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster_bundle import cluster_bundle
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report import access as access_report
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import placements as recorded_placements
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._fleet_action import day, environment_facts
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._gather import source_of

_NAME = "k8s.self_provisioning"


def tenancy(hostvars: t.Any, tree: t.Any = None) -> dict[str, t.Any]:
    """Gathers settings, tenants and clusters from Ansible's hostvars; tenants are taken as written, never templated.

    I(tree) is a fleet tree whose recorded placements hold. It is only read.
    """
    with _told("tenancy"):
        groups = _groups(hostvars)
        clusters = sorted(host for host in groups if "clusters" in groups[host])
        if not clusters:
            raise ModelError("the inventory has no host in the group 'clusters'.")
        source = source_of(hostvars, clusters)
        # before ansible-core 2.19, text in a variable is templated when it is used, unless it is marked
        result = {
            "settings": dict(source.settings),
            "tenants": wrap_var(dict(source.tenants)),
            "clusters": dict(source.clusters),
        }
        if tree is not None:
            result["recorded"] = wrap_var(recorded_placements.read(_folder(tree)))
        return result


def _groups(hostvars: t.Any) -> dict[str, list[str]]:
    """The groups of every host."""
    what = "Ansible's 'hostvars' is needed, not"
    if not isinstance(hostvars, Mapping):
        raise ModelError(f"{what} {type(hostvars).__name__}.")
    found = {}
    for host in hostvars:
        own = hostvars[host]
        if not isinstance(own, Mapping):
            raise ModelError(f"{what} a mapping with {type(own).__name__} in it (at {show(plain(host))}).")
        found[str(host)] = list(own.get("group_names") or ())
    return found


def _folder(tree: t.Any) -> str:
    path = plain(tree)
    if not isinstance(path, str) or not path.strip():
        raise ModelError(f"tree: the folder of a fleet tree is needed, not {show(path)}.")
    return os.path.expanduser(os.path.expandvars(path))


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    """What goes wrong inside, as the error of a filter."""
    try:
        yield
    except (ModelError, TreeError, MissingLibraryError, ValueError) as error:
        raise AnsibleFilterError(f"{_NAME}.{name}: {error}") from None


def _compiled(source: t.Any, today: t.Any, name: str) -> Fleet:
    parts = {"settings", "tenants", "clusters"}
    if not isinstance(source, Mapping) or not parts <= set(source):
        raise AnsibleFilterError(f"{_NAME}.{name}: the result of the filter {_NAME}.tenancy is needed.")
    for part in sorted(parts | {"recorded"} & set(source)):
        if not isinstance(source[part], Mapping):
            what = f"{part}: a mapping is needed, not {type(source[part]).__name__}."
            raise AnsibleFilterError(f"{_NAME}.{name}: {what} Take the result of the filter {_NAME}.tenancy.")
    for key, entry in source.get("recorded", {}).items():
        if not isinstance(entry, Mapping) or not isinstance(entry.get("clusters"), (list, tuple)):
            what = f"recorded: the entry {show(plain(key))} has no list of clusters."
            raise AnsibleFilterError(f"{_NAME}.{name}: {what} Take the result of the filter {_NAME}.tenancy.")
    with _told(name):
        fleet = _compile(json.dumps(plain(source)), day(today))
    errors = fleet.problems.errors
    if errors:
        more = f" This is the first of {len(errors)} errors." if len(errors) > 1 else ""
        raise AnsibleFilterError(f"{_NAME}.{name}: {errors[0].render()}{more} Run {_NAME}.validate to see all.")
    return fleet


@lru_cache(maxsize=2)
def _compile(text: str, today: datetime.date) -> Fleet:
    data = json.loads(text)
    source = Source(data["settings"], data["tenants"], data["clusters"])
    return compile_fleet(source, today=today, recorded=data.get("recorded"))


def _environment(fleet: Fleet, key: t.Any, name: str) -> Environment:
    known = {e.key: e for e in fleet.environments}
    if str(key) not in known:
        raise AnsibleFilterError(f"{_NAME}.{name}: there is no environment {str(key)!r}. {suggest(str(key), known)}")
    return known[str(key)]


def effective(source: t.Any, key: t.Any, today: t.Any = None) -> dict[str, t.Any]:
    """Effective values of C(tenant/project/environment), with the place that set each, its quota and its placement."""
    return environment_facts(_environment(_compiled(source, today, "effective"), key, "effective"))


def placements(source: t.Any, today: t.Any = None) -> dict[str, t.Any]:
    """Clusters, reason and candidates of every environment."""
    fleet = _compiled(source, today, "placements")
    return {e.key: environment_facts(e)["placement"] for e in fleet.environments}


def cluster_objects(source: t.Any, cluster: t.Any, today: t.Any = None) -> list[dict[str, t.Any]]:
    """Every tenant object of a cluster, in the order in which to apply them."""
    fleet = _compiled(source, today, "cluster_objects")
    if str(cluster) not in fleet.clusters:
        raise AnsibleFilterError(f"{_NAME}.cluster_objects: {unknown('cluster', str(cluster), fleet.clusters)}")
    return cluster_bundle(fleet, str(cluster))


def ledger(source: t.Any, scope: str | None = None, today: t.Any = None) -> list[dict[str, t.Any]]:
    """Account rows; I(scope) keeps those of C(environment), C(tenant) or C(cluster)."""
    scopes = ("environment", "tenant", "cluster")
    if scope is not None and scope not in scopes:
        raise AnsibleFilterError(f"{_NAME}.ledger: {show(plain(scope))} is not a scope. {suggest(scope, scopes)}")
    return [row for row in _compiled(source, today, "ledger").ledger if scope in (None, row["scope"])]


def access(
    source: t.Any, subject: str | None = None, cluster: str | None = None, today: t.Any = None
) -> list[dict[str, str]]:
    """Who can do what where: a row for each right of each subject in each environment on each cluster."""
    fleet = _compiled(source, today, "access")
    if cluster is not None and str(cluster) not in fleet.clusters:
        raise AnsibleFilterError(f"{_NAME}.access: {unknown('cluster', str(cluster), fleet.clusters)}")
    return access_report.rows(fleet, subject=subject, cluster=cluster)


class FilterModule:
    """Registers the filters."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {f.__name__: f for f in (tenancy, effective, placements, cluster_objects, ledger, access)}
