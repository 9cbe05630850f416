# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks one document against the schema and says what is wrong in words.

A compiled validator passes good documents quickly; only a document that fails is read again by C(jsonschema), which
finds every error.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from .._libraries import load as library
from . import schema, values
from .errors import Problems, Where, look_alikes, nearest, show, suggest
from .schema_layer import Schema

if t.TYPE_CHECKING:
    import fastjsonschema
    import jsonschema
else:
    fastjsonschema = library("fastjsonschema")
    jsonschema = library("jsonschema")


Document = t.Any
_SCHEMAS = {
    "tenant": schema.expand(schema.TENANT_SCHEMA),
    "cluster": schema.expand(schema.CLUSTER_SCHEMA),
    "fleet": schema.expand(schema.FLEET_SCHEMA),
    "node": schema.expand(schema.NODE_SCHEMA),
}


@cache
def _quick(kind: str) -> Callable[[Document], Document]:
    return t.cast("Callable[[Document], Document]", fastjsonschema.compile(_lean(_SCHEMAS[kind]), use_default=False))


# oneOf: its failing branches cost more than all else, and C(values.check) looks after it. The others say nothing of
# what is valid, but the compiler writes them into the code of every check.
_LEFT_OUT = frozenset({"oneOf", "default", "description", "examples", "title"})
_NAMES = ("properties", "patternProperties")


def _lean(schema: t.Any) -> t.Any:
    """The schema without what makes the compiled validator slow or long to compile."""
    if isinstance(schema, dict):
        return {
            key: {name: _lean(each) for name, each in value.items()} if key in _NAMES else _lean(value)
            for key, value in schema.items()
            if key not in _LEFT_OUT and not key.startswith("x-")
        }
    return [_lean(item) for item in schema] if isinstance(schema, list) else schema


def _pattern(_validator: t.Any, pattern: str, value: object, _schema: Schema) -> Iterator[jsonschema.ValidationError]:
    # Python's $ also matches before a last line feed; that of JSON Schema, and of the quick validator, does not
    if isinstance(value, str) and not re.search(pattern.replace("$", r"\Z"), value):
        yield jsonschema.ValidationError("it does not match")


@cache
def _thorough(kind: str) -> t.Any:
    extend: t.Any = jsonschema.validators.extend
    return extend(jsonschema.Draft7Validator, {"pattern": _pattern})(_SCHEMAS[kind])


def prepare() -> None:
    """Compiles the validators of a fleet now, so that processes which are forked later have them."""
    for kind in ("tenant", "cluster", "fleet"):
        _quick(kind)


def check(kind: str, document: Document, where: Where, problems: Problems) -> bool:
    """Reports every error of I(document); true when it has none.

    @param kind: C(tenant), C(cluster), C(fleet) or C(node).
    @param where: the place of the document. For all but tenants the first key becomes the variable.
    """
    before = len(problems.errors)
    place = _place(kind, where)
    told: frozenset[values.Keys] = frozenset()
    try:
        _quick(kind)(document)
    except (fastjsonschema.JsonSchemaException, TypeError, RecursionError) as error:
        document = values.ordinary(document, place, problems)
        if document is not None or len(problems.errors) == before:
            told = _report(kind, document, place, problems)
            if len(problems.errors) == before:
                problems.error("bad-value", place((), document), f"it does not fit the schema: {str(error)[:200]}.")
    if document is not None:
        values.check(document, _SCHEMAS[kind], place, problems, tenant=kind == "tenant", told=told)
    return len(problems.errors) == before


def _place(kind: str, base: Where) -> values.Place:
    def place(keys: values.Keys, document: Document) -> Where:
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


def _report(kind: str, document: Document, place: values.Place, problems: Problems) -> frozenset[values.Keys]:
    """Reports the schema's errors; returns the places that need no second look."""
    found = sorted(_thorough(kind).iter_errors(document), key=_position)
    wrong_type = {tuple(error.absolute_path) for error in found if error.validator == "type"}
    told = set(wrong_type)
    for error in found:
        at = tuple(error.absolute_path)
        if at in wrong_type and error.validator != "type":
            continue
        for code, keys, what, fix in _explain(error):
            problems.error(code, place((*at, *keys), document), what, fix)
            if code == "unknown-key" or not isinstance(error.instance, (Mapping, list)):
                told.add((*at, *keys))
    return frozenset(told)


