# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as plain Python types.

Ansible hands out tagged and lazy subclasses, and YAML makes dates of C(2027-06-30). The model wants C(str), C(int),
C(float), C(bool), C(list), C(dict) and C(None), with dates as text.
"""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable, Mapping

from .._model.errors import ModelError

#: More values than any real variable holds; YAML aliases can make a short file mean more than fits in memory.
MOST_VALUES = 1_000_000
_DEEPEST = 100


def plain(value: t.Any, other: Callable[[t.Any], t.Any] = str) -> t.Any:
    """A deep copy of I(value) in plain types.

    @param other: makes something plain of what is of no known type.

    @raises ModelError: it is too large or too deep to be meant.
    """
    left = MOST_VALUES

    def copy(item: t.Any, depth: int) -> t.Any:
        nonlocal left
        left -= 1
        if left < 0 or depth > _DEEPEST:
            raise ModelError("a variable is too large or nested too deeply. Look for YAML aliases (*name) in it.")
        if isinstance(item, str):
            return item if type(item) in _EXACT else str.__str__(item)
        if item is None or isinstance(item, bool):
            return item
        if isinstance(item, int):
            return int(item)
        if isinstance(item, float):
            return float(item)
        if isinstance(item, Mapping):
            return {copy(k, depth) if isinstance(k, str) else k: copy(v, depth + 1) for k, v in item.items()}
        if isinstance(item, (list, tuple, set, frozenset)):
            return [copy(v, depth + 1) for v in item]
        if isinstance(item, (datetime.datetime, datetime.date)):
            return item.isoformat()
        return other(item)

    return copy(value, 0)


_EXACT = (str,)
