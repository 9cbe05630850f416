# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubespray's inventories of the example are the reviewed ones."""

from __future__ import annotations

import difflib

from ansible_collections.k8s.self_provisioning.tests.golden import render_kubespray
from ansible_collections.k8s.self_provisioning.tests.golden.test_example import texts


def test_inventories_are_the_golden_ones() -> None:
    old, new = texts(render_kubespray.GOLDEN), render_kubespray.files()
    changes = [
        line
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
        for line in difflib.unified_diff(
            old.get(name, "").splitlines(), new.get(name, "").splitlines(), f"golden/{name}", f"now/{name}", lineterm=""
        )
    ]
    assert not changes, "\n".join(changes[:200]) + "\nWhen this is meant: python tests/golden/render_kubespray.py"
    assert len(new) == 2 * 9 * 2
