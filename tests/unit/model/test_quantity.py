# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quantities mean, and are written, what the API server makes of them.

The values of the tables are those that k8s.io/apimachinery v0.30.3 gives (its quantity_test.go, and its library).
"""

from __future__ import annotations

import ast
import itertools
import typing as t
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model import quantity
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import ModelError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.quantity import (
    BINARY,
    DECIMAL,
    EXPONENT,
    ZERO,
    Quantity,
    add_maps,
    canonical,
    parse,
    to_unit,
    total,
)

KIB, MIB, GIB, TIB, PIB, EIB = (1024**power for power in range(1, 7))
MOST = 2**63 - 1

#: text, value, family, canonical text
PARSED: list[tuple[str, Fraction | int | str, str, str]] = [
    *((f"0{unit}", 0, DECIMAL, "0") for unit in ("", "n", "u", "m", "k", "M", "G", "T", "P", "E")),
    *((f"0{unit}", 0, BINARY, "0") for unit in ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")),
    ("00", 0, DECIMAL, "0"),
    ("0e3", 0, EXPONENT, "0"),
    ("1", 1, DECIMAL, "1"),
    ("1Ki", KIB, BINARY, "1Ki"),
    ("8Ki", 8 * KIB, BINARY, "8Ki"),
    ("7Mi", 7 * MIB, BINARY, "7Mi"),
    ("6Gi", 6 * GIB, BINARY, "6Gi"),
    ("5Ti", 5 * TIB, BINARY, "5Ti"),
    ("4Pi", 4 * PIB, BINARY, "4Pi"),
    ("3Ei", 3 * EIB, BINARY, "3Ei"),
    ("10Ti", 10 * TIB, BINARY, "10Ti"),
    ("100Ti", 100 * TIB, BINARY, "100Ti"),
    ("1024Mi", GIB, BINARY, "1Gi"),
    ("307200Ki", 300 * MIB, BINARY, "300Mi"),
    ("1025024Mi", 1001 * GIB, BINARY, "1001Gi"),
    ("1024Gi", TIB, BINARY, "1Ti"),
    ("1.5Gi", 1536 * MIB, BINARY, "1536Mi"),
    ("5n", "5/1000000000", DECIMAL, "5n"),
    ("4u", "4/1000000", DECIMAL, "4u"),
    ("3m", "3/1000", DECIMAL, "3m"),
    ("9", 9, DECIMAL, "9"),
    ("8k", 8000, DECIMAL, "8k"),
    ("50k", 50000, DECIMAL, "50k"),
    ("7M", 7 * 10**6, DECIMAL, "7M"),
    ("6G", 6 * 10**9, DECIMAL, "6G"),
    ("5T", 5 * 10**12, DECIMAL, "5T"),
    ("40T", 4 * 10**13, DECIMAL, "40T"),
    ("300T", 3 * 10**14, DECIMAL, "300T"),
    ("2P", 2 * 10**15, DECIMAL, "2P"),
    ("1E", 10**18, DECIMAL, "1E"),
    ("12E", 12 * 10**18, DECIMAL, "12E"),
    ("999E", 999 * 10**18, DECIMAL, "999E"),
    ("1000M", 10**9, DECIMAL, "1G"),
    ("0.001T", 10**9, DECIMAL, "1G"),
    ("1000u", "1/1000", DECIMAL, "1m"),
    ("1.08", "1.08", DECIMAL, "1080m"),
    ("1080000000n", "1.08", DECIMAL, "1080m"),
    ("1234567M", 1234567 * 10**6, DECIMAL, "1234567M"),
    ("1025", 1025, DECIMAL, "1025"),
    # exponents: E alone is exa, E with a number is an exponent
    ("1E-3", "1/1000", EXPONENT, "1e-3"),
    ("1e3", 1000, EXPONENT, "1e3"),
    ("1E6", 10**6, EXPONENT, "1e6"),
    ("1e9", 10**9, EXPONENT, "1e9"),
    ("1E12", 10**12, EXPONENT, "1e12"),
    ("1e15", 10**15, EXPONENT, "1e15"),
    ("1E18", 10**18, EXPONENT, "1e18"),
    ("1e14", 10**14, EXPONENT, "100e12"),
    ("1e13", 10**13, EXPONENT, "10e12"),
    ("1.2e3", 1200, EXPONENT, "1200"),
    ("1.3E+6", 1300000, EXPONENT, "1300e3"),
    ("1.40e9", 14 * 10**8, EXPONENT, "1400e6"),
    ("1.53E12", 153 * 10**10, EXPONENT, "1530e9"),
    ("1.6e15", 16 * 10**14, EXPONENT, "1600e12"),
    ("1.7E18", 17 * 10**17, EXPONENT, "1700e15"),
    ("0.5e0", "1/2", EXPONENT, "500e-3"),
    ("0.5e-1", "5/100", EXPONENT, "50e-3"),
    ("0.5e-2", "5/1000", EXPONENT, "5e-3"),
    (".001e12", 10**9, EXPONENT, "1e9"),
    ("1000e-12", "1/1000000000", EXPONENT, "1e-9"),
    ("80e-3", "80/1000", EXPONENT, "80e-3"),
    ("5e0003", 5000, EXPONENT, "5e3"),
    # fractions
    ("100.035k", 100035, DECIMAL, "100035"),
    ("0.001", "1/1000", DECIMAL, "1m"),
    ("0.0005k", "1/2", DECIMAL, "500m"),
    ("0.5", "1/2", DECIMAL, "500m"),
    ("0.50000", "1/2", DECIMAL, "500m"),
    ("10.035M", 10035000, DECIMAL, "10035k"),
    ("9.01", "9.01", DECIMAL, "9010m"),
    ("8.1k", 8100, DECIMAL, "8100"),
    ("7.123456M", 7123456, DECIMAL, "7123456"),
    ("6.987654321G", 6987654321, DECIMAL, "6987654321"),
    ("5.444T", 5444 * 10**9, DECIMAL, "5444G"),
    ("2.5P", 25 * 10**14, DECIMAL, "2500T"),
    ("1.01E", 101 * 10**16, DECIMAL, "1010P"),
    # finer than a nano-unit: rounded up
    ("3.001n", "4/1000000000", DECIMAL, "4n"),
    ("1.1E-9", "2/1000000000", EXPONENT, "2e-9"),
    ("0.0000000001", "1/1000000000", DECIMAL, "1n"),
    ("0.9n", "1/1000000000", DECIMAL, "1n"),
    ("0.5e-9", "1/1000000000", EXPONENT, "1e-9"),
    ("1e-50", "1/1000000000", EXPONENT, "1e-9"),
    ("1e-99999999999999999999", "1/1000000000", EXPONENT, "1e-9"),
    ("0.00000012345", "124/1000000000", DECIMAL, "124n"),
    # binary amounts are capped; below 1024, and with fractions of a byte, they are written in decimal
    ("9Ei", MOST, BINARY, "9223372036854775807"),
    ("9223372036854775807Ki", MOST, BINARY, "9223372036854775807"),
    ("0.5Ki", 512, BINARY, "512"),
    ("100.035Ki", "102435.84", BINARY, "102435840m"),
    ("1.1Ki", "1126.4", BINARY, "1126400m"),
    ("0.5Mi", 512 * KIB, BINARY, "512Ki"),
    # the API server writes 5207616000, and 5207616k when it reads that again: only the second stays
    ("5085562.5Ki", 5207616000, BINARY, "5207616k"),
    ("0.05Gi", "53687091.2", BINARY, "53687091200m"),
    ("0.025Ti", "27487790694.4", BINARY, "27487790694400m"),
    ("0.0001Ki", "0.1024", DECIMAL, "102400u"),
    ("0.000000000001Ki", "2/1000000000", DECIMAL, "2n"),
    # written by trolls
    (".001", "1/1000", DECIMAL, "1m"),
    (".0001k", "1/10", DECIMAL, "100m"),
    ("1.", 1, DECIMAL, "1"),
    ("1.G", 10**9, DECIMAL, "1G"),
]


@pytest.mark.parametrize(("text", "value", "family", "written"), PARSED, ids=[row[0] for row in PARSED])
def test_what_the_api_server_makes_of_it(text: str, value: Fraction | int | str, family: str, written: str) -> None:
    found = parse(text)
    assert found.value == Fraction(value)
    assert found.family == family
    assert str(found) == written


@pytest.mark.parametrize(
    ("text", "value", "written"), [(row[0], row[1], row[3]) for row in PARSED], ids=[row[0] for row in PARSED]
)
def test_a_sign_changes_nothing_but_the_sign(text: str, value: Fraction | int | str, written: str) -> None:
    assert parse(f"+{text}") == parse(text)
    assert parse(f"-{text}").value == -Fraction(value)
    assert str(parse(f"-{text}")) == (written if written == "0" else f"-{written}")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "1.1.M",
            "1+1.0M",
            "0.1mi",
            "0.1am",
            "aoeu",
            ".5i",
            "1i",
            "-3.01i",
            "-3.01e-",
            " 1",
            "1 ",
            "1\n",
            "1Ki\n",
        ),
        *(
            "1e",
            "1e+",
            "1ee3",
            "1e1.5",
            "--1",
            "+-1",
            "1_000",
            "0x10",
            "1,5",
            "1KI",
            "1kI",
            "1K",
            "1GiB",
            "1 Gi",
            "Gi",
            "m",
        ),
        *("nan", "inf", "-inf", "Infinity", "1/2", "١٢", "1Ｇi", "²", "1e٣", "+", "-", ".", "-.", ".Gi", "e3"),
        *("1000E", "1e21", "1e999999999999999999999", "9" * 22, "9" * 10000, "1e" * 1000, "." * 1000),
    ],
)
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ModelError, match=r"is not a quantity|is more than Kubernetes can count"):
        parse(text)


@pytest.mark.parametrize(
    "value", [True, False, None, [], {}, b"1", (1,), {1}, object(), 1j, 10**30, -(10**40), 16**9000], ids=type
)
def test_what_is_no_text_and_no_number(value: object) -> None:
    with pytest.raises(ModelError):
        parse(value)


@pytest.mark.parametrize(
    ("value", "written"),
    [(4, "4"), (0.5, "500m"), (1.5e9, "1500M"), (1e16, "10e15"), (-2, "-2"), (0.1 + 0.2, "300000001n")],
)
def test_plain_numbers(value: float, written: str) -> None:
    assert canonical(value) == written


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_none(value: float) -> None:
    with pytest.raises(ModelError, match="is not a quantity"):
        parse(value)


def test_the_smaller_and_the_larger() -> None:
    order = ["-1Ki", "-1k", "-1", "-1n", "0", "1n", "50m", "100m", "1", "1k", "1Ki", "100Gi", "10000T"]
    for (i, a), (j, b) in itertools.product(enumerate(map(parse, order)), repeat=2):
        assert (a < b, a <= b, a == b, a >= b, a > b) == (i < j, i <= j, i == j, i >= j, i > j)


@pytest.mark.parametrize("text", ["100m", "1Gi", "3e3", "-1Ki"])
def test_zero_has_no_opinion_on_how_a_sum_is_written(text: str) -> None:
    for nothing in ("0", "0Ki", "0e3"):
        assert str(parse(text) + parse(nothing)) == str(parse(nothing) + parse(text)) == text
        assert str(parse(text) - parse(nothing)) == text
        assert (parse(nothing) - parse(text)).nano == -parse(text).nano


@pytest.mark.parametrize(
    ("terms", "written"),
    [
        ((), "0"),
        (("100m", "900m"), "1"),
        (("512Mi", "512Mi"), "1Gi"),
        (("1Gi", "1G"), "2073741824"),
        (("1G", "1Gi"), "2073741824"),
        (("0", "1Ki", "1k"), "2024"),
        (("1n",) * 1000, "1u"),
        ((1, 0.5, "500m"), "2"),
    ],
)
def test_sums(terms: tuple[object, ...], written: str) -> None:
    assert str(total(terms)) == written


@pytest.mark.parametrize(
    ("text", "unit", "amount"),
    [
        ("1536Mi", "Gi", "3/2"),
        ("500m", "", "1/2"),
        ("1", "m", "1000"),
        ("1G", "Gi", "1953125/2097152"),
        ("2", "n", "2e9"),
    ],
)
def test_an_amount_in_another_unit(text: str, unit: str, amount: str) -> None:
    assert to_unit(text, unit) == Fraction(amount)


def test_an_unknown_unit_is_told() -> None:
    with pytest.raises(ModelError):
        to_unit("1", "GB")


def test_resource_lists_add_by_key() -> None:
    one, other = {"cpu": parse("1"), "pods": parse(3)}, {"cpu": parse("500m"), "memory": parse("1Gi")}
    assert add_maps(one, other) == {"cpu": parse("1500m"), "pods": parse(3), "memory": parse("1Gi")}
    assert add_maps() == {}


@pytest.mark.parametrize(
    ("amount", "factor", "product"),
    [("10", 1.5, "15"), ("1", 0.1, "100m"), ("1n", 0.1, "1n"), ("3Gi", Fraction(1, 3), "1Gi"), ("7", 1, "7")],
)
def test_a_product_is_exact(amount: str, factor: float | Fraction, product: str) -> None:
    assert str(parse(amount) * factor) == product


# --- laws --------------------------------------------------------------------------------------------------------

UNITS = st.sampled_from(
    ["", "n", "u", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "e0", "e3", "E-3", "e+6", "e-12", "E1"]
)


def _text(sign: str, whole: int, places: str, unit: str) -> str:
    return f"{sign}{whole}{places}{unit}"


TEXTS = st.builds(
    _text,
    st.sampled_from(["", "+", "-"]),
    st.one_of(st.integers(0, 2000), st.integers(0, 10**8)),
    st.sampled_from(["", "", ".", ".5", ".001", ".25", ".0000000001", ".123456789"]),
    UNITS,
)
QUANTITIES = TEXTS.map(parse)
LAW = settings(max_examples=200)


@LAW
@given(TEXTS)
def test_the_canonical_text_means_the_same_and_stays(text: str) -> None:
    once = parse(text)
    written = str(once)
    assert parse(written) == once
    assert canonical(written) == written
    assert not written.startswith("+")
    assert "." not in written


@LAW
@given(QUANTITIES, QUANTITIES, QUANTITIES)
def test_sums_are_exact_in_any_order(a: Quantity, b: Quantity, c: Quantity) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert (a + b).value == a.value + b.value
    assert a + b - b == a
    assert a + ZERO == a == ZERO + a


@LAW
@given(QUANTITIES, QUANTITIES)
def test_the_order_is_that_of_the_values(a: Quantity, b: Quantity) -> None:
    assert (a < b, a == b, a > b) == (a.value < b.value, a.value == b.value, a.value > b.value)
    assert (a <= b, a >= b) == (not a > b, not a < b)
    assert bool(a) == (a != ZERO)
    if a == b:
        assert hash(a) == hash(b)


@LAW
@given(QUANTITIES, st.sampled_from(["", "m", "Gi", "k", "n", "Ti"]))
def test_units_turn_back(a: Quantity, unit: str) -> None:
    amount = to_unit(str(a), unit)
    assert isinstance(amount, Fraction)
    assert amount * parse(f"1{unit}").value == a.value


@LAW
@given(QUANTITIES)
def test_nothing_is_a_float(a: Quantity) -> None:
    assert a.nano.__class__ is int
    assert a.value.__class__ is Fraction
    assert (a * 0.1).nano.__class__ is int


@settings(max_examples=400)
@given(st.one_of(st.text(), st.text("0123456789.eE+-numkKMGTPi", max_size=9), st.floats(), st.integers(), st.none()))
def test_any_text_is_a_quantity_or_a_model_error(value: t.Any) -> None:
    told, found = "", ZERO
    try:
        found = parse(value)
    except ModelError as error:
        told = str(error)
    assert len(told) < 300
    assert parse(str(found)) == found


def test_the_source_divides_nothing_with_floats() -> None:
    tree = ast.parse(Path(str(quantity.__file__)).read_text(encoding="utf-8"))
    numbers = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert not [number for number in numbers if isinstance(number, float)]
    divisions = [node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)]
    assert [ast.unparse(node) for node in divisions] == ["parse(text).value / scale"]
