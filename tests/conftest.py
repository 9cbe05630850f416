# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the tests import the checkout as ansible_collections.k8s.self_provisioning."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

COLLECTIONS = Path(__file__).resolve().parent.parent / ".cache" / "collections"

if not (COLLECTIONS / "ansible_collections" / "k8s" / "self_provisioning").exists():
    raise pytest.UsageError(f"{COLLECTIONS} does not hold the collection: run `make venv` once")
sys.path.insert(0, str(COLLECTIONS))
