# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was applied, for the result of a task and its diff.

Private to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.bootstrap import Applied
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.emit import render


def enter(result: dict[str, t.Any], done: Iterable[Applied], *, diff: bool, key: str = "objects") -> None:
    """Puts into a result what was not there as it should be; with a diff of it, if wanted.

    @param key: where the rows go.
    """
    fresh = [each for each in done if each.action != "unchanged"]
    result["changed"] = result["changed"] or bool(fresh)
    result[key] = [
        {"kind": each.kind, "namespace": each.namespace, "name": each.name, "action": each.action} for each in fresh
    ]
    if diff:
        result["diff"] = [_diff(each) for each in fresh]


def _diff(each: Applied) -> dict[str, str]:
    """Before and after; of a Secret only that it is another one."""
    title = f"{each.kind} {each.name}"
    if each.kind == "Secret":
        before, after = "(secret)\n" if each.before else "", "(another secret)\n" if each.after else ""
    else:
        before = render([each.before], title).decode() if each.before else ""
        after = render([each.after], title).decode() if each.after else ""
    return {"before_header": title, "after_header": title, "before": before, "after": after}
