# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench still runs: a tiny fleet, every part of it, and no opinion on its figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def test_a_tiny_fleet_is_measured() -> None:
    command = [sys.executable, "-m", "tests.bench", "--clusters", "6", "--environments", "24", "--sample", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    for told in ("The example organisation", "6 clusters, 24 environments", "× ours", "nothing to do"):
        assert told in done.stdout, done.stdout
    assert done.stdout.count(" environments  ") == 4, "growth over four sizes"
