# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account as tables: every tenant and cluster, or, of a large fleet, those that change and the totals."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Sequence
from decimal import Decimal

from .._model.fleet import Fleet
from .._model.quantity import ZERO, Quantity, parse
from .._tree import paths
from . import account as accounts
from .account import Account, Amount, Entry
from .table import WIDTH, bounded, count, heading, money, table

MOST, _MOST_RETAINED = 40, 20
_ALL = "all"


class _Line(t.NamedTuple):
    """A name with what it was and what it is; one of the two may be missing."""

    name: str
    shown: str
    old: Entry | None
    new: Entry | None
    placed: tuple[str, str] = ("", "")


def state(fleet: Fleet) -> list[str]:
    """What the inventory declares, compared with nothing."""
    return tables(fleet, Account(), sense="now", where="")


def tables(fleet: Fleet, before: Account, *, sense: str, where: str) -> list[str]:
    """Tenants and clusters with what they have, what is committed of it, what is left, and what it costs.

    @param before: the account of the last run, empty when there was none; what differs from it is marked.
    @param sense: how to call the state that the inventory declares, C(after) or C(now).
    @param where: the tree whose ledger has the rest.
    """
    after = accounts.of(fleet)
    currency = fleet.settings.prices["currency"]
    marked = f"; → {sense}: what changes" if before and sense == "after" else "; → now: what changed" if before else ""
    return [
        *heading(f"tenants, each with those below it: committed/budget, left, {currency} a month{marked}"),
        *_Tables("TENANT", _tenants(fleet, before, after), before, sense, where, currency).lines(),
        *heading(f"clusters: environments placed, committed/capacity, left, {currency} a month{marked}"),
        *_Tables("CLUSTER", _clusters(before, after), before, sense, where, currency).lines(),
    ]


def _tenants(fleet: Fleet, before: Account, after: Account) -> list[_Line]:
    lines = []
    for tenant in sorted(fleet.tenants.values(), key=lambda tenant: [level.id for level in tenant.line]):
        shown = "  " * len(tenant.ancestors) + tenant.id
        lines.append(_Line(tenant.id, shown, before.tenants.get(tenant.id), after.tenants[tenant.id]))
    gone = sorted(before.tenants.keys() - after.tenants.keys())
    lines += [_Line(name, name, before.tenants[name], None) for name in gone]
    return [*lines, _Line("", _ALL, _declared(before) if before else None, _declared(after))]


def _clusters(before: Account, after: Account) -> list[_Line]:
    lines = []
    for name in sorted({*before.clusters, *after.clusters}):
        placed = (str(before.placed(name)), str(after.placed(name)))
        lines.append(_Line(name, name, before.clusters.get(name), after.clusters.get(name), placed))
    old = _sum(before.clusters.values()) if before else None
    placed = (str(len(before.declared)), str(len(after.declared)))
    return [*lines, _Line("", _ALL, old, _sum(after.clusters.values()), placed)]


def _declared(account: Account) -> Entry:
    """What all tenants have together. A tenant has what those below it have, so adding up tenants would not do."""
    sums: dict[str, Quantity] = {}
    for told in account.declared.values():
        for key, text in told.items():
            if key not in (accounts.MONTH, accounts.STATE):
                sums[key] = _plus(sums.get(key, ZERO), parse(text))
    return Entry({key: Amount(str(amount)) for key, amount in sums.items()}, account.month)


def _sum(entries: Iterable[Entry]) -> Entry:
    sums: dict[str, list[Quantity]] = {}
    limited: set[str] = set()
    month = Decimal(0)
    for entry in entries:
        month += entry.month
        for key, amount in entry.amounts.items():
            cell = sums.setdefault(key, [ZERO, ZERO, ZERO])
            limited |= {key} if amount.limit else set()
            for index, text in enumerate(amount):
                cell[index] = _plus(cell[index], parse(text or "0"))
    amounts = {
        key: Amount(str(sum_[0]), str(sum_[1]), str(sum_[2])) if key in limited else Amount(str(sum_[0]))
        for key, sum_ in sums.items()
    }
    return Entry(amounts, month)


def _plus(one: Quantity, other: Quantity) -> Quantity:
    return one + other if one else other


