# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes quantities: exact arithmetic and the API server's canonical text.

The grammar and the canonical form are those of C(k8s.io/apimachinery/pkg/api/resource): a signed decimal number
followed by a binary suffix (C(Ki) … C(Ei)), a decimal suffix (C(n), C(u), C(m), none, C(k) … C(E)) or a decimal
exponent. The canonical form has no fractional digits, the largest exponent possible, and keeps the family of suffixes
it was given. Values finer than one nano-unit are rounded up, and binary ones are capped at 2^63-1, as the API server
does. Stricter than it: a sign or a dot without a digit is not a number, and amounts that it would mangle are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil

from .errors import ModelError, look_alikes, show

DECIMAL = "decimal"
BINARY = "binary"
EXPONENT = "exponent"

_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_DECIMAL_TEXT = {power: suffix for suffix, power in _DECIMAL.items()}
_BINARY_TEXT = {power: suffix for suffix, power in _BINARY.items()}
_FORM = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)(?:(Ki|Mi|Gi|Ti|Pi|Ei)|([eE][+-]?\d+)|([numkMGTPE]?))", re.ASCII)
_NANO = 10**9
_LONGEST = 80
#: From 1000E on the API server forgets the exponent when it writes a decimal amount.
_TOO_MUCH = 10**21 * _NANO
_BINARY_MOST = (2**63 - 1) * _NANO


@dataclass(frozen=True)
class Quantity:
    """An exact amount in units (cores, bytes, objects), held as a whole number of nano-units.

    It compares and adds by value; I(family) only affects the text.
    """

    nano: int
    family: str = DECIMAL

    @property
    def value(self) -> Fraction:
        return Fraction(self.nano, _NANO)

    def __add__(self, other: Quantity) -> Quantity:
        # zero has no opinion on how the sum is written
        return Quantity(self.nano + other.nano, self.family if self.nano else other.family)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.nano - other.nano, self.family if self.nano else other.family)

    def __mul__(self, factor: int | float | str | Fraction) -> Quantity:
        exact = Fraction(str(factor)) if isinstance(factor, float) else Fraction(factor)
        return Quantity(ceil(self.nano * exact), self.family)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.nano == other.nano

    def __lt__(self, other: Quantity) -> bool:
        return self.nano < other.nano

    def __le__(self, other: Quantity) -> bool:
        return self.nano <= other.nano

    def __gt__(self, other: Quantity) -> bool:
        return self.nano > other.nano

    def __ge__(self, other: Quantity) -> bool:
        return self.nano >= other.nano

    def __hash__(self) -> int:
        return hash(self.nano)

    def __bool__(self) -> bool:
        return bool(self.nano)

    def __str__(self) -> str:
        return _canonical(self.nano, self.family)


ZERO = Quantity(0)


def parse(text: object) -> Quantity:
    """Reads a quantity.

    @param text: a string such as C("500m"), C("1.5Gi") or C("1e3"), or a plain number. A boolean is not a number.
    @raises ModelError: it is not a quantity; the message says what one looks like.
    """
    if isinstance(text, Quantity):
        return text
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise ModelError(
            f"{show(text)} is not a quantity. Write a number with an optional unit, such as 500m, 4 or 16Gi."
        )
    if isinstance(text, int) and abs(text) >= _TOO_MUCH:
        raise ModelError(f"{show(text)} is more than Kubernetes can count. Write less than 1000E.")
    return _parse(repr(float(text)) if isinstance(text, float) else str(text))


