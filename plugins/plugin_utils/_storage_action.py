# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions on storage have in common: their fleet, their cluster, and what is asked for before anything else.

Private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects import storage
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._cluster_action import ClusterAction

SERVICES = (storage.CEPH_SERVICE, storage.NAS_SERVICE)
#: Options of all of them.
COMMON: dict[str, t.Any] = {
    "service": {"type": "str", "required": True, "choices": list(SERVICES)},
    "keys": {"type": "dict", "default": {}, "no_log": True},
    "chap": {"type": "dict", "default": {}, "no_log": True},
}


class StorageAction(ClusterAction):
    """Runs on the controller."""

    def prepared(
        self, spec: Mapping[str, t.Any], variables: Mapping[str, t.Any]
    ) -> tuple[dict[str, t.Any], Fleet, Cluster]:
        return super().prepared({**COMMON, **spec}, variables)


def secrets(cluster: Cluster, arguments: Mapping[str, t.Any]) -> storage.Secrets:
    """The Secrets of the service. Users may be given with or without C(client.)."""
    keys = {str(name).removeprefix("client."): str(key) for name, key in plain(arguments["keys"]).items() if key}
    return storage.secrets(cluster, arguments["service"], keys, plain(arguments["chap"]))
