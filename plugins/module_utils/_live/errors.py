# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception of this package."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping


class LiveError(Exception):
    """A cluster cannot be reached, read or written.

    @param where: the API server or the object it is about.
    @param what: the fact.
    @param fix: what to do about it.
    @param status: the HTTP status of the answer, 0 when there was none.
    @param body: the Status object of the answer.
    """

    def __init__(
        self, where: object, what: str, fix: str = "", *, status: int = 0, body: Mapping[str, t.Any] | None = None
    ) -> None:
        self.where, self.what, self.fix, self.status, self.body = str(where), what, fix, status, dict(body or {})
        super().__init__(f"{self.where}: {self.brief}")

    @property
    def brief(self) -> str:
        """The message without the place."""
        return f"{self.what}{' ' + self.fix if self.fix else ''}"

    @property
    def causes(self) -> list[dict[str, t.Any]]:
        """The causes that the API server lists."""
        return list((self.body.get("details") or {}).get("causes") or ())

    @property
    def is_conflict(self) -> bool:
        """Another field manager owns a field."""
        return self.status == CONFLICT and any(c.get("reason") == "FieldManagerConflict" for c in self.causes)


CONFLICT = 409
