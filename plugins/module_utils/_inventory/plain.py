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
from collections.abc import Mapping


def plain(value: t.Any) -> t.Any:
    """A deep copy of I(value) in plain types."""
    if isinstance(value, str):
        return str.__str__(value) if type(value) is not str else value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Mapping):
        return {plain(k) if isinstance(k, str) else k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v) for v in value]
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)
