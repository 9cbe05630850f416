# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits, once for all, until what was written has taken effect."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Collection

from .adoption import terminating
from .listing import list_all
from .report import Object, Report
from .session import Session
from .snapshot import Snapshot

QUOTA = ("v1", "ResourceQuota")
NAMESPACE = ("v1", "Namespace")
_LONGEST_PAUSE = 2.0


def settle(
    session: Session,
    snapshot: Snapshot,
    report: Report,
    *,
    quotas: Collection[str],
    gone: Collection[str],
    timeout: float,
) -> None:
    """Until quotas are counted and deleted namespaces are gone.

    @param quotas: namespaces with new or changed quotas.
    @param gone: namespaces that were deleted.
    """
    end, pause = time.monotonic() + timeout, 0.1
    while True:
        open_rows = [*_uncounted(session, snapshot, quotas), *_still_there(session, snapshot, gone)]
        if not open_rows:
            return
        if time.monotonic() >= end:
            for target, why in open_rows:
                report.add(target, "failed", f"not done after {timeout:.0f} s: {why}")
            return
        time.sleep(min(pause, max(0.0, end - time.monotonic())))
        pause = min(pause * 2, _LONGEST_PAUSE)


def _uncounted(session: Session, snapshot: Snapshot, wanted: Collection[str]) -> list[tuple[Object, str]]:
    resource = snapshot.resource(QUOTA)
    if not wanted or resource is None:
        return []
    return [
        (each, "the quota is not counted yet. Check that kube-controller-manager runs.")
        for each in list_all(session, resource)
        if each["metadata"]["namespace"] in wanted and not is_counted(each)
    ]


def is_counted(quota: t.Mapping[str, t.Any]) -> bool:
    """Whether the quota controller has taken a quota in."""
    status, hard = quota.get("status") or {}, (quota.get("spec") or {}).get("hard") or {}
    return status.get("hard", {}) == hard and set(status.get("used", {})) >= set(hard)


def _still_there(session: Session, snapshot: Snapshot, names: Collection[str]) -> list[tuple[Object, str]]:
    resource = snapshot.resource(NAMESPACE)
    if not names or resource is None:
        return []
    return [
        (each, f"the namespace is still there; {terminating(each)}")
        for each in list_all(session, resource, selector="")
        if each["metadata"]["name"] in names and each["metadata"].get("deletionTimestamp")
    ]
