# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands against a change on a cluster, before anything is changed."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable


class Finding(t.NamedTuple):
    """One thing that was found: where, what, and what to do about it.

    @param stops: whether nothing may be done before it is mended; else it is only told.
    """

    where: str
    what: str
    fix: str
    stops: bool = True

    @property
    def text(self) -> str:
        return f"{self.where}: {self.what} {self.fix}".strip()


def told(findings: Iterable[Finding]) -> str:
    """All that stops, for one message; empty when nothing does."""
    stops = [each.text for each in findings if each.stops]
    if len(stops) == 1:
        return f"Nothing was changed. {stops[0]}"
    return "Nothing was changed:\n- " + "\n- ".join(stops) if stops else ""
