# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the tests import the checkout as ansible_collections.k8s.self_provisioning; tests of one rig share a worker."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

COLLECTIONS = Path(__file__).resolve().parent.parent / ".cache" / "collections"

if not (COLLECTIONS / "ansible_collections" / "k8s" / "self_provisioning").exists():
    raise pytest.UsageError(f"{COLLECTIONS} does not hold the collection: run `make venv` once")
sys.path.insert(0, str(COLLECTIONS))

# How long an example takes says something about the machine only.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

#: Tests that share a rig, which takes long to start and costs while it lives: one worker has them all.
RIGS = {
    "flux": (
        "alerts",
        "bootstrap",
        "database_secrets",
        "flux",
        "metallb",
        "own_repository",
        "secrets",
        "status",
        "upgrade",
    ),
    "integration of delivered": ("access", "attacks", "provisioner", "tenants_info"),
    "integration of governed": ("policies", "rights", "walls"),
    "integration of control_plane": ("capacity", "flux_login", "storage"),
}
_RIG_OF = {f"tests/{rig.split()[0]}/test_{name}.py": rig for rig, names in RIGS.items() for name in names}


class ByRig(LoadScopeScheduling):
    """Files stay whole, those of one rig together. (C(--dist loadgroup) of xdist 3.8 does nothing under pytest 9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return _RIG_OF.get(path, path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """For C(--dist loadfile)."""
    return ByRig(config, log) if config.getoption("dist") == "loadfile" else None
