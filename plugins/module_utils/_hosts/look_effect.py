# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings stand in files only, because a run ended before it restarted what reads them."""

from __future__ import annotations

import os
import time
import typing as t

from . import read

Effects = dict[str, dict[str, t.Any]]


def look(effects: Effects) -> list[str]:
    """The names of those whose C(files) are newer than the last start or reload of C(unit), or than what is C(made).

    A unit that does not run reads its files when it starts.
    """
    started = _started([each["unit"] for each in effects.values()])
    found = []
    for name, each in effects.items():
        since = started.get(each["unit"])
        if since is not None and "made" in each:
            since = _newest([each["made"]])
        changed = _newest(each["files"])
        if since is not None and changed is not None and changed > since:
            found.append(name)
    return found


def _started(units: list[str]) -> dict[str, float]:
    """When each of the units that run came into the state in which it is."""
    if not units:
        return {}
    shown = read.run("systemctl", "show", "--property=ActiveState,StateChangeTimestampMonotonic", *units)
    boot = time.time() - time.monotonic()
    found = {}
    for unit, block in zip(units, shown.split("\n\n"), strict=False):
        values = read.pairs(block)
        if values.get("ActiveState") == "active":
            found[unit] = boot + int(values["StateChangeTimestampMonotonic"]) / 1e6
    return found


def _newest(paths: list[str]) -> float | None:
    """When the last of those files that exist was written."""
    return max((os.stat(path).st_mtime for path in paths if os.path.exists(path)), default=None)
