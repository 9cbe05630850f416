# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Release lines: which API versions an object must use, by tested set of versions."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class ReleaseLine:
    """One line. I(flux_api): versions of the Go modules C(github.com/fluxcd/<name>/api) that flux2 names."""

    name: str
    kubernetes: str
    end_of_life: str
    flux: str
    oci_repository: str
    flux_api: t.Mapping[str, str]
    helm_retry_strategy: bool


RELEASE_LINES: dict[str, ReleaseLine] = {
    line.name: line
    for line in (
        ReleaseLine(
            name="1.30",
            kubernetes="1.30.3",
            end_of_life="2025-07-15",
            flux="2.5.1",
            oci_repository="source.toolkit.fluxcd.io/v1beta2",
            flux_api={"source-controller": "v1.5.0", "kustomize-controller": "v1.5.1", "helm-controller": "v1.2.0"},
            helm_retry_strategy=False,
        ),
        ReleaseLine(
            name="1.35",
            kubernetes="1.35.4",
            end_of_life="2027-02-28",
            flux="2.9.4",
            oci_repository="source.toolkit.fluxcd.io/v1",
            flux_api={"source-controller": "v1.9.4", "kustomize-controller": "v1.9.4", "helm-controller": "v1.6.3"},
            helm_retry_strategy=True,
        ),
    )
}
