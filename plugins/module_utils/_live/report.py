# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run did, one shape always."""

from __future__ import annotations

import threading
import time
import typing as t
from collections.abc import Callable, Mapping

from .kinds import Kind, kind_of

Object = dict[str, t.Any]
Progress = Callable[[str], None]

#: How each action counts.
_COUNTS = {
    "created": "created",
    "updated": "updated",
    "orphaned": "updated",
    "deleted": "deleted",
    "failed": "failed",
    "skipped": "failed",
}
_PROGRESS_SECONDS = 5.0


class Report:
    """Collects rows from many threads.

    @param diff: whether to keep the objects before and after.
    """

    def __init__(self, *, diff: bool, progress: Progress | None) -> None:
        self._lock = threading.Lock()
        self._with_diff, self._progress = diff, progress
        self._done, self._told = 0, time.monotonic()
        self._started = self._last = time.monotonic()
        self.summary = dict.fromkeys(("created", "updated", "unchanged", "deleted", "failed"), 0)
        self.objects: list[dict[str, str]] = []
        self.diff: list[dict[str, t.Any]] = []
        self.notes: list[str] = []
        self.timings: dict[str, float] = {}

    def unchanged(self, count: int = 1) -> None:
        with self._lock:
            self.summary["unchanged"] += count

    def add(
        self, target: Mapping[str, t.Any], action: str, reason: str = "", *, before: t.Any = None, after: t.Any = None
    ) -> None:
        """A row for an object that is not simply unchanged; C(kept) rows count nowhere."""
        version, kind = kind_of(target)
        meta = target["metadata"]
        row = {
            "api_version": version,
            "kind": kind,
            "namespace": meta.get("namespace", ""),
            "name": meta["name"],
            "action": action,
            "reason": reason,
        }
        with self._lock:
            self.objects.append(row)
            if action in _COUNTS:
                self.summary[_COUNTS[action]] += 1
            if self._with_diff and (before is not None or after is not None):
                place = " ".join(filter(None, (kind, "/".join(filter(None, (row["namespace"], row["name"]))))))
                self.diff.append(
                    {
                        "before_header": f"{place} (live)",
                        "after_header": f"{place} (declared)",
                        "before": cleaned(before) if before else "",
                        "after": cleaned(after) if after else "",
                    }
                )

    def note(self, text: str) -> None:
        with self._lock:
            self.notes.append(text)

    def step(self, text: str, whole: int) -> None:
        """Tells people how far it is, when it takes long."""
        with self._lock:
            self._done += 1
            now = time.monotonic()
            if self._progress is None or now - self._told < _PROGRESS_SECONDS:
                return
            self._told = now
            done = self._done
        self._progress(f"{text}: {done} of {whole}")

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.timings[name] = round(now - self._last, 3)
        self._last, self._done = now, 0

    def result(self, requests: Mapping[str, int], warnings: list[str]) -> dict[str, t.Any]:
        self.timings["total"] = round(time.monotonic() - self._started, 3)
        changed = any(self.summary[each] for each in ("created", "updated", "deleted"))
        return {
            "changed": changed,
            "failed": bool(self.summary["failed"]),
            "summary": self.summary,
            "objects": sorted(self.objects, key=_order),
            "diff": sorted(self.diff, key=lambda each: str(each["before_header"])),
            "notes": self.notes,
            "warnings_found": list(warnings),
            "timings": self.timings,
            "requests": dict(sorted(requests.items())),
        }


def _order(row: Mapping[str, str]) -> tuple[str, ...]:
    return row["namespace"] or (row["name"] if row["kind"] == "Namespace" else ""), row["kind"], row["name"]


_VOLATILE = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")


def cleaned(target: Mapping[str, t.Any]) -> Object:
    """An object without what changes by itself."""
    meta = {key: value for key, value in target["metadata"].items() if key not in _VOLATILE}
    return {**{key: value for key, value in target.items() if key != "status"}, "metadata": meta}


def called(kind: Kind, namespace: str, name: str) -> str:
    """An object in a message."""
    return f"{kind[1]} {namespace}/{name}" if namespace else f"{kind[1]} {name}"
