# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a measured rack may not show."""

from __future__ import annotations

import pytest

from tests.hosts.rack import Measured, faults


def run(hosts: int, seconds: float, changed: int = 0, gathered: int = 0) -> Measured:
    look = {"play": "p", "name": "look", "action": "k8s.self_provisioning.host_info", "hosts": gathered or hosts}
    task = {"play": "p", "name": "write", "action": "ansible.builtin.template", "hosts": hosts, "seconds": seconds}
    return Measured(hosts, seconds, 1, [{**look, "seconds": 1.0}, task], {"node01": {"changed": changed}})


#: Two runs on 25 hosts next to two on 5 that took 5 s each, and what is told.
RUNS: dict[str, tuple[list[Measured], str]] = {
    "five times as long": ([run(25, 25), run(25, 30)], ""),
    "longer once": ([run(25, 80), run(25, 25)], ""),
    "longer each time": ([run(25, 80), run(25, 81)], "write: 5.0 s on 5 hosts, 81.0 s on 25"),
    "facts twice": ([run(25, 25), run(25, 25, gathered=50)], "facts were gathered 50 times on 25 hosts"),
    "changed again": ([run(25, 25, changed=9), run(25, 25, changed=1)], "the second run changed something on 25 hosts"),
}


@pytest.mark.parametrize(("many", "told"), RUNS.values(), ids=RUNS)
def test_faults(many: list[Measured], told: str) -> None:
    assert faults([run(5, 5, changed=3), run(5, 5)], many) == ([told] if told else [])
