# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of files as a unified diff of limited size."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# text of hand-edited files goes to a terminal
_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), *range(127, 160))}


class Difference:
    """Collects the changes of files, in the order in which they are added.

    @param limit: characters after which the rest is only counted.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._out: list[str] = []
        self._size = 0
        self._cut_lines = 0
        self._cut_files = 0

    def add(self, path: str, before: bytes | None, after: bytes | None) -> None:
        """One file; None where there is none."""
        if self._size >= self.limit:
            self._cut_files += 1
            return
        old, new = _lines(before), _lines(after)
        head_old = "/dev/null" if before is None else f"a/{path}"
        head_new = "/dev/null" if after is None else f"b/{path}"
        for line in difflib.unified_diff(old, new, head_old, head_new):
            self._line(
                line.translate(_VISIBLE)
                if line.endswith("\n")
                else f"{line.translate(_VISIBLE)}\n\\ No newline at end of file\n"
            )

    def _line(self, line: str) -> None:
        if self._size >= self.limit:
            self._cut_lines += 1
            return
        self._out.append(line)
        self._size += len(line)

    def text(self) -> str:
        if not self._cut_lines and not self._cut_files:
            return "".join(self._out)
        cut = [
            f"{self._cut_lines} more lines of this file" if self._cut_lines else "",
            f"{self._cut_files} more files" if self._cut_files else "",
        ]
        return "".join(self._out) + f"[the diff is cut here: {' and '.join(filter(None, cut))}]\n"


def _lines(data: bytes | None) -> list[str]:
    if not data:
        return []
    return _keep_ends(data.decode("utf-8", "replace").split("\n"))


def _keep_ends(lines: Iterable[str]) -> list[str]:
    *whole, last = lines
    return [line + "\n" for line in whole] + ([last] if last else [])
