# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What describes a role."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Options = dict[str, dict[str, t.Any]]


@dataclass(frozen=True)
class Entry:
    """A way into a role: C(main), or a file for C(tasks_from)."""

    short: str
    description: tuple[str, ...]
    options: Options


@dataclass(frozen=True)
class Role:
    """A role. I(reads_settings): it reads the organisation's settings."""

    title: str
    entries: dict[str, Entry]
    reads_settings: bool
    example: str
