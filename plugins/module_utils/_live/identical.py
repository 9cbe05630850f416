# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether quotas and limits that somebody made in a namespace say the same as the declared ones.

All of a kind hold together, so what counts is what is in force: of two quotas the lower amount. An amount that only one
side names is no conflict; it goes on holding, or starts to.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Iterable, Iterator, Mapping

from .._model.errors import ModelError
from .._model.quantity import Quantity, parse
from .._model.resources import quota_key
from .compare import normal

Object = Mapping[str, t.Any]
#: C((what counts them, the key)) and every amount that is given.
Amounts = dict[tuple[str, str], list[Quantity]]

_DEFAULTS = ("default", "defaultRequest")
#: Of these the highest holds, of all others the lowest.
_LOWER_BOUND = "min"


def conflicts(ours: Iterable[Object], theirs: Iterable[Object]) -> Iterator[str]:
    """What is in force and is declared otherwise, for a message.

    @param ours: declared objects of one namespace.
    @param theirs: live ones.
    """
    mine, others = list(ours), list(theirs)
    for kind, read, judge in (("ResourceQuota", _hard, _in_force), ("LimitRange", _limits, _bound)):
        declared, live = _all(mine, kind, read), _all(others, kind, read)
        for key in sorted(declared.keys() & live.keys()):
            now, wanted = judge(key, live[key]), judge(key, declared[key])
            # of several defaults, which one a container gets is arbitrary
            if not (wanted in live[key] if key[1].startswith(_DEFAULTS) else now == wanted):
                yield f"{kind} {' '.join(filter(None, key))} ({now}, declared {wanted})"


def _all(objects: Iterable[Object], kind: str, read: Callable[[Object], Iterator[tuple[str, str, t.Any]]]) -> Amounts:
    found: Amounts = {}
    for each in objects:
        if each["kind"] == kind:
            for scope, key, amount in read(normal(kind, each.get("spec") or {})):
                try:
                    found.setdefault((scope, key), []).append(parse(amount))
                except ModelError:
                    continue
    return found


def _hard(spec: Object) -> Iterator[tuple[str, str, t.Any]]:
    scope = {key: spec[key] for key in ("scopes", "scopeSelector") if spec.get(key)}
    text = json.dumps(scope, sort_keys=True) if scope else ""
    for key, amount in (spec.get("hard") or {}).items():
        yield text, quota_key(key), amount


def _limits(spec: Object) -> Iterator[tuple[str, str, t.Any]]:
    for item in spec.get("limits") or ():
        for part, amounts in item.items():
            if isinstance(amounts, Mapping):
                for resource, amount in amounts.items():
                    yield item["type"], f"{part}.{resource}", amount


def _in_force(_key: tuple[str, str], amounts: Iterable[Quantity]) -> Quantity:
    return min(amounts)


def _bound(key: tuple[str, str], amounts: Iterable[Quantity]) -> Quantity:
    return max(amounts) if key[1].startswith(f"{_LOWER_BOUND}.") else min(amounts)
