# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an object on the cluster is what we declare, without asking the cluster.

It is when every declared value is there, when all of it is ours by the API server's own book (C(managedFields)), and
when the book holds nothing of ours that is no longer declared. What others add, and what the server fills in, does not
matter. Ownership also finds what values cannot show: that somebody filled a selector that we declare to be empty.

Parts that the API server treats as one (C(atomic): most lists, label selectors) are compared exactly, after both sides
got what the server is known to fill in. A default that is not known here costs a write without effect, never an error.
"""

from __future__ import annotations

import json
import marshal
import typing as t
from collections.abc import Callable, Iterator, Mapping

from .._model.errors import ModelError
from .._model.quantity import canonical
from .kinds import MANAGER

Object = Mapping[str, t.Any]
Fields = Mapping[str, t.Any]

#: Maps whose keys have owners of their own; that ours is empty does not say that others' must be.
_OPEN_MAPS = frozenset({"annotations", "data", "hard", "labels"})
#: They say which object it is and have no owner.
_IDENTITY = frozenset({"apiVersion", "kind"})
_IDENTITY_META = frozenset({"name", "namespace"})
_TEXTS = frozenset({"annotations", "labels"})
_SELF = frozenset({"."})
_TEXT_NAMES = frozenset({f"f:{part}" for part in _TEXTS}) | _SELF
_METADATA = _IDENTITY | {"metadata"}
#: The last format without references, in which equal values have equal bytes.
_PLAIN = 2
_MOST_KNOWN = 1000


def owned_fields(live: Object, manager: str = MANAGER) -> Fields | None:
    """What a manager has applied to an object, in the form of C(fieldsV1); None when it has applied nothing."""
    entry = _entry(live, manager)
    return None if entry is None else entry.get("fieldsV1") or {}


def _entry(live: Object, manager: str) -> Mapping[str, t.Any] | None:
    for entry in live["metadata"].get("managedFields") or ():
        if entry["manager"] == manager and entry["operation"] == "Apply" and not entry.get("subresource"):
            return t.cast("Mapping[str, t.Any]", entry)
    return None


def differences(desired: Object, live: Object, manager: str = MANAGER) -> list[str]:
    """The paths that an apply would change, such as C(.spec.hard.pods); empty when it would change nothing."""
    return list(_differences(desired, live, manager))


class Comparer:
    """Whether applying many objects would change nothing. It remembers what was equal.

    Most objects of a kind differ in nothing but their metadata, and to look one up is much faster than a walk. Threads
    may share it.
    """

    def __init__(self, manager: str = MANAGER) -> None:
        self._manager = manager
        self._known: set[bytes] = set()

    def equal(self, desired: Object, live: Object) -> bool:
        """Whether an apply would change nothing."""
        entry = _entry(live, self._manager)
        if entry is None or entry.get("apiVersion") != desired["apiVersion"]:
            return False
        fields = dict(entry.get("fieldsV1") or {})
        book = fields.pop("f:metadata", {})
        if not _same_metadata(desired["metadata"], live["metadata"], book):
            return next(_differences(desired, live, self._manager), None) is None
        keys = sorted({*desired, *(name[2:] for name in fields)} - _METADATA)
        # bytes, because for Python 1 and true are the same
        one = marshal.dumps([desired["kind"], [[key, desired.get(key), live.get(key)] for key in keys], fields], _PLAIN)
        if one in self._known:
            return True
        found = next(_differences(desired, live, self._manager), None) is None
        if found and len(self._known) < _MOST_KNOWN:
            self._known.add(one)
        return found


def _same_metadata(ours: Object, theirs: Object, book: Fields) -> bool:
    """Whether labels and annotations are ours and as declared, in the simplest of cases; others need a walk."""
    if ours.keys() - _IDENTITY_META - _TEXTS or book.keys() - _TEXT_NAMES:
        return False
    for part in _TEXTS:
        mine, owned = ours.get(part) or {}, book.get(f"f:{part}") or {}
        if {f"f:{key}" for key in mine} != owned.keys() - _SELF:
            return False
        if not mine.items() <= (theirs.get(part) or {}).items():
            return False
    return True


def _differences(desired: Object, live: Object, manager: str) -> Iterator[str]:
    entry = _entry(live, manager)
    if entry is None or entry.get("apiVersion") != desired["apiVersion"]:
        yield "."
        return
    fields = entry.get("fieldsV1") or {}
    for key in sorted({*desired, *(name[2:] for name in fields if name.startswith("f:"))} - _IDENTITY):
        ours, theirs = desired.get(key), live.get(key)
        if key == "metadata":
            ours = {k: v for k, v in (ours or {}).items() if k not in _IDENTITY_META}
        elif key == "spec":
            ours, theirs = normal(desired["kind"], ours), normal(desired["kind"], theirs)
        yield from _walk(ours, theirs, fields.get(f"f:{key}"), f".{key}", key)


def _walk(ours: t.Any, theirs: t.Any, owned: Fields | None, path: str, key: str) -> Iterator[str]:
    whole, is_open = not _names(owned), key in _OPEN_MAPS
    if _empty(ours) and (_empty(theirs) or (whole and is_open)):
        return
    if owned is None:
        if ours is not None:
            yield path
    elif whole:
        if (is_open and isinstance(ours, dict)) or not same(ours, theirs):
            yield path
    elif isinstance(ours, list) or (ours is None and isinstance(theirs, list)):
        yield from _walk_list(ours or [], theirs, owned, path)
    else:
        yield from _walk_map(ours, theirs, owned, path)


def _walk_map(ours: t.Any, theirs: t.Any, owned: Fields, path: str) -> Iterator[str]:
    ours = {} if ours is None else ours
    if not isinstance(theirs, dict) or not isinstance(ours, dict):
        yield path
        return
    for key, value in ours.items():
        if value is not None:
            yield from _walk(value, theirs.get(key), owned.get(f"f:{key}"), f"{path}.{key}", key)
    for name in owned:
        key = name[2:]
        if name.startswith("f:") and ours.get(key) is None and key in theirs:
            yield f"{path}.{key}"


def _walk_list(ours: list[t.Any], theirs: t.Any, owned: Fields, path: str) -> Iterator[str]:
    keyed = {name: json.loads(name[2:]) for name in owned if name.startswith("k:")}
    values = [json.loads(name[2:]) for name in owned if name.startswith("v:")]
    if values:
        held = theirs if isinstance(theirs, list) else []
        if any(v not in held or v not in values for v in ours) or any(v not in ours for v in values):
            yield path
    elif keyed:
        yield from _walk_keyed(ours, theirs if isinstance(theirs, list) else [], owned, keyed, path)
    elif not same(ours, theirs):
        yield path


def _walk_keyed(
    ours: list[t.Any], theirs: list[t.Any], owned: Fields, keyed: dict[str, dict[str, t.Any]], path: str
) -> Iterator[str]:
    unmatched = list(range(len(ours)))
    for name, wanted in keyed.items():

        def fits(item: t.Any, wanted: dict[str, t.Any] = wanted) -> bool:
            # a part of the key that we leave out is one that the server fills in
            return isinstance(item, Mapping) and all(item.get(k, v) == v for k, v in wanted.items())

        at = f"{path}{_shown(name)}"
        index = next((i for i in unmatched if fits(ours[i])), None)
        live = next((item for item in theirs if fits(item)), None)
        if index is None or live is None:
            yield at
            continue
        unmatched.remove(index)
        if not _names(owned[name]):
            if not same({**wanted, **ours[index]}, live):
                yield at
            continue
        yield from _walk_map({**wanted, **ours[index]}, live, {**{f"f:{k}": {} for k in wanted}, **owned[name]}, at)
    for index in unmatched:
        yield f"{path}[{index}]"


def _names(owned: Fields | None) -> bool:
    """Whether the book goes deeper than this."""
    return owned is not None and any(name != "." for name in owned)


def _empty(value: t.Any) -> bool:
    return value is None or (isinstance(value, (dict, list)) and not value)


def same(one: t.Any, other: t.Any) -> bool:
    """Equality in which nothing, an empty map and an empty list are the same, but 1 and true are not."""
    if _empty(one) and _empty(other):
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return all(same(one.get(key), other.get(key)) for key in {*one, *other})
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def holds(desired: t.Any, live: t.Any) -> bool:
    """Whether an object has every declared value, whoever owns it."""
    desired, live = ({**each, "spec": normal(desired["kind"], each.get("spec"))} for each in (desired, live))
    return _within(desired, live)


def _within(ours: t.Any, theirs: t.Any) -> bool:
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return all(_within(value, theirs.get(key)) for key, value in ours.items())
    return same(ours, theirs)


# What the API server makes of a spec


def normal(kind: str, spec: t.Any) -> t.Any:
    """A spec as the API server would write it, as far as parts that it treats as one are concerned."""
    mend = _MENDERS.get(kind)
    return mend(spec) if mend and isinstance(spec, Mapping) else spec


def _amounts(amounts: t.Any) -> t.Any:
    return {key: _amount(value) for key, value in amounts.items()} if isinstance(amounts, Mapping) else amounts


def _amount(value: t.Any) -> t.Any:
    try:
        return canonical(value)
    except ModelError:
        return value


def _quota(spec: Object) -> Object:
    return {**spec, "hard": _amounts(spec.get("hard"))}


def _limit_range(spec: Object) -> Object:
    return {**spec, "limits": [_limits(item) for item in spec.get("limits") or ()]}


def _limits(item: Object) -> Object:
    done = {key: _amounts(value) for key, value in item.items()}
    if done.get("type") == "Container":
        limit = {**(done.get("max") or {}), **(done.get("default") or {})}
        request = {**limit, **(done.get("min") or {}), **(done.get("defaultRequest") or {})}
        for name, amounts in (("default", limit), ("defaultRequest", request)):
            if amounts:
                done[name] = amounts
        # the order of the server: a missing request is the limit, and only without one the minimum
        for key in limit:
            if key not in (item.get("defaultRequest") or {}):
                done["defaultRequest"][key] = limit[key]
    return done


def _network_policy(spec: Object) -> Object:
    done = dict(spec)
    for side in ("ingress", "egress"):
        if isinstance(done.get(side), list):
            done[side] = [_network_rule(rule) for rule in done[side]]
    return done


def _network_rule(rule: Object) -> Object:
    ports = rule.get("ports")
    return {**rule, "ports": [{"protocol": "TCP", **port} for port in ports]} if ports else rule


def _policy(spec: Object) -> Object:
    return _matched(spec, "matchConstraints")


def _policy_binding(spec: Object) -> Object:
    return _matched(spec, "matchResources")


def _matched(spec: Object, name: str) -> Object:
    given = spec.get(name)
    if not isinstance(given, Mapping):
        return spec
    matched = {"matchPolicy": "Equivalent", **given}
    for rules in ("resourceRules", "excludeResourceRules"):
        if matched.get(rules):
            matched[rules] = [{"scope": "*", **rule} for rule in matched[rules]]
    return {**spec, name: matched}


_MENDERS: dict[str, Callable[[Object], Object]] = {
    "LimitRange": _limit_range,
    "NetworkPolicy": _network_policy,
    "ResourceQuota": _quota,
    "ValidatingAdmissionPolicy": _policy,
    "ValidatingAdmissionPolicyBinding": _policy_binding,
}


# Who else owns a field


def owners(live: Object, path: str) -> list[tuple[str, str]]:
    """Managers of a field, with C(Apply) or C(Update), but us. I(path) is in the form of the server's messages."""
    found = []
    for entry in live["metadata"].get("managedFields") or ():
        if entry["manager"] == MANAGER and entry["operation"] == "Apply":
            continue
        if _holds(entry.get("fieldsV1") or {}, path):
            found.append((entry["manager"], entry["operation"]))
    return found


def _holds(fields: Fields, path: str) -> bool:
    """Whether a field, or one that contains it, or one below it, is in the book."""
    if not path or path == ".":
        return True
    if not _names(fields):
        return False
    for name, below in fields.items():
        if name == ".":
            continue
        shown = f".{name[2:]}" if name.startswith("f:") else _shown(name)
        if path == shown or (path.startswith(shown) and path[len(shown)] in ".["):
            rest = path[len(shown) :]
            if not rest or not _names(below) or _holds(below, rest):
                return True
    return False


def _shown(name: str) -> str:
    value = json.loads(name[2:])
    if name.startswith("k:"):
        return "[" + ",".join(f"{k}={json.dumps(v)}" for k, v in value.items()) + "]"
    return f"[={json.dumps(value)}]"
