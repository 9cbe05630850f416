# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services from released manifests: the tree keeps what it was given, and takes nothing else for it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import deliver
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: controller, namespace: metallb-system}
spec:
  template:
    spec:
      containers: [{name: controller, image: "quay.io/metallb/controller:v0.16.1"}]
---
apiVersion: v1
kind: Namespace
metadata: {name: metallb-system}
"""
KEY = ("metallb", "0.16.1")
RELEASE = "clusters/east/platform/metallb/release.yaml"
VENDOR = "vendor/metallb/0.16.1.yaml"


def run(
    root: Path, released: dict[tuple[str, str], str] | None = None, pools: dict[str, str] | None = None, **service: Any
) -> deliver.Outcome:
    """One cluster that runs MetalLB."""
    cluster: dict[str, Any] = {
        "cluster_environment": "dev",
        "cluster_release_line": "1.35",
        "cluster_security_domain": "internal_only",
        "cluster_sla_tier": "tier_3_standard",
        "cluster_capacity": {"cpu": "100"},
        "cluster_services": {"metallb": {}},
        "cluster_network": {
            "load_balancer_pools": [
                {"name": name, "addresses": [range_]} for name, range_ in (pools or {"all": "10.1.2.0/28"}).items()
            ]
        },
    }
    settings = {"fleet_services": {"metallb": {"namespace": "metallb-system", **service}}}

    def compiled(recorded: Any) -> Fleet:
        source = Source(settings, {}, {"east": cluster})
        return compile_fleet(source, today=datetime.date(2026, 11, 21), recorded=recorded)

    outcome = deliver.deliver(root, compiled, released=released)
    assert [problem.render() for problem in outcome.fleet.problems.errors] == []
    return outcome


def test_the_tree_keeps_it(tmp_path: Path) -> None:
    """The namespace comes first and is never pruned; the platform waits for what runs; later runs need no manifest."""
    run(tmp_path, {KEY: MANIFEST})
    assert (tmp_path / VENDOR).read_text(encoding="utf-8") == MANIFEST
    text = (tmp_path / RELEASE).read_text(encoding="utf-8")
    assert text.index("kind: Namespace") < text.index("kind: Deployment")
    assert "kustomize.toolkit.fluxcd.io/prune: disabled" in text
    kustomizations = (tmp_path / "clusters/east/config/kustomizations.yaml").read_text(encoding="utf-8")
    assert "healthChecks:\n  - apiVersion: apps/v1\n    kind: Deployment\n    name: controller" in kustomizations
    assert not run(tmp_path).changed


def test_the_images_of_a_mirror(tmp_path: Path) -> None:
    run(tmp_path, {KEY: MANIFEST}, registry="mirror.example.edu/metallb")
    assert "image: mirror.example.edu/metallb/controller:v0.16.1" in (tmp_path / RELEASE).read_text(encoding="utf-8")


def test_a_chart_again(tmp_path: Path) -> None:
    """With a repository, Helm brings it, and the manifest goes."""
    run(tmp_path, {KEY: MANIFEST})
    run(tmp_path, repository="https://metallb.github.io/metallb")
    assert not (tmp_path / VENDOR).exists()
    assert "kind: HelmRelease" in (tmp_path / RELEASE).read_text(encoding="utf-8")


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TreeError, match="the tree does not hold the released manifest of version"):
        run(tmp_path)
    assert not (tmp_path / "clusters").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("v0.16.1", "v0.15.3"), "it runs metallb 0.15.3, and 0.16.1 is wanted"),
        (("namespace: metallb-system", "namespace: elsewhere"), "it installs into elsewhere, and fleet_services"),
        (("kind: Deployment\n", ""), "no Kubernetes object"),
        (("spec:\n", "spec: {{\n"), "it is not YAML"),
    ],
)
def test_another_manifest(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    with pytest.raises(TreeError, match=told):
        run(tmp_path, {KEY: MANIFEST.replace(*change)})
    assert not (tmp_path / RELEASE).exists()


def test_somebody_changed_it(tmp_path: Path) -> None:
    run(tmp_path, {KEY: MANIFEST})
    changed = MANIFEST.replace("quay.io", "evil.example.com")
    (tmp_path / VENDOR).write_text(changed, encoding="utf-8")
    with pytest.raises(TreeError, match="it was changed after it was written"):
        run(tmp_path)
    run(tmp_path, {KEY: MANIFEST})
    assert (tmp_path / VENDOR).read_text(encoding="utf-8") == MANIFEST


def test_addresses_that_change_hands(tmp_path: Path) -> None:
    """Only when another pool of the tree has them still."""
    assert run(tmp_path, {KEY: MANIFEST}, pools={"all": "10.1.2.0/28"}).warnings == []
    outcome = run(tmp_path, pools={"all": "10.1.2.8/29", "more": "10.1.2.0/29"})
    assert len(outcome.warnings) == 1
    assert "east: the pool more takes 10.1.2.0/29, which the pool all has in the tree." in outcome.warnings[0]
    assert run(tmp_path, pools={"all": "10.1.2.8/29", "more": "10.1.2.0/29"}).warnings == []
