# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many addresses of a pool MetalLB keeps back from old devices."""

from __future__ import annotations

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.metallb import address_set, confusing


@pytest.mark.parametrize(
    ("ranges", "number"),
    [
        (["10.0.0.0/24"], 2),
        (["10.0.0.0/23", "10.9.0.0/24"], 6),
        (["10.0.0.1-10.0.0.254"], 0),
        (["10.0.0.128/25"], 1),
        (["10.0.0.250-10.0.3.4"], 6),
        (["10.0.0.7/32", "10.0.1.255/32", "10.0.2.0/32"], 2),
        # nobody has the time to look at each of these
        (["10.0.0.0/8", "2001:db8::/64"], 2 << 16),
    ],
)
def test_addresses_that_are_kept_back(ranges: list[str], number: int) -> None:
    assert confusing(address_set(ranges)) == number
