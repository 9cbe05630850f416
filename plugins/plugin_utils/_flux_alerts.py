# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secrets of alerts, when they come with the installation of Flux and not encrypted in the fleet tree.

Private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping

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
    """The Secrets of the alerts of a cluster.

    @raises LiveError: some are of no alert, or have what no alert has.
    """
    declared, here = settings.values["fleet_alerts"], alerts.alerts_of(cluster, settings)
    wrong = [problem for name, values in sorted(given.items()) for problem in _wrong(name, values, declared)]
    if wrong:
        raise LiveError("alerts", " ".join(wrong))
    return [
        flux_install.secret(alerts.secret_name(name), {str(key): str(plain(value)) for key, value in values.items()})
        for name, values in sorted(given.items())
        if name in here
    ]


def _wrong(name: str, values: t.Any, declared: Iterable[str]) -> Iterator[str]:
    if name not in declared:
        yield f"there is no alert {name!r} in fleet_alerts. {suggest(name, declared)}"
    elif not isinstance(values, Mapping) or not values:
        yield f"{name} is no mapping. Give some of {', '.join(_KEYS)}."
    else:
        for key in values:
            if key not in _KEYS:
                yield f"{name} has a key {key!r}, which means nothing. {suggest(str(key), _KEYS)}"


def missing(session: Session, given: Mapping[str, t.Any], cluster: Cluster, fleet: Fleet) -> list[str]:
    """A sentence when alerts of the cluster have no Secret, neither given nor there."""
    here = {environment.tenant.id for environment in fleet.on_cluster(cluster.name)}
    specs = [each["spec"] for each in alerts.alert_objects(cluster, here, fleet.settings)]
    brought = {alerts.secret_name(name) for name in given}
    names = [spec["secretRef"]["name"] for spec in specs if "secretRef" in spec]
    names = [name for name in names if name not in brought]
    absent = [n for n in names if session.get(f"/api/v1/namespaces/{FLUX_NAMESPACE}/secrets/{n}") is None]
    if not absent:
        return []
    return [
        f"{cluster.name} has no Secret {', '.join(absent)} in {FLUX_NAMESPACE}, so these alerts tell nobody anything. "
        f"Give it with flux_bootstrap_alerts, or encrypted in clusters/{cluster.name}/secrets."
    ]
