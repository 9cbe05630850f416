# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks what a JSON schema cannot: quantities, days, addresses, hostile text, and documents of hostile shape."""

from __future__ import annotations

import datetime
import math
import re
import typing as t
from collections.abc import Callable, Mapping

from .._libraries import load as library
from . import quantity, resources
from .errors import ModelError, Problems, Where, nearest, show
from .schema_layer import Schema

if t.TYPE_CHECKING:
    import netaddr
else:
    netaddr = library("netaddr")


Document = t.Any
Keys = tuple["str | int", ...]
Place = Callable[[Keys, Document], Where]

_TEMPLATE_MARK = re.compile(r"\{[{%#]")
_MAX_TEXT = 4096
_MAX_DEPTH = 60
_MAX_NODES = 200_000
_MAX_ITEMS = 2_000
_MAX_BITS = 128
# what a terminal or a reader is fooled by: control characters, line separators, writing direction, half characters
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


class _TooMuchError(Exception):
    """The document is beyond what anybody writes by hand."""


def ordinary(document: Document, place: Place, problems: Problems) -> Document:
    """I(document) without what would trip a validator: keys that are no text, and endless nesting. Reports them."""
    left = _MAX_NODES

    def walk(node: Document, keys: Keys) -> Document:
        nonlocal left
        left -= 1
        if left < 0:
            raise _TooMuchError
        if isinstance(node, (Mapping, list)) and len(keys) >= _MAX_DEPTH:
            problems.error("too-deep", place(keys[:8], document), *_TOO_DEEP)
            return None
        if isinstance(node, Mapping):
            for key in node:
                if not isinstance(key, str):
                    _report_key(key, keys, place, document, problems)
            return {k: walk(v, (*keys, k)) for k, v in node.items() if isinstance(k, str)}
        return [walk(item, (*keys, i)) for i, item in enumerate(node)] if isinstance(node, list) else node

    try:
        return walk(document, ())
    except _TooMuchError:
        problems.error("too-long", place((), document), *_TOO_MANY)
        return None


_TOO_DEEP = (f"it is nested more than {_MAX_DEPTH} levels deep.", "Write it flatter.")
_TOO_MANY = (f"it holds more than {_MAX_NODES} values.", "Split it up.")


def _report_key(key: object, keys: Keys, place: Place, document: Document, problems: Problems) -> None:
    number = isinstance(key, int) and not isinstance(key, bool)
    where = place((*keys, t.cast(int, key)) if number else keys, document)
    problems.error("bad-key", where, f"the key {show(key)} is not a text.", "Put it in quotes.")


def check(
    document: Document, root: Schema, place: Place, problems: Problems, *, tenant: bool, told: frozenset[Keys]
) -> None:
    """Reports every value that the schema accepts and we cannot use.

    @param tenant: tenant files are data: never templated, and of bounded length.
    @param told: places where something was reported already.
    """
    left = _MAX_NODES

    def walk(value: Document, node: Schema, keys: Keys) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise _TooMuchError
        if keys in told:
            return
        finding = _text(value, tenant) if isinstance(value, str) else _number(value)
        if not finding and isinstance(value, (Mapping, list)) and len(keys) >= _MAX_DEPTH:
            problems.error("too-deep", place(keys[:8], document), *_TOO_DEEP)
            return
        finding = finding or _value(value, node)
        if finding:
            problems.error(finding[0], place(keys, document), *finding[1:])
        elif isinstance(value, Mapping):
            if node.get("x-quantities"):
                names = [name for name in value if (*keys, name) not in told]
                _warn_resources(names, place(keys, document), problems)
            properties, rest = node.get("properties", {}), node.get("additionalProperties")
            for key, child in value.items():
                if not isinstance(key, str):
                    _report_key(key, keys, place, document, problems)
                    continue
                finding = _text(key, tenant)
                if finding:
                    problems.error(finding[0], place((*keys, key), document), *finding[1:])
                walk(child, properties.get(key) or (rest if isinstance(rest, dict) else {}), (*keys, key))
        elif isinstance(value, list):
            if tenant and len(value) > _MAX_ITEMS:
                problems.error(
                    "too-long",
                    place(keys, document),
                    f"the list has {len(value)} items.",
                    f"Use at most {_MAX_ITEMS}.",
                )
                return
            items = node.get("items", {})
            for index, child in enumerate(value):
                walk(child, items, (*keys, index))

    try:
        walk(document, root, ())
    except _TooMuchError:
        problems.error("too-long", place((), document), *_TOO_MANY)


_Finding = tuple[str, str, str]


