# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a cluster gets from its Kubernetes version to the one that it should have, one minor version at a time."""

from __future__ import annotations

from collections.abc import Mapping

from .._model.errors import ModelError
from .._model.release_lines import KUBESPRAY_RELEASES, RELEASE_LINES, ReleaseLine, Step, minor, version


def walk(current: str, wanted: str, line: str, lines: Mapping[str, ReleaseLine] | None = None) -> list[Step]:
    """The steps from I(current) to I(wanted), the last one with the Kubespray of I(line).

    @raises ModelError: there is no such way: it goes back, or would leave a minor version out.
    """
    lines = RELEASE_LINES if lines is None else lines
    if version(wanted) < version(current):
        raise ModelError(
            f"the cluster runs Kubernetes {current}, and {wanted} is older. Kubernetes cannot go back; restore a "
            "backup into a new cluster instead."
        )
    steps = [
        step
        for step in _all_steps(line, lines)
        if version(minor(step.kubernetes)) > version(minor(current))
        and version(minor(step.kubernetes)) < version(minor(wanted))
    ]
    if wanted != current:
        steps.append(Step(wanted, lines[line].kubespray))
    here = current
    for step in steps:
        gap = version(step.kubernetes)[1] - version(here)[1]
        if gap > 1:
            raise ModelError(
                f"no release line of this collection leads from Kubernetes {minor(here)} to {minor(step.kubernetes)}, "
                "and leaving a minor version out is not possible. Use a collection that knows the versions between."
            )
        if not KUBESPRAY_RELEASES[step.kubespray].installs(step.kubernetes):
            raise ModelError(f"Kubespray {step.kubespray} does not install Kubernetes {step.kubernetes}.")
        here = step.kubernetes
    return steps


def _all_steps(line: str, lines: Mapping[str, ReleaseLine]) -> list[Step]:
    """Every step on the way to I(line), from the first line on."""
    this = lines[line]
    before = _all_steps(this.follows, lines) if this.follows else []
    return [*before, *this.steps]


def described(current: str, steps: list[Step]) -> list[str]:
    """The walk for people."""
    if not steps:
        return [f"Kubernetes {current}: nothing to do"]
    lines = []
    here = current
    for number, step in enumerate(steps, 1):
        lines.append(f"step {number} of {len(steps)}: {here} → {step.kubernetes} with Kubespray {step.kubespray}")
        here = step.kubernetes
    return lines
