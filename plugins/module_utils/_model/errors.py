# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems: what is wrong with an inventory, where, and how to mend it."""

from __future__ import annotations

import difflib
import typing as t
from collections.abc import Callable, Iterable, Iterator
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
    people read, in which list items go by their C(id) or C(name).
    """

    variable: str
    keys: tuple[Key, ...] = ()
    host: str = ""
    labels: tuple[str, ...] = ()

    def __truediv__(self, key: Key) -> Where:
        return Where(self.variable, (*self.keys, key), self.host, (*self.labels, ""))

    def item(self, index: int, label: object) -> Where:
        """The list item at I(index), shown as C([label])."""
        text = label if isinstance(label, str) else ""
        return Where(self.variable, (*self.keys, index), self.host, (*self.labels, text))

    @property
    def text(self) -> str:
        out = [self.variable]
        for key, label in zip(self.keys, self.labels, strict=True):
            if isinstance(key, int):
                out.append(f"[{label or key}]")
            elif _PLAIN.issuperset(key) and key:
                out.append(f".{key}")
            else:
                out.append(f"[{key!r}]")
        return "".join(out)


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
        return f"{place}{host}{self.where.text}: {self.what}{' ' + self.fix if self.fix else ''}"

    def as_dict(self, locate: Locator | None = None) -> dict[str, t.Any]:
        file, line = locate(self.where) if locate else ("", 0)
        return {
            "code": self.code,
            "severity": self.severity,
            "file": file,
            "line": line,
            "host": self.where.host,
            "path": self.where.text,
            "what": self.what,
            "fix": self.fix,
        }


@dataclass
class Problems:
    """Collects findings; a model with errors is never rendered."""

    items: list[Problem] = field(default_factory=list)

    def error(self, code: str, where: Where, what: str, fix: str = "") -> None:
        self.items.append(Problem(code, where, what, fix))

    def warn(self, code: str, where: Where, what: str, fix: str = "") -> None:
        self.items.append(Problem(code, where, what, fix, WARNING))

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.items)

    @property
    def errors(self) -> list[Problem]:
        return [p for p in self.items if p.severity == ERROR]

    @property
    def warnings(self) -> list[Problem]:
        return [p for p in self.items if p.severity == WARNING]


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
    return close[0] if close else None


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
