# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small readers of a Linux system, which answer with nothing where there is nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

SECONDS = 15


def text(path: str | Path) -> str:
    """Content of a file, stripped; empty when it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def number(path: str | Path) -> int | None:
    """The number in a file."""
    try:
        return int(text(path))
    except ValueError:
        return None


def names(folder: str | Path) -> list[str]:
    """What a folder holds, sorted."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def run(*command: str, seconds: int = SECONDS) -> str:
    """What a program prints; empty when it is missing, fails or hangs."""
    program = shutil.which(command[0], path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:/snap/bin")
    if not program:
        return ""
    try:
        result = subprocess.run(
            [program, *command[1:]],
            capture_output=True,
            check=False,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return result.stdout.decode(errors="replace").strip()


def pairs(content: str) -> dict[str, str]:
    """Lines of the form C(KEY=value), as in os-release."""
    found = {}
    for line in content.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith("#"):
            found[key] = value.strip().strip("\"'")
    return found


def first_existing(paths: Iterable[str]) -> list[str]:
    """Those of the paths that exist."""
    return [path for path in paths if os.path.lexists(path)]


def nearest(path: str) -> Path:
    """The path, or the folder above it that exists."""
    place = Path(path)
    while not place.exists() and place != place.parent:
        place = place.parent
    return place
