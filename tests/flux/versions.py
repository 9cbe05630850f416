# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which controllers a release of Flux is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..control_plane.versions import UnknownReleaseLineError

DEFAULT_LINE = "1.35"
FLUX2 = "github.com/fluxcd/flux2/v2"
#: kustomize-controller opens what SOPS has encrypted, so the program is built at the version that it contains.
SOPS = "github.com/getsops/sops/v3/cmd/sops"
SOPS_IN = "kustomize-controller"


@dataclass(frozen=True)
class Flux:
    """One release of Flux, as the go.mod and the manifests of flux2 name its parts.

    @param controllers: whose definitions and Deployments make the install manifest.
    @param programs: those that are built and run, at the version that can be built from published modules.
    """

    line: str
    version: str
    controllers: Mapping[str, str]
    programs: Mapping[str, str]

    def module(self, controller: str) -> str:
        """The Go module of a controller; its program is the module's main package."""
        return f"github.com/fluxcd/{controller}"


# What cannot be built here, as the module proxy does not have what the go.mod names:
# - Flux 2.5.1 of the line 1.30: source-controller 1.5.0, kustomize-controller 1.5.1, helm-controller 1.2.0 themselves;
# - source-controller 1.9.4: github.com/fluxcd/pkg/artifact 0.18.2, so the patch release before it runs;
# - helm-controller 1.6.3: github.com/fluxcd/helm/v4 4.2.4-flux.1, a fork that replaces Helm, so no chart is installed.
RELEASES = {
    each.line: each
    for each in (
        Flux(
            "1.35",
            "2.9.4",
            {
                "source-controller": "v1.9.4",
                "kustomize-controller": "v1.9.4",
                "helm-controller": "v1.6.3",
                "notification-controller": "v1.9.3",
            },
            {
                "source-controller": "v1.9.3",
                "kustomize-controller": "v1.9.4",
                "notification-controller": "v1.9.3",
            },
        ),
    )
}


def release(line: str | None = None) -> Flux:
    """The Flux of a release line, or of the default line."""
    wanted = line or DEFAULT_LINE
    try:
        return RELEASES[wanted]
    except KeyError:
        known = ", ".join(RELEASES)
        raise UnknownReleaseLineError(f"there is no Flux rig of the line {wanted!r}; choose one of: {known}") from None