class _Tables:
    """Tables of some lines; a new one for the resources that do not fit, with those lines only that have them."""

    def __init__(
        self, kind: str, lines: Sequence[_Line], before: Account, sense: str, where: str, currency: str
    ) -> None:
        self.kind, self.sense, self.where, self.currency = kind, sense, where, currency
        self.before = bool(before)
        self.every = lines[:-1]
        entries = [each for line in self.every for each in (line.old, line.new) if each]
        self.keys = accounts.resources(entries)
        self.limited = {key for each in entries for key, amount in each.amounts.items() if amount.limit}
        self.chosen, self.hidden = self._choose()
        self.total = lines[-1]

    def _choose(self) -> tuple[list[_Line], list[str]]:
        """All lines of a small fleet; of a large one those that change."""
        if len(self.every) <= MOST:
            return list(self.every), []
        changed = [line for line in self.every if self._changed(line)] if self.before else list(self.every)
        chosen, noun, place = changed[:MOST], self.kind.lower(), f"{self.where}/{paths.LEDGER}"
        hidden = []
        if len(changed) > MOST:
            hidden.append(f"  and {len(changed) - MOST} more{' that change' if self.before else ''}")
        if len(self.every) > len(changed):
            hidden.append(f"  {count(len(self.every) - len(changed), noun)} without a change")
        later = " once it is written" if not self.before and self.sense == "after" else ""
        return chosen, [*hidden, f"  {place} lists every {noun}{later}"]

    def _changed(self, line: _Line) -> bool:
        if not line.old or not line.new:
            return True
        old, new = (self._cells(entry, "", self.keys) for entry in (line.old, line.new))
        return line.placed[0] != line.placed[1] or old != new

    def _cells(self, entry: Entry, placed: str, keys: Sequence[str], *, cost: bool = True) -> list[str]:
        cells = [placed] if self.kind == "CLUSTER" and cost else []
        for key in keys:
            amount = entry.amounts.get(key)
            cells.append("-" if amount is None else amount.shown)
            cells += ["-" if amount is None else amount.left or "-"] if key in self.limited else []
        return [*cells, *([entry.cost] if cost else [])]

    def lines(self) -> list[str]:
        main = [key for key in self.keys if key in accounts.BASE]
        rest = self.keys[len(main) :]
        lines = self._table([*self.chosen, self.total], main, cost=True)
        for keys in self._pages(rest):
            having = [line for line in self.chosen if any(_has(line, key) for key in keys)]
            if having:
                lines += ["", *self._table([*having, self.total], keys, cost=False)]
        return lines + self.hidden

    def _pages(self, keys: Sequence[str]) -> list[list[str]]:
        pages: list[list[str]] = []
        for key in keys:
            longer = [*pages[-1], key] if pages else [key]
            if pages and max(map(len, self._table([*self.chosen, self.total], longer, cost=False))) <= WIDTH:
                pages[-1] = longer
            else:
                pages.append([key])
        return pages

    def _table(self, lines: Iterable[_Line], keys: Sequence[str], *, cost: bool) -> list[str]:
        head = [self.kind, *(["PLACED"] if self.kind == "CLUSTER" and cost else [])]
        for key in keys:
            head += [accounts.title(key, self.keys), *(["LEFT"] if key in self.limited else [])]
        head += [f"MONTH {self.currency}"] if cost else []
        rows = [row for line in lines for row in self._rows(line, keys, cost)]
        return table(head, rows, range(1, len(head)))

    def _rows(self, line: _Line, keys: Sequence[str], cost: bool) -> list[list[str]]:
        said = [
            self._cells(entry, placed, keys, cost=cost) if entry else None
            for entry, placed in zip((line.old, line.new), line.placed, strict=True)
        ]
        old, new = said
        if new is None:
            return [[f"{line.shown} (gone)", *(old or [])]]
        if old is None:
            return [[f"{line.shown} (new)" if self.before else line.shown, *new]]
        if old == new:
            return [[line.shown, *new]]
        after = [cell if cell != was else "" for was, cell in zip(old, new, strict=True)]
        indent = " " * (len(line.shown) - len(line.shown.lstrip()))
        return [[line.shown, *old], [f"{indent}→ {self.sense}", *after]]


def _has(line: _Line, key: str) -> bool:
    cells = [entry.amounts.get(key) for entry in (line.old, line.new) if entry]
    return any(cell and (cell.limit or cell.committed != "0") for cell in cells)


def difference(before: Account, fleet: Fleet, sense: str) -> list[str]:
    """One sentence on the money; nothing when there is nothing to compare with."""
    if not before:
        return []
    currency = fleet.settings.prices["currency"]
    old, new = before.month, accounts.of(fleet).month
    if old == new:
        return ["", f"A month costs {money(str(new))} {currency}, as before."]
    by = f"{money(str(abs(new - old)))} {'more' if new > old else 'less'}"
    if sense == "after":
        return ["", f"A month costs {money(str(old))} {currency} now and {money(str(new))} after: {by}."]
    return ["", f"A month cost {money(str(old))} {currency} and now costs {money(str(new))}: {by}."]


def retained(fleet: Fleet) -> list[str]:
    """Namespaces that nobody declares any more and that still take room."""
    currency = fleet.settings.prices["currency"]
    lines = [
        f"  {row['name']} on {row['cluster']}: {money(row['month'])} {currency} a month"
        for row in fleet.ledger
        if row["scope"] == "environment" and row.get("state") == accounts.RETAINED
    ]
    if not lines:
        return []
    return [*heading(f"retained, though no longer declared ({len(lines)})"), *bounded(lines, _MOST_RETAINED)]