@lru_cache(maxsize=4096)
def _parse(text: str) -> Quantity:
    match = _FORM.fullmatch(text) if len(text) <= _LONGEST else None
    if not match:
        raise ModelError(f"{show(text)} is not a quantity{look_alikes(text)}.{_hint(text)}")
    sign, digits, binary, exponent, decimal = match.groups()
    value = Fraction(digits)
    if binary:
        value, family = value * 1024 ** _BINARY[binary], BINARY
    elif exponent:
        # what lies outside these bounds is too much, or rounds up to one nano-unit, whatever its digits are
        power = max(-2 * _LONGEST, min(2 * _LONGEST, int(exponent[1:])))
        value, family = value * Fraction(10) ** power, EXPONENT
    else:
        value, family = value * Fraction(10) ** _DECIMAL[decimal or ""], DECIMAL
    nano = ceil(value * _NANO)
    if family == BINARY:
        # a fraction of a byte is written in decimal, so that it is not rounded
        nano, family = min(nano, _BINARY_MOST), BINARY if nano >= _NANO or not nano else DECIMAL
    if nano >= _TOO_MUCH:
        raise ModelError(f"{show(text)} is more than Kubernetes can count. Write less than 1000E.")
    return Quantity(-nano if sign == "-" else nano, family)


_UNIT_MEANT = {
    "k": ("kb",),
    "Ki": ("kb", "ki", "kib"),
    "M": ("mb",),
    "Mi": ("mb", "mi", "mib"),
    "G": ("g", "gb"),
    "Gi": ("g", "gb", "gi", "gib"),
    "T": ("t", "tb"),
    "Ti": ("t", "tb", "ti", "tib"),
    "m": ("mcpu", "millicpu", "millicore", "millicores"),
    "": ("b", "byte", "bytes", "cpu", "cpus", "core", "cores"),
}


def _hint(text: str) -> str:
    text = text[:_LONGEST]
    if _FORM.fullmatch("".join(text.split())):
        return " Write it without spaces."
    if _FORM.fullmatch(text.replace(",", ".", 1)):
        return " Write a dot, not a comma."
    match = re.fullmatch(r"\s*[+-]?\d+\.?\d*\s*([A-Za-z]+)\s*", text, re.ASCII)
    meant = [unit for unit, others in _UNIT_MEANT.items() if match and match.group(1).lower() in others]
    if meant == [""]:
        return " Write the number without a unit."
    if meant:
        return f" Write the unit {' or '.join(meant)}, without a space."
    return " Write a number with an optional unit, such as 500m, 4 or 16Gi."


def _canonical(nano: int, family: str) -> str:
    sign, nano = ("-", -nano) if nano < 0 else ("", nano)
    if not nano:
        return "0"
    if family == BINARY and nano >= 1024 * _NANO and nano % _NANO == 0:
        whole, power = nano // _NANO, 0
        while power < 6 and whole % 1024 == 0:
            whole, power = whole // 1024, power + 1
        # without a suffix the API server would read the text as a decimal amount, and write that in its own way
        if power:
            return f"{sign}{whole}{_BINARY_TEXT[power]}"
    power = -9
    while power < 18 and nano % 1000 == 0:
        nano, power = nano // 1000, power + 3
    if family == EXPONENT:
        return f"{sign}{nano}" + (f"e{power}" if power else "")
    return f"{sign}{nano}{_DECIMAL_TEXT[power]}"


def canonical(text: object) -> str:
    """The API server's text of a quantity: C("1024Mi") gives C("1Gi"), C("0.5") gives C("500m")."""
    return str(parse(text))


def total(items: Iterable[object]) -> Quantity:
    """The exact sum; the text keeps the unit family of the first item that is not zero."""
    result = ZERO
    for item in items:
        result = result + parse(item)
    return result


def add_maps(*maps: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """Sums resource lists key by key."""
    result: dict[str, Quantity] = {}
    for each in maps:
        for key, amount in each.items():
            result[key] = result[key] + amount if key in result else amount
    return result


def to_unit(text: object, unit: str) -> Fraction:
    """The amount of I(text) counted in I(unit): C(to_unit("1536Mi", "Gi")) is 3/2.

    @param unit: any quantity suffix, or an empty string for plain units.
    """
    scale = _parse(f"1{unit}").value
    return parse(text).value / scale
