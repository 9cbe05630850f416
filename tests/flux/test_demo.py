# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example's cluster C(shared-dev), from nothing to its tenants, by the collection's own playbooks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ..integration.playbooks import play
from .__main__ import CANNOT, CLUSTER, Demo
from .rig import FluxRig

pytestmark = pytest.mark.slow

QUOTAS = "/api/v1/resourcequotas"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/rolebindings"


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """An empty cluster; the tree is committed, Flux is installed, and nobody helps."""
    with FluxRig() as rig:
        made = Demo(rig)
        head = made.commit()
        made.install()
        made.wait(head)
        yield made


def items(demo: Demo, path: str) -> list[dict[str, Any]]:
    """A list, as the administrator sees it."""
    return list((demo.rig.get(path) or {})["items"])


def test_everything_but_charts_is_there(demo: Demo) -> None:
    """helm-controller does not run here and no registry is asked, so the platform and what needs it wait; no tenant
    does."""
    listed = items(demo, demo.rig.path("Kustomization", "flux-system"))
    waiting = {
        each["metadata"]["name"]
        for each in listed
        if demo.rig.condition("Kustomization", each["metadata"]["name"])[0] != "True"
    }
    assert waiting == set(CANNOT)
    assert demo.rig.condition("Kustomization", "network")[2] == "dependency 'flux-system/platform' is not ready"
    assert sum(each["metadata"]["name"].startswith("tenant-") for each in listed) >= 16


def test_every_environment_has_quota_and_rights(demo: Demo) -> None:
    """As the golden tree declares them."""
    declared = {path.stem for path in (demo.tree / f"clusters/{CLUSTER}/tenants").glob("*/*-*.yaml")}
    assert len(declared) >= 19
    assert {each["metadata"]["namespace"] for each in items(demo, QUOTAS) if "used" in each["status"]} >= declared
    assert {each["metadata"]["namespace"] for each in items(demo, BINDINGS)} >= declared


def test_status_tells_what_cannot_go_on(demo: Demo) -> None:
    """And whose repositories do not exist."""
    path = demo.rig.folder / "status.json"
    run = play(
        "flux_status", "--limit", CLUSTER, flux_status_json=path,
        cluster_kubeconfig=str(demo.rig.plane.kubeconfig), tenants_tree=str(demo.tree),
    )  # fmt: skip
    assert run.code != 0
    found = json.loads(path.read_text(encoding="utf-8"))
    assert {each["state"] for each in found["tenants"].values()} == {"ready"}
    bad = {each["kind"] for each in found["objects"] if each["state"] != "ready"}
    assert bad == {"Kustomization", "HelmRepository", "HelmRelease", "OCIRepository"}
    assert "physics/lab-sim/dev" in found["tenants"]["physics"]["repositories"]
    assert "git.hela.example" in run.out
