# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Label selectors: as text, as on a command line, and as Kubernetes objects hold them."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Mapping

from .._model.errors import ModelError, show

Labels = Mapping[str, str]
Test = Callable[[Labels], bool]

_SET = re.compile(r"\s*(?P<key>[^\s=!(),]+)\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)\s*")
_EQUAL = re.compile(r"\s*(?P<key>[^\s=!(),]+)\s*(?P<operator>==|=|!=)\s*(?P<value>[^\s=!(),]*)\s*")
_EXISTS = re.compile(r"\s*(?P<not>!?)\s*(?P<key>[^\s=!(),]+)\s*")


def parse(text: str) -> Test:
    """A selector such as C(team=physics,stage in (dev,prod),!archived).

    @raises ModelError: it is not a selector.
    """
    tests: list[Test] = []
    rest = text
    while rest.strip():
        for form, make in ((_SET, _set), (_EQUAL, _equal), (_EXISTS, _exists)):
            match = form.match(rest)
            if match and (match.end() == len(rest) or rest[match.end()] == ","):
                tests.append(make(match))
                rest = rest[match.end() + 1 :]
                break
        else:
            raise ModelError(f"{show(text)} is not a label selector. Write key=value, key in (a,b), key or !key.")
    return lambda labels: all(test(labels) for test in tests)


def _set(match: re.Match[str]) -> Test:
    key, wanted = match["key"], match["operator"] == "in"
    values = {each.strip() for each in match["values"].split(",")}
    return lambda labels: (key in labels and labels[key] in values) == wanted


def _equal(match: re.Match[str]) -> Test:
    key, value, wanted = match["key"], match["value"], match["operator"] != "!="
    return lambda labels: (labels.get(key) == value) == wanted


def _exists(match: re.Match[str]) -> Test:
    key, wanted = match["key"], not match["not"]
    return lambda labels: (key in labels) == wanted


def matches(selector: Mapping[str, t.Any], labels: Labels) -> bool:
    """Whether a selector in the form of C(matchLabels) and C(matchExpressions) selects something with I(labels)."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(each, labels) for each in selector.get("matchExpressions") or ())


def _holds(expression: Mapping[str, t.Any], labels: Labels) -> bool:
    key, operator = str(expression["key"]), expression["operator"]
    values: tuple[str, ...] = tuple(expression.get("values") or ())
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return labels.get(key) not in values
    present: bool = key in labels
    return present if operator == "Exists" else not present
