# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster fetches of the fleet tree."""

from __future__ import annotations

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster, Settings
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.flux_install import sync_objects
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import paths


def fetched(path: str) -> bool:
    """Whether a source of the cluster C(east) has a path: the last pattern that fits it or a folder above it counts."""
    settings = Settings.of({})
    repository = sync_objects(Cluster.of("east", {"cluster_environment": "prod"}, settings), settings)[0]
    left_out = False
    for line in repository["spec"]["ignore"].splitlines():
        pattern = line.removeprefix("!").removeprefix("/")
        folder = pattern.removesuffix("*")
        fits = path.startswith(folder) if folder.endswith("/") else path == pattern
        left_out = not line.startswith("!") if fits else left_out
    return not left_out


@pytest.mark.parametrize(
    "path",
    [
        paths.cluster_folder("east", "config", "kustomizations.yaml"),
        paths.cluster_folder("east", paths.KUSTOMIZATION),
        f"{paths.policies_folder('1.30')}/cluster-roles.yaml",
        f"{paths.policies_folder('1.35')}/cluster-roles.yaml",
        f"{paths.APPS}/shop/base/deployment.yaml",
        "infrastructure/of-somebody/x.yaml",
        paths.SOPS,
    ],
)
def test_what_a_cluster_reads_is_fetched(path: str) -> None:
    assert fetched(path)


@pytest.mark.parametrize(
    "path",
    [
        paths.cluster_folder("west", "config", "kustomizations.yaml"),
        paths.cluster_folder("east-prod", "config", "kustomizations.yaml"),
        paths.vendor_file("metallb", "0.15.3"),
        paths.LEDGER,
        paths.PLACEMENTS,
        paths.MANIFEST,
    ],
)
def test_what_grows_with_the_fleet_is_not(path: str) -> None:
    assert not fetched(path)
