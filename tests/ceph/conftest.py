# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of Ceph share: one cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .rig import CephRig


@pytest.fixture(scope="session")
def ceph() -> Iterator[CephRig]:
    """A cluster with nothing on it."""
    with CephRig() as running:
        yield running
