# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secrets of alerts, when they come with the installation of Flux and not encrypted in the fleet tree.

Private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster, Settings
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import suggest
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects import alerts, flux_install
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import FLUX_NAMESPACE, Object

_KEYS = ("address", "token", "username", "password", "headers", "proxy")


def secrets(given: Mapping[str, t.Any], cluster: Cluster, settings: Settings) -> list[Object]:
    """The Secrets of the alerts of a cluster. A value that is null or empty is not given.

    @raises LiveError: some are of no alert, or of one that uses none, or have what no alert has.
    """
    given = plain(given)
    declared, here = settings.values["fleet_alerts"], alerts.alerts_of(cluster, settings)
    wrong = [problem for name, values in sorted(given.items()) for problem in _wrong(name, values, declared)]
    if wrong:
        raise LiveError("alerts", " ".join(wrong))
    return [
        flux_install.secret(alerts.secret_name(name), {key: value for key, value in values.items() if value})
        for name, values in sorted(given.items())
        if name in here
    ]


def _wrong(name: str, values: t.Any, declared: Mapping[str, t.Any]) -> Iterator[str]:
    if name not in declared:
        yield f"there is no alert {name!r} in fleet_alerts. {suggest(name, declared)}"
    elif not isinstance(values, Mapping) or not any(values.values()):
        yield f"{name} has to be a mapping that says something. Give some of {', '.join(_KEYS)}."
    else:
        if not alerts.has_secret(declared[name]):
            yield f"{_unused(name)} Remove the address there and give it here as well."
        for key, value in values.items():
            if key not in _KEYS:
                yield f"{name} has a key {key!r}, which means nothing. {suggest(str(key), _KEYS)}"
            elif value is not None and not isinstance(value, str):
                yield f"{name} has a {key} that is no text. Put it in quotes."


def _unused(name: str) -> str:
    return f"Flux uses no Secret for the alert {name}, as fleet_alerts.{name} has an address."


def doubts(session: Session, given: Mapping[str, t.Any], cluster: Cluster, fleet: Fleet) -> list[str]:
    """A sentence when alerts of the cluster have no Secret, neither given nor there, or one that nobody uses."""
    here = {environment.tenant.id for environment in fleet.on_cluster(cluster.name)}
    providers = [each for each in alerts.alert_objects(cluster, here, fleet.settings) if each["kind"] == "Provider"]
    absent, found = [], []
    for each in providers:
        name = each["metadata"]["name"]
        if name in given:
            continue
        secret = alerts.secret_name(name)
        there = session.get(f"/api/v1/namespaces/{FLUX_NAMESPACE}/secrets/{secret}") is not None
        if "secretRef" not in each["spec"]:
            found += [f"{_unused(name)} Remove the address there, or the Secret {secret}."] if there else []
        elif not there:
            absent.append(secret)
    if absent:
        found.append(
            f"{cluster.name} has no Secret {', '.join(absent)} in {FLUX_NAMESPACE}, so these alerts tell nobody "
            f"anything. Give it with flux_bootstrap_alerts, or encrypted in clusters/{cluster.name}/secrets."
        )
    return found
