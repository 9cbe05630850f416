# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What integration tests share: control planes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..control_plane.cluster import ControlPlane
from ..control_plane.fixture import control_plane
from .delivered import Delivered, deliver
from .governed import Governed, govern
from .kubespray_place import installed, place, served

__all__ = ["control_plane", "installed", "place", "served"]


@pytest.fixture(scope="session")
def governed() -> Iterator[Governed]:
    """A control plane of its own under our policies, with an organisation on it that no other test sees."""
    with ControlPlane() as running:
        yield govern(running)


@pytest.fixture(scope="session")
def delivered() -> Iterator[Delivered]:
    """A control plane of its own, with two tenants that the provisioner has brought with its own rights."""
    with ControlPlane() as running:
        yield deliver(running)
