# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook flux_status: what it prints, writes and ends with."""

from __future__ import annotations

import pytest

from .site import Site, tenant


def test_everything_is_as_committed(site: Site) -> None:
    """A table for people, JSON for programs, and an exit status for pipelines."""
    site.settle()
    run, found = site.status()
    assert run.code == 0, run.out
    assert f"east: commit {site.head[:10]}" in run.out
    assert "as committed" in run.out
    assert (found["healthy"], found["commit"]) == (True, site.head)
    assert {each["state"] for each in found["tenants"].values()} == {"ready"}
    assert {each["commit"] for each in found["tenants"].values()} == {site.head}
    # the file says something new each time, nothing else is changed
    assert run.changed == 1


@pytest.mark.slow
def test_it_waits_for_a_commit(site: Site) -> None:
    """And fails when the commit does not come."""
    site.tenants["later"] = tenant("later")
    head = site.commit(poke=False)
    run, _found = site.status(flux_status_commit=head)
    assert run.code != 0
    assert f"GitRepository flux-system/flux-system (at {found_commit(_found)})" in " ".join(run.out.split())
    assert "Kustomization flux-system/tenant-later (missing)" in " ".join(run.out.split())
    site.rig.poke("GitRepository", "flux-system")
    run, found = site.status(flux_status_commit=head[:8], flux_status_wait=60)
    assert run.code == 0, run.out
    assert found["tenants"]["later"]["state"] == "ready"


def found_commit(found: dict[str, object]) -> str:
    """The commit that was there instead."""
    return str(found["commit"])
