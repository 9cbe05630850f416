# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception of this package."""

from __future__ import annotations


class TreeError(Exception):
    """The fleet tree cannot be read, written or committed.

    @param where: the file, folder or repository it is about.
    @param what: the fact.
    @param fix: what to do about it.
    """

    def __init__(self, where: object, what: str, fix: str = "") -> None:
        self.where, self.what, self.fix = str(where), what, fix
        gap = "" if what.endswith("\n") or not fix else " "
        super().__init__(f"{self.where}: {what}{gap}{fix}")
