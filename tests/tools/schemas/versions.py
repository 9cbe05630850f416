# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the schemas of each release line come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class UnknownLine(ValueError):
    """The asked release line is not one of `LINES`."""


@dataclass(frozen=True)
class Line:
    """One release line.

    `flux_modules` names the Go modules that hold the API types, as the go.mod of `flux2` names them.
    """

    name: str
    kubernetes: str
    flux: str
    metallb: str
    flux_modules: Mapping[str, str]
    storage_modules: Mapping[str, str]


LINES: Mapping[str, Line] = {
    line.name: line
    for line in (
        Line(
            name="1.30",
            kubernetes="1.30",
            flux="2.5.1",
            metallb="0.15.3",
            flux_modules={
                "github.com/fluxcd/source-controller/api": "v1.5.0",
                "github.com/fluxcd/kustomize-controller/api": "v1.5.1",
                "github.com/fluxcd/helm-controller/api": "v1.2.0",
                "github.com/fluxcd/notification-controller/api": "v1.5.0",
            },
            storage_modules={"github.com/kubernetes-csi/external-snapshotter/client/v8": "v8.2.0"},
        ),
        Line(
            name="1.35",
            kubernetes="1.35",
            flux="2.9.4",
            metallb="0.16.1",
            flux_modules={
                "github.com/fluxcd/source-controller/api": "v1.9.4",
                "github.com/fluxcd/kustomize-controller/api": "v1.9.4",
                "github.com/fluxcd/helm-controller/api": "v1.6.3",
                "github.com/fluxcd/notification-controller/api": "v1.9.3",
            },
            storage_modules={
                "github.com/ceph/ceph-csi-operator": "v1.0.4",
                "github.com/kubernetes-csi/external-snapshotter/client/v8": "v8.2.0",
            },
        ),
    )
}

#: Modules that Go's checksum database does not know, with what their content must add up to.
SUMS: Mapping[tuple[str, str], str] = {
    ("github.com/ceph/ceph-csi-operator", "v1.0.4"): "h1:AA0n6tCCv9oi6yY2UL4EJbiwLqDb76hUcDt5o1ptJf4=",
}

METALLB_MODULE = "go.universe.tf/metallb"

# Flux 2.9 itself uses this version. With the types of Flux 2.5, which used v0.16.1, it yields the same schemas.
CONTROLLER_TOOLS = ("sigs.k8s.io/controller-tools", "v0.21.0")
CONTROLLER_TOOLS_GO = "1.26.0"


def line_of(name: str) -> Line:
    """The release line of that name."""
    try:
        return LINES[name]
    except KeyError:
        raise UnknownLine(f"release line {name!r} is not known; choose one of: {', '.join(LINES)}") from None
