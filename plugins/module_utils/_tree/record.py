# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes placements that were decided into the tenant files, so that the inventory says where things live."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .._inventory.folder import Folder
from .._model.entities import Environment
from .._model.fleet import Fleet
from .placements import record_in_inventory


def record_placements(fleet: Fleet, folder: Folder, *, check: bool) -> list[str]:
    """Records every placement that the tenant files lack; returns the files that change.

    Tenants that come from no file (as under AWX) are left alone; the fleet tree records their placements.
    """
    pending: dict[Path, list[Environment]] = {}
    for environment in fleet.environments:
        files = folder.defined.get(environment.tenant.variable)
        if environment.placement and environment.placement.origin != "declared" and files:
            pending.setdefault(files[-1], []).append(environment)
    written = []
    for path, environments in pending.items():
        old = text = path.read_bytes().decode("utf-8")
        for e in environments:
            if e.placement:
                text = record_in_inventory(text, e.tenant.variable, e.project.id, e.name, e.placement)
        if text == old:
            continue
        written.append(str(path))
        if not check:
            _replace(path, text)
    return sorted(written)


def _replace(path: Path, text: str) -> None:
    """A reader sees the old file or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(name, path.stat().st_mode & 0o7777)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
