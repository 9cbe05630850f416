# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secrets of alerts, when they come with the installation of Flux and not encrypted in the fleet tree.

Private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster, Settings
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import suggest
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects import alerts, flux_install
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import FLUX_NAMESPACE, Object

_KEYS = ("address", "token", "username", "password", "headers", "proxy")


def secrets(given: Mapping[str, t.Any], cluster: Cluster, settings: Settings) -> list[Object]:
    """The Secrets of the alerts of a cluster.

    @raises LiveError: one is of no alert, or has what no alert has.
    """
    declared, here = settings.values["fleet_alerts"], alerts.alerts_of(cluster, settings)
    found = []
    for name, values in sorted(given.items()):
        if name not in declared:
            raise LiveError("alerts", f"there is no alert {name!r} in fleet_alerts.", suggest(name, declared))
        if not isinstance(values, Mapping) or not values:
            raise LiveError(f"alerts.{name}", "it is no mapping.", f"Give some of {', '.join(_KEYS)}.")
        for key in values:
            if key not in _KEYS:
                raise LiveError(f"alerts.{name}", f"there is no key {key!r}.", suggest(str(key), _KEYS))
        if name in here:
            text = {str(key): str(plain(value)) for key, value in values.items()}
            found.append(flux_install.secret(alerts.secret_name(name), text))
    return found


def missing(session: Session, given: Mapping[str, t.Any], cluster: Cluster, settings: Settings) -> list[str]:
    """A sentence when alerts of the cluster have no Secret, neither given nor there."""
    names = [
        alerts.secret_name(name)
        for name, alert in alerts.alerts_of(cluster, settings).items()
        if alerts.needs_secret(alert) and name not in given
    ]
    absent = [n for n in names if session.get(f"/api/v1/namespaces/{FLUX_NAMESPACE}/secrets/{n}") is None]
    if not absent:
        return []
    return [
        f"{cluster.name} has no Secret {', '.join(absent)} in {FLUX_NAMESPACE}, so these alerts tell nobody anything. "
        f"Give it with flux_bootstrap_alerts, or encrypted in clusters/{cluster.name}/secrets."
    ]
