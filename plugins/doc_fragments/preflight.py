# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of modules that judge hosts, and of those that look at them for it."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment."""

    DOCUMENTATION = r"""
options:
  report:
    description:
      - Whether to print the findings for people.
    type: bool
    default: true
"""

    LOOK = r"""
options:
  fail:
    description:
      - Whether a host that cannot be looked at is a failure. Otherwise the task succeeds, and RV(unseen) says why.
    type: bool
    default: true
  services:
    description:
      - Services, by any name, with their C(unit), C(files), which can be patterns, and C(restart), when only a restart
        makes the service read them, or C(made), the file that is made of them for it, with the time at which it was
        read.
      - Of each is returned whether it is C(stopped), runs with its files as they are (C(current)), or with older ones
        (C(outdated)).
    type: dict
    default: {}
"""
