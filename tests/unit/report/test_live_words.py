# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a live run of which much failed: everything that failed is told, and nothing grows without end."""

from __future__ import annotations

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._report.live import failed_rows, failure, summary

Row = dict[str, str]


def row(number: int, action: str, reason: str = "", kind: str = "ResourceQuota") -> Row:
    return {"kind": kind, "namespace": f"ns-{number:05}", "name": "tenant-quota", "action": action, "reason": reason}


def result(*rows: Row) -> dict[str, object]:
    counts = {"created": 0, "failed": 0}
    for each in rows:
        counts["failed" if each["action"] in ("failed", "skipped") else "created"] += 1
    return {"summary": counts, "objects": list(rows), "notes": [], "warnings_found": []}


MADE = [row(number, "created") for number in range(342)]
EACH_ITS_OWN = [row(1000 + number, "failed", f"reason {number}.") for number in range(32)]
ALIKE = [row(1000 + number, "failed", "the same.") for number in range(32)]
ENDLESS = [row(number, "failed", f"reason {number}: " + "x" * 5000) for number in range(20000)]


def test_32_of_374_failed() -> None:
    found = result(*MADE, *EACH_ITS_OWN)
    text = failure("east", found, check=False)
    assert text.splitlines()[0] == "east: 32 objects failed, everything else is done."
    for each in EACH_ITS_OWN:
        assert f"  ResourceQuota {each['namespace']}/tenant-quota: {each['reason']}" in text.splitlines()
    before = summary("east", found, check=False)
    assert before[0] == "east: 342 created, 32 failed"
    assert before[-1] == "  and 322 more"
    assert "FAILED" not in "\n".join(before), "the error tells it"
    assert failed_rows(found["objects"]) == EACH_ITS_OWN  # type: ignore[arg-type]


def test_one_reason_is_told_once() -> None:
    text = failure("east", result(*MADE, *ALIKE), check=False)
    places = ", ".join(f"ResourceQuota ns-{number:05}/tenant-quota" for number in (1000, 1001, 1002))
    assert text.splitlines()[1:] == [f"  {places} and 29 more: the same."]


def test_there_is_an_end() -> None:
    kept = row(1, "kept", "why")
    found = result(kept, *ENDLESS)
    text = failure("east", found, check=False)
    assert len(text) < 40 * 700
    assert text.endswith("\n  and 19960 other reasons")
    rows = failed_rows(found["objects"])  # type: ignore[arg-type]
    assert (len(rows), rows[0]["action"]) == (500, "failed")


@pytest.mark.parametrize(
    ("skipped", "check", "head", "last"),
    [
        (1, False, "1 object failed, everything else is done.", "1 object was skipped because the namespace failed"),
        (2, False, "1 object failed, everything else is done.", "2 objects were skipped because the namespace failed"),
        (
            2, True, "1 object would fail; nothing was done, because this is check mode.",
            "2 objects would be skipped because the namespace failed",
        ),
    ],
)  # fmt: skip
def test_check_mode_did_nothing(skipped: int, check: bool, head: str, last: str) -> None:
    rows = [row(0, "failed", "taken.", kind="Namespace"), *(row(0, "skipped", "long") for _unused in range(skipped))]
    found = result(*rows)
    found["summary"]["failed"] = 1  # type: ignore[index]
    lines = failure("east", found, check=check).splitlines()
    assert (lines[0], lines[-1]) == (f"east: {head}", f"  {last}")
    assert failed_rows(rows) == rows[:1]
    assert len(summary("east", found, check=check)) == 1
