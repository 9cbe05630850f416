# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where community.sops comes from: the package `ansible`, of which only this collection is kept."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from ..control_plane.binaries import cache_root

PACKAGE = "ansible==12.0.0"
_PART = "ansible_collections/community/sops/"


def find() -> Path:
    """A folder for Ansible's collections path."""
    folder = cache_root().parent / "sops" / PACKAGE.rpartition("=")[2]
    if not (folder / _PART / "MANIFEST.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            _download(Path(scratch))
            shutil.rmtree(folder / "ansible_collections", ignore_errors=True)
            (Path(scratch) / "ansible_collections").rename(folder / "ansible_collections")
    return folder


def _download(scratch: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", PACKAGE],
        cwd=scratch,
        check=True,
    )
    (wheel,) = scratch.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(scratch, [name for name in archive.namelist() if name.startswith(_PART)])
