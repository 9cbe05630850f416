# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether services run with the files that are on disk. After a run that was broken off, some do not."""

from __future__ import annotations

import glob
import os
import time
import typing as t
from collections.abc import Iterable, Mapping

from . import read

STOPPED, CURRENT, OUTDATED = "stopped", "current", "outdated"
#: A reload changes the state of a unit, and not the start of its process.
_START, _CHANGE = "ExecMainStartTimestampMonotonic", "StateChangeTimestampMonotonic"
_PROPERTIES = ("ActiveState", "ReloadResult", _START, _CHANGE)


def states(services: Mapping[str, Mapping[str, t.Any]]) -> dict[str, str]:
    """The state of each service: C(stopped), C(current) or C(outdated).

    @param services: by any name, the C(unit) and the other parameters of C(state).
    """
    return {
        name: state(
            _show(each["unit"]), each["files"], restart=bool(each.get("restart")), made=str(each.get("made", ""))
        )
        for name, each in services.items()
    }


def state(shown: Mapping[str, str], files: Iterable[str], *, restart: bool = False, made: str = "") -> str:
    """The state of one service.

    @param shown: properties of the unit, as systemctl shows them.
    @param files: paths, or patterns, of what it reads.
    @param restart: whether only a restart makes it read them.
    @param made: the file that is made of them for it, with the time at which it was told of that one.
    """
    if shown.get("ActiveState", "inactive") in ("inactive", "failed"):
        return STOPPED
    if not restart and shown.get("ReloadResult", "success") != "success":
        return OUTDATED
    if made:
        return OUTDATED if _placed(files) > _modified(made) else CURRENT
    # Not the time of day at which it started: a machine may boot with a wrong clock.
    age = time.monotonic() - int(shown.get(_START if restart else _CHANGE, 0)) / 1e6
    return OUTDATED if _placed(files) > time.time() - age else CURRENT


def _placed(files: Iterable[str]) -> float:
    """When the last of the files came to its place; it may have been written long before, as those of packages are."""
    return max(
        (os.stat(path).st_ctime for pattern in files for path in glob.glob(pattern) if os.path.exists(path)), default=0
    )


def _modified(path: str) -> float:
    return os.stat(path).st_mtime if os.path.exists(path) else 0


def _show(unit: str) -> dict[str, str]:
    return read.pairs(read.run("systemctl", "show", unit, f"--property={','.join(_PROPERTIES)}"))
