# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inheritance with provenance: how the levels of the hierarchy become one set of effective values.

Levels are folded from the outside in: C(defaults, size, tenant ancestors, tenant, project, environment). What a
field does when two levels set it is a word in the schema (C(x-merge)), looked up in C(RULES). Every rule is
associative, so the result does not depend on how the levels are grouped.
"""

from __future__ import annotations

import fnmatch
import typing as t
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from . import schema_layer
from .errors import Problems, Where, suggest
from .resources import quota_key

Value = t.Any
#: Effective value path (such as C(resource_quota.hard.requests.cpu), as a tuple) to the places that set it.
Provenance = dict[tuple[str, ...], tuple[Where, ...]]

MERGE: dict[str, t.Any] = {name: field["x-merge"] for name, field in schema_layer.LAYER.items()}
_STRICTNESS = {level: rank for rank, level in enumerate(schema_layer.POD_SECURITY)}


@dataclass(frozen=True)
class Level:
    """One level's values and where they stand."""

    where: Where
    values: Mapping[str, Value]


@dataclass
class Effective:
    """Effective values and the places they come from."""

    values: dict[str, Value] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=dict)


@dataclass
class _Context:
    problems: Problems | None
    protected: tuple[str, ...]
    effective: Effective

    def note(self, path: tuple[str, ...], where: Where, *, replace: bool) -> None:
        known = self.effective.provenance
        known[path] = (where,) if replace else (*known.get(path, ()), where)


Rule = Callable[[Value, Value, Where, "tuple[str, ...]", _Context], Value]


def _override(_old: Value, new: Value, where: Where, path: tuple[str, ...], context: _Context) -> Value:
    context.note(path, where, replace=True)
    return new


def _keys(old: Value, new: Value, where: Where, path: tuple[str, ...], context: _Context) -> Value:
    merged = dict(old or {})
    for key, value in new.items():
        merged[key] = value
        context.note((*path, key), where / key, replace=True)
    return merged


def _quota_keys(old: Value, new: Value, where: Where, path: tuple[str, ...], context: _Context) -> Value:
    """Like C(keys), but C(cpu) overrides C(requests.cpu): they are one resource."""
    merged = dict(old or {})
    for key, value in new.items():
        name = quota_key(key)
        merged[name] = value
        context.note((*path, name), where / key, replace=True)
    return merged


def _labels(old: Value, new: Value, where: Where, path: tuple[str, ...], context: _Context) -> Value:
    merged = dict(old or {})
    for key, value in new.items():
        guarded = key in merged and merged[key] != value and any(fnmatch.fnmatchcase(key, p) for p in context.protected)
        if guarded:
            here = (*path, key)
            first = context.effective.provenance[here][0]
            if context.problems is not None:
                context.problems.error(
                    "protected-label",
                    where / key,
                    f"the label is protected and is {merged[key]!r} by {first.text}; it cannot become {value!r} here.",
                    "Remove it here, or take it out of fleet_protected_labels.",
                )
            continue
        merged[key] = value
        context.note((*path, key), where / key, replace=True)
    return merged


def _add(old: Value, new: Value, where: Where, path: tuple[str, ...], context: _Context) -> Value:
    merged = list(old or [])
    for index, item in enumerate(new):
        if item not in merged:
            merged.append(item)
            context.note(path, where / index, replace=False)
    return merged


def _by(key: str) -> Rule:
    def rule(old: Value, new: Value, where: Where, path: tuple[str, ...], context: _Context) -> Value:
        merged = {item[key]: item for item in old or []}
        for index, item in enumerate(new):
            merged[item[key]] = item
            context.note((*path, item[key]), where / index, replace=True)
        return list(merged.values())

    return rule


def _stricter(old: Value, new: Value, where: Where, path: tuple[str, ...], context: _Context) -> Value:
    if old is not None and _STRICTNESS[old] >= _STRICTNESS[new]:
        return old
    context.note(path, where, replace=True)
    return new


def covers_exact(outer: str, inner: str) -> bool:
    return outer == inner


def covers_path(outer: str, inner: str) -> bool:
    """C(registry.example.edu/physics) covers itself and everything below it."""
    outer = outer.rstrip("/")
    return inner.rstrip("/") == outer or inner.startswith(outer + "/")


def covers_host(outer: str, inner: str) -> bool:
    """C(*.example.edu) covers every name below C(example.edu), with or without a star; a plain name covers itself."""
    if outer == inner or outer == "*":
        return True
    return outer.startswith("*.") and inner.removeprefix("*").endswith(outer[1:]) and inner != outer[2:]


def _narrow(covers: Callable[[str, str], bool]) -> Rule:
    def rule(old: Value, new: Value, where: Where, path: tuple[str, ...], context: _Context) -> Value:
        if old is None:
            context.note(path, where, replace=True)
            return list(dict.fromkeys(new))
        for index, item in enumerate(new):
            if context.problems is not None and not any(covers(outer, item) for outer in old):
                first = context.effective.provenance[path][-1]
                context.problems.error(
                    "widens",
                    where / index,
                    f"{item!r} is not allowed by the level above ({first.text}); a level can only narrow.",
                    suggest(item, old) if old else "Nothing is allowed there.",
                )
        kept = [item for item in new if any(covers(outer, item) for outer in old)]
        kept += [outer for outer in old if any(covers(item, outer) for item in new)]
        context.note(path, where, replace=False)
        return list(dict.fromkeys(kept))

    return rule


RULES: dict[str, Rule] = {
    "override": _override,
    "keys": _keys,
    "quota keys": _quota_keys,
    "labels": _labels,
    "add": _add,
    "by name": _by("name"),
    "by type": _by("type"),
    "stricter": _stricter,
    "narrow": _narrow(covers_exact),
    "narrow paths": _narrow(covers_path),
    "narrow hosts": _narrow(covers_host),
}


def resolve(levels: Iterable[Level], problems: Problems | None = None, protected: Iterable[str] = ()) -> Effective:
    """Folds I(levels), the outermost first.

    @param levels: values of the schema's layer fields; other keys are ignored.
    @param problems: where to report what a level may not set; without it that is dropped silently.
    @param protected: label key patterns that a level cannot change once set.
    """
    effective = Effective()
    context = _Context(problems, tuple(protected), effective)
    for level in levels:
        _fold(effective.values, level.values, MERGE, level.where, (), context)
    return effective


def _fold(
    into: dict[str, Value],
    values: Mapping[str, Value],
    rules: Mapping[str, t.Any],
    where: Where,
    path: tuple[str, ...],
    context: _Context,
) -> None:
    for key, rule in rules.items():
        if key not in values:
            continue
        here, deeper = (*path, key), where / key
        if isinstance(rule, str):
            into[key] = RULES[rule](into.get(key), values[key], deeper, here, context)
        else:
            into[key] = dict(into.get(key) or {})
            _fold(into[key], values[key], rule, deeper, here, context)
