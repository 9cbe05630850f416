# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that every module on a whole fleet has."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment."""

    DOCUMENTATION = r"""
options:
  inventory:
    description:
      - An inventory folder to read instead of the variables of this run. Nothing in it is templated or run, so it may
        come from somebody you do not trust.
      - Without it the variables of this run count, wherever they come from.
    type: path
  today:
    description:
      - The day, as C(YYYY-MM-DD), for which grants count and placements are decided. By default today in UTC.
    type: str
"""
