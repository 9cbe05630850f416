# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A control plane in the background; that it starts and ends is shown by every scenario that has one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .background import Background


def test_one_that_does_not_start_says_why(tmp_path: Path) -> None:
    """With the end of its log, which stays for a look until it is stopped."""
    found = Background(tmp_path / "rig")
    with pytest.raises(RuntimeError, match=r"it ended with code 2; the end of (.|\n)*arguments: --no-such"):
        found.start(["--no-such-option"])
    assert not found.running
    assert (tmp_path / "rig/log").exists()
    found.stop()
    assert not (tmp_path / "rig").exists()


def test_nothing_is_ended_that_was_not_started(tmp_path: Path) -> None:
    """Neither without a pid, nor when the pid is now somebody else's."""
    found = Background(tmp_path / "rig")
    found.stop()
    for text in ("", f"{os.getpid()} 1"):
        found.folder.mkdir()
        (found.folder / "pid").write_text(text, encoding="utf-8")
        assert not found.running
        found.stop()
        assert not found.folder.exists()
