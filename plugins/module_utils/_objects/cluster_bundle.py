# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything of ours that a cluster holds, whatever brings it there."""

from __future__ import annotations

from .._model.fleet import Fleet
from .cluster import cluster_objects
from .cluster_roles import cluster_role_objects
from .common import Object
from .environment import environment_objects
from .policies import policy_objects


def cluster_bundle(fleet: Fleet, name: str) -> list[Object]:
    """The objects of a cluster in the order in which to apply them: roles, policies, facts, environments."""
    cluster, settings = fleet.clusters[name], fleet.settings
    here = fleet.on_cluster(name)
    return [
        *cluster_role_objects(settings),
        *policy_objects(settings, cluster.release_line),
        *cluster_objects(cluster, here, settings),
        *(each for environment in here for each in environment_objects(environment, cluster, settings)),
    ]
