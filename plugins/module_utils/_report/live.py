# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a live run did, in words."""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Iterator, Mapping

from .table import count

_MOST_ROWS = 20
_VERBS = {
    "created": ("created", "would be created"),
    "updated": ("updated", "would be updated"),
    "orphaned": ("left without declaration", "would be left without declaration"),
    "deleted": ("deleted", "would be deleted"),
    "failed": ("FAILED", "would FAIL"),
    "skipped": ("skipped", "would be skipped"),
    "kept": ("kept", "would be kept"),
}


def _place(row: Mapping[str, str]) -> str:
    return f"{row['kind']} {row['namespace'] + '/' if row['namespace'] else ''}{row['name']}"


def summary(name: str, result: Mapping[str, t.Any], *, check: bool) -> list[str]:
    """A few lines: the figures, and the rows when there are few of them."""
    counts = ", ".join(f"{number} {what}" for what, number in result["summary"].items() if number)
    lines = [f"{name}: {counts or 'nothing is declared'}{' (check mode)' if check else ''}"]
    # what failed is told by the error
    rows = [row for row in result["objects"] if row["action"] != "failed"]
    for row in rows[:_MOST_ROWS]:
        reason = f": {row['reason']}" if row["reason"] else ""
        lines.append(f"  {_place(row)} {_VERBS[row['action']][check]}{reason}")
    if len(rows) > _MOST_ROWS:
        lines.append(f"  and {len(rows) - _MOST_ROWS} more")
    lines += [f"  {note}" for note in result["notes"]]
    lines += [f"  warning of the API server: {text}" for text in result["warnings_found"]]
    return lines


def failure(name: str, result: Mapping[str, t.Any]) -> str:
    """Each reason once, with the first object that it stopped."""
    return "\n".join(
        [f"{name}: {count(result['summary']['failed'], 'object')} failed, everything else is done.", *_reasons(result)]
    )


def _reasons(result: Mapping[str, t.Any]) -> Iterator[str]:
    failed = [row for row in result["objects"] if row["action"] == "failed"]
    skipped = sum(1 for row in result["objects"] if row["action"] == "skipped")
    counts = Counter(row["reason"] for row in failed)
    first: dict[str, Mapping[str, str]] = {}
    for row in failed:
        first.setdefault(row["reason"], row)
    for reason, row in list(first.items())[:_MOST_ROWS]:
        more = f" (and {counts[reason] - 1} more)" if counts[reason] > 1 else ""
        yield f"  {_place(row)}{more}: {reason}"
    if len(first) > _MOST_ROWS:
        yield f"  and {count(len(first) - _MOST_ROWS, 'other reason')}"
    if skipped:
        yield f"  {count(skipped, 'object')} {'was' if skipped == 1 else 'were'} skipped because the namespace failed"
