# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a live run did, in words."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping

from .table import count

_MOST_ROWS = 20
_MOST_REASONS, _MOST_PLACES, _LONGEST_REASON = 40, 3, 600
_MOST_FAILED_ROWS = 500
_TOLD_BY_ERROR = ("failed", "skipped")
#: Of these a failed result has only the number: a first run may have made thousands before one failed.
_DONE_IN_SILENCE = ("created", "updated", "skipped")
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
    # what failed, and with it was skipped, is told by the error
    rows = [row for row in result["objects"] if row["action"] not in _TOLD_BY_ERROR]
    for row in rows[:_MOST_ROWS]:
        reason = f": {row['reason']}" if row["reason"] else ""
        lines.append(f"  {_place(row)} {_VERBS[row['action']][check]}{reason}")
    if len(rows) > _MOST_ROWS:
        lines.append(f"  and {len(rows) - _MOST_ROWS} more")
    lines += [f"  {note}" for note in result["notes"]]
    lines += [f"  warning of the API server: {text}" for text in result["warnings_found"]]
    return lines


def failure(name: str, result: Mapping[str, t.Any], *, check: bool) -> str:
    """Each reason once, with the first objects that it stopped."""
    number = count(result["summary"]["failed"], "object")
    head = (
        f"{name}: {number} would fail; nothing was done, because this is check mode."
        if check
        else f"{name}: {number} failed, everything else is done."
    )
    return "\n".join([head, *_reasons(result, check)])


def _reasons(result: Mapping[str, t.Any], check: bool) -> Iterator[str]:
    skipped = sum(1 for row in result["objects"] if row["action"] == "skipped")
    stopped: dict[str, list[str]] = {}
    for row in result["objects"]:
        if row["action"] == "failed":
            stopped.setdefault(row["reason"], []).append(_place(row))
    for reason, places in list(stopped.items())[:_MOST_REASONS]:
        more = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
        shown = f"{reason[:_LONGEST_REASON]} …" if len(reason) > _LONGEST_REASON else reason
        yield f"  {', '.join(places[:_MOST_PLACES])}{more}: {shown}"
    if len(stopped) > _MOST_REASONS:
        yield f"  and {count(len(stopped) - _MOST_REASONS, 'other reason')}"
    if skipped:
        were = "would be" if check else "was" if skipped == 1 else "were"
        yield f"  {count(skipped, 'object')} {were} skipped because the namespace failed"


def failed_rows(rows: Iterable[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The rows of a failed result, which Ansible prints whole: what failed comes first, and there is an end."""
    kept = [row for row in rows if row["action"] not in _DONE_IN_SILENCE]
    return sorted(kept, key=lambda row: row["action"] != "failed")[:_MOST_FAILED_ROWS]
