# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes and etcd versions of each release line."""

from __future__ import annotations

import os
from dataclasses import dataclass

Version = tuple[int, int, int]

DEFAULT_LINE = "1.30"
LINE_VARIABLE = "SP_RELEASE_LINE"


class UnknownReleaseLineError(ValueError):
    """The asked release line is not one of `RELEASES`."""


def numbers(version: str) -> Version:
    """Return `1.30.3` as numbers, to compare."""
    major, minor, patch = (int(part) for part in version.split("."))
    return major, minor, patch


@dataclass(frozen=True)
class Release:
    """One release line: what is built, and what is accepted when it is found on the machine."""

    line: str
    kubernetes: str
    etcd: str
    etcd_minimum: Version
    commit: str
    """Commit of the Kubernetes tag, shown by `/version`; empty when it is not known."""

    @property
    def staging(self) -> str:
        """Version of the `k8s.io/*` modules that belongs to this Kubernetes version."""
        return "0." + self.kubernetes.split(".", 1)[1]


RELEASES = {
    release.line: release
    for release in (
        Release("1.30", "1.30.3", "3.5.21", (3, 4, 13), "6fc0a69044f1ac4c13841ec4391224a2df241460"),
        Release("1.35", "1.35.4", "3.6.8", (3, 5, 24), ""),
    )
}


def release(line: str | None = None) -> Release:
    """Return the release of `line`, or of the line that SP_RELEASE_LINE names, or of the default line."""
    wanted = line or os.environ.get(LINE_VARIABLE) or DEFAULT_LINE
    try:
        return RELEASES[wanted]
    except KeyError:
        known = ", ".join(RELEASES)
        raise UnknownReleaseLineError(f"release line {wanted!r} is not known; choose one of: {known}") from None
