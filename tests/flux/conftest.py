# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of Flux share: one rig, on which a small organisation lives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .rig import FluxRig
from .site import Site, tenant


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """Flux on an empty cluster, reading a repository that holds nothing yet."""
    with FluxRig() as rig:
        yield Site(rig, tenant("physics"), tenant("biology"))
