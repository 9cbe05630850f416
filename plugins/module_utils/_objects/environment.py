# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that one environment becomes on one cluster."""

from __future__ import annotations

from collections.abc import Callable

from .._model.entities import Cluster, Environment, Settings
from . import disruption, flux_tenant, limits, namespace, network, policy_params, quota, rbac
from .common import Object

Builder = Callable[[Environment, Cluster, Settings], list[Object]]

#: Walls before doors: while the list is applied, nobody can do more than when it is complete.
BUILDERS: tuple[Builder, ...] = (
    namespace.build_namespace,  # everything else lives in it; its Pod Security labels must precede the first pod
    policy_params.build_parameters,  # admission policies refuse workloads until their parameters exist
    quota.build_quotas,  # before anybody can create what it counts
    limits.build_limit_range,  # pods without requests would be refused by the quota
    network.build_network_policies,  # before the first pod sends a packet
    disruption.build_disruption_budget,  # harmless on its own, and useful from the first pod on
    rbac.build_service_accounts,  # subjects exist before they are named
    rbac.build_role_bindings,  # from here on people can work
    flux_tenant.build_delivery,  # from here on Flux works, with the rights granted one line above
)


def environment_objects(environment: Environment, cluster: Cluster, settings: Settings) -> list[Object]:
    """The objects of an environment on a cluster, in the order in which they should come to life."""
    return [each for builder in BUILDERS for each in builder(environment, cluster, settings)]
