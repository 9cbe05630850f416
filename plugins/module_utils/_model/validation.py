# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks one document against the schema and says what is wrong in words.

A compiled validator passes good documents quickly; only a document that fails is read again by C(jsonschema), which
finds every error.
"""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable, Iterable, Mapping
from functools import cache

import fastjsonschema
import jsonschema
import netaddr

from . import quantity, schema
from .errors import ModelError, Problems, Where, nearest, suggest
from .schema_layer import Schema

Document = t.Any
_SCHEMAS = {
    "tenant": schema.expand(schema.TENANT_SCHEMA),
    "cluster": schema.expand(schema.CLUSTER_SCHEMA),
    "fleet": schema.expand(schema.FLEET_SCHEMA),
}
_TEMPLATE_MARKS = ("{{", "{%", "{#")
_MAX_TEXT = 4096


@cache
def _quick(kind: str) -> Callable[[Document], Document]:
    return t.cast("Callable[[Document], Document]", fastjsonschema.compile(_SCHEMAS[kind], use_default=False))


@cache
def _thorough(kind: str) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(_SCHEMAS[kind])


def check(kind: str, document: Document, where: Where, problems: Problems) -> bool:
    """Reports every error of I(document); true when it has none.

    @param kind: C(tenant), C(cluster) or C(fleet).
    @param where: the place of the document. For clusters and the organisation the first key becomes the variable.
    """
    before = len(problems.errors)
    try:
        _quick(kind)(document)
    except fastjsonschema.JsonSchemaException:
        _report(kind, document, where, problems)
    if len(problems.errors) == before:
        _values(document, _SCHEMAS[kind], kind, problems, _place(kind, where))
    return len(problems.errors) == before


_Place = Callable[["tuple[str | int, ...]", Document], Where]


def _place(kind: str, base: Where) -> _Place:
    def place(keys: tuple[str | int, ...], document: Document) -> Where:
        where, node, rest = base, document, list(keys)
        if kind != "tenant" and rest:
            first = rest.pop(0)
            where = Where(str(first), host=base.host)
            node = node.get(first) if isinstance(node, Mapping) else None
        for key in rest:
            node = _child(node, key)
            if isinstance(key, int):
                label = (node.get("id") or node.get("name")) if isinstance(node, Mapping) else None
                where = where.item(key, label)
            else:
                where = where / key
        return where

    return place


def _child(node: Document, key: str | int) -> Document:
    try:
        return node[key]
    except (KeyError, IndexError, TypeError):
        return None


def _report(kind: str, document: Document, base: Where, problems: Problems) -> None:
    place = _place(kind, base)
    seen = set()
    for error in sorted(
        _leaves(_thorough(kind).iter_errors(document)), key=lambda e: [str(k) for k in e.absolute_path]
    ):
        for code, keys, what, fix in _explain(error):
            where = place((*error.absolute_path, *keys), document)
            if (where.text, what) not in seen:
                seen.add((where.text, what))
                problems.error(code, where, what, fix)


def _leaves(errors: Iterable[jsonschema.ValidationError]) -> Iterable[jsonschema.ValidationError]:
    for error in errors:
        if error.validator in ("allOf", "if") and error.context:
            yield from _leaves(error.context)
        else:
            yield error


_Explanation = tuple[str, "tuple[str | int, ...]", str, str]


def _explain(error: jsonschema.ValidationError) -> Iterable[_Explanation]:
    rule, value, node = str(error.validator), t.cast("t.Any", error.instance), t.cast("Schema", error.schema)
    wanted = t.cast("t.Any", error.validator_value)
    hint = node.get("x-hint", "")
    if rule == "additionalProperties":
        known = list(node.get("properties", ()))
        for key in value:
            if key not in known and not str(key).startswith("_"):
                yield "unknown-key", (key,), "unknown key.", suggest(key, known, limit=16)
    elif rule == "required":
        for key in wanted:
            if key not in value:
                near = nearest(key, [k for k in value if k not in node.get("properties", ())])
                yield "missing-key", (), f"the key {key!r} is missing.", f"Is {near!r} meant?" if near else "Add it."
                break
    elif rule == "enum":
        yield (
            "unknown-value",
            (),
            f"{_show(value)} is not one of the possible values.",
            suggest(value, wanted),
        )
    elif rule == "type":
        yield (
            "wrong-type",
            (),
            f"{_show(value)} is {_type_name(value)}; {_wanted(wanted)} is needed.",
            hint,
        )
    elif rule in ("pattern", "maxLength", "minLength") and node.get("x-names") is None:
        yield "bad-value", (), f"{_show(value)} does not have the right form.", hint or _length(rule, wanted)
    elif rule == "oneOf":
        yield "bad-value", (), "the combination of keys is not clear.", hint
    elif rule == "uniqueItems":
        twice = sorted({str(item) for item in value if value.count(item) > 1})
        yield "duplicate", (), f"{', '.join(twice)} stands here more than once.", "Keep it once."
    elif rule in ("minimum", "maximum", "exclusiveMinimum"):
        sense = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than"}[rule]
        yield "bad-value", (), f"{_show(value)} is out of range; it must be {sense} {wanted}.", ""
    elif rule in ("minItems", "minProperties"):
        yield "bad-value", (), "it is empty.", "Name at least one."
    else:
        yield "bad-value", (), error.message[:200] + ".", hint


def _length(rule: str, wanted: object) -> str:
    return {"maxLength": f"At most {wanted} characters.", "minLength": "It must not be empty."}.get(rule, "")


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


_TYPES = {
    "string": "a text",
    "array": "a list",
    "object": "a mapping",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def _type_name(value: object) -> str:
    for kind, name in (
        (bool, "true or false"),
        (str, "a text"),
        (list, "a list"),
        (dict, "a mapping"),
        (int, "a whole number"),
        (float, "a number"),
        (type(None), "empty"),
    ):
        if isinstance(value, kind):
            return name
    return type(value).__name__


def _wanted(types: str | list[str]) -> str:
    return " or ".join(_TYPES[kind] for kind in ([types] if isinstance(types, str) else types))


def _values(document: Document, root: Schema, kind: str, problems: Problems, place: _Place) -> None:
    """Checks what a JSON schema cannot: quantities, dates, addresses, and text that looks like a template."""

    def walk(value: Document, node: Schema, keys: tuple[str | int, ...]) -> None:
        if isinstance(value, str):
            _text(value, keys)
        problem = _check_value(value, node)
        if problem:
            problems.error("bad-value", place(keys, document), *problem)
        elif isinstance(value, Mapping):
            properties, rest = node.get("properties", {}), node.get("additionalProperties")
            for key, child in value.items():
                if isinstance(key, str):
                    _text(key, (*keys, key))
                walk(child, properties.get(key) or (rest if isinstance(rest, dict) else {}), (*keys, key))
        elif isinstance(value, list):
            items = node.get("items", {})
            for index, child in enumerate(value):
                walk(child, items, (*keys, index))

    def _text(value: str, keys: tuple[str | int, ...]) -> None:
        if kind == "tenant" and any(mark in value for mark in _TEMPLATE_MARKS):
            problems.error(
                "template",
                place(keys, document),
                f"{_show(value)} looks like a template; tenant files are data and are never templated.",
                "Write the value itself.",
            )
        elif len(value) > _MAX_TEXT and kind == "tenant":
            problems.error(
                "too-long", place(keys, document), f"the text has {len(value)} characters.", f"Use at most {_MAX_TEXT}."
            )
        elif any((ord(c) < 32 and c not in "\n\t") or ord(c) == 127 for c in value):
            problems.error("bad-value", place(keys, document), "the text holds control characters.", "Remove them.")

    walk(document, root, ())


def _check_value(value: Document, node: Schema) -> tuple[str, str] | None:
    if value is None:
        return None
    if node.get("x-quantity"):
        try:
            amount = quantity.parse(value)
        except ModelError as error:
            return str(error), ""
        return (f"{_show(value)} is negative.", "An amount is zero or more.") if amount.nano < 0 else None
    if node.get("x-date"):
        try:
            datetime.date.fromisoformat(value)
        except ValueError:
            return f"{value!r} is not a day of the calendar.", "Write a date as YYYY-MM-DD."
    for mark, parse, name in (
        ("x-cidr", netaddr.IPNetwork, "an address range"),
        ("x-address", netaddr.IPAddress, "an address"),
        ("x-addresses", netaddr.IPNetwork, "an address range"),
    ):
        if node.get(mark):
            for item in value if isinstance(value, list) else [value]:
                try:
                    parse(item)
                except (netaddr.AddrFormatError, ValueError, TypeError):
                    example = "10.20.0.10" if mark == "x-address" else "10.20.0.0/16"
                    return f"{_show(item)} is not {name}.", f"Write it as {example}."
    return None
