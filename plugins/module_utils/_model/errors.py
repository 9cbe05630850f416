# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems: what is wrong with an inventory, where, and how to mend it."""

from __future__ import annotations

import difflib
import re
import typing as t
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

Key: t.TypeAlias = "str | int"

ERROR = "error"
WARNING = "warning"


class ModelError(ValueError):
    """A value that cannot be used; the message says what and what to do."""


@dataclass(frozen=True)
class Where:
    """A place in the inventory: the variable, and the keys below it.

    I(keys) holds real list indexes and mapping keys, so that a line number can be found for it; I(text) is the form
    people read, in which list items go by their C(id) or C(name). I(file) is set when one of several files is meant,
    and I(line) when it is known.
    """

    variable: str
    keys: tuple[Key, ...] = ()
    host: str = ""
    labels: tuple[str, ...] = ()
    file: str = ""
    line: int = 0

    def __truediv__(self, key: Key) -> Where:
        return Where(self.variable, (*self.keys, key), self.host, (*self.labels, ""), self.file)

    def item(self, index: int, label: object) -> Where:
        """The list item at I(index), shown as C([label]) when that is a plain name."""
        text = label if isinstance(label, str) and len(label) <= _LONGEST_LABEL and _PLAIN.issuperset(label) else ""
        return Where(self.variable, (*self.keys, index), self.host, (*self.labels, text), self.file)

    @property
    def text(self) -> str:
        out = [self.variable]
        for key, label in zip(self.keys, self.labels, strict=True):
            if isinstance(key, int):
                out.append(f"[{label or key}]")
            elif key and len(key) <= _LONGEST_KEY and _PLAIN.issuperset(key):
                out.append(f".{key}")
            else:
                out.append(f"[{show(key)}]")
        return visible("".join(out))


_LONGEST_LABEL = 63
_LONGEST_KEY = 253
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/")

#: Finds the file (and the line, 0 when unknown) of a place.
Locator = Callable[[Where], "tuple[str, int]"]


@dataclass(frozen=True)
class Problem:
    """One finding. I(code) is stable; I(what) states the fact, I(fix) what to do about it."""

    code: str
    where: Where
    what: str
    fix: str = ""
    severity: str = ERROR

    def render(self, locate: Locator | None = None) -> str:
        file, line = locate(self.where) if locate else ("", 0)
        place = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        host = f"{self.where.host}: " if self.where.host and not file else ""
        return visible(f"{place}{host}{self.where.text}: {self.what}{' ' + self.fix if self.fix else ''}")

    def as_dict(self, locate: Locator | None = None) -> dict[str, t.Any]:
        file, line = locate(self.where) if locate else ("", 0)
        return {
            "code": self.code,
            "severity": self.severity,
            "file": visible(file),
            "line": line,
            "host": visible(self.where.host),
            "path": self.where.text,
            "what": visible(self.what),
            "fix": visible(self.fix),
        }


@dataclass
class Problems:
    """Collects findings; a model with errors is never rendered."""

    items: list[Problem] = field(default_factory=list)
    _seen: set[tuple[str, ...]] = field(default_factory=set, repr=False)

    def error(self, code: str, where: Where, what: str, fix: str = "") -> None:
        self.add(Problem(code, where, what, fix))

    def warn(self, code: str, where: Where, what: str, fix: str = "") -> None:
        self.add(Problem(code, where, what, fix, WARNING))

    def add(self, problem: Problem) -> None:
        # what a tenant sets is resolved again for each of its environments, and is told once
        told = (problem.code, problem.where.host, problem.where.text, problem.where.file, problem.what)
        if told not in self._seen:
            self._seen.add(told)
            self.items.append(problem)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.items)

    @property
    def errors(self) -> list[Problem]:
        return [p for p in self.items if p.severity == ERROR]

    @property
    def warnings(self) -> list[Problem]:
        return [p for p in self.items if p.severity == WARNING]


def visible(text: str) -> str:
    """I(text) with what a terminal would act on, or a reader would not see, written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


_LONGEST_SHOWN = 80


def show(value: object, limit: int = _LONGEST_SHOWN) -> str:
    """I(value) for a message: what I(repr) says, but of bounded size, whatever somebody put into the inventory."""
    text = _bounded(value, limit)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _bounded(value: object, room: int, depth: int = 0) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = repr(str(value[: room + 1]))
        return text if len(text) <= room else f"{text[: max(room - 4, 1)]}...{text[0]}"
    if isinstance(value, int):
        return str(int(value)) if value.bit_length() <= 4 * _LONGEST_SHOWN else "a very large number"
    if isinstance(value, (Mapping, list, tuple)):
        pair = "{}" if isinstance(value, Mapping) else "[]"
        if depth > _DEEPEST_SHOWN:
            return f"{pair[0]}...{pair[1]}"
        parts: list[str] = []
        for item in value:
            text = _bounded(item, room, depth + 1)
            if isinstance(value, Mapping):
                text += f": {_bounded(value[item], room, depth + 1)}"
            parts.append(text)
            room -= len(text) + 2
            if room < 0:
                break
        return f"{pair[0]}{', '.join(parts)}{pair[1]}"
    return repr(value)


_DEEPEST_SHOWN = 8
_ASCII = re.compile(r"[^\x00-\x7f]")


def look_alikes(text: str) -> str:
    """Names the first character that is not plain ASCII; some look exactly like one that is."""
    found = _ASCII.search(text)
    if not found:
        return ""
    name = unicodedata.name(found.group(), "a character without a name")
    return f" (it holds U+{ord(found.group()):04X}, {name})"


def nearest(word: object, known: Iterable[str]) -> str | None:
    """The known name that I(word) most likely stands for, or None."""
    if not isinstance(word, str):
        return None
    names = sorted(known)
    folded = {name.lower().replace("-", "_"): name for name in reversed(names)}
    exact = folded.get(word.lower().replace("-", "_"))
    if exact:
        return exact
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return close[0]
    # "prod" for "production", "tier_1_critical" for "tier_1"
    related = [
        n for n in names if min(len(n), len(word)) >= _SHORTEST_STEM and (n.startswith(word) or word.startswith(n))
    ]
    return related[0] if len(related) == 1 else None


_SHORTEST_STEM = 3


def suggest(word: object, known: Iterable[str], limit: int = 12) -> str:
    """A sentence with the nearest known name, and the known names when there are few."""
    names = sorted(known)
    near = nearest(word, names)
    parts = []
    if near:
        parts.append(f"Did you mean {near!r}?")
    if names and len(names) <= limit:
        parts.append(f"Known: {', '.join(names)}.")
    elif not names:
        parts.append("None are defined.")
    return " ".join(parts)


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """That a name is none of those that are known, and which is the nearest."""
    return f"there is no {what} {show(name)}. {suggest(name, known)}"
