# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flux is taken away while its controllers run, and nothing that it has applied goes with it."""

from __future__ import annotations

import pytest

from .site import Site, snapshot

pytestmark = pytest.mark.slow


def test_what_flux_has_applied_stays(fresh_site: Site) -> None:
    """Tenants keep everything; what opens their secrets stays as well."""
    site = fresh_site
    before = snapshot(site.rig)
    run = site.bootstrap("--check", flux_bootstrap_state="absent", flux_bootstrap_confirm="east")
    assert (run.code, run.changed) == (0, 1), run.out
    assert site.rig.get(site.rig.path("Kustomization", "flux-system", "flux-system")) is not None
    run = site.bootstrap(flux_bootstrap_state="absent", flux_bootstrap_confirm="east")
    assert run.code == 0, run.out
    assert site.rig.get("/apis/apps/v1/namespaces/flux-system/deployments/source-controller") is None
    assert site.rig.get(site.rig.path("Kustomization")) is None
    assert site.rig.get("/api/v1/namespaces/flux-system/secrets/sops-age") is not None
    assert snapshot(site.rig) == before
    run = site.bootstrap(flux_bootstrap_state="absent", flux_bootstrap_confirm="east")
    assert (run.code, run.changed) == (0, 0), run.out
