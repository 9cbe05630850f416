# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters on Kubernetes quantities."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from ansible.errors import AnsibleFilterError

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model import quantity as q
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import ModelError, show

_OPERATORS: dict[str, t.Callable[[q.Quantity, q.Quantity], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _guarded(name: str, work: t.Callable[[], t.Any]) -> t.Any:
    try:
        return work()
    except ModelError as error:
        raise AnsibleFilterError(f"k8s.self_provisioning.{name}: {error}") from None


def quantity(value: t.Any) -> str:
    """The API server's text of a quantity."""
    return t.cast(str, _guarded("quantity", lambda: q.canonical(plain(value))))


def quantity_sum(values: t.Any) -> str:
    """The exact sum of quantities."""
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        hint = " Take its values: my_dict.values()." if isinstance(values, Mapping) else ""
        found = show(_guarded("quantity_sum", lambda: plain(values)))
        raise AnsibleFilterError(f"k8s.self_provisioning.quantity_sum: a list is needed, not {found}.{hint}")
    return str(_guarded("quantity_sum", lambda: q.total(plain(list(values)))))


def quantity_compare(value: t.Any, operator: str, other: t.Any) -> bool:
    """Whether two quantities compare as the operator says."""
    test = _OPERATORS.get(str(operator))
    if test is None:
        raise AnsibleFilterError(
            f"k8s.self_provisioning.quantity_compare: {operator!r} is not an operator. Known: {', '.join(_OPERATORS)}."
        )
    return t.cast(bool, _guarded("quantity_compare", lambda: test(q.parse(plain(value)), q.parse(plain(other)))))


def quantity_convert(value: t.Any, unit: str = "") -> int | float:
    """The amount counted in another unit; a whole number where it is one."""
    try:
        exact = _guarded("quantity_convert", lambda: q.to_unit(plain(value), str(unit)))
    except ValueError as error:
        raise AnsibleFilterError(f"k8s.self_provisioning.quantity_convert: {error}") from None
    return int(exact) if exact.denominator == 1 else float(exact)


class FilterModule:
    """Registers the filters."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {f.__name__: f for f in (quantity, quantity_sum, quantity_compare, quantity_convert)}
