# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables that people keep of their machines, exported as CSV. Every mistake is told with its line."""

from __future__ import annotations

import csv
import datetime
import io
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .._model.errors import Problem, Problems, Where, nearest, show, suggest
from .machine import DECISIONS, KINDS, STATES

#: Our columns, and the choices of those that have some.
COLUMNS: dict[str, tuple[str, ...]] = {
    "name": (),
    "id": (),
    "kind": KINDS,
    "host": (),
    "state": STATES,
    "cpus": (),
    "memory_gib": (),
    "memory_mib": (),
    "disk_gib": (),
    "os": (),
    "owner": (),
    "workload": (),
    "created": (),
    "address": (),
    "note": (),
    "decision": DECISIONS,
    "reason": (),
}
LABEL = "label."
_NUMBERS = ("cpus", "memory_gib", "memory_mib", "disk_gib")
_DELIMITERS = ",;\t|"
_LARGEST = 1_000_000


@dataclass
class Row:
    """One machine of a table: the columns that are filled in."""

    file: str
    line: int
    values: dict[str, t.Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass
class Table:
    """A file that was read. I(unused) are columns that nothing is made of."""

    rows: list[Row] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


def read(file: str, text: str, columns: Mapping[str, str], delimiter: str, problems: Problems) -> Table:
    """The rows of a table.

    @param columns: what the file calls a column of ours, where that is something else.
    @param delimiter: by default the one of comma, semicolon, tab and bar that the first line has most of.
    """

    def tell(line: int, column: str, what: str, fix: str) -> None:
        problems.add(Problem("vm-table", Where(column, file=file, line=line), what, fix))

    table = Table()
    text = text.removeprefix("\ufeff")
    if len(delimiter) > 1:
        tell(
            0, "delimiter", f"{show(delimiter)} is more than one character.", "Give the one that stands between cells."
        )
        return table
    columns = {name: str(theirs) for name, theirs in columns.items()}
    first = text.split("\n", 1)[0]
    mark = delimiter or max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    lines = _lines(reader, tell)
    head = next(lines, None)
    if head is None:
        tell(1, "head", "the file is empty.", "Begin it with a line of column names; name is the one that is needed.")
        return table
    names = _names(head[1], columns, table, tell)
    if "name" not in names:
        given = ", ".join(word.strip() for word in head[1])
        fix = "Name one of them name, or say in columns which one it is."
        tell(head[0], "head", f"no column is called {columns.get('name', 'name')}; there are {given}.", fix)
        return table
    seen: dict[tuple[str, str], int] = {}
    for number, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(names):
            fix = "Put cells that hold the delimiter into double quotes."
            tell(number, "row", f"has {len(cells)} cells, and the head has {len(names)}.", fix)
            continue
        row = _row(Row(file, number), dict(zip(names, cells, strict=True)), tell)
        if row:
            key = (str(row.values.get("id", row.values["name"])), str(row.values.get("host", "")))
            if key in seen:
                fix = "Remove one of them, or tell them apart by id or host."
                tell(number, "name", f"{show(row.values['name'])} stands in line {seen[key]} already.", fix)
            seen.setdefault(key, number)
            table.rows.append(row)
    return table


Tell: t.TypeAlias = "t.Callable[[int, str, str, str], None]"


def _lines(reader: t.Any, tell: Tell) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of their first line, which is not the last one when a cell holds a line break."""
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            tell(number, "row", f"is no CSV: {error}.", "Look for a double quote that is not closed, or not doubled.")
            return
        yield number, cells


def _names(head: list[str], columns: Mapping[str, str], table: Table, tell: Tell) -> list[str]:
    known = {name: theirs for name, theirs in columns.items() if name in COLUMNS or name.startswith(LABEL)}
    ours = {theirs.strip().lower(): name for name, theirs in known.items()}
    found: list[str] = []
    for cell in head:
        word = cell.strip()
        name = ours.get(word.lower(), word.lower())
        if name in found and name in COLUMNS:
            tell(1, word, "the column is there twice.", "Remove one, or rename it.")
        if name not in COLUMNS and not name.startswith(LABEL):
            near = nearest(name, COLUMNS) if word else None
            table.unused.append(f"{word} (did you mean {near}?)" if near else word)
            name = f"-{len(found)}"
        found.append(name)
    for name, theirs in columns.items():
        if name not in known:
            tell(0, f"columns.{name}", "there is no such column.", suggest(name, COLUMNS, limit=20))
        elif name not in found:
            tell(1, theirs, f"the column, which columns.{name} names, is not there.", suggest(theirs, head))
    return found


def _row(row: Row, cells: Mapping[str, str], tell: Tell) -> Row | None:
    good = True

    def wrong(column: str, what: str, fix: str) -> None:
        nonlocal good
        good = False
        tell(row.line, column, what, fix)

    for column, cell in cells.items():
        text = " ".join(cell.split())
        if not text or column.startswith("-"):
            continue
        if column.startswith(LABEL):
            row.labels[column.removeprefix(LABEL)] = text
        elif column in _NUMBERS:
            number = _number(text, whole=column == "cpus")
            if number is None:
                fix = (
                    "Write a whole number." if column == "cpus" else "Write a plain number without a unit, such as 7.5."
                )
                wrong(column, f"{show(text)} is no number above 0.", fix)
            else:
                row.values[column] = number
        elif column == "created":
            try:
                row.values[column] = datetime.date.fromisoformat(text[:10]).isoformat()
            except ValueError:
                wrong(column, f"{show(text)} is no day.", "Write it like 2019-03-31.")
        elif COLUMNS[column] and text.lower() not in COLUMNS[column]:
            wrong(column, f"{show(text)} is none of the choices.", suggest(text.lower(), COLUMNS[column]))
        else:
            row.values[column] = text.lower() if COLUMNS[column] else text
    if "name" not in row.values:
        wrong("name", "is empty.", "Every machine needs a name.")
    if "decision" in row.values and "reason" not in row.values:
        wrong("reason", f"is empty, although it is decided: {row.values['decision']}.", "Say why.")
    if "reason" in row.values and "decision" not in row.values and not (cells.get("decision") or "").strip():
        wrong("decision", "is empty, although there is a reason.", f"Write one of {', '.join(DECISIONS)}.")
    if "memory_mib" in row.values and "memory_gib" in row.values:
        wrong("memory_mib", "is given beside memory_gib.", "Keep one of them.")
    if "memory_mib" in row.values:
        row.values["memory_gib"] = round(row.values.pop("memory_mib") / 1024, 2)
    return row if good else None


def _number(text: str, *, whole: bool) -> float | None:
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        return None
    if not 0 < number < _LARGEST * (1 if whole else 1024):
        return None
    return int(number) if number == int(number) else round(number, 2)
