# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One inventory, two deliveries: Flux and the live reconciler make the same cluster."""

from __future__ import annotations

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.access import Access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.reconcile import Options, reconcile
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster import FACTS
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster_bundle import cluster_bundle
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import HOME_NAMESPACE, build

from ..control_plane.cluster import ControlPlane
from .site import CLUSTER, Site, compiled, snapshot

pytestmark = pytest.mark.slow


def test_the_clusters_are_the_same(fresh_site: Site) -> None:
    """Object by object. Only the facts say which delivery it is, and lie where its deliverer lives."""
    site = fresh_site
    fleet = compiled(site.tenants.values(), site.line, cluster_delivery="live")
    objects = [build("v1", "Namespace", HOME_NAMESPACE), *cluster_bundle(fleet, CLUSTER)]
    with ControlPlane(site.line) as plane:
        with Session.open(Access(kubeconfig=str(plane.kubeconfig))) as session:
            result = reconcile(session, objects, Options())
        assert not result["failed"], {
            (row["kind"], row["namespace"], row["reason"]) for row in result["objects"] if row["reason"]
        }
        live = snapshot(plane)
    by_flux = snapshot(site.rig)
    for name in (FACTS, HOME_NAMESPACE):
        for found in (live, by_flux):
            for key in [key for key in found if key[2] == name]:
                del found[key]
    assert set(by_flux) == set(live)
    assert {key: value for key, value in by_flux.items() if value != live[key]} == {}
    kinds = {kind for kind, _namespace, _name in live}
    assert {"Namespace", "PodDisruptionBudget", "RoleBinding", "ValidatingAdmissionPolicy"} <= kinds
