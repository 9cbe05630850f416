# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs from the inventory, field by field, and which field manager wrote it."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterable, Iterator, Mapping

from .._live.compare import differences, owners
from .._live.kinds import MANAGER
from .._model.errors import ModelError
from .._model.quantity import canonical
from .look import Object

#: Flux marks what it applies with labels of its own.
_MARKS = (".metadata.labels.kustomize.toolkit.fluxcd.io/",)


def fields(desired: Object, live: Object, manager: str = MANAGER) -> list[dict[str, t.Any]]:
    """The fields that an apply would change, with both values and those who wrote the one on the cluster."""
    rows = []
    for path in _precise(differences(desired, live, manager), desired, live):
        if path.startswith(_MARKS):
            continue
        found = writers(live, path, manager)
        rows.append(
            {
                "path": path,
                "declared": None if path == "." else at(desired, path),
                "live": None if path == "." else at(live, path),
                "managers": found,
                # a field that somebody took away has no owner; whoever wrote last may know
                "last_writer": None if found else _last(live, manager),
            }
        )
    return rows


def _precise(paths: Iterable[str], desired: Object, live: Object) -> Iterator[str]:
    """Paths of single values: when somebody took over all of a part, the part as a whole differs."""
    for path in paths:
        ours, theirs = (None, None) if path == "." else (at(desired, path), at(live, path))
        deeper = []
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            deeper = [f"{path}.{key}" for key, value in ours.items() if not _alike(value, theirs.get(key))]
        if deeper:
            yield from _precise(deeper, desired, live)
        else:
            yield path


def _alike(one: t.Any, other: t.Any) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    try:
        return bool(one == other) or canonical(one) == canonical(other)
    except ModelError:
        return False


def writers(live: Object, path: str, manager: str = MANAGER) -> list[dict[str, str]]:
    """Field managers that own a field, but ours, the latest first."""
    found = [_row(entry) for entry in _others(live, manager) if owners({"metadata": {"managedFields": [entry]}}, path)]
    return sorted(found, key=lambda row: row["time"], reverse=True)


def _others(live: Object, manager: str) -> Iterator[Mapping[str, t.Any]]:
    for entry in live["metadata"].get("managedFields") or ():
        if not entry.get("subresource") and (entry["manager"], entry["operation"]) != (manager, "Apply"):
            yield entry


def _row(entry: Mapping[str, t.Any]) -> dict[str, str]:
    return {"manager": entry["manager"], "operation": entry["operation"], "time": str(entry.get("time", ""))}


def _last(live: Object, manager: str) -> dict[str, str] | None:
    return max((_row(entry) for entry in _others(live, manager)), key=lambda row: row["time"], default=None)


def at(target: t.Any, path: str) -> t.Any:
    """The value at a path such as C(.spec.hard.requests.cpu); keys may hold dots. None when it is absent."""
    if not path:
        return target
    if isinstance(target, Mapping) and path.startswith("."):
        for key in sorted(target, key=len, reverse=True):
            rest = path[1 + len(key) :]
            if path.startswith(f".{key}") and (not rest or rest[0] in ".["):
                found = at(target[key], rest)
                if found is not None:
                    return found
    elif isinstance(target, list) and path.startswith("["):
        head, _closing, rest = path[1:].partition("]")
        for index, item in enumerate(target):
            if head == str(index) or _is_item(item, head):
                return at(item, rest)
    return None


def _is_item(item: t.Any, head: str) -> bool:
    """Whether I(head), such as C(name="web") or C(="a"), means the item of a list."""
    if head.startswith("="):
        return bool(json.dumps(item) == head[1:])
    pairs = [pair.partition("=") for pair in head.split(",")]
    return isinstance(item, Mapping) and all(json.dumps(item.get(key)) == value for key, _sign, value in pairs)
