# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of a fleet: as the last run wrote it, and as the inventory has it now."""

from __future__ import annotations

import csv
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from .._model.fleet import Fleet
from .._model.resources import STORAGE_CLASS
from .table import money

BASE = ("requests.cpu", "requests.memory", "requests.storage")
MONTH, STATE, RETAINED = "month", "state", "retained"
Key = tuple[str, str]


class Amount(t.NamedTuple):
    """What is committed of a resource, its limit (budget or capacity) and what is left; empty without a limit."""

    committed: str
    limit: str = ""
    left: str = ""

    @property
    def shown(self) -> str:
        return f"{self.committed}/{self.limit}" if self.limit else self.committed


@dataclass(frozen=True)
class Entry:
    """A tenant or a cluster. I(limit) is its budget of money; empty when it has none."""

    amounts: Mapping[str, Amount]
    month: Decimal
    limit: str = ""

    @property
    def cost(self) -> str:
        """The price of a month, and what it may be."""
        limit = f"/{money(f'{Decimal(self.limit):.2f}').removesuffix('.00')}" if self.limit else ""
        return money(str(self.month)) + limit


@dataclass
class Account:
    """Tenants and clusters by name; of environments, by key and cluster, what is committed, their cost and state."""

    tenants: dict[str, Entry] = field(default_factory=dict)
    clusters: dict[str, Entry] = field(default_factory=dict)
    environments: dict[Key, dict[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.clusters)

    @property
    def month(self) -> Decimal:
        """What everything costs by the month."""
        return sum((each.month for each in self.clusters.values()), Decimal(0))

    def placed(self, cluster: str) -> int:
        """How many declared environments a cluster has."""
        return sum(1 for _key, on in self.declared if on == cluster)

    @property
    def declared(self) -> dict[Key, dict[str, str]]:
        """The environments without the namespaces that are only retained."""
        return {place: told for place, told in self.environments.items() if told[STATE] != RETAINED}


def read(ledger: Path) -> Account:
    """The account of the last run; empty when there is none, or none that can be read."""
    try:
        with ledger.open(encoding="utf-8", newline="") as file:
            return _account(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, InvalidOperation):
        return Account()


def of(fleet: Fleet) -> Account:
    """The account of a compiled inventory."""
    rows: list[dict[str, str]] = []
    for row in fleet.ledger:
        head = {"scope": row["scope"], "name": row["name"], "cluster": row.get("cluster", "")}
        head["state"] = row.get("state", "")
        for key, cell in row["resources"].items():
            limit = cell.get("budget", cell.get("capacity", ""))
            left = cell.get("free", "")
            rows.append({**head, "resource": key, "limit": limit, "committed": cell["committed"], "free": left})
        limit = row.get("budget_month")
        month = {"resource": MONTH, "limit": "" if limit is None else str(limit), "committed": row["month"], "free": ""}
        rows.append({**head, **month})
    return _account(rows)


def _account(rows: Iterable[Mapping[str, str]]) -> Account:
    account = Account()
    kinds = {"tenant": account.tenants, "cluster": account.clusters}
    amounts: dict[Key, dict[str, Amount]] = {}
    for row in rows:
        scope, name, resource = row["scope"], row["name"], row["resource"]
        if scope == "environment":
            told = account.environments.setdefault((name, row["cluster"]), {STATE: row["state"]})
            told[resource] = row["committed"]
        elif resource == MONTH and scope in kinds:
            kinds[scope][name] = Entry(amounts.pop((scope, name), {}), Decimal(row["committed"]), row["limit"])
        else:
            amounts.setdefault((scope, name), {})[resource] = Amount(row["committed"], row["limit"], row["free"])
    return account


def is_device(key: str) -> bool:
    """Whether it is an extended resource, such as a GPU."""
    return key.startswith("requests.") and "/" in key


def resources(entries: Iterable[Entry]) -> list[str]:
    """What to show of them: processors, memory and storage, whatever has a limit somewhere, and what anybody has of
    storage classes and devices."""
    keys: set[str] = set()
    for entry in entries:
        for key, amount in entry.amounts.items():
            scarce = key in BASE or is_device(key) or STORAGE_CLASS in key
            if amount.limit or (scarce and amount.committed != "0"):
                keys.add(key)
    return sorted(keys, key=_rank)


def _rank(key: str) -> tuple[int, str]:
    if key in BASE:
        return BASE.index(key), ""
    return len(BASE) + (0 if STORAGE_CLASS in key else 2 if is_device(key) else 1), key


def title(key: str, among: Iterable[str]) -> str:
    """The short name of a resource, when no other has the same."""
    told = _short(key)
    alone = sum(1 for other in among if _short(other) == told) == 1
    return (told if alone else key.removeprefix("requests.")).upper()


def _short(key: str) -> str:
    if STORAGE_CLASS in key:
        name, kind = key.split(STORAGE_CLASS)
        return name if kind == "requests.storage" else f"{name} {kind}"
    return key.removeprefix("requests.").rsplit("/", 1)[-1] if is_device(key) else key.removeprefix("requests.")