def _text(value: str, tenant: bool) -> _Finding | None:
    if tenant and _TEMPLATE_MARK.search(value):
        return (
            "template",
            f"{show(value)} looks like a template; tenant files are data and are never templated.",
            "Write the value itself.",
        )
    if tenant and len(value) > _MAX_TEXT:
        return "too-long", f"the text has {len(value)} characters.", f"Use at most {_MAX_TEXT}."
    found = _UNSEEN.search(value)
    if found:
        return (
            "bad-value",
            f"the text holds the invisible character U+{ord(found.group()):04X}.",
            "Remove it.",
        )
    return None


def _number(value: object) -> _Finding | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "bad-value", f"{value} is not a number that can be counted with.", "Write a plain number."
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return "bad-value", "the number is too large.", "Write a smaller one."
    return None


def _value(value: Document, node: Schema) -> _Finding | None:
    if value is None or _JUDGED.isdisjoint(node):
        return None
    if node.get("x-quantity"):
        try:
            amount = quantity.parse(value)
        except ModelError as error:
            return "bad-value", str(error), ""
        return ("bad-value", f"{show(value)} is negative.", "An amount is zero or more.") if amount.nano < 0 else None
    if node.get("x-quantities") and isinstance(value, Mapping):
        return _spelled_twice(value)
    if "oneOf" in node and isinstance(value, Mapping):
        unclear = exactly_one(value, node["oneOf"])
        if unclear:
            return "bad-value", unclear, node["x-hint"]
    if node.get("x-date"):
        try:
            datetime.date.fromisoformat(value)
        except (ValueError, TypeError):
            return "bad-value", f"{show(value)} is not a day of the calendar.", "Write a date as YYYY-MM-DD."
    if isinstance(value, Mapping) and "except" in node.get("properties", ()):
        return _exceptions(value)
    for mark, parse, name, example in _ADDRESS_MARKS:
        if node.get(mark):
            # what is no text was told by the schema
            for item in (i for i in (value if isinstance(value, list) else [value]) if isinstance(i, str)):
                try:
                    parse(item)
                except (netaddr.AddrFormatError, ValueError, TypeError):
                    return "bad-value", f"{show(item)} is not {name}.", f"Write it as {example}."
    return None


def exactly_one(value: Mapping[str, t.Any], branches: list[Schema]) -> str:
    """What is wrong with a mapping of which exactly one of several keys is needed; empty when nothing is."""
    options = [key for branch in branches for key in branch.get("required", ())]
    found = [key for key in options if key in value]
    if len(found) == 1:
        return ""
    return f"it names {' and '.join(found)}." if found else f"it names none of {', '.join(options)}."


def address(text: str) -> netaddr.IPAddress:
    """An address with all its parts: C(10.1) is none."""
    if not netaddr.valid_ipv4(text, flags=netaddr.INET_PTON) and not netaddr.valid_ipv6(text):
        raise ValueError(text)
    return netaddr.IPAddress(text)


def network(text: str) -> netaddr.IPNetwork:
    """An address range with its prefix length."""
    first, _slash, length = text.partition("/")
    if not length.isdecimal():
        raise ValueError(text)
    address(first)
    return netaddr.IPNetwork(text)


_ADDRESS_MARKS: tuple[tuple[str, Callable[[str], t.Any], str, str], ...] = (
    ("x-cidr", network, "an address range", "10.20.0.0/16"),
    ("x-address", address, "an address", "10.20.0.10"),
    ("x-addresses", network, "an address range", "10.20.0.0/16"),
)
#: Words of the schema on which C(_value) has something to say.
_JUDGED = frozenset(
    ("x-quantity", "x-quantities", "oneOf", "x-date", "properties", *(mark for mark, *_more in _ADDRESS_MARKS))
)


def _exceptions(peer: Mapping[str, t.Any]) -> _Finding | None:
    try:
        outer = network(peer["cidr"])
        stray = [text for text in peer["except"] if network(text) not in outer]
    except (netaddr.AddrFormatError, ValueError, TypeError, KeyError, AttributeError):
        return None  # told elsewhere
    if stray:
        return "outside", f"the exception {show(stray[0])} is not inside {peer['cidr']}.", "Remove it, or correct it."
    return None


def _spelled_twice(amounts: Mapping[str, t.Any]) -> _Finding | None:
    spellings: dict[str, list[str]] = {}
    for name in amounts:
        if isinstance(name, str):
            spellings.setdefault(resources.quota_key(name), []).append(name)
    twice = [names for names in spellings.values() if len(names) > 1]
    if twice:
        names = "; ".join(" and ".join(sorted(each)) for each in twice)
        return "duplicate", f"{names} are two spellings of one resource.", "Keep one of them."
    return None


def _warn_resources(names: list[t.Any], where: Where, problems: Problems) -> None:
    for name in names:
        if isinstance(name, str) and not resources.is_known(name):
            near = nearest(name, resources.STANDARD)
            problems.warn(
                "unknown-resource",
                where / name,
                f"Kubernetes counts no resource {show(name)}.",
                f"Did you mean {near!r}?" if near else "The API server refuses quotas that name it.",
            )
