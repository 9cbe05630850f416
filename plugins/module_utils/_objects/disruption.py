# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The optional PodDisruptionBudget over all pods of a namespace."""

from __future__ import annotations

from .._model.entities import Cluster, Environment, Settings
from .common import Object, in_namespace

NAME = "tenant-pods"


def build_disruption_budget(environment: Environment, cluster: Cluster, settings: Settings) -> list[Object]:
    """The PodDisruptionBudget, when one is declared. An empty selector means every pod of the namespace."""
    del cluster
    spec = environment.values.get("pod_disruption_budget")
    if not spec:
        return []
    spec = {"selector": {}, **spec}
    return [in_namespace(environment, settings, "policy/v1", "PodDisruptionBudget", NAME, spec=spec)]
