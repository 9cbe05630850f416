# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Extra variables that nobody reads: Ansible takes any name, so that a misspelt option would be none.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import Problem, Where, nearest
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._variables import NAMES, PREFIXES

_KNOWN = frozenset(NAMES)
#: Of two variables that are as near, one of the whole inventory is meant.
_SHARED = ("cluster_", "fleet_", "tenants_")


def unknown(names: Iterable[object]) -> list[str]:
    """Those of I(names) that look like variables of the collection and are none."""
    return sorted(name for name in map(str, names) if name.startswith(PREFIXES) and name not in _KNOWN)


def problem(name: str) -> Problem:
    """What to say of an unknown extra variable."""
    near = _nearest(name)
    return Problem(
        "unknown-variable",
        Where(name),
        "it is set for this run, and nothing reads it.",
        (f"Did you mean {near!r}? " if near else "Correct the name. ")
        + f"A variable of your own that starts with {_prefix(name)} "
        "needs another name, or a place in a file of the inventory.",
    )


def _prefix(name: str) -> str:
    return max((prefix for prefix in PREFIXES if name.startswith(prefix)), key=len)


def _nearest(name: str) -> str | None:
    """What is alike after the same prefix, then the same with a word before it, then what is alike after any prefix."""
    prefix = _prefix(name)
    stem = name.removeprefix(prefix)
    order = sorted(NAMES, key=lambda known: (known.startswith(_SHARED), -len(known)))
    same = {known.removeprefix(prefix): known for known in order if known.startswith(prefix)}
    near = nearest(stem, same)
    if near:
        return same[near]
    longer = [known for known in order if known.endswith(f"_{name}")]
    if longer:
        return longer[-1]
    stems = {known.removeprefix(_prefix(known)): known for known in order}
    near = nearest(stem, stems)
    return stems[near] if near else nearest(name, NAMES)
