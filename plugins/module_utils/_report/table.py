# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain text tables."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 118


def count(number: int, noun: str) -> str:
    """C(1 error), C(2 errors)."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def names(given: Iterable[str], most: int) -> str:
    """The first I(most), and how many more there are."""
    listed = list(given)
    shown = ", ".join(listed[:most])
    return f"{shown} and {len(listed) - most} more" if len(listed) > most else shown


def bounded(lines: Sequence[str], most: int, more: str = "") -> list[str]:
    """The first I(most) lines, then how many more there are.

    @param more: where to find them.
    """
    if len(lines) <= most:
        return list(lines)
    return [*lines[:most], f"  and {len(lines) - most} more{more}"]


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Lines of a table with aligned columns.

    @param right: indexes of columns that hold numbers.
    """
    cells = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return [
        "  ".join(
            cell.rjust(w) if i in right else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def heading(text: str) -> list[str]:
    return ["", text.upper()]


def wrapped(text: str, indent: str = "  ", first: str | None = None) -> list[str]:
    """I(text) broken into lines; names are never broken."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def money(text: str) -> str:
    """C(12345.60) as C(12,345.60)."""
    whole, _unused, digits = text.partition(".")
    return f"{int(whole):,}.{digits or '00'}"
