# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The allow-lists of a namespace, in the form that the admission policies read."""

from __future__ import annotations

from collections.abc import Iterable

from .._model.entities import Cluster, Environment, Settings
from .common import POLICY_PARAMETERS, Object, in_namespace

REGISTRIES = "registries"
INGRESS_HOSTNAMES = "ingress-hostnames"
INGRESS_CLASSES = "ingress-classes"
PRIORITY_CLASSES = "priority-classes"
SERVICE_TYPES = "service-types"


def parameters(environment: Environment) -> dict[str, str]:
    """One key for each list, one item a line. An absent key does not restrict; an empty one allows nothing."""
    allowed = environment.values.get("allowed") or {}
    ingress = allowed.get("ingress") or {}
    priorities = allowed.get("priority_classes")
    usual = environment.values.get("priority_class")
    if priorities is not None and usual:
        # The API server itself writes the cluster's default class into pods that name none, before they are judged.
        priorities = list(dict.fromkeys([*priorities, usual]))
    lists: dict[str, Iterable[str] | None] = {
        INGRESS_CLASSES: ingress.get("classes"),
        INGRESS_HOSTNAMES: ingress.get("hostnames"),
        PRIORITY_CLASSES: priorities,
        REGISTRIES: allowed.get("registries"),
        SERVICE_TYPES: allowed.get("service_types"),
    }
    return {key: "\n".join(item.rstrip("/") for item in items) for key, items in lists.items() if items is not None}


def build_parameters(environment: Environment, cluster: Cluster, settings: Settings) -> list[Object]:
    """The ConfigMap; it is there even when nothing is restricted, because its absence refuses everything."""
    del cluster
    return [
        in_namespace(
            environment, settings, "v1", "ConfigMap", POLICY_PARAMETERS, wall=True, data=parameters(environment)
        )
    ]
