# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quantity filters as playbooks call them. The arithmetic itself is tested with the model."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.k8s.self_provisioning.plugins.filter.quantities import FilterModule

FILTERS = FilterModule().filters()
FORM = "Write a number with an optional unit, such as 500m, 4 or 16Gi."

Call = tuple[str, tuple[t.Any, ...], t.Any]

GOOD: list[Call] = [
    ("quantity", ("0.5",), "500m"),
    ("quantity", ("1024Mi",), "1Gi"),
    ("quantity", (4,), "4"),
    ("quantity", (0.25,), "250m"),
    ("quantity", ("1e3",), "1e3"),
    ("quantity_sum", ([],), "0"),
    ("quantity_sum", (["500m", "1.5", 2],), "4"),
    ("quantity_sum", (("1Gi", "512Mi"),), "1536Mi"),
    ("quantity_sum", ({"1": None, "2": None}.keys(),), "3"),
    ("quantity_compare", ("1024Mi", "==", "1Gi"), True),
    ("quantity_compare", ("1G", "==", "1Gi"), False),
    ("quantity_compare", ("1G", "!=", "1Gi"), True),
    ("quantity_compare", ("999m", "<", 1), True),
    ("quantity_compare", (1, "<", 1), False),
    ("quantity_compare", (1, "<=", "1000m"), True),
    ("quantity_compare", ("2", ">", "1.5"), True),
    ("quantity_compare", ("1.5", ">", "2"), False),
    ("quantity_compare", ("2", ">=", "2"), True),
    ("quantity_convert", ("1536Mi", "Gi"), 1.5),
    ("quantity_convert", ("2",), 2),
    ("quantity_convert", ("2500m",), 2.5),
    ("quantity_convert", ("2", "m"), 2000),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), GOOD)
def test_result(name: str, arguments: tuple[t.Any, ...], expected: t.Any) -> None:
    result = FILTERS[name](*arguments)
    assert result == expected
    assert type(result) is type(expected)


BAD: list[Call] = [
    ("quantity", ("16GB",), "'16GB' is not a quantity. Write the unit G or Gi, without a space."),
    ("quantity", (True,), f"true is not a quantity. {FORM}"),
    ("quantity", (None,), f"None is not a quantity. {FORM}"),
    ("quantity", (["1"],), f"['1'] is not a quantity. {FORM}"),
    ("quantity_sum", ("12",), "a list is needed, not '12'."),
    ("quantity_sum", (12,), "a list is needed, not 12."),
    (
        "quantity_sum",
        ({"requests.cpu": "2"},),
        "a list is needed, not {'requests.cpu': '2'}. Take its values: my_dict.values().",
    ),
    ("quantity_sum", (["1", "one"],), f"'one' is not a quantity. {FORM}"),
    ("quantity_compare", ("1", "=", "2"), "'=' is not an operator. Known: ==, !=, <, <=, >, >=."),
    ("quantity_compare", ("1", "<", "two"), f"'two' is not a quantity. {FORM}"),
    ("quantity_compare", ("one", "<", "2"), f"'one' is not a quantity. {FORM}"),
    ("quantity_convert", ("1Gib", "Gi"), "'1Gib' is not a quantity. Write the unit Gi, without a space."),
    ("quantity_convert", ("1", "GB"), "'1GB' is not a quantity. Write the unit G or Gi, without a space."),
]


@pytest.mark.parametrize(("name", "arguments", "message"), BAD)
def test_error(name: str, arguments: tuple[t.Any, ...], message: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        FILTERS[name](*arguments)
    assert str(caught.value) == f"k8s.self_provisioning.{name}: {message}"


def test_errors_do_not_quote_at_length() -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        FILTERS["quantity"]("9" * 5000)
    assert len(str(caught.value)) < 200
