# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts: looked at from inside (C(look*)), and judged on the controller (C(check*)), before anything is changed.

What was seen is a plain mapping, so that judging needs no host. Needs the standard library only. Private to the
collection.
"""

from __future__ import annotations