def _position(error: jsonschema.ValidationError) -> list[tuple[bool, int, str]]:
    return [(isinstance(k, str), 0 if isinstance(k, str) else k, str(k)) for k in error.absolute_path]


_Explanation = tuple[str, "values.Keys", str, str]


def _explain(error: jsonschema.ValidationError) -> Iterable[_Explanation]:
    rule, value, node = str(error.validator), t.cast("t.Any", error.instance), t.cast("Schema", error.schema)
    wanted = t.cast("t.Any", error.validator_value)
    hint = node.get("x-hint", "")
    if rule == "additionalProperties":
        known = list(node.get("properties", ()))
        for key in value:
            if key not in known and not key.startswith("_"):
                yield "unknown-key", (key,), f"unknown key{look_alikes(key)}.", suggest(key, known, limit=16)
    elif rule == "required":
        for key in wanted:
            if key not in value:
                near = nearest(key, [k for k in value if k not in node.get("properties", ())])
                yield "missing-key", (), f"the key {key!r} is missing.", f"Is {near!r} meant?" if near else "Add it."
    elif rule == "enum":
        what = f"{show(value)} is not one of the possible values{_odd(value)}."
        yield "unknown-value", (), what, suggest(value, wanted) or hint
    elif rule == "type":
        yield "wrong-type", (), _wrong_type(value, wanted), _right_type(value, wanted) or hint
    elif rule in ("pattern", "maxLength", "minLength"):
        keys = (value,) if "propertyNames" in error.absolute_schema_path else ()
        what = f"{show(value)} does not have the right form{_odd(value)}." if value else "it is empty."
        yield "bad-value", keys, what, hint or _length(rule, wanted)
    elif rule == "oneOf":
        yield "bad-value", (), values.exactly_one(value, wanted), hint
    elif rule == "uniqueItems":
        twice = sorted({show(item) for item in value if value.count(item) > 1})
        yield "duplicate", (), f"{', '.join(twice[:5])} stands here more than once.", "Keep it once."
    elif rule in ("minimum", "maximum", "exclusiveMinimum"):
        sense = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than"}[rule]
        yield "bad-value", (), f"{show(value)} is out of range; it must be {sense} {wanted}.", ""
    elif rule in ("minItems", "minProperties"):
        yield "bad-value", (), "it is empty.", "Name at least one."
    else:
        yield "bad-value", (), f"{show(value)} does not fit.", hint


def _odd(value: object) -> str:
    return look_alikes(value) if isinstance(value, str) else ""


def _length(rule: str, wanted: object) -> str:
    return {"maxLength": f"At most {wanted} characters.", "minLength": "Write a value."}.get(rule, "")


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
        (bool, "a boolean"),
        (str, "a text"),
        (list, "a list"),
        (Mapping, "a mapping"),
        (int, "a whole number"),
        (float, "a number"),
    ):
        if isinstance(value, kind):
            return name
    return f"a {type(value).__name__}"


def _wrong_type(value: object, wanted: str | list[str]) -> str:
    if value is None:
        return f"it is empty; {_wanted(wanted)} is needed."
    return f"{show(value)} is {_type_name(value)}; {_wanted(wanted)} is needed."


def _right_type(value: object, wanted: str | list[str]) -> str:
    """How to write it, where that is plain."""
    if value is None:
        return "Write a value, or remove the key."
    if wanted == "string" and isinstance(value, (bool, int, float)):
        return "Put it in quotes."
    if wanted == "array":
        return "Write it as a list, each item after a dash."
    if wanted == "object":
        return "Write it as lines of the form key: value."
    if wanted in ("integer", "number") and isinstance(value, str) and value.strip().isdecimal():
        return "Write it without quotes."
    return ""


def _wanted(types: str | list[str]) -> str:
    return " or ".join(_TYPES[kind] for kind in ([types] if isinstance(types, str) else types))
