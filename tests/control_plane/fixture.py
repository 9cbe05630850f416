# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pytest fixture `control_plane`; a conftest.py imports it.

A control plane that does not start fails the tests; it never skips them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .cluster import ControlPlane


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """One control plane for the whole test session."""
    with ControlPlane() as running:
        yield running
