# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a service runs with its files as they are: a run that was broken off after writing them left it as it was."""

from __future__ import annotations

import os
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._hosts.services import state, states


def unit(
    *, started: float = 100, changed: float = 100, active: str = "active", reload: str = "success"
) -> dict[str, str]:
    """What systemctl shows of a unit that was started and reloaded so many seconds ago."""
    now = time.monotonic()
    return {
        "ActiveState": active,
        "ReloadResult": reload,
        "ExecMainStartTimestampMonotonic": str(int((now - started) * 1e6)),
        "StateChangeTimestampMonotonic": str(int((now - changed) * 1e6)),
    }


@pytest.mark.parametrize(
    ("given", "restart", "expected"),
    [
        pytest.param({}, False, "outdated", id="written after the start"),
        pytest.param({"started": 100, "changed": -60}, False, "current", id="reloaded since"),
        pytest.param({"started": 100, "changed": -60}, True, "outdated", id="reloaded, and only a restart helps"),
        pytest.param({"started": -60, "changed": -60}, True, "current", id="restarted since"),
        pytest.param({"changed": -60, "reload": "exit-code"}, False, "outdated", id="the reload failed"),
        pytest.param({"active": "activating"}, True, "outdated", id="still waiting for others"),
        pytest.param({"active": "failed"}, False, "stopped", id="failed"),
        pytest.param(None, False, "stopped", id="no such service"),
    ],
)
def test_what_a_service_runs_with(tmp_path: Path, given: dict[str, t.Any] | None, restart: bool, expected: str) -> None:
    (tmp_path / "service.conf").write_text("x", encoding="utf-8")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    files = [str(tmp_path / name) for name in ("none", "gone", "*.conf")]
    assert state({} if given is None else unit(**given), files, restart=restart) == expected


def test_a_file_that_came_to_its_place_later_than_it_was_written(tmp_path: Path) -> None:
    """A package's files, and those that are copied with their times, are older than the service."""
    path = tmp_path / "service.conf"
    path.write_text("x", encoding="utf-8")
    os.utime(path, (0, 0))
    assert state(unit(), [str(path)]) == "outdated"
    assert state(unit(changed=-60), [str(path)]) == "current"
    assert state(unit(), []) == "current"


@pytest.mark.parametrize(("made", "expected"), [(60, "current"), (-60, "outdated"), (None, "outdated")])
def test_what_is_made_of_the_files(tmp_path: Path, made: float | None, expected: str) -> None:
    """A program may be told again without another start: only what was made for it says how old that is."""
    (tmp_path / "rules").touch()
    if made is not None:
        (tmp_path / "made").touch()
        os.utime(tmp_path / "made", (time.time() + made,) * 2)
    assert state(unit(), [str(tmp_path / "rules")], made=str(tmp_path / "made")) == expected


def test_services_that_nobody_has() -> None:
    assert states({"one": {"unit": "sp-nobody-has-this.service", "files": []}}) == {"one": "stopped"}
